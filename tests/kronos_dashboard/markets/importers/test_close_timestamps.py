"""Files whose stamps are the closes of their bars, as sources of Chinese stocks write them."""

import pandas as pd
import pytest

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.markets.importers import ImportOptions, read
from tests.support import makers

SAYS = "The stamps are the closes of their bars"


def file_of(minutes: int, label: str, days: int = 5, auction: bool = False) -> bytes:
    """Days of the Shanghai sessions in bars of so many minutes, stamped at their opens or closes."""
    times = []
    for day in pd.bdate_range("2024-01-08", periods=days):
        for start, end in (("09:30", "11:30"), ("13:00", "15:00")):
            span = pd.date_range(f"{day:%Y-%m-%d} {start}", f"{day:%Y-%m-%d} {end}", freq=f"{minutes}min")
            first = auction and start == "09:30"
            times += list(span[:-1] if label == "open" else span if first else span[1:])
    frame = makers.values(len(times)).round(4)
    frame.insert(0, "timestamps", times)
    return frame.to_csv(index=False).encode()


@pytest.mark.parametrize("minutes", [1, 5, 15, 30, 60])
def test_stamps_at_closes_are_marked_and_told_and_stay_where_they_are(minutes: int) -> None:
    found = read(file_of(minutes, "close"), "600000.csv")
    assert found.candles.stamped == "close"
    assert [note.level for note in found.notes if SAYS in note.text] == ["info"]
    assert found.candles.local_index[0] == pd.Timestamp("2024-01-08 09:30", tz="UTC") + pd.Timedelta(minutes=minutes)


def test_the_auction_of_the_morning_does_not_matter() -> None:
    assert read(file_of(1, "close", auction=True), "600000.csv").candles.stamped == "close"


@pytest.mark.parametrize("minutes", [1, 5, 30])
def test_stamps_at_opens_stay_opens(minutes: int) -> None:
    found = read(file_of(minutes, "open"), "600000.csv")
    assert found.candles.stamped == "open"
    assert not any(SAYS in note.text for note in found.notes)


def test_a_named_zone_keeps_the_hours_that_are_looked_at() -> None:
    options = ImportOptions(session_tz="Asia/Shanghai")
    assert read(file_of(5, "close"), "600000.csv", options).candles.stamped == "close"


def test_a_market_around_the_clock_and_a_daily_file_are_left_alone() -> None:
    assert read(makers.csv(400, "5min").encode(), "BTCUSDT.csv").candles.stamped == "open"
    assert read(makers.csv(40, "1D").encode(), "600000.csv").candles.stamped == "open"


def test_closes_that_are_all_blank_are_refused_without_a_warning_of_numpy() -> None:
    rows = "".join(f"2024-01-{day:02d},1.5,2.5,0.5,,7\n" for day in range(2, 12))
    with pytest.raises(ImportFailed, match="no two usable candles"):
        read(f"Date,Open,High,Low,Close,Volume\n{rows}".encode(), "file.csv")
