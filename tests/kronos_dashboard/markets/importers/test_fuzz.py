"""Damaged files are read or refused in words. KRONOS_FUZZ sets how many are tried, KRONOS_ZOO adds real files."""

import json
import os
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kronos_dashboard.errors import DashboardError
from kronos_dashboard.markets.importers import read
from tests.support.imports import fuzz as import_fuzz

COUNT = int(os.environ.get("KRONOS_FUZZ", "400"))
ZOO = os.environ.get("KRONOS_ZOO", "")
PARTS = 8


@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(PARTS))
def test_damaged_files_are_read_or_refused_but_never_break(part: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcomes = [import_fuzz.outcome(seed, ZOO) for seed in range(part, COUNT, PARTS)]
    assert set(outcomes) == {"read", "refused"}


CELLS = st.sampled_from(
    [b"2024-01-01", b"1704067200", b"1.5", b"1,5", b"2", b"", b"nan", b"x", b"12:30", b"01/02/2024", b"-1", b"1e400"]
)
LINES = st.lists(st.lists(CELLS, min_size=1, max_size=8).map(b",".join), min_size=1, max_size=12).map(b"\n".join)


@settings(max_examples=150, deadline=None)
@given(LINES, st.sampled_from(["", "date,open,high,low,close\n", "time;o;h;l;c;v\n"]))
def test_tables_of_any_cells_are_read_or_refused(lines: bytes, header: str) -> None:
    try:
        imported = read(header.encode() + lines, "f.csv")
    except DashboardError:
        return
    assert len(imported.candles) >= 2


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
DOCUMENTS = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.sampled_from("tohlcv"), inner), max_leaves=30
)


@settings(max_examples=100, deadline=None)
@given(DOCUMENTS)
def test_documents_of_any_shape_are_read_or_refused(document: object) -> None:
    try:
        read(json.dumps([document]).encode(), "f.json")
    except DashboardError:
        return
