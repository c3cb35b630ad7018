"""Parse timestamps in text with regular expressions; the whole column decides on the order of day and month."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.importers.date_words import ZONE_OFFSETS, has_words, words_to_digits
from kronos_dashboard.markets.importers.table import MAX_SAMPLED_ROWS, note_rows, sample_rows, to_text
from kronos_dashboard.messages import join_messages, msg
from kronos_dashboard.notes import Note, NoteLevel

__all__ = ["NAT", "TimestampTexts", "parse_timestamp_texts"]

NAT = np.iinfo("int64").min
"""Marks an unreadable time, as in numpy."""
_ISO = re.compile(r"^\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?$")
"""The spelling that pyarrow parses by itself."""
_TIME_OF_DAY = (
    r"(?:[\st,_/-]*?[\st,_-](?:"
    r"(?P<h>\d{1,2})[:.h](?P<mi>\d{1,2})(?:[:.m](?P<s>\d{1,2})s?(?:[.,:](?P<f>\d{1,9}))?)?[\s-]*(?P<ap>am|pm)?"
    r"|(?P<ch>\d{2})(?P<cm>\d{2})(?:(?P<cs>\d{2})(?P<cf>\d{3})?)?"
    r"|(?P<bh>\d{1,2})[\s-]*(?P<bap>am|pm)|(?P<hh>\d{2})h?))?"
)
"""With colons (h, mi, s, f, ap), as digits (ch, cm, cs, cf), as 3 pm (bh, bap) or as an hour alone (hh)."""
_TIMEZONE = (
    r"(?:\s*(?P<zone>(?:utc|gmt)?[+-]\d{1,2}(?::?\d{2})?(?::00)?|[a-z]{1,4}|[a-z_]+/[a-z_/]+))?"
    r"(?:\s*\(.*\)|\s*\[.*\])?\s*$"
)
"""An offset, an abbreviation or a name of a timezone; brackets behind it are ignored."""
_DATE_PATTERNS = (
    r"^(?P<y>\d{4})[-/.\s_]\s?(?P<m>\d{1,2})[-/.\s_]\s?(?P<d>\d{1,2})\.?",
    r"^(?P<r>\d{3})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})",
    r"^(?P<a>\d{1,2})(?P<sep>[-/.\s])\s?(?P<b>\d{1,2})[-/.,\s]{1,2}(?P<c>\d{4}|\d{2})",
    r"^(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})",
    r"^(?P<y>\d{4})[-/.](?P<m>\d{1,2})(?P<none>)",
    r"^(?P<m>\d{1,2})[-/.](?P<y>\d{4})(?P<none>)",
)
"""Year first, year of the Republic of China (r), year last or unknown order (a, b, c), digits only, year and month."""
_OLDEST_TWO_DIGIT_YEAR = 50
"""Two-digit years from here on are read as 1950 to 1999; larger ones add a warning."""
_ERA_DATE = re.compile(r"^\d{3}[-/.]\d{1,2}[-/.]\d{1,2}")
_ERA_DATE_PATTERNS = tuple(pattern.replace(r"(?P<r>\d{3})", r"(?P<r>\d{2,3})") for pattern in _DATE_PATTERNS)
"""In a column with three-digit years, two-digit years belong to the same era: 99 precedes 100."""
_DAY_NS = 86_400 * 10**9


@dataclass(frozen=True, kw_only=True)
class TimestampTexts:
    """Timestamps as written."""

    ns: np.ndarray
    """int64 [n], nanoseconds since 1970 on the clock of the file; NAT where unreadable."""
    offsets: np.ndarray | None = None
    """Minutes east of UTC, int64 [n]; None when the timestamps have no offset."""
    timezone: str | None = None
    """Name of a timezone that all timestamps carry."""
    notes: tuple[Note, ...] = field(default=())


def parse_timestamp_texts(text: Any, day_first: bool | None, *, prefer_day_first: bool = False) -> TimestampTexts:
    """Parse timestamps [n] in any spelling.

    Args:
        text: the cells.
        day_first: whether days stand before months; inferred from the whole column by default.
        prefer_day_first: the order where the column does not decide.

    Raises:
        ImportFileError: some timestamps carry an offset from UTC and others do not.
    """
    sample = [cell.strip() for cell in sample_rows(text).to_pylist() if cell]
    if sample and all(_ISO.match(cell) for cell in sample):
        try:
            ns = text.cast(pa.timestamp("ns")).cast(pa.int64())
            return TimestampTexts(ns=pc.fill_null(ns, NAT).to_numpy(zero_copy_only=False))
        except pa.ArrowInvalid:
            pass
    text = to_text(text)
    if any(has_words(cell) for cell in sample) or any("a" <= cell[-1:].lower() <= "z" for cell in sample):
        text = _spell_out(text)
    text = pc.utf8_lower(text)
    parser = _TimestampParser(len(text))
    notes: list[Note] = []
    # pyarrow compiles a pattern anew for every call: for samples this costs more than the match, so hopeless ones are
    # skipped (the re module accepts a superset of what RE2 accepts)
    cells = text.to_pylist() if len(text) <= MAX_SAMPLED_ROWS else None
    for pattern in _ERA_DATE_PATTERNS if any(_ERA_DATE.match(cell) for cell in sample) else _DATE_PATTERNS:
        missing = parser.ns == NAT
        if not missing.any():
            break
        if cells is not None and not any(re.match(pattern, cell) for cell in cells):
            continue
        match = pc.extract_regex(text, pattern + _TIME_OF_DAY + _TIMEZONE)
        hit = pc.is_valid(match).to_numpy(zero_copy_only=False) & missing
        if hit.any():
            notes += parser.take(match, hit, day_first, prefer_day_first=prefer_day_first)
    offsets, zone = _parse_timezones(parser)
    return TimestampTexts(ns=parser.ns, offsets=offsets, timezone=zone, notes=tuple(notes))


def _spell_out(text: Any) -> Any:
    coded = text.dictionary_encode()
    words = pa.array([words_to_digits(cell) for cell in coded.dictionary.to_pylist()], type=pa.string())
    return words.take(coded.indices)


class _TimestampParser:
    """Timestamps of a column, filled pattern by pattern."""

    def __init__(self, n: int) -> None:
        self.ns = np.full(n, NAT)
        self.zones = np.full(n, "", dtype=object)

    def take(self, match: Any, hit: np.ndarray, day_first: bool | None, *, prefer_day_first: bool) -> list[Note]:
        """Fill the rows ``hit`` [n] from the groups of a match; the notes name the order of day and month."""
        rows = np.flatnonzero(hit)
        parts = {name: match.field(i).take(pa.array(rows)) for i, name in enumerate(_group_names(match))}
        clock = _time_of_day(parts)
        notes: list[Note] = []
        if "a" in parts:
            first, second, third = (_ints(parts[name]) for name in "abc")
            years, era = _from_buddhist_era(np.where(third > 99, third, third + np.where(third < 50, 2000, 1900)))
            options = [_days_to_ns(years, second, first), _days_to_ns(years, first, second)]
            if (third < 100).all():
                options.append(_days_to_ns(np.where(first < 50, first + 2000, first + 1900), second, third))
            mark = parts["sep"][0].as_py()
            days, notes = _choose_date_order(
                options, clock, "." if prefer_day_first and mark == "/" else mark, day_first, is_certain=mark == "."
            )
            notes += era
            if len(options) > 2 and days is options[2] and bool((first > _OLDEST_TWO_DIGIT_YEAR).any()):
                text = msg(
                    "The years have two digits; {digits} was interpreted as {year}.",
                    digits=first.max(),
                    year=first.max() + 1900,
                )
                notes.append(Note("warning", text))
        else:
            years, notes = _to_common_era(parts)
            days = _days_to_ns(years, _ints(parts["m"]), _ints(parts["d"]) if "d" in parts else 1)
        bad = (days == NAT) | (clock == NAT)
        self.ns[rows] = np.where(bad, NAT, np.where(bad, 0, days) + np.where(bad, 0, clock))
        zone = parts["zone"]
        if pc.any(pc.not_equal(zone, "")).as_py():
            self.zones[rows] = zone.to_pylist()
        return notes


def _to_common_era(part: dict[str, Any]) -> tuple[np.ndarray, list[Note]]:
    """Years of the Republic of China (three digits), the Buddhist era or the common era as common era."""
    if "r" in part:
        return _ints(part["r"]) + 1911, [
            Note("info", msg("The years were interpreted as Minguo years (Republic of China): 113 is 2024."))
        ]
    return _from_buddhist_era(_ints(part["y"]))


def _from_buddhist_era(years: np.ndarray) -> tuple[np.ndarray, list[Note]]:
    if len(years) and bool(((years > 2400) & (years < 2700)).all()):
        return years - 543, [Note("info", msg("The years were interpreted as Buddhist calendar years: 2567 is 2024."))]
    return years, []


def _group_names(match: Any) -> list[str]:
    return [match.type.field(i).name for i in range(match.type.num_fields)]


def _ints(column: Any) -> np.ndarray:
    return pc.if_else(pc.equal(column, ""), "0", column).cast(pa.int64()).to_numpy(zero_copy_only=False)


def _days_to_ns(year: np.ndarray, month: np.ndarray, day: np.ndarray | int) -> np.ndarray:
    """Nanoseconds at midnight; NAT for days that do not exist."""
    day = np.broadcast_to(np.asarray(day), year.shape)
    is_valid = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (year >= 1700) & (year <= 2200)
    start = (np.where(is_valid, (year - 1970) * 12 + month - 1, 0)).astype("datetime64[M]")
    date = start.astype("datetime64[D]") + (np.where(is_valid, day, 1) - 1).astype("timedelta64[D]")
    is_valid &= date.astype("datetime64[M]") == start
    return np.where(is_valid, date.astype("datetime64[ns]").astype("int64"), NAT)


def _time_of_day(part: dict[str, Any]) -> np.ndarray:
    hours = sum(_ints(part[name]) for name in ("h", "ch", "bh", "hh"))
    minutes, seconds = _ints(part["mi"]) + _ints(part["cm"]), _ints(part["s"]) + _ints(part["cs"])
    fraction = pc.utf8_rpad(pc.binary_join_element_wise(part["f"], part["cf"], ""), 9, "0")
    am_pm = pc.binary_join_element_wise(part["ap"], part["bap"], "")
    morning, evening = (pc.equal(am_pm, name).to_numpy(zero_copy_only=False) for name in ("am", "pm"))
    is_invalid = (hours > 24) | (minutes > 59) | (seconds > 59) | ((hours == 24) & (minutes + seconds > 0))
    hours = np.where(morning & (hours == 12), 0, np.where(evening & (hours < 12), hours + 12, hours))
    ns = ((hours * 60 + minutes) * 60 + seconds) * 10**9 + _ints(fraction)
    return np.where(is_invalid, NAT, ns)


def _choose_date_order(
    options: list[np.ndarray], clock: np.ndarray, separator: str, day_first: bool | None, *, is_certain: bool
) -> tuple[np.ndarray, list[Note]]:
    """Choose day-month-year, month-day-year or year-month-day for the whole column."""
    names = (msg("day first"), msg("month first"), msg("year first"))
    if day_first is not None:
        return options[0 if day_first else 1], []
    readable_fractions = [float((days != NAT).mean()) for days in options]
    best = max(readable_fractions)
    remaining = [i for i, fraction in enumerate(readable_fractions) if fraction >= best - 1e-9]
    spans = [_span(days) for days in options]
    if 2 in remaining and len(remaining) > 1 and spans[2] > 5 * min(spans[i] for i in remaining):
        remaining.remove(2)  # days of the month read as years spread over decades
    if len(remaining) > 1:
        num_changes = {i: _num_direction_changes(options[i], clock) for i in remaining}
        min_changes = min(num_changes.values())
        remaining = [i for i in remaining if num_changes[i] <= min_changes]
        if len(remaining) == 1 and min_changes == 0:
            return options[remaining[0]], []
    if len(remaining) == 1:
        note = Note(
            "info",
            msg(
                "The dates were interpreted as {order}; the other order does not fit all rows.",
                order=names[remaining[0]],
            ),
        )
        return options[remaining[0]], [note] if best < 1 else []
    chosen = _likelier_order(spans, remaining, separator)
    if all((options[i] == options[chosen]).all() for i in remaining) and (options[chosen] != NAT).all():
        remaining = [i for i in remaining if i < 2] or remaining
    named = join_messages([names[i] for i in sorted(remaining)], "{left} or {right}")
    level: NoteLevel = (
        "info" if is_certain and chosen == 0 else "warning"
    )  # no country writes points with the month first
    return options[chosen], [
        Note(level, msg("The dates can be {orders}; {order} was assumed.", orders=named, order=names[chosen]))
    ]


def _likelier_order(spans: list[int], remaining: list[int], separator: str) -> int:
    """The order with the shorter time span; in doubt, month first for slashes and day first otherwise."""
    shortest = min(spans[i] for i in remaining)
    closest = [i for i in remaining if spans[i] <= shortest * 1.5]
    prior = (1, 0, 2) if separator == "/" else (0, 2, 1)
    return next(i for i in prior if i in closest)


def _span(days: np.ndarray) -> int:
    valid = days[days != NAT]
    return int(valid.max() - valid.min()) if len(valid) else 0


def _num_direction_changes(days: np.ndarray, clock: np.ndarray) -> int:
    """How often the times change direction."""
    valid = (days != NAT) & (clock != NAT)
    steps = np.sign(np.diff(days[valid] + clock[valid]))
    steps = steps[steps != 0]
    return int((np.diff(steps) != 0).sum())


def _parse_timezones(parts: _TimestampParser) -> tuple[np.ndarray | None, str | None]:
    """Minutes east of UTC [n], or the name of the one timezone, from the text after the times."""
    is_parsed = parts.ns != NAT
    suffixes = set(parts.zones[is_parsed].tolist())
    if suffixes <= {""}:
        return None, None
    known: dict[str, int | str | None] = {text: _parse_offset(text) for text in suffixes}
    names = {value for value in known.values() if isinstance(value, str)}
    if len(names) == 1 and len(known) == 1:
        return None, names.pop()
    parts.ns[np.array([known.get(text, 0) is None and text != "" for text in parts.zones])] = NAT
    has_none = np.array([text == "" for text in parts.zones]) & is_parsed
    if names or (has_none.any() and len(suffixes) > 1 and any(known[text] is not None for text in suffixes if text)):
        rows = ", ".join(str(row + 1) for row in note_rows(np.flatnonzero(has_none))[:5])
        raise ImportFileError(
            msg(
                "the times are inconsistent: some have a time zone or an offset from UTC, others (rows {rows}) do not.",
                rows=rows,
            ),
            msg("Write all of them with an offset from UTC, or none."),
        )
    if not any(isinstance(value, int) for text, value in known.items() if text):
        return None, None
    return np.array([value if isinstance(value := known.get(t), int) else 0 for t in parts.zones], dtype="int64"), None


def _parse_offset(text: str) -> int | str | None:
    """Minutes east of UTC, the name of a timezone, or None for any other word."""
    if not text:
        return None
    if text in ZONE_OFFSETS:
        return ZONE_OFFSETS[text]
    match = re.match(r"^(?:utc|gmt)?([+-])(\d{1,2}):?(\d{2})?(?::00)?$", text)
    if match:
        minutes = int(match[2]) * 60 + int(match[3] or 0)
        return (-minutes if match[1] == "-" else minutes) if minutes <= 14 * 60 else None
    if "/" in text:
        return "/".join(
            part if part in ("us",) else "_".join(w.capitalize() for w in part.split("_")) for part in text.split("/")
        ).replace("us/", "US/")
    return None
