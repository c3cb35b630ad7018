"""Which column, or which two, tell the time of a row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.markets.candles import PRICES
from kronos_dashboard.markets.importers.aliases import ALIASES, DAY_FIRST
from kronos_dashboard.markets.importers.column_names import Meaning, plain
from kronos_dashboard.markets.importers.column_profile import Look
from kronos_dashboard.markets.importers.table import Table
from kronos_dashboard.markets.importers.timestamp_text import NAT
from kronos_dashboard.markets.importers.timestamps import raw_times

__all__ = ["Timing", "find_time"]

_RANKS = {"datetime": 0, "date": 10, "time": 12, "epoch": 30, "endtime": 45}
_UNNAMED = 60_000
"""Ranks from here on are those of columns that may be times by their values alone."""
_DAY = 86_400 * 10**9


@dataclass(frozen=True, kw_only=True)
class Timing:
    """The columns that tell the time."""

    columns: tuple[int, ...]
    """One column of stamps, or one of dates and one of times of day."""
    epoch: int | None = None
    """Another column that counts since 1970, where the stamps are text."""
    day: str = ""
    """A date, where the column holds times of day alone and the name of the file tells the day."""
    closing: bool = False
    """Whether the name says that these are the ends of the bars."""
    order: np.ndarray
    """int [n], the sampled rows in order of time."""
    uneven: bool = False
    """Whether the stamps lie as those of ticks do: many within a minute, or fractions of seconds."""
    day_first: bool = False
    """Whether the column is called by a name from where days are written before months."""


@dataclass(frozen=True)
class _Option:
    columns: tuple[int, ...]
    rank: int
    ns: np.ndarray


def find_time(
    table: Table, meanings: Sequence[Meaning | None], looks: Sequence[Look], filename: str, forced: int | None
) -> Timing:
    """The time of the rows.

    Raises:
        ImportFailed: no column holds times.
    """
    options = _options(meanings, looks, forced)
    if not options:
        clock = next((i for i, look in enumerate(looks) if look.clock or _since_midnight(look)), None)
        day = re.search(r"(?<!\d)((?:19|20)\d{2})[-_.]?([01]\d)[-_.]?([0-3]\d)(?!\d)", f"{table.name} {filename}")
        if clock is not None and day is not None:
            return Timing(columns=(clock,), day="-".join(day.groups()), order=np.arange(len(looks[clock].sample)))
        raise _nothing(table, meanings, looks, filename)
    best = max(options, key=lambda option: _worth(option))
    epoch = next((i for i, m in enumerate(meanings) if m is not None and m.field == "epoch" and looks[i].dated), None)
    closing = len(best.columns) == 1 and (m := meanings[best.columns[0]]) is not None and m.field == "endtime"
    return Timing(
        columns=best.columns,
        epoch=epoch if epoch not in best.columns and forced is None else None,
        closing=closing,
        order=np.argsort(best.ns, kind="stable"),
        uneven=_uneven(best.ns, len(table)),
        day_first=any(plain(name) in DAY_FIRST for name in _names(table, best.columns)),
    )


def _names(table: Table, columns: Sequence[int]) -> list[str]:
    names = table.names or ()
    return [names[at] for at in columns if at < len(names)]


def _options(meanings: Sequence[Meaning | None], looks: Sequence[Look], forced: int | None) -> list[_Option]:
    ranks: dict[int, int] = {}
    for at, look in enumerate(looks):
        meaning = meanings[at]
        if forced is not None and at != forced:
            continue
        if look.dated and meaning is not None and meaning.field in _RANKS and not _counted(look, meaning):
            ranks[at] = _RANKS[meaning.field] * 1_000 + meaning.rank
        elif look.dated and forced == at:
            ranks[at] = 0
        elif (meaning is None and (look.stamps or (look.dated and _steady(look)))) or (
            look.stamps and meaning is not None and meaning.field in PRICES
        ):
            ranks[at] = _UNNAMED + at
    found = [_Option((at,), rank, looks[at].ns) for at, rank in ranks.items()]
    for at, rank in ranks.items():
        if rank >= 30_000 and meanings[at] is not None:
            continue
        for other in _clocks(at, meanings, looks):
            column = looks[at].sample
            try:
                ns = raw_times([column, looks[other].sample]).ns
            except (ImportFailed, pa.ArrowInvalid):
                continue
            found.append(_Option((at, other), rank + 5, ns))
    return found


def _clocks(date: int, meanings: Sequence[Meaning | None], looks: Sequence[Look]) -> list[int]:
    """Columns with times of day that go with a column of dates."""
    if bool((looks[date].ns[looks[date].ns != NAT] % _DAY != 0).any()):
        return []
    found = []
    for at, look in enumerate(looks):
        if at == date:
            continue
        meaning = meanings[at]
        named = meaning is not None and meaning.field in ("time", "datetime", "date")
        if (look.clock and (named or meaning is None)) or (look.compact_clock and named):
            found.append(at)
        elif look.compact_clock and meaning is None and at == date + 1 and all(m is None for m in meanings):
            if look.values.max() > 240_000:
                continue
            if look.distinct > 3 or look.values.max() == 0:
                found.append(at)
        elif named and look.stamps and at != date and meaning is not None and meaning.field == "time":
            found.append(at)
    return found


def _worth(option: _Option) -> tuple[float, float, bool, int]:
    good = option.ns[option.ns != NAT]
    unique = len(np.unique(good)) / max(1, len(option.ns))
    if option.rank >= _UNNAMED:
        unique *= 0.45  # "20240102_AAPL" names a row; beside it stands the date
    return round(len(good) / max(1, len(option.ns)), 1), round(unique * 20) / 20, not _ragged(good), -option.rank


def _ragged(ns: np.ndarray) -> bool:
    """Whether the stamps keep to no grid, as the times of first trades do."""
    steps = np.abs(np.diff(ns))
    steps = steps[steps > 0]
    if len(steps) < 3:
        return False
    sizes, counts = np.unique(steps, return_counts=True)
    return bool((steps % sizes[counts.argmax()] == 0).mean() < 0.5)


def _counted(look: Look, meaning: Meaning) -> bool:
    """Whether numbers called "id" only count rows: bars lie a minute apart at least."""
    if meaning.field != "epoch" or meaning.rank != ALIASES["epoch"].index("id"):
        return False
    steps = np.abs(np.diff(look.ns[look.ns != NAT]))
    return len(steps) == 0 or bool(np.median(steps) < 60 * 10**9)


def _steady(look: Look) -> bool:
    """Numbers that may be dates count as such without a name only when they never turn."""
    good = look.ns[look.ns != NAT]
    steps = np.diff(good)
    return len(good) > 1 and bool((steps >= 0).all() or (steps <= 0).all()) and look.distinct > 1


def _since_midnight(look: Look) -> bool:
    """Milliseconds since midnight."""
    values = look.values
    if not look.numeric or not np.isfinite(values).all() or len(values) < 2:
        return False
    steps = np.diff(values)
    return bool((steps > 0).all() and values[0] >= 0 and values[-1] <= 86_400_000 and (values % 1_000 == 0).all()
                and values[-1] > 100_000)  # fmt: skip


def _uneven(ns: np.ndarray, rows: int) -> bool:
    good = np.sort(ns[ns != NAT])
    if len(good) < 3 or rows < 3:
        return False
    steps = np.diff(good[: max(3, len(good) // 3)])
    kinds = len(np.unique(good % 10**9))
    fractions = bool((good % 10**9 != 0).mean() > 0.3) and (
        kinds > 2 or (kinds > 1 and len(np.unique(good)) < len(good))
    )
    return fractions or bool(np.median(steps) < 20 * 10**9 and len(np.unique(steps)) > 2)


def _nothing(table: Table, meanings: Sequence[Meaning | None], looks: Sequence[Look], filename: str) -> ImportFailed:
    hint = "Write times as 2024-01-31 09:30, or as seconds or milliseconds since 1970."
    for at, meaning in enumerate(meanings):
        if meaning is not None and meaning.field in _RANKS:
            cell = next((str(cell) for cell in looks[at].sample.to_pylist() if cell not in (None, "")), "")
            name = (table.names or ())[at : at + 1] or ("",)
            return ImportFailed(
                f"the times of {filename} cannot be read: column {name[0][:40]!r} begins with {cell[:40]!r}.", hint
            )
    has = ", ".join(name[:40] for name in (table.names or ())[:12] if name)
    told = f"; it has {has}" if has else ""
    return ImportFailed(
        f"the file {filename} lacks the column time (or date, timestamp): no column holds dates{told}.",
        hint,
    )
