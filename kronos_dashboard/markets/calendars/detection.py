"""Detection of the calendar of a series: every candidate is fitted to its timestamps, and the best one is chosen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np

from kronos_dashboard.errors import WindowError
from kronos_dashboard.markets.calendars.bar_grids import BarSlots
from kronos_dashboard.markets.calendars.calendar_fit import (
    CalendarFit,
    SeriesTimestamps,
    extract_timestamps,
    fit_calendar,
)
from kronos_dashboard.markets.calendars.known_markets import (
    ALWAYS,
    FX,
    LEARNED,
    MARKETS,
    Market,
    find_market,
    guess_market,
)
from kronos_dashboard.markets.calendars.sessions import load_sessions
from kronos_dashboard.markets.calendars.timezones import DAY, to_local, to_seconds
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.messages import join_messages, msg

__all__ = ["AUTO", "Detection", "calendar_options", "detect_calendar", "preload_calendars"]

AUTO = "auto"
_SYMBOL_BONUS, _TIMEZONE_BONUS, _ORDER_PENALTY = 0.03, 0.02, 1e-4
"""Score bonus of a market that the symbol or the session timezone suggests, and penalty per place in the list of
markets: enough to decide between calendars that explain the series alike, too little to overrule a better one."""
_MIN_SCORE, _CERTAIN_SCORE = 0.90, 0.97
"""Score from which a named calendar is accepted, and from which no further one is tried."""
_MIN_CONTAINMENT = 0.95
"""Fraction of the timestamps that a named calendar must expect: one in twenty may be special sessions or errors."""
_MIN_EVIDENCE = 0.004
"""Score by which an exchange without a hint must beat plain weekdays, for daily bars: about its holidays of a year."""
_MAX_UNLIKELY = 6
"""Exchanges tried without a hint: each takes a tenth of a second the first time."""
_SLOW_CALENDARS = ("XKRX",)
"""Calendars that take seconds to build, and are tried only with a hint."""
_ALWAYS_TRIED = (ALWAYS, FX, "XNYS")
"""Calendars that are fitted to every series."""
_MIN_LONG_DAY = 0.75
"""Fraction of the day with bars from which a market trades nearly around the clock, as futures do (23 hours)."""


@dataclass(frozen=True, kw_only=True)
class Detection:
    """The calendar of a series, and why."""

    code: str
    """``24/7``, ``fx``, the code of an exchange, or ``learned``."""
    name: str
    """For display."""
    reason: str
    """Why this calendar, in a sentence."""
    fit: CalendarFit
    candidates: tuple[tuple[str, float], ...]
    """Every candidate with its score, best first."""

    @property
    def timestamp_at(self) -> Literal["open", "close"]:
        """Whether the timestamps appear to be opens or closes."""
        return self.fit.rule.timestamp_at


def calendar_options() -> dict[str, str]:
    """The calendars that a user can choose: code -> name, ``auto`` first."""
    names = {market.code: market.name for market in MARKETS}
    return {
        AUTO: msg("detected from the bar times"),
        **names,
        LEARNED: msg("learned from the file's own bar times"),
    }


def preload_calendars(codes: tuple[str, ...] = _ALWAYS_TRIED) -> None:
    """Build calendars before they are needed: the first of an exchange takes most of a second.

    Thread-safe, also while another thread loads the same calendars.
    """
    for code in codes:
        load_sessions(code)


def detect_calendar(candles: CandleFrame, calendar: str = AUTO) -> Detection:
    """Detect the calendar of a series, or fit the one that the user names.

    Args:
        candles: at least two.
        calendar: ``auto``, ``24/7``, ``fx``, ``learned`` or the code of an exchange; case does not matter.

    Raises:
        WindowError: there is no such calendar, or no regular bar times can be found.
    """
    if len(candles) < 2:
        raise WindowError(
            msg("at least 2 candles are needed to detect a calendar; got {count}.", count=len(candles)),
            msg("Load more history."),
        )
    series = extract_timestamps(candles, to_seconds(candles.index))
    if calendar.strip().lower() == AUTO:
        return _detect_best(series)
    market = find_market(calendar)
    code = LEARNED if calendar.strip().lower() == LEARNED else market.code if market else calendar.strip().upper()
    fit = fit_calendar(series, code, requested=True)
    reason = msg("selected manually; {share:.1%} of the bars match it", share=fit.containment)
    return Detection(code=code, name=_calendar_name(fit), reason=reason, fit=fit, candidates=((code, fit.score),))


def _detect_best(series: SeriesTimestamps) -> Detection:
    hint = guess_market(series.symbol)
    learned = _try_fit(series, LEARNED)
    candidates: dict[str, tuple[float, CalendarFit]] = {}
    for market in _likely_markets(series, hint):
        _score_candidate(series, market, hint, candidates)
    for market in _unlikely_markets(series, tuple(candidates)) if hint is None else ():
        if any(score >= _CERTAIN_SCORE and not isinstance(fit.rule, BarSlots) for score, fit in candidates.values()):
            break
        _score_candidate(series, market, hint, candidates)
    order = sorted(candidates.items(), key=lambda item: -item[1][0])
    scores = [(code, round(score, 4)) for code, (score, _) in order]
    if learned is not None:
        scores.append((LEARNED, round(learned.score, 4)))
    for _, (score, fit) in order:
        if _is_acceptable(series, score, fit, learned, hint):
            return _build_detection(series, fit, hint, scores)
    if learned is None and order and order[0][1][1].containment > _MIN_CONTAINMENT:
        return _build_detection(series, order[0][1][1], hint, scores)
    fit = learned or fit_calendar(series, LEARNED)
    return _build_detection(series, fit, hint, scores)


def _score_candidate(
    series: SeriesTimestamps, market: Market, hint: Market | None, candidates: dict[str, tuple[float, CalendarFit]]
) -> None:
    fit = _try_fit(series, market.code)
    if fit is not None and fit.containment > 0:
        bonus = _SYMBOL_BONUS if market == hint else _TIMEZONE_BONUS if _has_same_timezone(market, series) else 0.0
        candidates[market.code] = (fit.score + bonus - _ORDER_PENALTY * MARKETS.index(market), fit)


def _try_fit(series: SeriesTimestamps, code: str) -> CalendarFit | None:
    try:
        return fit_calendar(series, code)
    except WindowError:
        return None


def _has_same_timezone(market: Market, series: SeriesTimestamps) -> bool:
    return series.session_tz != "UTC" and market.zone == series.session_tz and market.code not in (ALWAYS, FX)


def _likely_markets(series: SeriesTimestamps, hint: Market | None) -> Iterator[Market]:
    """Markets that the symbol or the timezone suggests, and those that are always tried."""
    for market in MARKETS:
        if market == hint or market.code in _ALWAYS_TRIED or _has_same_timezone(market, series):
            yield market


def _unlikely_markets(series: SeriesTimestamps, candidates: tuple[str, ...]) -> Iterator[Market]:
    """Exchanges without a hint: those whose hours match intraday bars, or the largest ones for daily bars."""
    remaining = (market for market in MARKETS if market.code not in (*candidates, *_SLOW_CALENDARS))
    if series.interval < DAY:
        remaining = (market for market in remaining if _hours_match(series, market))
    elif series.interval > DAY:
        return
    yield from islice(remaining, _MAX_UNLIKELY)


def _hours_match(series: SeriesTimestamps, market: Market) -> bool:
    """Whether the first and the last bar of a typical day are near the open and the close of the market."""
    tolerance = max(series.interval, 1_800)  # half an hour: opening auctions, timestamps at closes
    opens, closes = (int(hour[:2]) * 3_600 + int(hour[3:]) * 60 for hour in market.hours)
    for local_seconds in (to_local(series.recent, market.zone), to_local(series.recent, series.session_tz)):
        days, first, counts = np.unique(local_seconds // DAY, return_index=True, return_counts=True)
        open_fraction = float(np.median(counts)) * series.interval / DAY
        if market.code in ("CMES", "XEUR"):
            if open_fraction > _MIN_LONG_DAY:
                return True
            continue
        starts = local_seconds[first] - days * DAY
        ends = local_seconds[np.r_[first[1:], len(local_seconds)] - 1] - days * DAY
        near_open = abs(float(np.median(starts)) - opens) <= tolerance
        if near_open and abs(float(np.median(ends)) - closes) <= 2 * tolerance:
            return True
    return False


def _is_acceptable(
    series: SeriesTimestamps, score: float, fit: CalendarFit, learned: CalendarFit | None, hint: Market | None
) -> bool:
    """Whether a named calendar explains the timestamps well enough, and better than learned sessions."""
    market = find_market(fit.code)
    is_hinted = market is not None and (market == hint or _has_same_timezone(market, series))
    if fit.containment < _MIN_CONTAINMENT or score < _MIN_SCORE:
        return False
    if learned is None:
        return True
    if series.interval >= DAY and not is_hinted and fit.code != ALWAYS:
        return fit.score - _score_without_penalty(learned) >= _MIN_EVIDENCE
    if fit.code == FX and not is_hinted:
        return fit.score >= _score_without_penalty(learned) - _MIN_EVIDENCE
    return score >= learned.score


def _score_without_penalty(fit: CalendarFit) -> float:
    """The score before the penalty for flexibility."""
    return fit.score + fit.penalty


def _build_detection(
    series: SeriesTimestamps, fit: CalendarFit, hint: Market | None, candidates: list[tuple[str, float]]
) -> Detection:
    parts = [
        msg(
            "{share:.1%} of the last {count:,} bars match this calendar",
            share=fit.containment,
            count=len(series.recent),
        )
    ]
    if hint is not None and hint.code == fit.code:
        parts.append(msg("suggested by the symbol {symbol}", symbol=series.symbol))
    elif (market := find_market(fit.code)) is not None and _has_same_timezone(market, series):
        parts.append(msg("the session time zone is {zone}", zone=series.session_tz))
    if (interpretation := fit.interpretation.describe()) is not None:
        parts.append(interpretation)
    return Detection(
        code=fit.code,
        name=_calendar_name(fit),
        reason=join_messages(parts, "{left}; {right}"),
        fit=fit,
        candidates=tuple(candidates),
    )


def _calendar_name(fit: CalendarFit) -> str:
    market = find_market(fit.code)
    if market is not None:
        return market.name
    if fit.code == LEARNED and fit.description:
        return msg("learned: {description}", description=fit.description)
    return fit.code
