"""Coarser candles hold what the finer ones held, on the market's own clock."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kronos_dashboard.errors import InvalidCandlesError
from kronos_dashboard.markets.intervals import interval_label, parse_interval
from kronos_dashboard.markets.resampling import coarser_intervals, resample
from tests.kronos_dashboard.markets.calendars.test_calendars import currency_week, exchange
from tests.support import makers


def shown(candles):
    return candles.local_index.strftime("%Y-%m-%d %H:%M").tolist()


def test_prices_and_volume_are_those_of_the_finer_candles():
    made = makers.candles(48, "1h")
    coarse = resample(made, "4h").candles
    twin = made.frame.resample("4h").agg(
        {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum", "amount": "sum"}
    )
    pd.testing.assert_frame_equal(coarse.frame, twin, check_freq=False, check_index_type=False)
    assert coarse.interval == pd.Timedelta("4h")
    assert (coarse.symbol, coarse.has_amount) == (made.symbol, made.has_amount)


def test_a_first_and_a_last_bar_that_lack_a_part_are_left_out_and_reported():
    made = makers.candles(48, "1h").rows(1, 46)
    result = resample(made, "4h")
    assert shown(result.candles)[0] == "2024-01-01 04:00"
    assert shown(result.candles)[-1] == "2024-01-02 16:00"
    texts = " ".join(note.text for note in result.notes)
    assert "Dropped the incomplete first bar (2024-01-01 00:00): 1 of its candles are before" in texts
    assert "Dropped the incomplete last bar (2024-01-02 20:00): 2 of its candles are not available yet" in texts


def test_bars_of_new_york_begin_at_its_open_and_days_are_sessions():
    made = exchange("XNYS", "2024-10-01", "2024-12-31", 30, symbol="IBM.US")
    assert {stamp[-5:] for stamp in shown(resample(made, "1h").candles)} == {f"{h:02d}:30" for h in range(9, 16)}
    daily = resample(made, "1d").candles
    assert shown(daily)[:2] == ["2024-10-01 00:00", "2024-10-02 00:00"]
    assert len(daily) == made.local_index.normalize().nunique()
    assert "2024-11-28 00:00" not in shown(daily)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "UTC"])
def test_shanghai_keeps_its_stamps_at_the_close_and_its_lunch_break(zone):
    stamps = exchange("XSHG", "2024-05-06", "2024-06-28", 5, timestamp_at="close").local_index.tz_localize(None)
    half_hours = resample(makers.at(stamps, zone), "30m").candles
    day = [stamp[-5:] for stamp in shown(half_hours)[:8]]
    assert day == ["10:00", "10:30", "11:00", "11:30", "13:30", "14:00", "14:30", "15:00"]
    assert half_hours.timestamp_at == "close"
    hours = resample(makers.at(stamps, zone), "1h").candles
    assert [stamp[-5:] for stamp in shown(hours)[:4]] == ["10:30", "11:30", "14:00", "15:00"]


def test_a_currency_has_five_days_a_week():
    daily = resample(currency_week("2024-01-02", "2024-03-08", "1h"), "1d").candles
    assert set(daily.local_index.day_of_week) == {0, 1, 2, 3, 4}


def test_weeks_begin_on_monday_and_months_on_their_first_day():
    made = makers.candles(200, "1D", session_tz="Europe/Berlin", start="2023-12-31 23:00")
    weekly, monthly = resample(made, "1w").candles, resample(made, "1M").candles
    assert set(weekly.local_index.day_of_week) == {0}
    assert set(weekly.local_index.hour) == {0}
    assert monthly.local_index.strftime("%m-%d").tolist() == [f"{month:02d}-01" for month in range(1, 7)]
    assert weekly.frame["volume"].iloc[0] == made.frame["volume"].iloc[:7].sum()


def test_resampling_twice_is_resampling_once():
    made = exchange("XETR", "2024-10-01", "2024-12-31", 5)
    once = resample(made, "1h").candles
    twice = resample(resample(made, "15m").candles, "1h").candles
    pd.testing.assert_frame_equal(once.frame, twice.frame)


@given(start=st.integers(0, 60), length=st.integers(120, 400), minutes=st.sampled_from([10, 15, 30, 60, 240]))
@settings(max_examples=12, deadline=None)
def test_nothing_is_lost_but_what_is_reported(start, length, minutes):
    made = makers.candles(500, "5min").rows(start, start + length)
    coarse = resample(made, pd.Timedelta(minutes=minutes)).candles
    inside = made.frame[(made.index >= coarse.index[0]) & (made.index < coarse.index[-1] + coarse.interval)]
    assert np.isclose(coarse.frame["volume"].sum(), inside["volume"].sum())
    assert coarse.frame["high"].max() == inside["high"].max()
    assert coarse.frame["low"].min() == inside["low"].min()


@pytest.mark.parametrize(
    ("freq", "target", "words"),
    [
        ("1h", "15m", "the target is shorter"),
        ("1h", "90m", "not a multiple"),
        ("7D", "1M", "require daily or shorter"),
        ("1D", "3d", "above one day"),
    ],
)
def test_what_cannot_be_is_refused(freq, target, words):
    with pytest.raises(InvalidCandlesError, match=words):
        resample(makers.candles(100, freq), target)


def test_too_few_candles_for_one_bar_are_refused():
    with pytest.raises(InvalidCandlesError, match="do not fill a complete 1d bar"):
        resample(makers.candles(20, "1h"), "1d")


def test_intervals_are_read_and_offered():
    assert parse_interval("15m") == pd.Timedelta("15min")
    assert interval_label(parse_interval("1M")) == "1M"
    assert coarser_intervals(pd.Timedelta("1h")) == ("1h", "2h", "4h", "1d", "1w", "1M")
    assert coarser_intervals(pd.Timedelta("30D")) == ("1M",)
    for text in ("", "5", "h", "0m", "1y"):
        with pytest.raises(InvalidCandlesError):
            parse_interval(text)


def test_a_million_candles_are_resampled():
    frame = makers.values(1000).iloc[np.arange(1_000_000) % 1000]
    frame.index = pd.date_range("2020-01-01", periods=1_000_000, freq="1min", tz="UTC")
    made = makers.on(frame)
    assert len(resample(made, "1h").candles) == 16_666
