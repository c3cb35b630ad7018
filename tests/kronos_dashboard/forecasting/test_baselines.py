from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest

from kronos_dashboard.errors import WindowError
from kronos_dashboard.forecasting.baselines import (
    BASELINES,
    EWMA_HALF_LIFE,
    drift,
    ewma_cone,
    persistence,
    random_walk,
    volatility_cone,
)
from kronos_dashboard.forecasting.windows import replay_window
from tests.support import makers

WINDOW = replay_window(makers.candles(400), 300, 200, 50)
LAST = WINDOW.context.frame["close"].iloc[-1]
LOG_RETURNS = np.diff(np.log(WINDOW.context.frame["close"]))
EACH = pytest.mark.parametrize("baseline", BASELINES.values(), ids=BASELINES)
DRAWN = pytest.mark.parametrize("baseline", [random_walk, drift, volatility_cone, ewma_cone])


@DRAWN
def test_the_same_seed_gives_the_same_walk_and_another_seed_another(baseline) -> None:
    first = baseline(WINDOW, num_paths=50, seed=1)
    assert np.array_equal(first.paths, baseline(WINDOW, num_paths=50, seed=1).paths)
    assert not np.array_equal(first.paths, baseline(WINDOW, num_paths=50, seed=2).paths)


@EACH
def test_every_baseline_is_a_forecast_of_the_windows_shape(baseline) -> None:
    made = baseline(WINDOW, num_paths=7, seed=1)
    assert made.paths.shape == (7, 50, 6)
    assert made.paths.dtype == np.float32
    assert not made.paths.flags.writeable
    assert made.index.equals(WINDOW.future)


@EACH
def test_every_candle_is_possible(baseline) -> None:
    opens, highs, lows, closes, volume, amount = np.moveaxis(baseline(WINDOW).paths, -1, 0)
    assert (highs >= np.maximum(opens, closes)).all()
    assert (lows <= np.minimum(opens, closes)).all()
    assert (lows > 0).all()
    assert (volume >= 0).all()
    assert (amount >= 0).all()


def test_the_walk_spreads_as_the_returns_of_the_context_do_and_has_no_drift() -> None:
    last = WINDOW.context.frame["close"].iloc[-1]
    log_returns = np.diff(np.log(WINDOW.context.frame["close"]))
    ends = np.log(random_walk(WINDOW, num_paths=20_000).paths[:, -1, 3] / last)
    assert ends.std() == pytest.approx(log_returns.std() * np.sqrt(50), rel=0.03)
    assert abs(ends.mean()) < 4 * ends.std() / np.sqrt(20_000)


def test_drift_keeps_the_trend_of_the_context() -> None:
    ends = np.log(drift(WINDOW, num_paths=20_000).paths[:, -1, 3] / LAST)
    assert ends.mean() == pytest.approx(50 * LOG_RETURNS.mean(), abs=4 * ends.std() / np.sqrt(20_000))
    assert abs(50 * LOG_RETURNS.mean()) > 0.01


def test_persistence_is_the_last_close_for_ever() -> None:
    made = persistence(WINDOW)
    assert made.paths.shape == (1, 50, 6)
    assert (made.paths[..., :4] == np.float32(LAST)).all()


@pytest.mark.parametrize("half_life", [None, 5.0])
def test_the_cone_widens_with_the_root_of_time(half_life) -> None:
    weights = np.ones(199) if half_life is None else 0.5 ** (np.arange(199)[::-1] / half_life)
    spread = np.sqrt(np.average((LOG_RETURNS - (half_life is None) * LOG_RETURNS.mean()) ** 2, weights=weights))
    returns = np.log(volatility_cone(WINDOW, num_paths=20_000, half_life=half_life).paths[..., 3] / LAST)
    for step in (1, 10, 50):
        assert returns[:, step - 1].std() == pytest.approx(spread * np.sqrt(step), rel=0.03)
        assert abs(returns[:, step - 1].mean()) < 4 * spread * np.sqrt(step / 20_000)


def test_the_cone_touches_a_level_as_often_as_the_reflection_principle_says() -> None:
    """P(max of a Brownian path >= b) = 2 P(end >= b); closes alone would touch far less often."""
    paths, reach = volatility_cone(WINDOW, num_paths=20_000).paths, LOG_RETURNS.std() * np.sqrt(50)
    for away in (0.5, 1.0, 2.0):
        wanted = 2 * (1 - NormalDist().cdf(away))
        over = (paths[..., 1].max(axis=1) >= LAST * np.exp(away * reach)).mean()
        under = (paths[..., 2].min(axis=1) <= LAST * np.exp(-away * reach)).mean()
        assert over == pytest.approx(wanted, abs=0.015)
        assert under == pytest.approx(wanted, abs=0.015)


def test_the_weighted_cone_follows_recent_volatility() -> None:
    frame = WINDOW.context.frame.copy()
    calm = np.exp(np.cumsum(np.r_[LOG_RETURNS[:150], LOG_RETURNS[150:] / 10]))
    frame.iloc[1:, :4] = frame["close"].iloc[0] * calm[:, None]
    window = replace(WINDOW, context=makers.on(frame))
    assert np.ptp(ewma_cone(window).band(0.9)[:, -1]) < np.ptp(volatility_cone(window).band(0.9)[:, -1]) / 3
    one, other = ewma_cone(window, seed=3), volatility_cone(window, seed=3, half_life=EWMA_HALF_LIFE)
    assert np.array_equal(one.paths, other.paths)


@EACH
def test_a_baseline_sees_the_context_alone(baseline) -> None:
    changed = makers.candles(400).frame.copy()
    changed.iloc[300:] *= 5
    other = replay_window(makers.on(changed), 300, 200, 50)
    assert np.array_equal(baseline(WINDOW, num_paths=20).paths, baseline(other, num_paths=20).paths)


@EACH
def test_prices_in_another_unit_give_the_same_forecast_in_it(baseline) -> None:
    scaled = WINDOW.context.frame.copy()
    scaled.iloc[:, :4] *= 1024.0
    there = baseline(replace(WINDOW, context=makers.on(scaled)), num_paths=20).paths
    here = baseline(WINDOW, num_paths=20).paths
    np.testing.assert_allclose(there[..., :4], here[..., :4] * 1024.0, rtol=1e-5)


@DRAWN
def test_one_candle_is_too_little(baseline) -> None:
    with pytest.raises(WindowError, match="at least 2 candles"):
        baseline(replay_window(makers.candles(60), 10, 1, 5))


@EACH
def test_flat_candles_walk_nowhere(baseline) -> None:
    frame = makers.candles(100).frame.copy()
    frame[["open", "high", "low", "close"]] = 5.0
    assert (baseline(replay_window(makers.on(frame), 80, 60, 10), num_paths=20).paths[..., :4] == 5.0).all()
