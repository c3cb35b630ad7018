"""How good a forecast was: one function per measure, pure numpy.

Shapes: N paths, H steps, L levels; paths are closes [N, H], ``point`` (one number per step, the median of the paths
say) and truth are closes [H], all in price units. Where the mean over the steps is not taken, a measure is per step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine.finetune.evaluation.significance import crps

__all__ = [
    "LEVELS",
    "Score",
    "average_true_range",
    "comparison",
    "coverage",
    "coverages",
    "crps",
    "crps_skill",
    "directional_accuracy",
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

LEVELS = (0.5, 0.8, 0.9, 0.95)
"""Nominal coverages of the bands that are compared."""
ATR_BARS = 14
"""Bars of the average true range, as charting programs have it."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """One forecast against the truth, averaged over the steps."""

    crps: float
    """Continuous ranked probability score, price units; lower is better."""
    coverage: float
    """Fraction of steps whose true close lay inside the band; should be near ``level``."""
    width: float
    """Mean width of the band, price units."""
    median_error: float
    """Mean absolute error of the median, price units."""
    level: float
    """Nominal coverage of the band, a fraction."""


def step_errors(point: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """``point - truth`` of each step [H]; positive where the forecast was too high."""
    return np.asarray(point, dtype=np.float64) - truth


def mae(point: np.ndarray, truth: np.ndarray) -> float:
    """Mean absolute error, price units."""
    return float(np.abs(step_errors(point, truth)).mean())


def rmse(point: np.ndarray, truth: np.ndarray) -> float:
    """Root of the mean squared error, price units."""
    return float(np.sqrt((step_errors(point, truth) ** 2).mean()))


def mase(point: np.ndarray, truth: np.ndarray, context: np.ndarray) -> float:
    """Mean absolute error over that of "tomorrow as today" within the context's closes [T].

    The scale is of one step ahead, so that a long horizon gives more than 1 for every forecast; compare forecasts of
    the same window. NaN where the context never moves or has one close.
    """
    moves = np.abs(np.diff(np.asarray(context, dtype=np.float64)))
    scale = moves.mean() if len(moves) else 0.0
    return float(mae(point, truth) / scale) if scale > 0 else float("nan")


def pinball(quantiles: np.ndarray, truth: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Pinball loss [L, H] of quantiles [L, H] at ``levels``: a miss costs its distance, times the level if too low.

    Twice the mean over many levels is the CRPS.
    """
    missed = np.asarray(truth, dtype=np.float64) - quantiles
    level = np.asarray(levels, dtype=np.float64)[:, None]
    return np.maximum(level * missed, (level - 1) * missed)


def coverage(lower: np.ndarray, upper: np.ndarray, truth: np.ndarray) -> float:
    """Fraction of steps whose truth [H] lies in the band, its edges included."""
    return float(((truth >= lower) & (truth <= upper)).mean())


def coverages(paths: np.ndarray, truth: np.ndarray, levels: Sequence[float] = LEVELS) -> np.ndarray:
    """Fraction of steps [L] whose truth lies in the central band of each level."""
    came = _as_fine(truth, paths)
    bands = (_band(paths, level) for level in levels)
    return np.array([coverage(lower, upper, came) for lower, upper in bands])


def interval_width(lower: np.ndarray, upper: np.ndarray) -> float:
    """Mean width of the band over the steps, price units."""
    return float((upper - lower).mean())


def winkler(lower: np.ndarray, upper: np.ndarray, truth: np.ndarray, level: float) -> np.ndarray:
    """Winkler (interval) score [H], price units: the band's width, and ``2 / (1 - level)`` times any miss beyond it."""
    missed = np.maximum(lower - truth, 0) + np.maximum(truth - upper, 0)
    return np.asarray((upper - lower) + 2 / (1 - level) * missed)


def pit(paths: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Probability integral transform [H]: the fraction of paths below the truth, ties counted half.

    Uniform over many steps where the paths are calibrated; near 0 or 1 too often where they are too narrow.
    """
    came = _as_fine(truth, paths)
    return ((paths < came).mean(axis=0) + (paths <= came).mean(axis=0)) / 2


def directional_accuracy(point: np.ndarray, truth: np.ndarray, last_close: float) -> float:
    """Fraction of steps at which forecast and truth lie on the same side of the last close.

    Steps whose truth equals the last close do not count; a forecast that equals it is wrong. NaN where none counts. The
    steps of one window move together: the fraction of one window is no rate.
    """
    came = np.sign(np.asarray(truth, dtype=np.float64) - last_close)
    said = np.sign(np.asarray(point, dtype=np.float64) - last_close)
    counted = came != 0
    return float((said == came)[counted].mean()) if counted.any() else float("nan")


def skill(loss: float, baseline: float) -> float:
    """``1 - loss / baseline``: 1 is perfect, 0 as good as the baseline, below 0 worse. NaN beside a baseline of 0."""
    return 1 - loss / baseline if baseline > 0 else float("nan")


def crps_skill(paths: np.ndarray, baseline: np.ndarray, truth: np.ndarray) -> float:
    """``skill`` of the mean CRPS of ``paths`` [N, H] beside that of a baseline's paths [M, H]."""
    return skill(float(crps(paths, truth).mean()), float(crps(baseline, truth).mean()))


def average_true_range(candles: np.ndarray, bars: int = ATR_BARS) -> float:
    """Mean true range of the last ``bars`` candles [T, 4 or more] (open, high, low, close ...), price units.

    The true range takes in the close before; the first candle of all has its high less its low.
    """
    values = np.asarray(candles, dtype=np.float64)
    high, low, close = values[:, 1].copy(), values[:, 2].copy(), values[:, 3]
    high[1:], low[1:] = np.maximum(high[1:], close[:-1]), np.minimum(low[1:], close[:-1])
    return float((high - low)[-bars:].mean())


def opening_gap(first_opens: np.ndarray, last_close: float, atr: float) -> np.ndarray:
    """How far the forecast jumps at its first bar: ``first open - last close`` in average true ranges.

    Args:
        first_opens: the open of the first step of each path [N], or of the truth.
        last_close: of the context.
        atr: ``average_true_range`` of the context; NaN comes back where it is 0.
    """
    gaps = np.asarray(first_opens, dtype=np.float64) - last_close
    return gaps / atr if atr > 0 else np.full_like(gaps, np.nan)


def score(paths: np.ndarray, truth: np.ndarray, level: float) -> Score:
    """All measures of closes ``paths`` [N, H] against ``truth`` [H]; the band is the central one at ``level``."""
    (lower, upper), middle = _band(paths, level), np.quantile(paths, 0.5, axis=0)
    return Score(
        crps=float(crps(paths, truth).mean()),
        coverage=coverage(lower, upper, _as_fine(truth, paths)),
        width=interval_width(lower, upper),
        median_error=float(np.abs(middle - truth).mean()),
        level=level,
    )


def comparison(
    forecasts: Mapping[str, np.ndarray],
    truth: np.ndarray,
    context: np.ndarray,
    *,
    baseline: str,
    levels: Sequence[float] = LEVELS,
) -> pd.DataFrame:
    """Forecasts side by side: one column each, one row per measure; the point forecast is the median of the paths.

    Rows: ``crps``, ``crps_skill``, ``mae``, ``rmse``, ``mase``, ``direction``, ``pinball`` (mean over the edges of the
    bands and the median), ``pit``, ``first_gap_atr`` (of the median first open), and for every level
    ``coverage_90``, ``width_90``, ``winkler_90``.

    Args:
        forecasts: whole paths [N, H, 6] by name.
        truth: true closes [H].
        context: the candles before, [T, 6].
        baseline: which of ``forecasts`` the skill is told beside.
        levels: nominal coverages.
    """
    reference = forecasts[baseline][..., 3]
    columns = {name: _measures(paths, truth, context, reference, levels) for name, paths in forecasts.items()}
    return pd.DataFrame(columns)


def step_table(paths: np.ndarray, truth: np.ndarray, *, level: float = 0.9) -> pd.DataFrame:
    """One row per step, counted from 1: what went wrong where. The point forecast is the median of closes [N, H].

    Columns: ``median``, ``truth``, ``error``, ``crps``, ``pit``, ``lower`` and ``upper`` (the band at ``level``),
    ``inside``, ``winkler``.
    """
    (lower, upper), point, came = _band(paths, level), np.quantile(paths, 0.5, axis=0), _as_fine(truth, paths)
    columns = {
        "median": point,
        "truth": truth,
        "error": step_errors(point, truth),
        "crps": crps(paths, truth),
        "pit": pit(paths, truth),
        "lower": lower,
        "upper": upper,
        "inside": (came >= lower) & (came <= upper),
        "winkler": winkler(lower, upper, truth, level),
    }
    return pd.DataFrame(columns, index=pd.RangeIndex(1, len(truth) + 1, name="step"))


def _measures(
    paths: np.ndarray, truth: np.ndarray, context: np.ndarray, reference: np.ndarray, levels: Sequence[float]
) -> dict[str, float]:
    closes, last = paths[..., 3], float(context[-1, 3])
    point = np.quantile(closes, 0.5, axis=0)
    came = _as_fine(truth, closes)
    edges = sorted({0.5, *((1 - level) / 2 for level in levels), *((1 + level) / 2 for level in levels)})
    gap = opening_gap(np.median(paths[:, 0, 0], keepdims=True), last, average_true_range(context))
    found = {
        "crps": float(crps(closes, truth).mean()),
        "crps_skill": crps_skill(closes, reference, truth),
        "mae": mae(point, truth),
        "rmse": rmse(point, truth),
        "mase": mase(point, truth, context[:, 3]),
        "direction": directional_accuracy(point, came, float(_as_fine(context[-1, 3], closes))),
        "pinball": float(pinball(np.quantile(closes, edges, axis=0), truth, edges).mean()),
        "pit": float(pit(closes, truth).mean()),
        "first_gap_atr": float(gap[0]),
    }
    for level in levels:
        lower, upper = _band(closes, level)
        name = f"{100 * level:g}"
        found[f"coverage_{name}"] = coverage(lower, upper, came)
        found[f"width_{name}"] = interval_width(lower, upper)
        found[f"winkler_{name}"] = float(winkler(lower, upper, truth, level).mean())
    return found


def _band(paths: np.ndarray, level: float) -> np.ndarray:
    """The central band [2, H] at ``level``."""
    return np.quantile(paths, ((1 - level) / 2, (1 + level) / 2), axis=0)


def _as_fine(prices: np.ndarray, paths: np.ndarray) -> np.ndarray:
    """Prices rounded as the paths are, so that a price that did not move equals itself."""
    return np.asarray(prices).astype(paths.dtype)
