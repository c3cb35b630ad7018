"""Find the column, or the two columns, with the time of a row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.candles import PRICES
from kronos_dashboard.markets.importers.aliases import ALIASES, DAY_FIRST
from kronos_dashboard.markets.importers.column_names import ColumnMeaning, normalize_name
from kronos_dashboard.markets.importers.column_profile import ColumnProfile
from kronos_dashboard.markets.importers.table import Table, to_text
from kronos_dashboard.markets.importers.timestamp_text import NAT
from kronos_dashboard.markets.importers.timestamps import parse_times
from kronos_dashboard.messages import msg

__all__ = ["TimeColumns", "find_time_columns", "merge_date_columns"]

_FIELD_RANKS = {"datetime": 0, "date": 10, "time": 12, "epoch": 30, "endtime": 45}
"""Field -> rank in thousands; the smallest rank wins among equally good columns. Ends of bars come last."""
_UNNAMED_RANK = 60_000
"""Ranks from here on belong to columns that may be times by their values only."""
_DAY_NS = 86_400 * 10**9


_DATE_PARTS = (("year", "yyyy", "jahr", "año", "ano", "anno", "annee", "rok", "年"),
         ("month", "mm", "monat", "mes", "mese", "mois", "miesiac", "月"),
         ("day", "dd", "tag", "dia", "giorno", "jour", "dzien", "日"))  # fmt: skip
_TIME_PARTS = (("hour", "hours", "hh", "stunde", "hora"), ("minute", "minutes", "min", "mi"))
"""Names of columns that hold one part of a date or a time of day each, in several languages."""


@dataclass(frozen=True, kw_only=True)
class TimeColumns:
    """The columns with the time."""

    columns: tuple[int, ...]
    """One column of timestamps, or one of dates and one of times of day."""
    epoch_column: int | None = None
    """A further column that counts since 1970, where the timestamps are text."""
    date_from_filename: str = ""
    """A date, where the column contains times of day only and the name of the file the date."""
    at_bar_close: bool = False
    """Whether the name of the column says that the timestamps are the ends of the bars."""
    order: np.ndarray
    """int [n], the sampled rows in order of time."""
    is_tick_like: bool = False
    """Whether the timestamps look like those of ticks: many per minute, or fractions of seconds."""
    day_first: bool = False
    """Whether the name of the column is in a language that writes days before months."""


@dataclass(frozen=True)
class _Candidate:
    """A possible time column (or pair of columns), and its times ``ns`` [n] in the sample."""

    columns: tuple[int, ...]
    rank: int
    ns: np.ndarray


def find_time_columns(
    table: Table,
    meanings: Sequence[ColumnMeaning | None],
    profiles: Sequence[ColumnProfile],
    filename: str,
    user_column: int | None,
) -> TimeColumns:
    """Find the time columns of a table.

    Raises:
        ImportFileError: no column contains times.
    """
    candidates = _find_candidates(meanings, profiles, user_column)
    if not candidates:
        time_of_day = next(
            (i for i, profile in enumerate(profiles) if profile.is_time_of_day or _is_ms_since_midnight(profile)), None
        )
        day = re.search(r"(?<!\d)((?:19|20)\d{2})[-_.]?([01]\d)[-_.]?([0-3]\d)(?!\d)", f"{table.name} {filename}")
        if time_of_day is not None and day is not None:
            return TimeColumns(
                columns=(time_of_day,),
                date_from_filename="-".join(day.groups()),
                order=np.arange(len(profiles[time_of_day].sample)),
            )
        raise _no_time_error(table, meanings, profiles, filename)
    best = max(candidates, key=lambda candidate: _score(candidate))
    epoch_column = next(
        (i for i, m in enumerate(meanings) if m is not None and m.field == "epoch" and profiles[i].is_date_like), None
    )
    at_bar_close = len(best.columns) == 1 and (m := meanings[best.columns[0]]) is not None and m.field == "endtime"
    return TimeColumns(
        columns=best.columns,
        epoch_column=epoch_column if epoch_column not in best.columns and user_column is None else None,
        at_bar_close=at_bar_close,
        order=np.argsort(best.ns, kind="stable"),
        is_tick_like=_is_tick_like(best.ns, len(table)),
        day_first=any(normalize_name(name) in DAY_FIRST for name in _column_names(table, best.columns)),
    )


def merge_date_columns(table: Table) -> Table:
    """Replace columns of year, month and day (and hour and minute) by one column "datetime" in front."""
    if table.names is None:
        return table
    names = [normalize_name(name) for name in table.names[: len(table.columns)]]
    parts = [_find_part(names, known) for known in _DATE_PARTS]
    if any(at is None for at in parts):
        return table
    date_texts = [_zero_padded(table.columns[at], 2) for at in parts if at is not None]
    if any(column is None for column in date_texts):
        return table
    merged = pc.binary_join_element_wise(*date_texts, "-")
    time_texts = [
        _zero_padded(table.columns[at], 2) for known in _TIME_PARTS if (at := _find_part(names, known)) is not None
    ]
    if len(time_texts) == len(_TIME_PARTS) and all(column is not None for column in time_texts):
        merged = pc.binary_join_element_wise(merged, pc.binary_join_element_wise(*time_texts, ":"), " ")
        parts += [_find_part(names, known) for known in _TIME_PARTS]
    remaining = [at for at in range(len(table.columns)) if at not in parts]
    names_left = [table.names[at] if at < len(table.names) else "" for at in remaining]
    groups = ("", *(table.groups[at] if at < len(table.groups) else "" for at in remaining)) if table.groups else ()
    columns = (merged, *(table.columns[at] for at in remaining))
    return replace(table, columns=columns, names=("datetime", *names_left), groups=groups)


def _find_part(names: list[str], part_names: tuple[str, ...]) -> int | None:
    return next((at for at, name in enumerate(names) if name in {normalize_name(k) for k in part_names}), None)


def _zero_padded(column: Any, width: int) -> Any | None:
    """Whole numbers as text of at least ``width`` digits; None when the column contains anything else."""
    if not (pa.types.is_string(column.type) or pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return None
    text = pc.replace_substring_regex(to_text(column), r"\.0+$", "")
    good = pc.match_substring_regex(text, r"^\d{1,4}$")
    return pc.utf8_lpad(text, width, "0") if len(text) and pc.mean(pc.cast(good, pa.float64())).as_py() > 0.9 else None


def _column_names(table: Table, columns: Sequence[int]) -> list[str]:
    names = table.names or ()
    return [names[at] for at in columns if at < len(names)]


def _find_candidates(
    meanings: Sequence[ColumnMeaning | None], profiles: Sequence[ColumnProfile], user_column: int | None
) -> list[_Candidate]:
    ranks: dict[int, int] = {}
    for at, profile in enumerate(profiles):
        meaning = meanings[at]
        if user_column is not None and at != user_column:
            continue
        if (
            profile.is_date_like
            and meaning is not None
            and meaning.field in _FIELD_RANKS
            and not _is_row_counter(profile, meaning)
        ):
            ranks[at] = _FIELD_RANKS[meaning.field] * 1_000 + meaning.rank
        elif profile.is_date_like and user_column == at:
            ranks[at] = 0
        elif (meaning is None and (profile.is_timestamp or (profile.is_date_like and _is_monotonic(profile)))) or (
            profile.is_timestamp and meaning is not None and meaning.field in PRICES
        ):
            ranks[at] = _UNNAMED_RANK + at
    candidates = [_Candidate((at,), rank, profiles[at].ns) for at, rank in ranks.items()]
    for at, rank in ranks.items():
        if rank >= 30_000 and meanings[at] is not None:
            continue
        for other in _time_of_day_columns(at, meanings, profiles):
            column = profiles[at].sample
            try:
                ns = parse_times([column, profiles[other].sample]).ns
            except (ImportFileError, pa.ArrowInvalid):
                continue
            candidates.append(_Candidate((at, other), rank + 5, ns))
    return candidates


def _time_of_day_columns(
    date: int, meanings: Sequence[ColumnMeaning | None], profiles: Sequence[ColumnProfile]
) -> list[int]:
    """Columns with times of day that complete a column of dates."""
    if bool((profiles[date].ns[profiles[date].ns != NAT] % _DAY_NS != 0).any()):
        return []
    columns = []
    for at, profile in enumerate(profiles):
        if at == date:
            continue
        meaning = meanings[at]
        is_named = meaning is not None and meaning.field in ("time", "datetime", "date")
        if (profile.is_time_of_day and (is_named or meaning is None)) or (profile.is_compact_time and is_named):
            columns.append(at)
        elif profile.is_compact_time and meaning is None and at == date + 1 and all(m is None for m in meanings):
            if profile.values.max() > 240_000:
                continue
            if profile.num_distinct > 3 or profile.values.max() == 0:
                columns.append(at)
        elif is_named and profile.is_timestamp and at != date and meaning is not None and meaning.field == "time":
            columns.append(at)
    return columns


def _score(candidate: _Candidate) -> tuple[float, float, bool, int]:
    """Quality of a candidate; fractions are rounded so that ranks decide between nearly equal columns."""
    valid = candidate.ns[candidate.ns != NAT]
    unique = len(np.unique(valid)) / max(1, len(candidate.ns))
    if candidate.rank >= _UNNAMED_RANK:
        unique *= 0.45  # row identifiers such as "20240102_AAPL" are unique as well; the date column is beside them
    return (
        round(len(valid) / max(1, len(candidate.ns)), 1),
        round(unique * 20) / 20,
        not _is_off_grid(valid),
        -candidate.rank,
    )


def _is_off_grid(ns: np.ndarray) -> bool:
    """Whether the timestamps keep to no grid, as times of first trades do."""
    steps = np.abs(np.diff(ns))
    steps = steps[steps > 0]
    if len(steps) < 3:
        return False
    sizes, counts = np.unique(steps, return_counts=True)
    return bool((steps % sizes[counts.argmax()] == 0).mean() < 0.5)


def _is_row_counter(profile: ColumnProfile, meaning: ColumnMeaning) -> bool:
    """Whether numbers called "id" count rows: as seconds, they would be less than a minute apart."""
    if meaning.field != "epoch" or meaning.rank != ALIASES["epoch"].index("id"):
        return False
    steps = np.abs(np.diff(profile.ns[profile.ns != NAT]))
    return len(steps) == 0 or bool(np.median(steps) < 60 * 10**9)


def _is_monotonic(profile: ColumnProfile) -> bool:
    """Whether the times never change direction: required of unnamed numbers that may be dates."""
    valid = profile.ns[profile.ns != NAT]
    steps = np.diff(valid)
    return len(valid) > 1 and bool((steps >= 0).all() or (steps <= 0).all()) and profile.num_distinct > 1


def _is_ms_since_midnight(profile: ColumnProfile) -> bool:
    """Whether the values are increasing milliseconds since midnight."""
    values = profile.values
    if not profile.is_numeric or not np.isfinite(values).all() or len(values) < 2:
        return False
    steps = np.diff(values)
    return bool((steps > 0).all() and values[0] >= 0 and values[-1] <= 86_400_000 and (values % 1_000 == 0).all()
                and values[-1] > 100_000)  # fmt: skip


def _is_tick_like(ns: np.ndarray, rows: int) -> bool:
    valid = np.sort(ns[ns != NAT])
    if len(valid) < 3 or rows < 3:
        return False
    steps = np.diff(valid[: max(3, len(valid) // 3)])
    num_fractions = len(np.unique(valid % 10**9))
    has_fractions = bool((valid % 10**9 != 0).mean() > 0.3) and (
        num_fractions > 2 or (num_fractions > 1 and len(np.unique(valid)) < len(valid))
    )
    return has_fractions or bool(np.median(steps) < 20 * 10**9 and len(np.unique(steps)) > 2)


def _no_time_error(
    table: Table, meanings: Sequence[ColumnMeaning | None], profiles: Sequence[ColumnProfile], filename: str
) -> ImportFileError:
    hint = msg("Write times as 2024-01-31 09:30, or as seconds or milliseconds since 1970.")
    for at, meaning in enumerate(meanings):
        if meaning is not None and meaning.field in _FIELD_RANKS:
            cell = next((str(cell) for cell in profiles[at].sample.to_pylist() if cell not in (None, "")), "")
            name = (table.names or ())[at : at + 1] or ("",)
            return ImportFileError(
                msg(
                    "the times of {filename} cannot be read: column {name} starts with {cell}.",
                    filename=filename,
                    name=repr(name[0][:40]),
                    cell=repr(cell[:40]),
                ),
                hint,
            )
    column_list = ", ".join(name[:40] for name in (table.names or ())[:12] if name)
    text = msg(
        "the file {filename} has no column time (or date, timestamp): no column contains dates.", filename=filename
    )
    if column_list:
        text = msg(
            "the file {filename} has no column time (or date, timestamp): no column contains dates; its "
            "columns: {columns}.",
            filename=filename,
            columns=column_list,
        )
    return ImportFileError(text, hint)
