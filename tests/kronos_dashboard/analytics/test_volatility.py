import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from kronos_dashboard.analytics import SampledPaths, bars_per_year, volatility
from kronos_dashboard.analytics.volatility import parkinson, realized
from kronos_dashboard.errors import SettingsError
from tests.support import fans, makers

CONTEXT = makers.candles(100)


def test_realised_volatility_is_its_plain_twin() -> None:
    closes = [100.0, 102.0, 99.0, 99.5]
    moves = [math.log(b / a) for a, b in pairwise(closes)]
    assert realized(np.array(closes)) == pytest.approx(math.sqrt(sum(x * x for x in moves) / 3))


def test_parkinson_is_its_plain_twin() -> None:
    highs, lows = [103.0, 105.0], [99.0, 101.0]
    twin = math.sqrt(sum(math.log(h / lo) ** 2 for h, lo in zip(highs, lows, strict=True)) / 2 / (4 * math.log(2)))
    assert parkinson(np.array(highs), np.array(lows)) == pytest.approx(twin)


def test_both_find_the_volatility_of_a_brownian_path() -> None:
    steps = np.random.default_rng(0).normal(0, 0.01 / math.sqrt(400), (2_000, 400))
    walks = np.exp(np.concatenate((np.zeros((2_000, 1)), steps.cumsum(axis=1)), axis=1))
    assert realized(walks[:, [0, -1]]).mean() == pytest.approx(0.01 * math.sqrt(2 / math.pi), rel=0.05)
    assert parkinson(walks.max(axis=1), walks.min(axis=1)) == pytest.approx(0.01, rel=0.06)  # steps miss some extremes


def test_paths_are_held_against_the_end_of_the_context() -> None:
    fan = fans.drawn(200, 30, sigma=0.02)
    values = CONTEXT.frame.to_numpy()
    found = volatility(fan, CONTEXT, recent=10)
    each = [realized(walk) for walk in fan.close_paths]
    assert found.recent == pytest.approx(realized(values[-11:, 3]))
    assert found.recent_parkinson == pytest.approx(parkinson(values[-10:, 1], values[-10:, 2]))
    assert found.median.value == pytest.approx(np.median(each))
    assert found.prob_higher.value == np.mean(np.array(each) > found.recent)
    assert found.ratio == pytest.approx(np.median(each) / found.recent)
    assert found.prob_higher.value > 0.9
    assert volatility(fans.drawn(200, 30, sigma=0.001), CONTEXT).prob_higher.value < 0.1


@pytest.mark.parametrize(("horizon", "wanted"), [(5, 20), (60, 60), (500, 99)])
def test_the_recent_past_is_as_long_as_the_horizon_within_bounds(horizon: int, wanted: int) -> None:
    assert volatility(fans.drawn(5, horizon), CONTEXT).recent_bars == wanted


@pytest.mark.parametrize("recent", [0, 100])
def test_a_recent_past_that_is_not_there_is_refused(recent: int) -> None:
    with pytest.raises(SettingsError, match=r"1\.\.99"):
        volatility(fans.drawn(5, 5), CONTEXT, recent=recent)


def test_years_come_in_with_the_bars_of_a_year() -> None:
    fan = fans.drawn(50, 10)
    bare, yearly = volatility(fan, CONTEXT), volatility(fan, CONTEXT, bars_per_year=8760.0)
    assert bare.annualization_factor is None
    assert yearly.annualization_factor == pytest.approx(math.sqrt(8760))
    assert "per bar" in bare.describe()
    assert "Annualized" in yearly.describe()
    assert yearly.values["paths"] == pytest.approx(math.sqrt(8760) * bare.values["paths"])


def test_units_do_not_matter() -> None:
    fan, frame = fans.drawn(50, 10), CONTEXT.frame.copy()
    frame.iloc[:, :4] *= 4.0
    here, there = volatility(fan, CONTEXT), volatility(fans.scaled(fan, 4.0), makers.on(frame))
    assert there.median.value == pytest.approx(here.median.value)
    assert there.prob_higher == here.prob_higher
    assert there.recent == pytest.approx(here.recent)


def test_a_market_that_stands_still_has_no_ratio() -> None:
    frame = CONTEXT.frame.copy()
    frame.iloc[:, :4] = 100.0
    flat = SampledPaths(paths=np.full((3, 4, 6), 100.0, np.float32), last_close=100.0)
    found = volatility(flat, makers.on(frame))
    assert (found.median.value, found.recent, found.prob_higher.value) == (0, 0, 0)
    assert math.isnan(found.ratio)


@pytest.mark.parametrize(("freq", "wanted"), [("1h", 8_760), ("15min", 35_040), ("1D", 365), ("7D", 52)])
def test_a_market_around_the_clock_has_every_bar_of_the_year(freq: str, wanted: int) -> None:
    assert bars_per_year(makers.candles(120, freq, symbol="BTC/USDT")) == pytest.approx(wanted, abs=1)


def test_an_exchange_has_the_bars_of_its_sessions() -> None:
    days = pd.bdate_range("2023-03-01", periods=200, tz="America/New_York")
    candles = makers.at(days, "America/New_York")
    assert bars_per_year(candles, "XNYS") == pytest.approx(251, abs=2)


def test_no_calendar_no_year() -> None:
    assert bars_per_year(makers.candles(60).tail(1)) is None
