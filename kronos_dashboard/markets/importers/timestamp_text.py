"""Text stamps taken apart by one pattern; the order of day and month is decided over the whole column."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.markets.importers.date_words import OFFSETS, has_words, in_digits
from kronos_dashboard.markets.importers.table import named_rows, sample_of, texts
from kronos_dashboard.notes import Level, Note

__all__ = ["NAT", "StampTexts", "read_texts"]

NAT = np.iinfo("int64").min
_ISO = re.compile(r"^\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?$")
_CLOCK = (
    r"(?:[\st,_/-]*?[\st,_-](?:"
    r"(?P<h>\d{1,2})[:.h](?P<mi>\d{1,2})(?:[:.m](?P<s>\d{1,2})s?(?:[.,:](?P<f>\d{1,9}))?)?[\s-]*(?P<ap>am|pm)?"
    r"|(?P<ch>\d{2})(?P<cm>\d{2})(?:(?P<cs>\d{2})(?P<cf>\d{3})?)?"
    r"|(?P<bh>\d{1,2})[\s-]*(?P<bap>am|pm)|(?P<hh>\d{2})h?))?"
)
_ZONE = (
    r"(?:\s*(?P<zone>(?:utc|gmt)?[+-]\d{1,2}(?::?\d{2})?(?::00)?|[a-z]{1,4}|[a-z_]+/[a-z_/]+))?"
    r"(?:\s*\(.*\)|\s*\[.*\])?\s*$"
)
_DATES = (
    r"^(?P<y>\d{4})[-/.\s_]\s?(?P<m>\d{1,2})[-/.\s_]\s?(?P<d>\d{1,2})\.?",
    r"^(?P<r>\d{3})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})",
    r"^(?P<a>\d{1,2})(?P<sep>[-/.\s])\s?(?P<b>\d{1,2})[-/.,\s]{1,2}(?P<c>\d{4}|\d{2})",
    r"^(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})",
    r"^(?P<y>\d{4})[-/.](?P<m>\d{1,2})(?P<none>)",
    r"^(?P<m>\d{1,2})[-/.](?P<y>\d{4})(?P<none>)",
)
_LATE = 50
_ERA = re.compile(r"^\d{3}[-/.]\d{1,2}[-/.]\d{1,2}")
_ERAS = tuple(pattern.replace(r"(?P<r>\d{3})", r"(?P<r>\d{2,3})") for pattern in _DATES)
"""Beside years of three digits, those of two are of the same era: 99 comes before 100."""
_DAY = 86_400 * 10**9


@dataclass(frozen=True, kw_only=True)
class StampTexts:
    """Stamps as they are written."""

    ns: np.ndarray
    """int64 [n], hours as written."""
    offsets: np.ndarray | None = None
    """Minutes east of UTC, int64 [n]; None when the stamps have none."""
    zone: str | None = None
    """Name of a zone that all stamps carry."""
    notes: tuple[Note, ...] = field(default=())


def read_texts(text: Any, day_first: bool | None, *, likely: bool = False) -> StampTexts:
    """Read stamps [n] in any spelling; those that cannot be read become NAT.

    Args:
        text: the cells.
        day_first: whether days stand before months; by default the whole column decides.
        likely: whether they do where the column does not decide.

    Raises:
        ImportFailed: some of the stamps carry an offset from UTC and others do not.
    """
    sample = [cell.strip() for cell in sample_of(text).to_pylist() if cell]
    if sample and all(_ISO.match(cell) for cell in sample):
        try:
            ns = text.cast(pa.timestamp("ns")).cast(pa.int64())
            return StampTexts(ns=pc.fill_null(ns, NAT).to_numpy(zero_copy_only=False))
        except pa.ArrowInvalid:
            pass
    text = texts(text)
    if any(has_words(cell) for cell in sample) or any("a" <= cell[-1:].lower() <= "z" for cell in sample):
        text = _respelled(text)
    text = pc.utf8_lower(text)
    parts = _Parts(len(text))
    notes: list[Note] = []
    for pattern in _ERAS if any(_ERA.match(cell) for cell in sample) else _DATES:
        missing = parts.ns == NAT
        if not missing.any():
            break
        found = pc.extract_regex(text, pattern + _CLOCK + _ZONE)
        hit = pc.is_valid(found).to_numpy(zero_copy_only=False) & missing
        if hit.any():
            notes += parts.take(found, hit, day_first, likely=likely)
    offsets, zone = _zones(parts)
    return StampTexts(ns=parts.ns, offsets=offsets, zone=zone, notes=tuple(notes))


def _respelled(text: Any) -> Any:
    coded = text.dictionary_encode()
    words = pa.array([in_digits(cell) for cell in coded.dictionary.to_pylist()], type=pa.string())
    return words.take(coded.indices)


class _Parts:
    """Stamps put together pattern by pattern."""

    def __init__(self, n: int) -> None:
        self.ns = np.full(n, NAT)
        self.zones = np.full(n, "", dtype=object)

    def take(self, found: Any, hit: np.ndarray, day_first: bool | None, *, likely: bool) -> list[Note]:
        """Fill the rows ``hit`` [n] from the named parts; the notes say which order of day and month was taken."""
        rows = np.flatnonzero(hit)
        part = {name: found.field(i).take(pa.array(rows)) for i, name in enumerate(_names(found))}
        clock = _time_of_day(part)
        notes: list[Note] = []
        if "a" in part:
            first, second, third = (_ints(part[name]) for name in "abc")
            years, era = _christian(np.where(third > 99, third, third + np.where(third < 50, 2000, 1900)))
            options = [_days(years, second, first), _days(years, first, second)]
            if (third < 100).all():
                options.append(_days(np.where(first < 50, first + 2000, first + 1900), second, third))
            mark = part["sep"][0].as_py()
            days, notes = _decide(options, clock, "." if likely and mark == "/" else mark, day_first, sure=mark == ".")
            notes += era
            if len(options) > 2 and days is options[2] and bool((first > _LATE).any()):
                text = f"The years have two digits; {first.max()} was read as {first.max() + 1900}."
                notes.append(Note("warning", text))
        else:
            years, notes = _common_era(part)
            days = _days(years, _ints(part["m"]), _ints(part["d"]) if "d" in part else 1)
        bad = (days == NAT) | (clock == NAT)
        self.ns[rows] = np.where(bad, NAT, np.where(bad, 0, days) + np.where(bad, 0, clock))
        zone = part["zone"]
        if pc.any(pc.not_equal(zone, "")).as_py():
            self.zones[rows] = zone.to_pylist()
        return notes


def _common_era(part: dict[str, Any]) -> tuple[np.ndarray, list[Note]]:
    """Years, those of the Republic of China (three digits) and of the Buddhist era as well."""
    if "r" in part:
        return _ints(part["r"]) + 1911, [
            Note("info", "The years were read as those of the Republic of China: 113 is 2024.")
        ]
    return _christian(_ints(part["y"]))


def _christian(years: np.ndarray) -> tuple[np.ndarray, list[Note]]:
    if len(years) and bool(((years > 2400) & (years < 2700)).all()):
        return years - 543, [Note("info", "The years were read as those of the Buddhist era: 2567 is 2024.")]
    return years, []


def _names(found: Any) -> list[str]:
    return [found.type.field(i).name for i in range(found.type.num_fields)]


def _ints(column: Any) -> np.ndarray:
    return pc.if_else(pc.equal(column, ""), "0", column).cast(pa.int64()).to_numpy(zero_copy_only=False)


def _days(year: np.ndarray, month: np.ndarray, day: np.ndarray | int) -> np.ndarray:
    """Nanoseconds at midnight; NAT where there is no such day."""
    day = np.broadcast_to(np.asarray(day), year.shape)
    fine = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (year >= 1700) & (year <= 2200)
    start = (np.where(fine, (year - 1970) * 12 + month - 1, 0)).astype("datetime64[M]")
    stamp = start.astype("datetime64[D]") + (np.where(fine, day, 1) - 1).astype("timedelta64[D]")
    fine &= stamp.astype("datetime64[M]") == start
    return np.where(fine, stamp.astype("datetime64[ns]").astype("int64"), NAT)


def _time_of_day(part: dict[str, Any]) -> np.ndarray:
    hours = sum(_ints(part[name]) for name in ("h", "ch", "bh", "hh"))
    minutes, seconds = _ints(part["mi"]) + _ints(part["cm"]), _ints(part["s"]) + _ints(part["cs"])
    fraction = pc.utf8_rpad(pc.binary_join_element_wise(part["f"], part["cf"], ""), 9, "0")
    half = pc.binary_join_element_wise(part["ap"], part["bap"], "")
    morning, evening = (pc.equal(half, name).to_numpy(zero_copy_only=False) for name in ("am", "pm"))
    bad = (hours > 24) | (minutes > 59) | (seconds > 59) | ((hours == 24) & (minutes + seconds > 0))
    hours = np.where(morning & (hours == 12), 0, np.where(evening & (hours < 12), hours + 12, hours))
    ns = ((hours * 60 + minutes) * 60 + seconds) * 10**9 + _ints(fraction)
    return np.where(bad, NAT, ns)


def _decide(
    options: list[np.ndarray], clock: np.ndarray, mark: str, day_first: bool | None, *, sure: bool
) -> tuple[np.ndarray, list[Note]]:
    """Of day-month-year, month-day-year and year-month-day the one that the column as a whole allows."""
    names = ("day first", "month first", "year first")
    if day_first is not None:
        return options[0 if day_first else 1], []
    readable = [float((days != NAT).mean()) for days in options]
    best = max(readable)
    left = [i for i, share in enumerate(readable) if share >= best - 1e-9]
    spans = [_span(days) for days in options]
    if 2 in left and len(left) > 1 and spans[2] > 5 * min(spans[i] for i in left):
        left.remove(2)  # days of the month taken for years lie decades apart
    if len(left) > 1:
        turns = {i: _turns(options[i], clock) for i in left}
        least = min(turns.values())
        left = [i for i in left if turns[i] <= least]
        if len(left) == 1 and least == 0:
            return options[left[0]], []
    if len(left) == 1:
        note = Note("info", f"The dates were read {names[left[0]]}; the other order does not fit all rows.")
        return options[left[0]], [note] if best < 1 else []
    chosen = _likelier(spans, left, mark)
    if all((options[i] == options[chosen]).all() for i in left) and (options[chosen] != NAT).all():
        left = [i for i in left if i < 2] or left
    named = " or ".join(names[i] for i in sorted(left))
    level: Level = "info" if sure and chosen == 0 else "warning"  # nobody writes points month first
    return options[chosen], [Note(level, f"The dates could be read {named}; {names[chosen]} was assumed.")]


def _likelier(spans: list[int], left: list[int], mark: str) -> int:
    """The order that gives the closer rows; with slashes between the parts month first, else day first."""
    shortest = min(spans[i] for i in left)
    closest = [i for i in left if spans[i] <= shortest * 1.5]
    prior = (1, 0, 2) if mark == "/" else (0, 2, 1)
    return next(i for i in prior if i in closest)


def _span(days: np.ndarray) -> int:
    good = days[days != NAT]
    return int(good.max() - good.min()) if len(good) else 0


def _turns(days: np.ndarray, clock: np.ndarray) -> int:
    """How often the stamps change direction."""
    good = (days != NAT) & (clock != NAT)
    steps = np.sign(np.diff(days[good] + clock[good]))
    steps = steps[steps != 0]
    return int((np.diff(steps) != 0).sum())


def _zones(parts: _Parts) -> tuple[np.ndarray | None, str | None]:
    """What stands behind the stamps, as minutes east of UTC, or as the name of one zone."""
    read = parts.ns != NAT
    spelled = set(parts.zones[read].tolist())
    if spelled <= {""}:
        return None, None
    known: dict[str, int | str | None] = {text: _offset(text) for text in spelled}
    names = {value for value in known.values() if isinstance(value, str)}
    if len(names) == 1 and len(known) == 1:
        return None, names.pop()
    parts.ns[np.array([known.get(text, 0) is None and text != "" for text in parts.zones])] = NAT
    bare = np.array([text == "" for text in parts.zones]) & read
    if names or (bare.any() and len(spelled) > 1 and any(known[text] is not None for text in spelled if text)):
        rows = ", ".join(str(row + 1) for row in named_rows(np.flatnonzero(bare))[:5])
        raise ImportFailed(
            f"the times cannot be read alike: some name their zone or offset from UTC, others (rows {rows}) do not.",
            "Write all of them with an offset from UTC, or all without.",
        )
    if not any(isinstance(value, int) for text, value in known.items() if text):
        return None, None
    return np.array([value if isinstance(value := known.get(t), int) else 0 for t in parts.zones], dtype="int64"), None


def _offset(text: str) -> int | str | None:
    """Minutes, the name of a zone, or None for a word that is neither."""
    if not text:
        return None
    if text in OFFSETS:
        return OFFSETS[text]
    match = re.match(r"^(?:utc|gmt)?([+-])(\d{1,2}):?(\d{2})?(?::00)?$", text)
    if match:
        minutes = int(match[2]) * 60 + int(match[3] or 0)
        return (-minutes if match[1] == "-" else minutes) if minutes <= 14 * 60 else None
    if "/" in text:
        return "/".join(
            part if part in ("us",) else "_".join(w.capitalize() for w in part.split("_")) for part in text.split("/")
        ).replace("us/", "US/")
    return None
