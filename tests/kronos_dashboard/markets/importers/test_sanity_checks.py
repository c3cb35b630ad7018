"""Timestamps at the close of the bars, as sources of Chinese stocks write them."""

import pandas as pd
import pytest

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.importers import ImportOptions, read
from tests.support import makers

CLOSE_WORDS = "The timestamps mark the close of each bar"


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
def test_close_timestamps_are_marked_and_noted_and_not_moved(minutes: int) -> None:
    imported = read(file_of(minutes, "close"), "600000.csv")
    assert imported.candles.timestamp_at == "close"
    assert [note.level for note in imported.notes if CLOSE_WORDS in note.text] == ["info"]
    assert imported.candles.local_index[0] == pd.Timestamp("2024-01-08 09:30", tz="UTC") + pd.Timedelta(minutes=minutes)


def test_the_opening_auction_does_not_matter() -> None:
    assert read(file_of(1, "close", auction=True), "600000.csv").candles.timestamp_at == "close"


@pytest.mark.parametrize("minutes", [1, 5, 30])
def test_open_timestamps_stay_open_timestamps(minutes: int) -> None:
    imported = read(file_of(minutes, "open"), "600000.csv")
    assert imported.candles.timestamp_at == "open"
    assert not any(CLOSE_WORDS in note.text for note in imported.notes)


def test_a_given_timezone_keeps_the_local_hours() -> None:
    options = ImportOptions(session_tz="Asia/Shanghai")
    assert read(file_of(5, "close"), "600000.csv", options).candles.timestamp_at == "close"


def test_a_market_around_the_clock_and_a_daily_file_are_left_alone() -> None:
    assert read(makers.csv(400, "5min").encode(), "BTCUSDT.csv").candles.timestamp_at == "open"
    assert read(makers.csv(40, "1D").encode(), "600000.csv").candles.timestamp_at == "open"


def test_closes_that_are_all_blank_are_refused_without_a_warning_of_numpy() -> None:
    rows = "".join(f"2024-01-{day:02d},1.5,2.5,0.5,,7\n" for day in range(2, 12))
    with pytest.raises(ImportFileError, match="fewer than two usable candles"):
        read(f"Date,Open,High,Low,Close,Volume\n{rows}".encode(), "file.csv")
