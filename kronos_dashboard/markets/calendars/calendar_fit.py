"""Fit the calendar of a market to the timestamps of a series: the rule and the timezone that explain them best.

Words: *containment* is the fraction of the timestamps that the calendar expects; *coverage* is the fraction of the
expected bars that exist. Arrays are int64 [n], UTC seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kronos_dashboard.errors import WindowError
from kronos_dashboard.markets.calendars.bar_grids import (
    BarRule,
    BarSlots,
    ClockGrid,
    EvenBars,
    SessionGrid,
    TimestampAt,
    learn_slots,
    modal_remainder,
)
from kronos_dashboard.markets.calendars.calendar_periods import daily_rules, monthly_rules, weekly_rules
from kronos_dashboard.markets.calendars.holidays import observed_holidays, without_holidays
from kronos_dashboard.markets.calendars.known_markets import ALWAYS, FX, LEARNED, find_market, guess_market
from kronos_dashboard.markets.calendars.learned_sessions import WeekSlots, learn_sessions
from kronos_dashboard.markets.calendars.sessions import Sessions, load_sessions
from kronos_dashboard.markets.calendars.timezones import DAY, INSTANTS, TimezoneInterpretation, from_seconds, to_local
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.messages import msg

__all__ = ["CalendarFit", "SeriesTimestamps", "extract_timestamps", "fit_calendar"]

_MAX_INTRADAY_ROWS, _MAX_INTRADAY_DAYS, _MAX_DAILY_ROWS = 8_000, 400, 1_500
"""End of a series that is fitted: about 100 sessions of 5-minute bars or a year with both changes of clocks; six years
of daily bars. More would cost time without changing the result."""
_HISTORY_YEARS = 3
"""Years in which holidays are looked for, so that each has occurred more than once."""
_MIN_HOLE = 10 * DAY
"""Longer stretches without bars are lost data, not closures: the longest (Golden Week) last nine days."""
_MIN_ON_CLOCK = 0.9
"""Fraction of the bars that must agree for a clock to be theirs; the rest may be half days or wrong timestamps."""
_MIN_FX_DAY_FRACTION = 0.4
"""Fraction of the day that a series must fill to be a currency: the longest stock sessions fill a third."""
_MAX_OFF_DATES = 0.13
"""Largest fraction of dates without a session: below the 1/7 of Saturdays in a market that never closes."""
_MIN_FILLED_FRACTION = 0.75
"""Fraction of the official hours that learned slots must fill; fewer belong to another market."""
_BROKER_TIME = TimezoneInterpretation("America/New_York", 7 * 3_600)
"""Servers of currency brokers, whose days begin at 17:00 in New York."""
_FX_INTERPRETATIONS = (
    INSTANTS,
    _BROKER_TIME,
    TimezoneInterpretation("America/New_York"),
    TimezoneInterpretation("Etc/GMT+5"),
    TimezoneInterpretation("EET"),
)
_PENALTIES = {"slots": 0.01, "learned": 0.02, "close": 0.002, "clock": 0.001, "read": 0.001, "misread": 0.1}
"""Penalties of more flexible rules: ties go to the simpler rule. Far below the score that a wrong rule loses; only a
reinterpretation of the timezone that explains little (``misread``) costs much."""


@dataclass(frozen=True, kw_only=True)
class SeriesTimestamps:
    """The timestamps of a series, and the properties that calendars depend on."""

    recent: np.ndarray
    """UTC seconds of the last bars, as the series has them (before any interpretation)."""
    history: np.ndarray
    """The same for some years, from which holidays are seen."""
    interval: int
    session_tz: str
    symbol: str
    timestamp_at: str
    """What the series itself says: "open" or "close"."""

    @cached_property
    def months(self) -> int:
        """Months per bar, 0 for bars shorter than a month."""
        return max(1, round(self.interval / (30.4 * DAY))) if self.interval >= 28 * DAY else 0

    @cached_property
    def weeks(self) -> int:
        """Weeks per bar, 0 for bars that are not whole weeks."""
        return self.interval // (7 * DAY) if not self.months and self.interval % (7 * DAY) == 0 else 0

    @property
    def margin(self) -> int:
        """Days by which the sessions must extend beyond a span to contain its bars completely."""
        return 3 + (40 * self.months if self.months else 10 * self.weeks)


@dataclass(frozen=True, kw_only=True)
class CalendarFit:
    """The calendar of one market, fitted to one series."""

    code: str
    rule: BarRule
    interpretation: TimezoneInterpretation
    session_tz: str
    containment: float
    coverage: float
    penalty: float = 0.0
    """Subtracted from the score, for the flexibility of the rule."""
    holidays: tuple[str, ...] = ()
    """Holidays without bars, for calendars that know no holidays."""
    description: str = ""
    """Description of learned sessions."""

    @property
    def score(self) -> float:
        """1 when every timestamp is expected and every expected bar exists."""
        return self.containment * (0.5 + 0.5 * self.coverage) - self.penalty

    @cached_property
    def sessions(self) -> Sessions:
        """All sessions of the calendar."""
        sessions = load_sessions(ALWAYS if self.code == LEARNED else self.code)
        return without_holidays(sessions, self.holidays)

    def expected_timestamps(self, first: int, last: int, margin: int) -> np.ndarray:
        """Expected timestamps after ``first`` up to and including ``last``, all as the series has them.

        Args:
            first: UTC seconds.
            last: UTC seconds.
            margin: ``SeriesTimestamps.margin``.
        """
        low, high = self.interpretation.to_instants(np.array([first, last]), self.session_tz)
        bar_times = self.rule.times(self.sessions.around(int(low), int(high), margin))
        timestamps = np.unique(self.interpretation.to_timestamps(bar_times, self.session_tz))
        return timestamps[(timestamps > first) & (timestamps <= last)]


def extract_timestamps(candles: CandleFrame, timestamps: np.ndarray) -> SeriesTimestamps:
    """Extract what fitting needs from candles; only the end of a long series is used."""
    interval = max(1, int(candles.interval.total_seconds()))
    rows = _MAX_INTRADAY_ROWS if interval < DAY else _MAX_DAILY_ROWS
    recent = timestamps[-rows:]
    if interval < DAY:
        recent = recent[recent > recent[-1] - _MAX_INTRADAY_DAYS * DAY]
    return SeriesTimestamps(
        recent=recent,
        history=timestamps[timestamps > timestamps[-1] - _HISTORY_YEARS * 366 * DAY],
        interval=interval,
        session_tz=candles.session_tz,
        symbol=candles.symbol,
        timestamp_at=candles.timestamp_at,
    )


def fit_calendar(series: SeriesTimestamps, code: str, *, requested: bool = False) -> CalendarFit:
    """Find the rule and the timezone interpretation of one market with the best score for a series.

    Args:
        series: the timestamps to explain.
        code: code of the market, or ``learned``.
        requested: the user chose this market, so it is fitted even where it explains little.

    Raises:
        WindowError: there is no such calendar, or none of its rules fits.
    """
    fits = list(_learned_fits(series) if code == LEARNED else _market_fits(series, code, requested=requested))
    if not fits:
        raise WindowError(
            msg(
                "the bar times of {symbol} follow no daily pattern, so future bar times cannot be determined.",
                symbol=series.symbol,
            ),
            msg("Choose a past cutoff (Historical), or load candles at a regular interval."),
        )
    return max(fits, key=lambda fit: fit.score)


def _market_fits(series: SeriesTimestamps, code: str, *, requested: bool) -> Iterator[CalendarFit]:
    if code == FX and not requested and _is_too_short_for_fx(series):
        return
    for interpretation in _interpretations(series, code):
        instants = interpretation.to_instants(series.recent, series.session_tz)
        sessions = load_sessions(code).around(int(instants[0]), int(instants[-1]), series.margin)
        if not (requested or _dates_match(instants, sessions, series)):
            continue
        holidays = _observed_holidays(series, code, interpretation) if code == FX else ()
        sessions = without_holidays(sessions, holidays)
        is_hinted = guess_market(series.symbol) == find_market(code)
        for rule in _candidate_rules(series, instants, sessions, code, interpretation):
            containment, coverage = _overlap(instants, rule.times(sessions))
            if isinstance(rule, BarSlots) and containment < _MIN_ON_CLOCK:
                continue
            penalty = _rule_penalty(rule, is_unofficial=code == FX and not is_hinted) + _interpretation_penalty(
                interpretation, containment
            )
            overlap = (containment, coverage)
            yield _build_fit(
                series, rule, overlap, code=code, interpretation=interpretation, penalty=penalty, holidays=holidays
            )


def _learned_fits(series: SeriesTimestamps) -> Iterator[CalendarFit]:
    """Templates in the timezones of the large markets; the session timezone wins ties."""
    every_day = load_sessions(ALWAYS).around(int(series.recent[0]), int(series.recent[-1]), series.margin)
    if series.months or series.weeks:
        for rule in _candidate_rules(series, series.recent, every_day, ALWAYS, INSTANTS):
            yield _build_learned_fit(series, rule, every_day, (), "")
        return
    index = from_seconds(series.recent)
    zones = dict.fromkeys((series.session_tz, "America/New_York", "Europe/Berlin", "UTC"))
    for order, zone in enumerate(zones if series.interval < DAY else (series.session_tz,)):
        template = learn_sessions(index.tz_convert(zone), from_seconds(np.array([0, series.interval])).diff()[1])
        if template.always_open:
            rules: list[BarRule] = [EvenBars(interval=series.interval, phase=_modal_phase(series))]
        else:
            rules = [WeekSlots(slots=template.slots, zone=zone)] if any(template.slots) else []
        for rule in rules:
            holidays = _observed_holidays(series, ALWAYS, INSTANTS)
            description = msg("{description} ({zone})", description=template.describe(), zone=zone)
            yield _build_learned_fit(
                series, rule, without_holidays(every_day, holidays), holidays, description, 0.001 * order
            )


def _interpretation_penalty(interpretation: TimezoneInterpretation, containment: float) -> float:
    """Penalty for timestamps that are not instants: large where the interpretation explains little."""
    if interpretation.zone is None:
        return 0.0
    return _PENALTIES["read"] if containment >= _MIN_ON_CLOCK else _PENALTIES["misread"]


def _observed_holidays(series: SeriesTimestamps, code: str, interpretation: TimezoneInterpretation) -> tuple[str, ...]:
    """The holidays on which the series has no bars."""
    if series.months or series.weeks:
        return ()
    instants = interpretation.to_instants(series.history, series.session_tz)
    return observed_holidays(instants, load_sessions(code).around(int(instants[0]), int(instants[-1])))


def _dates_match(instants: np.ndarray, sessions: Sessions, series: SeriesTimestamps) -> bool:
    """Whether nearly all timestamps are on dates of sessions or on the evenings before: a cheap first check."""
    if series.interval >= DAY or not len(sessions):
        return True
    dates = np.unique(to_local(instants, sessions.zone) // DAY)
    return bool((np.isin(dates, sessions.labels) | np.isin(dates + 1, sessions.labels)).mean() > 1 - _MAX_OFF_DATES)


def _is_too_short_for_fx(series: SeriesTimestamps) -> bool:
    """Whether the series covers too few hours of the day for the currency week."""
    if series.interval >= DAY or guess_market(series.symbol) == find_market(FX):
        return False
    return len(np.unique(series.recent % DAY)) * series.interval < _MIN_FX_DAY_FRACTION * DAY


def _build_learned_fit(
    series: SeriesTimestamps,
    rule: BarRule,
    sessions: Sessions,
    holidays: tuple[str, ...],
    description: str,
    extra: float = 0.0,
) -> CalendarFit:
    overlap = _overlap(series.recent, rule.times(sessions))
    return _build_fit(
        series, rule, overlap, penalty=_PENALTIES["learned"] + extra, holidays=holidays, description=description
    )


def _build_fit(
    series: SeriesTimestamps,
    rule: BarRule,
    overlap: tuple[float, float],
    *,
    penalty: float,
    code: str = LEARNED,
    interpretation: TimezoneInterpretation = INSTANTS,
    holidays: tuple[str, ...] = (),
    description: str = "",
) -> CalendarFit:
    containment, coverage = overlap
    return CalendarFit(
        code=code,
        rule=rule,
        interpretation=interpretation,
        session_tz=series.session_tz,
        containment=containment,
        coverage=coverage,
        penalty=penalty,
        holidays=holidays,
        description=description,
    )


def _interpretations(series: SeriesTimestamps, code: str) -> tuple[TimezoneInterpretation, ...]:
    """The distinct timezone interpretations to try for a market."""
    market = find_market(code)
    if code == ALWAYS or series.interval >= DAY:
        return (INSTANTS,)
    if code == FX:
        return tuple(
            interpretation
            for interpretation in _FX_INTERPRETATIONS
            if interpretation.offset_s or interpretation.zone != series.session_tz
        )
    zone = market.zone if market else load_sessions(code).zone
    return (INSTANTS,) if zone == series.session_tz else (INSTANTS, TimezoneInterpretation(zone))


def _candidate_rules(
    series: SeriesTimestamps,
    instants: np.ndarray,
    sessions: Sessions,
    code: str,
    interpretation: TimezoneInterpretation,
) -> Iterator[BarRule]:
    """All rules that bars of this interval may follow in these sessions."""
    brokers = ("Europe/Athens",) if code == FX else ()  # the time of many brokers' servers
    zones = tuple(dict.fromkeys((series.session_tz, sessions.zone, "UTC", *brokers)))
    if series.months:
        yield from monthly_rules(instants, zones, series.months)
    elif series.weeks:
        yield from weekly_rules(instants, zones, series.weeks)
    elif series.interval == DAY:
        yield from daily_rules(instants, zones)
        if code == FX:
            yield from _clock_grid_rules(series, instants, zones, ("open",))
    elif code == ALWAYS:
        yield EvenBars(interval=series.interval, phase=_modal_phase(series))
    elif series.interval < DAY:
        yield from _intraday_rules(series, instants, sessions, (sessions.zone,) if interpretation.zone else zones)


def _intraday_rules(
    series: SeriesTimestamps, instants: np.ndarray, sessions: Sessions, zones: tuple[str, ...]
) -> Iterator[BarRule]:
    size = series.interval
    positions: tuple[TimestampAt, ...] = ("close",) if series.timestamp_at == "close" else ("open", "close")
    for timestamp_at in positions:
        yield SessionGrid(interval=size, through_break=False, timestamp_at=timestamp_at)
        if timestamp_at == "close":
            yield SessionGrid(interval=size, through_break=False, timestamp_at=timestamp_at, capped_at_close=True)
        if bool(sessions.paused.any()):
            yield SessionGrid(interval=size, through_break=True, timestamp_at=timestamp_at)
    yield from _clock_grid_rules(series, instants, zones, positions)
    if len(sessions):
        for timestamp_at in positions:
            slots = learn_slots(instants, sessions, size, timestamp_at)
            if slots.filled_fraction > _MIN_FILLED_FRACTION:
                yield slots


def _clock_grid_rules(
    series: SeriesTimestamps, instants: np.ndarray, zones: tuple[str, ...], positions: tuple[TimestampAt, ...]
) -> Iterator[BarRule]:
    for zone in zones:
        phase, fraction = modal_remainder(to_local(instants, zone), series.interval)
        if fraction >= _MIN_ON_CLOCK:
            for timestamp_at in positions:
                yield ClockGrid(interval=series.interval, zone=zone, phase=phase, timestamp_at=timestamp_at)


def _modal_phase(series: SeriesTimestamps) -> int:
    remainders, counts = np.unique(series.recent[-500:] % series.interval, return_counts=True)
    return int(remainders[counts.argmax()])


def _rule_penalty(rule: BarRule, *, is_unofficial: bool) -> float:
    """Penalty for the flexibility of a rule; ``is_unofficial``: its hours are not those of an exchange."""
    penalty = _PENALTIES["close"] if rule.timestamp_at == "close" else 0.0
    if isinstance(rule, BarSlots):
        penalty += _PENALTIES["learned" if is_unofficial else "slots"]
    if isinstance(rule, ClockGrid) or (isinstance(rule, SessionGrid) and (rule.through_break or rule.capped_at_close)):
        penalty += _PENALTIES["clock"]
    return penalty


def _overlap(timestamps: np.ndarray, expected: np.ndarray) -> tuple[float, float]:
    """Containment and coverage; expected bars within holes of the file do not count."""
    expected = expected[(expected >= timestamps[0]) & (expected <= timestamps[-1])]
    shared = np.intersect1d(timestamps, expected, assume_unique=True)
    if not len(shared):
        return 0.0, 0.0
    holes = np.flatnonzero(np.diff(shared) > _MIN_HOLE)
    lost = sum(
        int(expected.searchsorted(shared[i + 1]) - expected.searchsorted(shared[i], side="right"))
        for i in holes
        if shared[i + 1] - shared[i] > 4 * np.median(np.diff(shared))
    )
    return len(shared) / len(timestamps), len(shared) / max(1, len(expected) - lost)
