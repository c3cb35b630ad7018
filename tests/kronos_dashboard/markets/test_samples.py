from pathlib import Path

import pytest

from kronos_dashboard.errors import SampleNotFoundError
from kronos_dashboard.markets import samples
from kronos_dashboard.markets.intervals import interval_label
from kronos_dashboard.markets.samples import SAMPLES, load_sample

FOLDER = Path(samples.__file__).parent


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.key)
def test_a_sample_is_long_enough_small_enough_and_clean(sample: samples.Sample) -> None:
    found = load_sample(sample.key)
    assert len(found.candles) >= 520
    assert found.candles.has_volume
    assert (FOLDER / f"{sample.key}.csv").stat().st_size < 500_000
    assert {note.level for note in found.notes} == {"info"}
    assert f"{len(found.candles):,}" in sample.description


def test_the_samples_are_daily_hourly_and_by_the_minute() -> None:
    assert {interval_label(load_sample(sample.key).candles.interval) for sample in SAMPLES} == {"1d", "1h", "1m"}


@pytest.mark.parametrize(("key", "bars"), [("aapl_1h", 7), ("aapl_1m", 390)])
def test_intraday_stocks_stand_in_the_sessions_of_new_york(key: str, bars: int) -> None:
    times = load_sample(key).candles.local_index
    shown = times.strftime("%H:%M")
    assert (shown.min(), shown.max()[:2]) == ("09:30", "15")
    assert times.normalize().value_counts().median() == bars
    assert not set(times.day_of_week) & {5, 6}


def test_every_sample_and_no_other_file_is_listed_with_source_and_licence() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert {path.stem for path in FOLDER.glob("*.csv")} == {sample.key for sample in SAMPLES}
    for sample in SAMPLES:
        assert f"`{sample.key}.csv`" in text
        assert sample.source.split()[0] in text
        assert any(licence in sample.source for licence in ("MIT", "BSD-3-Clause"))


def test_an_unknown_sample_names_the_known_ones() -> None:
    with pytest.raises(SampleNotFoundError, match="aapl_1d"):
        load_sample("tsla")
