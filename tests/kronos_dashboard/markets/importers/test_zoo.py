"""Real exports, where there are some: set KRONOS_ZOO to a folder with a MANIFEST.csv to run these tests.

The files are not part of the repository. The manifest tells, for each file, the interval, the rows, and the first and
the last candle after correct reading, or that it must be refused.
"""

import csv
import io
import json
import math
import os
from pathlib import Path

import pytest

from kronos_dashboard.__main__ import main

ZOO = Path(os.environ.get("KRONOS_ZOO", "/nonexistent"))
MANIFEST = ZOO / "MANIFEST.csv"
FILES = list(csv.DictReader(io.StringIO(MANIFEST.read_text(encoding="utf-8")))) if MANIFEST.exists() else []
READABLE = [row for row in FILES if row["rows_final"] not in ("", "0.0")]
OTHERS = [row for row in FILES if row["rows_final"] in ("", "0.0")]

pytestmark = pytest.mark.skipif(not FILES, reason="KRONOS_ZOO names no folder with a MANIFEST.csv")


@pytest.mark.parametrize("row", READABLE, ids=[row["file"] for row in READABLE])
def test_a_real_export_gives_its_interval_its_rows_and_its_first_and_last_candle(row, capsys) -> None:
    assert main(["inspect", str(ZOO / row["file"]), "--json"]) == 0
    imported = json.loads(capsys.readouterr().out)
    assert (imported["interval"], imported["rows"]) == (row["freq"], float(row["rows_final"]))
    for which in ("first", "last"):
        assert imported[which]["timestamp"] == row[f"{which}_timestamp"]
        for name in ("open", "high", "low", "close", "volume"):
            assert math.isclose(imported[which][name], float(row[f"{which}_{name}"]), rel_tol=1e-9), (which, name)
    if row["expect"] == "warn":
        assert any(note["level"] != "info" for note in imported["notes"])


@pytest.mark.parametrize("row", OTHERS, ids=[row["file"] for row in OTHERS])
def test_what_cannot_be_read_for_certain_is_refused_or_offered_as_a_choice(row, capsys) -> None:
    status = main(["inspect", str(ZOO / row["file"]), "--json"])
    output = capsys.readouterr()
    imported = json.loads(output.out)
    assert (status == 1 and len(output.err) > 40) or imported["choices"]
    if row["expect"] == "reject with message":
        assert status == 1
