"""Accuracy of one forecast: one function per metric, pure numpy.

Shapes: N paths, H steps, L levels. ``paths`` are closes [N, H]; ``point`` (one number per step, such as the median of
the paths) and ``actual`` (the observed closes) are [H]; all in price units. A metric is per step [H] unless its
docstring says that it averages over the steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine.metrics import crps

__all__ = [
    "COVERAGES",
    "ScoreSummary",
    "average_true_range",
    "band_coverages",
    "compare_forecasts",
    "crps",
    "crps_skill",
    "hit_rate",
    "interval_coverage",
    "interval_width",
    "mae",
    "mase",
    "opening_gap",
    "pinball",
    "pit",
    "rmse",
    "score",
    "skill",
    "step_errors",
    "step_table",
    "winkler",
]

COVERAGES = (0.5, 0.8, 0.9, 0.95)
"""Nominal coverages of the bands that are compared by default."""
ATR_BARS = 14
"""Bars of the average true range: the period of Wilder (1978), the default of charting programs."""


@dataclass(frozen=True, kw_only=True)
class ScoreSummary:
    """Metrics of one forecast, averaged over the steps."""

    crps: float
    """Continuous ranked probability score, price units; lower is better."""
    coverage: float
    """Fraction of steps whose actual close lies inside the band; ideally ``nominal_coverage``."""
    width: float
    """Mean width of the band, price units."""
    median_error: float
    """Mean absolute error of the median, price units."""
    nominal_coverage: float
    """Fraction of the paths inside the band."""


def step_errors(point: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """``point - actual`` [H]: positive where the forecast is too high."""
    return np.asarray(point, dtype=np.float64) - actual


def mae(point: np.ndarray, actual: np.ndarray) -> float:
    """Mean absolute error over the steps, price units: ``mean |point - actual|``."""
    return float(np.abs(step_errors(point, actual)).mean())


def rmse(point: np.ndarray, actual: np.ndarray) -> float:
    """Root mean squared error over the steps, price units: ``sqrt(mean (point - actual)^2)``."""
    return float(np.sqrt((step_errors(point, actual) ** 2).mean()))


def mase(point: np.ndarray, actual: np.ndarray, context: np.ndarray) -> float:
    """Mean absolute scaled error over the steps (Hyndman and Koehler 2006).

    ``MAE / mean |y_t - y_(t-1)|``, where the denominator is the in-sample error of the one-step naive forecast on the
    context's closes [T]. The scale covers one step, so values grow with the horizon: compare forecasts of the same
    window only. NaN if the context never moves or has a single close.
    """
    moves = np.abs(np.diff(np.asarray(context, dtype=np.float64)))
    scale = moves.mean() if len(moves) else 0.0
    return float(mae(point, actual) / scale) if scale > 0 else float("nan")


def pinball(quantiles: np.ndarray, actual: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Pinball (quantile) loss [L, H] of quantiles [L, H] at ``levels`` (Koenker and Bassett 1978).

    ``level * (y - q)`` if the actual y lies above the quantile q, else ``(1 - level) * (q - y)``. Twice the mean over
    evenly spaced levels approximates the CRPS (Gneiting and Ranjan 2011).
    """
    missed = np.asarray(actual, dtype=np.float64) - quantiles  # [L, H]
    level = np.asarray(levels, dtype=np.float64)[:, None]  # [L, 1]
    return np.maximum(level * missed, (level - 1) * missed)


def interval_coverage(lower: np.ndarray, upper: np.ndarray, actual: np.ndarray) -> float:
    """Fraction of steps whose actual [H] lies in the interval, bounds included."""
    return float(((actual >= lower) & (actual <= upper)).mean())


def band_coverages(paths: np.ndarray, actual: np.ndarray, coverages: Sequence[float] = COVERAGES) -> np.ndarray:
    """Fraction of steps [L] whose actual lies in the central band of each nominal coverage."""
    rounded = _match_precision(actual, paths)
    bands = (_band(paths, nominal) for nominal in coverages)
    return np.array([interval_coverage(lower, upper, rounded) for lower, upper in bands])


def interval_width(lower: np.ndarray, upper: np.ndarray) -> float:
    """Mean width of the interval over the steps, price units."""
    return float((upper - lower).mean())


def winkler(lower: np.ndarray, upper: np.ndarray, actual: np.ndarray, coverage: float) -> np.ndarray:
    """Interval score [H] of Winkler (1972), price units; lower is better.

    ``(upper - lower) + 2 / (1 - coverage) * distance of the actual from the interval``. Its expectation is smallest for
    the true quantiles (Gneiting and Raftery 2007, section 6.2).
    """
    missed = np.maximum(lower - actual, 0) + np.maximum(actual - upper, 0)
    return np.asarray((upper - lower) + 2 / (1 - coverage) * missed)


def pit(paths: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Probability integral transform [H]: the fraction of paths below the actual, ties counted half (Dawid 1984).

    Uniform over many steps if the paths are calibrated; U-shaped if they are too narrow.
    """
    rounded = _match_precision(actual, paths)
    return ((paths < rounded).mean(axis=0) + (paths <= rounded).mean(axis=0)) / 2


def hit_rate(point: np.ndarray, actual: np.ndarray, last_close: float) -> float:
    """Hit rate: the fraction of steps whose forecast lies on the same side of the last close as the actual.

    Steps whose actual equals the last close are left out; a forecast equal to it counts as a miss. NaN if no step is
    left. The steps of one window are correlated, so one window does not estimate a rate.
    """
    actual_side = np.sign(np.asarray(actual, dtype=np.float64) - last_close)
    forecast_side = np.sign(np.asarray(point, dtype=np.float64) - last_close)
    moved = actual_side != 0
    return float((forecast_side == actual_side)[moved].mean()) if moved.any() else float("nan")


def skill(loss: float, baseline_loss: float) -> float:
    """Skill score ``1 - loss / baseline_loss``: 1 is perfect, 0 equals the baseline, negative is worse than it.

    NaN for a baseline loss of 0.
    """
    return 1 - loss / baseline_loss if baseline_loss > 0 else float("nan")


def crps_skill(paths: np.ndarray, baseline: np.ndarray, actual: np.ndarray) -> float:
    """``skill`` of the mean CRPS of ``paths`` [N, H] against that of a baseline's paths [M, H]."""
    return skill(float(crps(paths, actual).mean()), float(crps(baseline, actual).mean()))


def average_true_range(candles: np.ndarray, bars: int = ATR_BARS) -> float:
    """Mean true range of the last ``bars`` candles [T, 4 or more] (open, high, low, close ...), price units.

    True range (Wilder 1978): ``max(high, previous close) - min(low, previous close)``; ``high - low`` for the first
    candle. The mean is a plain one, not Wilder's smoothed one.
    """
    values = np.asarray(candles, dtype=np.float64)
    high, low, close = values[:, 1].copy(), values[:, 2].copy(), values[:, 3]
    high[1:], low[1:] = np.maximum(high[1:], close[:-1]), np.minimum(low[1:], close[:-1])
    return float((high - low)[-bars:].mean())


def opening_gap(first_opens: np.ndarray, last_close: float, atr: float) -> np.ndarray:
    """Gap between the last close and the first forecast open, in average true ranges.

    Args:
        first_opens: the open of the first step of each path [N], or of the actual candles.
        last_close: of the context.
        atr: ``average_true_range`` of the context; the result is NaN if it is 0.
    """
    gaps = np.asarray(first_opens, dtype=np.float64) - last_close
    return gaps / atr if atr > 0 else np.full_like(gaps, np.nan)


def score(paths: np.ndarray, actual: np.ndarray, coverage: float, *, is_paired: bool = False) -> ScoreSummary:
    """Summarize closes ``paths`` [N, H] against ``actual`` [H], with the central band of nominal ``coverage``.

    ``is_paired``: the paths are antithetic pairs (``crps``).
    """
    (lower, upper), median = _band(paths, coverage), np.quantile(paths, 0.5, axis=0)
    return ScoreSummary(
        crps=float(crps(paths, actual, is_paired=is_paired).mean()),
        coverage=interval_coverage(lower, upper, _match_precision(actual, paths)),
        width=interval_width(lower, upper),
        median_error=float(np.abs(median - actual).mean()),
        nominal_coverage=coverage,
    )


def compare_forecasts(
    forecasts: Mapping[str, np.ndarray],
    actual: np.ndarray,
    context: np.ndarray,
    *,
    baseline: str,
    coverages: Sequence[float] = COVERAGES,
) -> pd.DataFrame:
    """Forecasts side by side: one column each, one row per metric; the point forecast is the median of the paths.

    Rows: ``crps``, ``crps_skill``, ``mae``, ``rmse``, ``mase``, ``direction``, ``pinball`` (mean over the bounds of the
    bands and the median), ``pit``, ``first_gap_atr`` (of the median first open), and for every nominal coverage
    ``coverage_90``, ``width_90``, ``winkler_90``.

    Args:
        forecasts: whole paths [N, H, 6] by name.
        actual: observed closes [H].
        context: the candles before, [T, 6].
        baseline: the name in ``forecasts`` that skill refers to.
        coverages: nominal coverages of the bands.
    """
    reference = forecasts[baseline][..., 3]
    columns = {name: _metrics(paths, actual, context, reference, coverages) for name, paths in forecasts.items()}
    return pd.DataFrame(columns)


def step_table(paths: np.ndarray, actual: np.ndarray, *, coverage: float = 0.9) -> pd.DataFrame:
    """One row per step, counted from 1: where the error arises. The point forecast is the median of closes [N, H].

    Columns: ``median``, ``actual``, ``error``, ``crps``, ``pit``, ``lower`` and ``upper`` (the central band of nominal
    ``coverage``), ``inside``, ``winkler``.
    """
    (lower, upper), point = _band(paths, coverage), np.quantile(paths, 0.5, axis=0)
    rounded = _match_precision(actual, paths)
    columns = {
        "median": point,
        "actual": actual,
        "error": step_errors(point, actual),
        "crps": crps(paths, actual),
        "pit": pit(paths, actual),
        "lower": lower,
        "upper": upper,
        "inside": (rounded >= lower) & (rounded <= upper),
        "winkler": winkler(lower, upper, actual, coverage),
    }
    return pd.DataFrame(columns, index=pd.RangeIndex(1, len(actual) + 1, name="step"))


def _metrics(
    paths: np.ndarray, actual: np.ndarray, context: np.ndarray, reference: np.ndarray, coverages: Sequence[float]
) -> dict[str, float]:
    """All rows of ``compare_forecasts`` for one forecast, paths [N, H, 6] against the reference's closes [M, H]."""
    closes, last_close = paths[..., 3], float(context[-1, 3])
    point = np.quantile(closes, 0.5, axis=0)
    rounded = _match_precision(actual, closes)
    levels = sorted({0.5, *((1 - nominal) / 2 for nominal in coverages), *((1 + nominal) / 2 for nominal in coverages)})
    gap = opening_gap(np.median(paths[:, 0, 0], keepdims=True), last_close, average_true_range(context))
    metrics = {
        "crps": float(crps(closes, actual).mean()),
        "crps_skill": crps_skill(closes, reference, actual),
        "mae": mae(point, actual),
        "rmse": rmse(point, actual),
        "mase": mase(point, actual, context[:, 3]),
        "hit_rate": hit_rate(point, rounded, float(_match_precision(context[-1, 3], closes))),
        "pinball": float(pinball(np.quantile(closes, levels, axis=0), actual, levels).mean()),
        "pit": float(pit(closes, actual).mean()),
        "first_gap_atr": float(gap[0]),
    }
    for nominal in coverages:
        lower, upper = _band(closes, nominal)
        suffix = f"{100 * nominal:g}"
        metrics[f"coverage_{suffix}"] = interval_coverage(lower, upper, rounded)
        metrics[f"width_{suffix}"] = interval_width(lower, upper)
        metrics[f"winkler_{suffix}"] = float(winkler(lower, upper, actual, nominal).mean())
    return metrics


def _band(paths: np.ndarray, coverage: float) -> np.ndarray:
    """The central band [2, H] that holds a fraction ``coverage`` of the paths."""
    return np.quantile(paths, ((1 - coverage) / 2, (1 + coverage) / 2), axis=0)


def _match_precision(prices: np.ndarray, paths: np.ndarray) -> np.ndarray:
    """Prices rounded to the dtype of the paths, so that an unchanged price compares equal (0.1 is no float32)."""
    return np.asarray(prices).astype(paths.dtype)
