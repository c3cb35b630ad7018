"""Every layout in tests/data/imports is read as the candles that it contains."""

import numpy as np
import pytest

from kronos_dashboard.markets.importers import read
from kronos_dashboard.markets.intervals import interval_label
from tests.support.imports.cases import CASES, load_case

ROW_ORDER = ("newest first", "not in time order")
"""Words of the warnings on the order of rows, which every layout may have."""


def test_there_are_cases_to_read() -> None:
    assert len(CASES) >= 265


@pytest.mark.parametrize("name", CASES)
def test_a_layout_is_read_as_the_candles_it_contains(name: str) -> None:
    case = load_case(name)
    imported = read(case.data, case.filename, case.options)
    candles = imported.candles
    warnings = [
        note.text
        for note in imported.notes
        if note.level != "info" and not any(words in note.text for words in ROW_ORDER)
    ]
    assert interval_label(candles.interval) == case.interval
    assert (candles.local_index.tz_localize(None) == case.times).all()
    assert candles.session_tz == case.session_tz
    np.testing.assert_allclose(candles.frame[["open", "high", "low", "close"]], case.values[:, :4], rtol=1e-9)
    assert candles.has_volume is case.has_volume
    if case.has_volume:
        np.testing.assert_allclose(candles.frame["volume"], case.values[:, 4], rtol=1e-6)
    assert candles.has_amount is case.has_amount
    if case.symbol is not None:
        assert candles.symbol == case.symbol
    if case.warning is None:
        assert warnings == []
    else:
        assert any(case.warning in text for text in warnings)
