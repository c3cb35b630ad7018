from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kronos_dashboard.charts import ENGLISH, date_ticks
from kronos_dashboard.charts.axis import build_clock, pack_prices, price_decimals, ticks
from kronos_dashboard.messages import load_catalog


@pytest.mark.parametrize(("freq", "count", "expected"), [
    ("5min", 520, ["06:00<br>1 Jan 2024", "12:00", "18:00", "2 Jan", "06:00", "12:00", "18:00"]),
    ("1D", 520, ["Apr<br>2024", "<b>Jul</b>", "<b>Oct</b>", "<b>2025</b>", "<b>Apr</b>"]),
    ("1W", 150, ["Apr<br>2024", "<b>Jul</b>", "<b>Oct</b>", "<b>2025</b>", "<b>Apr</b>", "<b>Jul</b>", "<b>Oct</b>",
                 "<b>2026</b>", "<b>Apr</b>", "<b>Jul</b>", "<b>Oct</b>"]),
])  # fmt: skip
def test_ticks_are_where_a_year_a_month_a_day_or_an_hour_starts(freq: str, count: int, expected: list[str]) -> None:
    assert date_ticks(pd.date_range("2024-01-01", periods=count, freq=freq))[1] == expected


@pytest.mark.parametrize("freq", ["1s", "1min", "5min", "15min", "1h", "4h", "1D", "B", "1W", "MS"])
@pytest.mark.parametrize("count", [2, 7, 60, 520, 3_000])
def test_tick_labels_are_few_and_do_not_overlap(freq: str, count: int) -> None:
    positions, labels = date_ticks(pd.date_range("2020-03-05 07:31", periods=count, freq=freq))
    assert 1 <= len(positions) <= 12
    assert len(labels) == len(positions)
    assert positions == sorted(positions)
    assert all(np.diff(positions) >= 0.6 * (count - 1) / 9)
    if count >= 520 and freq != "MS":
        assert len(positions) >= 3


def test_closed_hours_leave_no_holes_and_days_are_labelled_at_their_first_bar() -> None:
    days = pd.bdate_range("2023-03-01", periods=6)
    times = pd.DatetimeIndex([day + pd.Timedelta(minutes=570 + 30 * bar) for day in days for bar in range(13)])
    positions, labels = date_ticks(times)
    for position, label in zip(positions, labels, strict=True):
        if ":" not in label:
            assert position % 13 == 0
            assert label.split()[0] == str(times[position].day)


def test_a_clock_may_have_only_some_bars() -> None:
    times = pd.date_range("2024-01-01", periods=2_000, freq="1h", tz="Asia/Tokyo")
    rows = np.arange(0, 2_000, 50)
    found = ticks(build_clock(times[rows], rows))
    assert set(found.positions) <= set(rows.tolist())
    assert any("Feb" in label for label in found.labels)


def test_tick_labels_are_in_the_given_language() -> None:
    labels = date_ticks(
        pd.date_range("2024-01-01", periods=500, freq="1h"), labels=ENGLISH.translated(load_catalog("zh-Hans"))
    )[1]
    assert labels[0] == "1月3日<br>2024"


def test_an_axis_without_bars_has_no_labels() -> None:
    assert date_ticks(pd.DatetimeIndex([])) == ([], [])
    assert date_ticks(pd.DatetimeIndex(["2024-05-06 07:08"])) == ([0], ["07:08<br>6 May 2024"])


@pytest.mark.parametrize(("values", "decimals"), [
    ([100.0, 101.5, 99.25], 2),
    ([60_300.12, 61_000.5], 2),
    ([1.08765, 1.0877], 5),
    ([0.00001234, 0.00001301], 8),
    ([7.0, 8.0], 0),
    ([189.2350006103, 190.1199951171], 3),
    ([], 2),
])  # fmt: skip
def test_prices_have_the_decimals_that_distinguish_them(values: list[float], decimals: int) -> None:
    assert price_decimals(np.array(values)) == decimals


def test_prices_are_float32_if_no_decimal_is_lost() -> None:
    assert pack_prices(np.array([1.08765, 1.08766]), 5).dtype == np.float32
    exact = pack_prices(np.array([1_004_523.37, 1_004_523.38]), 2)
    assert exact.dtype == np.float64
    assert pack_prices(np.array([np.nan, 1.5]), 2).dtype == np.float32
