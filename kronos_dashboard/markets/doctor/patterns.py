"""Detection of patterns that no market produces, or that mislead a model.

Shapes: n candles; masks are bool [n]. Thresholds are conservative: a missed pattern costs less than a false alarm,
which would teach users to ignore the findings.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kronos_dashboard.markets.calendars import Detection
from kronos_dashboard.markets.calendars.bar_grids import assign_sessions
from kronos_dashboard.markets.calendars.calendar_periods import DailyBars
from kronos_dashboard.markets.calendars.known_markets import ALWAYS, LEARNED
from kronos_dashboard.markets.calendars.timezones import DAY, to_seconds
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.settings import DEFAULT_CONTEXT

__all__ = [
    "count_incomplete_bars",
    "find_duplicates",
    "find_flat_stretches",
    "find_spikes",
    "find_splits",
    "local_volatility",
    "opens_at_previous_close",
    "price_step",
]

_MIN_CANDLES = 30
"""Shorter series do not show what is normal."""
_MIN_FLAT_RUN = 10
"""Candles at one price that count as a flat stretch; half as many for daily and longer bars, which rarely repeat."""
_VOLATILITY_WINDOW = 101
"""Candles around each one that its volatility is measured on: odd, so that the window is centered."""
_SPLIT_RATIOS = (1.5, *map(float, (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100, 1000)))
"""Ratios of splits of stocks and redenominations of coins in practice."""
_SPLIT_SIGMAS, _SPLIT_TOLERANCE, _LATE_TOLERANCE, _LEVEL_TOLERANCE = 10.0, 0.03, 0.015, 0.12
"""Minimal size of a split in local standard deviations; tolerances, in log price, of the jump itself (tighter in the
last two bars, where no level confirms it), and of the medians before and after, which drift with the market."""
_NEIGHBORS = 10
"""Candles before and after a split that confirm the new level."""
_SPIKE_SIGMAS, _SPIKE_MIN_RETURN, _SPIKE_RESIDUE = 25.0, 0.02, 0.15
"""Minimal size of a spike in local standard deviations and as a log return, and the fraction of it that may remain one
bar later. Real news moves prices by less, and does not reverse at once."""
_SPIKE_MAX_BODY = 0.1
"""Largest body of a candle with a wrong high or low, as a fraction of the wick: a real fall moves the close."""
_SPIKE_MIN_STEPS = 8
"""Minimal size of a spike in price steps: with coarse prices a few steps are an ordinary move."""
_MIN_COIN_RATIO = 4.9
"""Minimal ratio of a split in markets that trade on weekends: coins are redenominated, but they also double."""


def find_flat_stretches(candles: CandleFrame) -> np.ndarray:
    """Mask of long stretches at one price: padded hours without trades, or a feed that hung."""
    prices = candles.frame.to_numpy()[:, :4]
    flat = (prices.max(axis=1) == prices.min(axis=1)) & np.r_[True, prices[1:, 3] == prices[:-1, 3]]
    min_run = _MIN_FLAT_RUN if candles.interval < pd.Timedelta(days=1) else _MIN_FLAT_RUN // 2
    changes = np.flatnonzero(np.diff(np.r_[False, flat, False].astype(np.int8)))
    starts, stops = changes[::2], changes[1::2]
    mask = np.zeros(len(flat), dtype=bool)
    for start, stop in zip(starts, stops, strict=True):
        if stop - start >= min_run:
            mask[start:stop] = True
    return mask


def find_duplicates(candles: CandleFrame) -> np.ndarray:
    """Mask of candles that repeat the previous one in every column although it moved.

    One repetition suffices with volume; without, two in a row are needed, since four equal prices do occur by chance.
    """
    values = candles.frame.to_numpy()
    same = (values[1:] == values[:-1]).all(axis=1)
    moved = values[1:, 1] > values[1:, 2]
    traded = values[1:, 4] > 0 if candles.has_volume else np.zeros(len(same), dtype=bool)
    repeats = np.r_[False, same & moved]
    coarse = values[1:, 1] - values[1:, 2] <= 3 * price_step(candles)  # few steps repeat by chance
    repeats &= np.r_[False, ~coarse]
    in_a_row = repeats & (np.r_[False, repeats[:-1]] | np.r_[repeats[1:], False])
    return (repeats & np.r_[False, traded]) | in_a_row


def local_volatility(returns: np.ndarray) -> np.ndarray:
    """Robust standard deviation of the log returns around each one: 1.4826 x the median absolute return.

    At least half the value of the whole series, so that a quiet hour does not make the next return an outlier.
    """
    sizes = pd.Series(np.abs(returns))
    around = sizes.rolling(_VOLATILITY_WINDOW, center=True, min_periods=1).median().to_numpy()
    floor = float(sizes.median()) / 2
    return 1.4826 * np.maximum(around, max(floor, 1e-6))


def find_spikes(candles: CandleFrame) -> np.ndarray:
    """Mask of single candles whose close, high or low is far from its neighbors and is not seen again.

    A close must revert by the next candle; a high or low must exceed both neighbors and the candle's own body.
    """
    opens, highs, lows, closes = candles.frame.to_numpy()[:, :4].T
    mask = np.zeros(len(closes), dtype=bool)
    if len(closes) < _MIN_CANDLES:
        return mask
    log = np.log(closes)
    returns = np.diff(log)
    volatility = local_volatility(returns)
    large = (np.abs(returns) > _SPIKE_MIN_RETURN) & (np.abs(returns) > _SPIKE_SIGMAS * volatility)
    reverts = np.abs(log[2:] - log[:-2]) < _SPIKE_RESIDUE * np.abs(returns[:-1])
    mask[1:-1] = large[:-1] & reverts
    min_wick = np.maximum(_SPIKE_MIN_RETURN, _SPIKE_SIGMAS * np.r_[volatility[:1], volatility])[1:-1]
    moved = np.abs(log - np.log(opens))[1:-1]
    for wick, outer, sign in ((np.log(highs), np.maximum, 1.0), (np.log(lows), np.minimum, -1.0)):
        body = outer(np.log(opens), log)
        neighbors = outer(wick[:-2], wick[2:])
        length = sign * (wick[1:-1] - outer(body[1:-1], neighbors))
        mask[1:-1] |= (length > min_wick) & (moved < _SPIKE_MAX_BODY * length)
    tall = np.r_[False, highs[1:-1] - lows[1:-1] > _SPIKE_MIN_STEPS * price_step(candles), False]
    jumped = np.r_[False, np.abs(closes[1:-1] - closes[:-2]) > _SPIKE_MIN_STEPS * price_step(candles), False]
    return mask & (tall | jumped)


def opens_at_previous_close(prices: np.ndarray) -> bool:
    """Whether the last of these candles [m, 4] opens at the spike of the close before it, and reverts."""
    before, spike, opened, closed = np.log([prices[0, 3], prices[-2, 3], prices[-1, 0], prices[-1, 3]])
    size = abs(spike - before)
    return bool(
        size > _SPIKE_MIN_RETURN and abs(closed - before) < _SPIKE_RESIDUE * size and abs(opened - spike) < size / 2
    )


def price_step(candles: CandleFrame) -> float:
    """Smallest step between neighboring closes of the last thousand: the precision of prices; 0 if none differ."""
    steps = np.abs(np.diff(candles.frame["close"].to_numpy()[-1000:]))
    moved = steps[steps > 1e-9 * float(candles.frame["close"].iloc[-1])]
    return float(moved.min()) if len(moved) else 0.0


def find_splits(candles: CandleFrame) -> list[tuple[int, float]]:
    """Rows (from 0) of the first candle after each split, and the factor by which prices before are too high.

    The open must differ from the previous close by nearly a split ratio, far more than the series moves otherwise, and
    the ten candles before and after (as many as exist) must differ as much.
    """
    if len(candles) < 3 * _NEIGHBORS:
        return []
    frame = candles.frame.to_numpy()
    opens, closes = frame[:, 0], frame[:, 3]
    jumps = np.log(closes[:-1] / opens[1:])
    volatility = local_volatility(np.diff(np.log(closes)))
    large = np.flatnonzero((np.abs(jumps) > np.log(1.4)) & (np.abs(jumps) > _SPLIT_SIGMAS * volatility)) + 1
    trades_on_weekends = float((candles.local_index[-DEFAULT_CONTEXT:].day_of_week > 4).mean()) > 0.1
    splits = []
    for row in large:
        factor = _split_factor(frame, int(row))
        if factor is not None and not (trades_on_weekends and 1 / _MIN_COIN_RATIO < factor < _MIN_COIN_RATIO):
            splits.append((int(row), factor))
    return splits


def _split_factor(frame: np.ndarray, row: int) -> float | None:
    before, after = frame[max(0, row - _NEIGHBORS) : row], frame[row : row + _NEIGHBORS]
    if len(before) < 3:
        return None
    is_late = len(after) < 3  # no level confirms it yet: the jump alone must look like a split by 2 or more
    tolerance, min_ratio = (_LATE_TOLERANCE, 2.0) if is_late else (_SPLIT_TOLERANCE, 1.0)
    jump = frame[row - 1, 3] / frame[row, 0]
    level = float(np.median(before[:, 3]) / np.median(after[:, 3]))
    for ratio in _SPLIT_RATIOS:
        for factor in (ratio, 1 / ratio):
            near = ratio >= min_ratio and abs(np.log(jump / factor)) < tolerance
            if near and abs(np.log(level / factor)) < _LEVEL_TOLERANCE:
                return factor
    return None


def count_incomplete_bars(candles: CandleFrame, now: pd.Timestamp, detection: Detection) -> int:
    """Number of bars at the end that had not closed at ``now``: 0 or 1, or more where timestamps lie in the future."""
    timestamps = to_seconds(candles.index)[-DEFAULT_CONTEXT:]
    size = int(candles.interval.total_seconds())
    instants = detection.fit.interpretation.to_instants(timestamps, candles.session_tz)
    closes = instants if "close" in (candles.timestamp_at, detection.timestamp_at) else instants + size
    sessions = detection.fit.sessions.around(int(instants[0]), int(instants[-1]), 5)
    if detection.code in (ALWAYS, LEARNED) or size > DAY or not len(sessions):
        return int((closes > now.timestamp()).sum())
    if isinstance(detection.fit.rule, DailyBars):
        row = np.searchsorted(detection.fit.rule.times(sessions), instants, side="right") - 1
        closes = sessions.closes[np.clip(row, 0, len(sessions) - 1)]
    else:
        ends = sessions.closes[assign_sessions(instants, sessions)]
        closes = np.where(instants < ends, np.minimum(closes, ends), closes)
    return int((closes > now.timestamp()).sum())
