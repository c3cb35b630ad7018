"""Which calendar a series follows: every candidate is measured on the series' own stamps, and the best one is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np

from kronos_dashboard.errors import WindowError
from kronos_dashboard.markets.calendars.bar_grids import Slots
from kronos_dashboard.markets.calendars.calendar_fit import Fit, Series, fit_market, series_of
from kronos_dashboard.markets.calendars.known_markets import ALWAYS, FX, LEARNED, MARKETS, Market, by_code, hinted
from kronos_dashboard.markets.calendars.sessions import sessions_of
from kronos_dashboard.markets.calendars.timezones import DAY, seconds_of, wall
from kronos_dashboard.markets.candles import CandleFrame

__all__ = ["AUTO", "Detection", "choices", "detect", "prepare"]

AUTO = "auto"
_HINT, _ZONE, _ORDER = 0.03, 0.02, 1e-4
"""What a symbol, a session clock and a place in the list are worth, in score."""
_GOOD, _SURE = 0.90, 0.97
"""Score from which a named calendar is taken, and from which no further one is tried."""
_CONTAINED = 0.95
"""Share of the stamps that a named calendar must expect."""
_EVIDENCE = 0.004
"""What an exchange that nothing hints at must explain better than plain weekdays do, for daily bars."""
_BLIND = 6
"""Most exchanges that are tried though nothing hints at them (each takes a tenth of a second the first time)."""
_SLOW = ("XKRX",)
"""Calendars that take seconds to build: only when something hints at them."""
_ALWAYS_TRIED = (ALWAYS, FX, "XNYS")
"""What every series is measured against."""
_LONG_DAY = 0.75
"""Share of the day with bars from which a market counts as one that trades nearly around the clock."""


@dataclass(frozen=True, kw_only=True)
class Detection:
    """The calendar of a series, and why."""

    code: str
    """``24/7``, ``fx``, the code of an exchange, or ``learned``."""
    name: str
    """For people."""
    reason: str
    """Why this one, in a sentence."""
    fit: Fit
    tried: tuple[tuple[str, float], ...]
    """Every candidate with its score, best first."""

    @property
    def stamped(self) -> Literal["open", "close"]:
        """Whether the stamps look like the opens or the closes of the bars."""
        return self.fit.rule.stamped


def choices() -> dict[str, str]:
    """What a user may choose from: code -> name, ``auto`` first."""
    named = {market.code: market.name for market in MARKETS}
    return {AUTO: "found from the bar times", **named, LEARNED: "learned from the file's own bar times"}


def prepare(codes: tuple[str, ...] = _ALWAYS_TRIED) -> None:
    """Build calendars before they are needed: the first one of an exchange takes most of a second.

    Any thread may call this, also while another asks for the same calendars.
    """
    for code in codes:
        sessions_of(code)


def detect(candles: CandleFrame, calendar: str = AUTO) -> Detection:
    """Find the calendar of a series, or suit the one that the user names.

    Args:
        candles: at least two.
        calendar: ``auto``, ``24/7``, ``fx``, ``learned`` or the code of an exchange, in capitals or not.

    Raises:
        WindowError: there is no such calendar, or no regular bar times can be found.
    """
    if len(candles) < 2:
        raise WindowError(f"a calendar needs at least 2 candles; got {len(candles)}.", "Load more history.")
    series = series_of(candles, seconds_of(candles.index))
    if calendar.strip().lower() == AUTO:
        return _best(series)
    market = by_code(calendar)
    code = LEARNED if calendar.strip().lower() == LEARNED else market.code if market else calendar.strip().upper()
    fit = fit_market(series, code, wanted=True)
    reason = f"chosen by you; it expects {fit.containment:.1%} of the bars there are"
    return Detection(code=code, name=_name(fit), reason=reason, fit=fit, tried=((code, fit.score),))


def _best(series: Series) -> Detection:
    hint = hinted(series.symbol)
    learned = _try(series, LEARNED)
    tried: dict[str, tuple[float, Fit]] = {}
    for market in _likely(series, hint):
        _measure(series, market, hint, tried)
    for market in _unlikely(series, tuple(tried)) if hint is None else ():
        if any(score >= _SURE and not isinstance(fit.rule, Slots) for score, fit in tried.values()):
            break
        _measure(series, market, hint, tried)
    order = sorted(tried.items(), key=lambda item: -item[1][0])
    scores = [(code, round(score, 4)) for code, (score, _) in order]
    if learned is not None:
        scores.append((LEARNED, round(learned.score, 4)))
    for _, (score, fit) in order:
        if _acceptable(series, score, fit, learned, hint):
            return _detection(series, fit, hint, scores)
    if learned is None and order and order[0][1][1].containment > _CONTAINED:
        return _detection(series, order[0][1][1], hint, scores)
    fit = learned or fit_market(series, LEARNED)
    return _detection(series, fit, hint, scores)


def _measure(series: Series, market: Market, hint: Market | None, tried: dict[str, tuple[float, Fit]]) -> None:
    fit = _try(series, market.code)
    if fit is not None and fit.containment > 0:
        bonus = _HINT if market == hint else _ZONE if _same_clock(market, series) else 0.0
        tried[market.code] = (fit.score + bonus - _ORDER * MARKETS.index(market), fit)


def _try(series: Series, code: str) -> Fit | None:
    try:
        return fit_market(series, code)
    except WindowError:
        return None


def _same_clock(market: Market, series: Series) -> bool:
    return series.session_tz != "UTC" and market.zone == series.session_tz and market.code not in (ALWAYS, FX)


def _likely(series: Series, hint: Market | None) -> Iterator[Market]:
    """Candidates that something speaks for; the New York Stock Exchange always."""
    for market in MARKETS:
        if market == hint or market.code in _ALWAYS_TRIED or _same_clock(market, series):
            yield market


def _unlikely(series: Series, tried: tuple[str, ...]) -> Iterator[Market]:
    """Exchanges that are worth a try because of the hours of the bars, or, for daily bars, because many trade there."""
    left = (market for market in MARKETS if market.code not in (*tried, *_SLOW))
    if series.interval < DAY:
        left = (market for market in left if _hours_suit(series, market))
    elif series.interval > DAY:
        return
    yield from islice(left, _BLIND)


def _hours_suit(series: Series, market: Market) -> bool:
    """Whether the first and the last bar of a usual day stand near the open and the close of the market."""
    room = max(series.interval, 1_800)
    opens, closes = (int(hour[:2]) * 3_600 + int(hour[3:]) * 60 for hour in market.hours)
    for walls in (wall(series.stamps, market.zone), wall(series.stamps, series.session_tz)):
        days, first, counts = np.unique(walls // DAY, return_index=True, return_counts=True)
        busy = float(np.median(counts)) * series.interval / DAY
        if market.code in ("CMES", "XEUR"):
            if busy > _LONG_DAY:
                return True
            continue
        starts = walls[first] - days * DAY
        ends = walls[np.r_[first[1:], len(walls)] - 1] - days * DAY
        near_open = abs(float(np.median(starts)) - opens) <= room
        if near_open and abs(float(np.median(ends)) - closes) <= 2 * room:
            return True
    return False


def _acceptable(series: Series, score: float, fit: Fit, learned: Fit | None, hint: Market | None) -> bool:
    """Whether a named calendar explains the stamps well enough, and better than plain habit would."""
    market = by_code(fit.code)
    told = market is not None and (market == hint or _same_clock(market, series))
    if fit.containment < _CONTAINED or score < _GOOD:
        return False
    if learned is None:
        return True
    if series.interval >= DAY and not told and fit.code != ALWAYS:
        return fit.score - _bare(learned) >= _EVIDENCE
    if fit.code == FX and not told:
        return fit.score >= _bare(learned) - _EVIDENCE
    return score >= learned.score


def _bare(fit: Fit) -> float:
    """The score without what the rule's freedom costs."""
    return fit.score + fit.cost


def _detection(series: Series, fit: Fit, hint: Market | None, tried: list[tuple[str, float]]) -> Detection:
    parts = [f"{fit.containment:.1%} of its last {len(series.stamps):,} bars stand where this calendar has them"]
    if hint is not None and hint.code == fit.code:
        parts.append(f"the symbol {series.symbol} points at it")
    elif (market := by_code(fit.code)) is not None and _same_clock(market, series):
        parts.append(f"the session clock is {series.session_tz}")
    if fit.reading.describe():
        parts.append(fit.reading.describe())
    return Detection(code=fit.code, name=_name(fit), reason="; ".join(parts), fit=fit, tried=tuple(tried))


def _name(fit: Fit) -> str:
    market = by_code(fit.code)
    if market is not None:
        return market.name
    return f"learned: {fit.words}" if fit.code == LEARNED and fit.words else fit.code
