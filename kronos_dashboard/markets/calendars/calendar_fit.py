"""How well a market's calendar explains the stamps a series has: the rule and the reading that fit best.

Words: *containment* is the share of the stamps that the calendar expects; *coverage* the share of the expected bars
that are there. Arrays are int64 [n], UTC seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kronos_dashboard.errors import WindowError
from kronos_dashboard.markets.calendars.bar_grids import (
    ClockGrid,
    Rule,
    SessionGrid,
    Slots,
    Stamped,
    Steps,
    learn_slots,
    remainder,
)
from kronos_dashboard.markets.calendars.calendar_periods import daily_rules, monthly_rules, weekly_rules
from kronos_dashboard.markets.calendars.holidays import closed_feasts, without_feasts
from kronos_dashboard.markets.calendars.known_markets import ALWAYS, FX, LEARNED, by_code, hinted
from kronos_dashboard.markets.calendars.learned_sessions import WeekSlots, learn
from kronos_dashboard.markets.calendars.sessions import Sessions, sessions_of
from kronos_dashboard.markets.calendars.timezones import DAY, INSTANTS, Reading, times_of, wall
from kronos_dashboard.markets.candles import CandleFrame

__all__ = ["Fit", "Series", "fit_market", "series_of"]

_ROWS, _DAYS, _DAILY_ROWS = 8_000, 400, 1_500
"""How much of the end of a series is looked at."""
_YEARS = 3
"""And to see on which holidays it has bars."""
_HOLE = 10 * DAY
"""Longer stretches without any expected bar say nothing about the calendar: the file lacks them."""
_ON_CLOCK = 0.9
"""Share of the bars that must stand at the same remainder for a clock to be the one they are made on."""
_OPEN_SHARE = 0.4
"""Share of the day that a series must fill for the week of currencies to be tried."""
_OFF_DATES = 0.13
"""Share of the dates with bars that may be no session's: less than the Saturdays of a market that never closes."""
_FULL = 0.75
"""Share of the official hours that learned slots must fill to be slots of that market."""
_BROKERS = Reading("America/New_York", 7 * 3_600)
_FX_READINGS = (INSTANTS, _BROKERS, Reading("America/New_York"), Reading("Etc/GMT+5"), Reading("EET"))
_WORSE = {"slots": 0.01, "learned": 0.02, "close": 0.002, "clock": 0.001, "read": 0.001, "misread": 0.1}
"""What a rule with more freedom must do better to be preferred."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """The stamps of a series, and how it counts them."""

    stamps: np.ndarray
    """UTC seconds of the last bars, as the series has them (not yet read on any market's clock)."""
    history: np.ndarray
    """The same for some years, to see holidays."""
    interval: int
    session_tz: str
    symbol: str
    stamped: str

    @cached_property
    def months(self) -> int:
        """Months per bar, 0 for bars shorter than a month."""
        return max(1, round(self.interval / (30.4 * DAY))) if self.interval >= 28 * DAY else 0

    @cached_property
    def weeks(self) -> int:
        """Weeks per bar, 0 for bars that are no whole weeks."""
        return self.interval // (7 * DAY) if not self.months and self.interval % (7 * DAY) == 0 else 0

    @property
    def margin(self) -> int:
        """Days by which sessions must reach beyond a stretch for its bars to be found whole."""
        return 3 + (40 * self.months if self.months else 10 * self.weeks)


@dataclass(frozen=True, kw_only=True)
class Fit:
    """One market's calendar as it suits one series."""

    code: str
    rule: Rule
    reading: Reading
    session_tz: str
    containment: float
    coverage: float
    cost: float = 0.0
    """Subtracted from the score: freedom the rule had."""
    feasts: tuple[str, ...] = ()
    """Holidays on which the series never had bars, for calendars that know none."""
    words: str = ""
    """What a learned template looks like."""

    @property
    def score(self) -> float:
        """1 when every stamp is expected and every expected bar is there."""
        return self.containment * (0.5 + 0.5 * self.coverage) - self.cost

    @cached_property
    def sessions(self) -> Sessions:
        """All sessions of the calendar."""
        found = sessions_of(ALWAYS if self.code == LEARNED else self.code)
        return without_feasts(found, self.feasts) if self.feasts else found

    def stamps(self, first: int, last: int, margin: int) -> np.ndarray:
        """Stamps of the bars expected after ``first`` up to and including ``last`` (both in the series' stamps)."""
        low, high = self.reading.to_true(np.array([first, last]), self.session_tz)
        made = self.rule.times(self.sessions.around(int(low), int(high), margin))
        stamps = np.unique(self.reading.to_stamps(made, self.session_tz))
        return stamps[(stamps > first) & (stamps <= last)]


def series_of(candles: CandleFrame, stamps: np.ndarray) -> Series:
    """What fitting needs to know of candles; only the end of a long series is kept."""
    interval = max(1, int(candles.interval.total_seconds()))
    rows = _ROWS if interval < DAY else _DAILY_ROWS
    recent = stamps[-rows:]
    if interval < DAY:
        recent = recent[recent > recent[-1] - _DAYS * DAY]
    return Series(
        stamps=recent,
        history=stamps[stamps > stamps[-1] - _YEARS * 366 * DAY],
        interval=interval,
        session_tz=candles.session_tz,
        symbol=candles.symbol,
        stamped=candles.stamped,
    )


def fit_market(series: Series, code: str, *, wanted: bool = False) -> Fit:
    """The best rule and reading of one market for a series.

    Args:
        series: what is to be explained.
        code: of the market, or ``learned``.
        wanted: somebody asked for this market, so that it is fitted even where it explains little.

    Raises:
        WindowError: there is no such calendar, or none of its rules makes bars like these.
    """
    fits = list(_learned(series) if code == LEARNED else _named(series, code, wanted=wanted))
    if not fits:
        raise WindowError(
            f"the bar times of {series.symbol} follow no daily pattern, so the next ones cannot be told.",
            "Choose a cutoff in the past (replay), or load candles at a regular interval.",
        )
    return max(fits, key=lambda fit: fit.score)


def _named(series: Series, code: str, *, wanted: bool) -> Iterator[Fit]:
    if code == FX and not wanted and _brief(series):
        return
    for reading in _readings(series, code):
        true = reading.to_true(series.stamps, series.session_tz)
        sessions = sessions_of(code).around(int(true[0]), int(true[-1]), series.margin)
        if not (wanted or _possible(true, sessions, series)):
            continue
        feasts = _feasts(series, code, reading) if code == FX else ()
        sessions = without_feasts(sessions, feasts)
        told = hinted(series.symbol) == by_code(code)
        for rule in _rules(series, true, sessions, code, reading):
            containment, coverage = _overlap(true, rule.times(sessions))
            if isinstance(rule, Slots) and containment < _ON_CLOCK:
                continue
            cost = _cost(rule, free=code == FX and not told) + _unlike(reading, containment)
            overlap = (containment, coverage)
            yield _fit(series, rule, overlap, code=code, reading=reading, cost=cost, feasts=feasts)


def _learned(series: Series) -> Iterator[Fit]:
    """Templates on the clocks that a market may keep; the session clock wins where they are alike."""
    every_day = sessions_of(ALWAYS).around(int(series.stamps[0]), int(series.stamps[-1]), series.margin)
    if series.months or series.weeks:
        for rule in _rules(series, series.stamps, every_day, ALWAYS, INSTANTS):
            yield _learned_fit(series, rule, every_day, (), "")
        return
    index = times_of(series.stamps)
    zones = dict.fromkeys((series.session_tz, "America/New_York", "Europe/Berlin", "UTC"))
    for place, zone in enumerate(zones if series.interval < DAY else (series.session_tz,)):
        template = learn(index.tz_convert(zone), times_of(np.array([0, series.interval])).diff()[1])
        if template.always_open:
            rules: list[Rule] = [Steps(interval=series.interval, phase=_phase(series))]
        else:
            rules = [WeekSlots(slots=template.slots, zone=zone)] if any(template.slots) else []
        for rule in rules:
            feasts = _feasts(series, ALWAYS, INSTANTS)
            words = f"{template.describe()} ({zone})"
            yield _learned_fit(series, rule, without_feasts(every_day, feasts), feasts, words, 0.001 * place)


def _unlike(reading: Reading, containment: float) -> float:
    """What it costs to take stamps for something else than the instants they say: much, where it explains little."""
    if reading.zone is None:
        return 0.0
    return _WORSE["read"] if containment >= _ON_CLOCK else _WORSE["misread"]


def _feasts(series: Series, code: str, reading: Reading) -> tuple[str, ...]:
    """The feasts on which the series never has bars."""
    if series.months or series.weeks:
        return ()
    true = reading.to_true(series.history, series.session_tz)
    return closed_feasts(true, sessions_of(code).around(int(true[0]), int(true[-1])))


def _possible(true: np.ndarray, sessions: Sessions, series: Series) -> bool:
    """Whether nearly all stamps stand on dates of sessions, or on the evenings before: a look that costs little."""
    if series.interval >= DAY or not len(sessions):
        return True
    dates = np.unique(wall(true, sessions.zone) // DAY)
    return bool((np.isin(dates, sessions.labels) | np.isin(dates + 1, sessions.labels)).mean() > 1 - _OFF_DATES)


def _brief(series: Series) -> bool:
    """Whether the series has bars in so few hours of the day that the week of currencies cannot explain it."""
    if series.interval >= DAY or hinted(series.symbol) == by_code(FX):
        return False
    return len(np.unique(series.stamps % DAY)) * series.interval < _OPEN_SHARE * DAY


def _learned_fit(
    series: Series, rule: Rule, sessions: Sessions, feasts: tuple[str, ...], words: str, extra: float = 0.0
) -> Fit:
    overlap = _overlap(series.stamps, rule.times(sessions))
    return _fit(series, rule, overlap, cost=_WORSE["learned"] + extra, feasts=feasts, words=words)


def _fit(
    series: Series,
    rule: Rule,
    overlap: tuple[float, float],
    *,
    cost: float,
    code: str = LEARNED,
    reading: Reading = INSTANTS,
    feasts: tuple[str, ...] = (),
    words: str = "",
) -> Fit:
    containment, coverage = overlap
    return Fit(
        code=code,
        rule=rule,
        reading=reading,
        session_tz=series.session_tz,
        containment=containment,
        coverage=coverage,
        cost=cost,
        feasts=feasts,
        words=words,
    )


def _readings(series: Series, code: str) -> tuple[Reading, ...]:
    """Ways to read the stamps that are worth trying for a market; those that come to the same once."""
    market = by_code(code)
    if code == ALWAYS or series.interval >= DAY:
        return (INSTANTS,)
    if code == FX:
        return tuple(reading for reading in _FX_READINGS if reading.ahead or reading.zone != series.session_tz)
    zone = market.zone if market else sessions_of(code).zone
    return (INSTANTS,) if zone == series.session_tz else (INSTANTS, Reading(zone))


def _rules(series: Series, true: np.ndarray, sessions: Sessions, code: str, reading: Reading) -> Iterator[Rule]:
    """Every rule that bars of this interval may follow in these sessions."""
    brokers = ("Europe/Athens",) if code == FX else ()
    zones = tuple(dict.fromkeys((series.session_tz, sessions.zone, "UTC", *brokers)))
    if series.months:
        yield from monthly_rules(true, zones, series.months)
    elif series.weeks:
        yield from weekly_rules(true, zones, series.weeks)
    elif series.interval == DAY:
        yield from daily_rules(true, zones)
        if code == FX:
            yield from _clock_grids(series, true, zones, ("open",))
    elif code == ALWAYS:
        yield Steps(interval=series.interval, phase=_phase(series))
    elif series.interval < DAY:
        yield from _intraday(series, true, sessions, (sessions.zone,) if reading.zone else zones)


def _intraday(series: Series, true: np.ndarray, sessions: Sessions, zones: tuple[str, ...]) -> Iterator[Rule]:
    size = series.interval
    ways: tuple[Stamped, ...] = ("close",) if series.stamped == "close" else ("open", "close")
    for stamped in ways:
        yield SessionGrid(interval=size, through=False, stamped=stamped)
        if stamped == "close":
            yield SessionGrid(interval=size, through=False, stamped=stamped, capped=True)
        if bool(sessions.paused.any()):
            yield SessionGrid(interval=size, through=True, stamped=stamped)
    yield from _clock_grids(series, true, zones, ways)
    if len(sessions):
        for stamped in ways:
            slots = learn_slots(true, sessions, size, stamped)
            if slots.fullness > _FULL:
                yield slots


def _clock_grids(series: Series, true: np.ndarray, zones: tuple[str, ...], ways: tuple[Stamped, ...]) -> Iterator[Rule]:
    for zone in zones:
        phase, share = remainder(wall(true, zone), series.interval)
        if share >= _ON_CLOCK:
            for stamped in ways:
                yield ClockGrid(interval=series.interval, zone=zone, phase=phase, stamped=stamped)


def _phase(series: Series) -> int:
    rests, counts = np.unique(series.stamps[-500:] % series.interval, return_counts=True)
    return int(rests[counts.argmax()])


def _cost(rule: Rule, *, free: bool) -> float:
    """What a rule's freedom costs; ``free``: its slots are no exchange's, and only as good as learned ones."""
    cost = _WORSE["close"] if rule.stamped == "close" else 0.0
    if isinstance(rule, Slots):
        cost += _WORSE["learned" if free else "slots"]
    if isinstance(rule, ClockGrid) or (isinstance(rule, SessionGrid) and (rule.through or rule.capped)):
        cost += _WORSE["clock"]
    return cost


def _overlap(stamps: np.ndarray, expected: np.ndarray) -> tuple[float, float]:
    """Containment and coverage, holes in the file left out."""
    expected = expected[(expected >= stamps[0]) & (expected <= stamps[-1])]
    shared = np.intersect1d(stamps, expected, assume_unique=True)
    if not len(shared):
        return 0.0, 0.0
    holes = np.flatnonzero(np.diff(shared) > max(_HOLE, 0))
    lost = sum(
        int(expected.searchsorted(shared[i + 1]) - expected.searchsorted(shared[i], side="right"))
        for i in holes
        if shared[i + 1] - shared[i] > 4 * np.median(np.diff(shared))
    )
    return len(shared) / len(stamps), len(shared) / max(1, len(expected) - lost)
