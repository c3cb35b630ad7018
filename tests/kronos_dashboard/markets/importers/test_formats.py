"""Every layout of the modules of cases comes out as the candles it was made from."""

import numpy as np
import pandas as pd
import pytest

from kronos_dashboard.markets.candles import interval_label
from kronos_dashboard.markets.importers import ImportOptions, read
from tests.support.imports import makers as import_makers
from tests.support.imports.cases import CASES
from tests.support.imports.cases_json import JSONS
from tests.support.imports.cases_more import MORE
from tests.support.imports.cases_text import TEXTS
from tests.support.imports.makers import Case

ORDER = ("newest first", "not in order")
ALL = [*CASES, *JSONS, *TEXTS, *MORE]


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_a_layout_is_read_as_what_it_was_made_from(case: Case) -> None:
    made = import_makers.candles(case)
    data = case.make(made)
    found = read(data.encode() if isinstance(data, str) else data, case.filename, ImportOptions(**case.options))
    candles = found.candles
    told = [note for note in found.notes if note.level != "info" and not any(words in note.text for words in ORDER)]
    assert interval_label(candles.interval) == case.freq
    assert (candles.local_index.tz_localize(None) == pd.DatetimeIndex(made["t"])).all()
    assert candles.session_tz == case.zone
    np.testing.assert_allclose(candles.frame[["open", "high", "low", "close"]], made[["o", "h", "l", "c"]], rtol=1e-9)
    assert candles.has_volume is case.volume
    if case.volume:
        np.testing.assert_allclose(candles.frame["volume"], made["v"], rtol=1e-6)
    assert candles.has_amount is case.amount
    if case.symbol:
        assert candles.symbol == case.symbol
    if case.says:
        assert any(case.says in note.text for note in told)
    else:
        assert told == []
