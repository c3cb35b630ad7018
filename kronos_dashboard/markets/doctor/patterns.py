"""Patterns in candles that no market makes, or that mislead a model: found, not judged.

Shapes: n candles; masks are bool [n]. Thresholds prefer silence to a false alarm.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kronos_dashboard.markets.calendars import Detection
from kronos_dashboard.markets.calendars.bar_grids import assign
from kronos_dashboard.markets.calendars.calendar_periods import Daily
from kronos_dashboard.markets.calendars.known_markets import ALWAYS, LEARNED
from kronos_dashboard.markets.calendars.timezones import DAY, seconds_of
from kronos_dashboard.markets.candles import CandleFrame

__all__ = [
    "CONTEXT",
    "carried",
    "flat_stretches",
    "forming",
    "local_volatility",
    "price_step",
    "repeated",
    "spikes",
    "splits",
]

CONTEXT = 400
"""Candles of a usual context, within which things matter most."""
_FLAT_RUN = 10
"""Candles in a row at one and the same price before they count as a flat stretch (5 for daily and longer bars)."""
_AROUND = 101
"""Candles around one that its volatility is measured on."""
_RATIOS = (1.5, *map(float, (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100, 1000)))
"""What stocks and coins are split by."""
_SPLIT_SIGMAS, _SPLIT_MISS, _LATE_MISS, _LEVEL_MISS = 10.0, 0.03, 0.015, 0.12
"""How far a split stands out of the usual returns, and by how much it may miss the ratio at once (less in the last two
bars), and over ten bars."""
_BESIDE = 10
_SPIKE_SIGMAS, _SPIKE_LEAST, _SPIKE_BACK = 25.0, 0.02, 0.15
"""How far a spike stands out, how large it is at least (as a log return), and what may be left of it a bar later."""
_SPIKE_BODY = 0.1
"""The most that the body of a candle with a wrong high or low measures, of its wick: a real fall moves the close."""
_SPIKE_TICKS = 8
"""Smallest price steps that a spike measures at least."""
_COIN_RATIO = 4.9
"""The least ratio that counts as a split where bars stand on weekends: coins are redenominated, but also double."""


def flat_stretches(candles: CandleFrame) -> np.ndarray:
    """Candles of long stretches at one price: padding of hours without trade, or a feed that hung."""
    prices = candles.frame.to_numpy()[:, :4]
    flat = (prices.max(axis=1) == prices.min(axis=1)) & np.r_[True, prices[1:, 3] == prices[:-1, 3]]
    least = _FLAT_RUN if candles.interval < pd.Timedelta(days=1) else _FLAT_RUN // 2
    changes = np.flatnonzero(np.diff(np.r_[False, flat, False].astype(np.int8)))
    starts, stops = changes[::2], changes[1::2]
    found = np.zeros(len(flat), dtype=bool)
    for start, stop in zip(starts, stops, strict=True):
        if stop - start >= least:
            found[start:stop] = True
    return found


def repeated(candles: CandleFrame) -> np.ndarray:
    """Candles that repeat the one before in every column, although it moved: at once with volume, thrice without."""
    values = candles.frame.to_numpy()
    same = (values[1:] == values[:-1]).all(axis=1)
    moved = values[1:, 1] > values[1:, 2]
    traded = values[1:, 4] > 0 if candles.has_volume else np.zeros(len(same), dtype=bool)
    again = np.r_[False, same & moved]
    coarse = values[1:, 1] - values[1:, 2] <= 3 * price_step(candles)
    again &= np.r_[False, ~coarse]
    thrice = again & (np.r_[False, again[:-1]] | np.r_[again[1:], False])
    return (again & np.r_[False, traded]) | thrice


def local_volatility(returns: np.ndarray) -> np.ndarray:
    """A robust standard deviation of the log returns around each one, never far below that of the whole series."""
    sizes = pd.Series(np.abs(returns))
    around = sizes.rolling(_AROUND, center=True, min_periods=1).median().to_numpy()
    least = float(sizes.median()) / 2
    return 1.4826 * np.maximum(around, max(least, 1e-6))


def spikes(candles: CandleFrame) -> np.ndarray:
    """Single candles whose close, high or low leaves its neighbours far behind and is not seen again.

    A close must come back by the next candle; a high or low must stand out of both neighbours and of its own body.
    """
    opens, highs, lows, closes = candles.frame.to_numpy()[:, :4].T
    found = np.zeros(len(closes), dtype=bool)
    if len(closes) < 30:
        return found
    log = np.log(closes)
    returns = np.diff(log)
    usual = local_volatility(returns)
    large = (np.abs(returns) > _SPIKE_LEAST) & (np.abs(returns) > _SPIKE_SIGMAS * usual)
    back = np.abs(log[2:] - log[:-2]) < _SPIKE_BACK * np.abs(returns[:-1])
    found[1:-1] = large[:-1] & back
    reach = np.maximum(_SPIKE_LEAST, _SPIKE_SIGMAS * np.r_[usual[:1], usual])[1:-1]
    moved = np.abs(log - np.log(opens))[1:-1]
    for wick, beside, sign in ((np.log(highs), np.maximum, 1.0), (np.log(lows), np.minimum, -1.0)):
        body = beside(np.log(opens), log)
        neighbours = beside(wick[:-2], wick[2:])
        length = sign * (wick[1:-1] - beside(body[1:-1], neighbours))
        found[1:-1] |= (length > reach) & (moved < _SPIKE_BODY * length)
    tall = np.r_[False, highs[1:-1] - lows[1:-1] > _SPIKE_TICKS * price_step(candles), False]
    jumped = np.r_[False, np.abs(closes[1:-1] - closes[:-2]) > _SPIKE_TICKS * price_step(candles), False]
    return found & (tall | jumped)


def carried(prices: np.ndarray) -> bool:
    """Whether the last of these candles [m, 4] opens at a close that left the first one behind, and comes back."""
    before, spike, opened, closed = np.log([prices[0, 3], prices[-2, 3], prices[-1, 0], prices[-1, 3]])
    size = abs(spike - before)
    return bool(size > _SPIKE_LEAST and abs(closed - before) < _SPIKE_BACK * size and abs(opened - spike) < size / 2)


def price_step(candles: CandleFrame) -> float:
    """The smallest step between neighbouring closes of the last thousand: what prices are rounded to, or 0."""
    steps = np.abs(np.diff(candles.frame["close"].to_numpy()[-1000:]))
    moved = steps[steps > 1e-9 * float(candles.frame["close"].iloc[-1])]
    return float(moved.min()) if len(moved) else 0.0


def splits(candles: CandleFrame) -> list[tuple[int, float]]:
    """Rows (from 0) that begin at a split's new level, and the factor by which prices before them are too high.

    The open must differ from the last close by nearly a usual ratio, far more than the series moves otherwise, and the
    ten candles before and after (as many as there are) must differ as much.
    """
    if len(candles) < 3 * _BESIDE:
        return []
    frame = candles.frame.to_numpy()
    opens, closes = frame[:, 0], frame[:, 3]
    jumps = np.log(closes[:-1] / opens[1:])
    usual = local_volatility(np.diff(np.log(closes)))
    large = np.flatnonzero((np.abs(jumps) > np.log(1.4)) & (np.abs(jumps) > _SPLIT_SIGMAS * usual)) + 1
    weekend = float((candles.local_index[-CONTEXT:].day_of_week > 4).mean()) > 0.1
    found = []
    for row in large:
        factor = _split_factor(frame, int(row))
        if factor is not None and not (weekend and 1 / _COIN_RATIO < factor < _COIN_RATIO):
            found.append((int(row), factor))
    return found


def _split_factor(frame: np.ndarray, row: int) -> float | None:
    before, after = frame[max(0, row - _BESIDE) : row], frame[row : row + _BESIDE]
    if len(before) < 3:
        return None
    late = len(after) < 3  # its level is not yet confirmed, so the jump alone must be like a split of 2 and more
    miss, least = (_LATE_MISS, 2.0) if late else (_SPLIT_MISS, 1.0)
    jump = frame[row - 1, 3] / frame[row, 0]
    level = float(np.median(before[:, 3]) / np.median(after[:, 3]))
    for ratio in _RATIOS:
        for factor in (ratio, 1 / ratio):
            near = ratio >= least and abs(np.log(jump / factor)) < miss
            if near and abs(np.log(level / factor)) < _LEVEL_MISS:
                return factor
    return None


def forming(candles: CandleFrame, now: pd.Timestamp, found: Detection) -> int:
    """How many bars at the end had not closed at ``now``: 0 or 1, or more where stamps lie in the future."""
    stamps = seconds_of(candles.index)[-CONTEXT:]
    size = int(candles.interval.total_seconds())
    true = found.fit.reading.to_true(stamps, candles.session_tz)
    closes = true if "close" in (candles.stamped, found.stamped) else true + size
    sessions = found.fit.sessions.around(int(true[0]), int(true[-1]), 5)
    if found.code in (ALWAYS, LEARNED) or size > DAY or not len(sessions):
        return int((closes > now.timestamp()).sum())
    if isinstance(found.fit.rule, Daily):
        row = np.searchsorted(found.fit.rule.times(sessions), true, side="right") - 1
        closes = sessions.closes[np.clip(row, 0, len(sessions) - 1)]
    else:
        ends = sessions.closes[assign(true, sessions)]
        closes = np.where(true < ends, np.minimum(closes, ends), closes)
    return int((closes > now.timestamp()).sum())
