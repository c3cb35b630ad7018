"""Header lines: which of the lines above the data name its columns, and whether a second one names instruments."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from kronos_dashboard.markets.importers.column_names import meaning_of, plain
from kronos_dashboard.markets.importers.numbers import is_number

__all__ = ["Header", "is_data", "is_time", "read_header"]

_TIME = re.compile(
    r"""^['"]?(?:\d{1,4}[-/.年]\s?\d{1,2}(?:[-/.月]\s?\d{1,4}日?)?|\d{8}|\d{1,2}[-/. ][^\W\d_]{3,9}\.?[-/. ,]+\d{2,4}
    |[^\W\d_]{3,9}\.?[ -]\d{1,2},?[ -]\d{2,4}|\d{1,2}:\d\d)(?:[ T,_-].*|\s*[zZ])?$"""
    r"""|^\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?:\s?[AaPp][Mm])?$|^[^\W\d_]{3,9},?\s+.*\d{4}.*$""",
    re.VERBOSE,
)
_BLANKS = frozenset({"", "-", "--", "nan", "null", "none", "n/a", "na", "#n/a", "true", "false"})


@dataclass(frozen=True)
class Header:
    """What stands above the data."""

    names: tuple[str, ...] | None
    groups: tuple[str, ...] = ()
    symbol: str = ""

    def widened(self, width: int) -> Header:
        """The same header over ``width`` columns."""
        if self.names is None:
            return self
        pad = ("",) * max(0, width - len(self.names))
        return replace(self, names=self.names + pad, groups=self.groups + pad if self.groups else ())


def is_time(cell: str) -> bool:
    """Whether a cell looks like a date or a time of day."""
    return 4 <= len(cell) < 60 and bool(_TIME.match(cell))


class _IsData:
    """Whether cells are a row of data: mostly numbers, times and blanks, and at least two numbers."""

    def __call__(self, cells: Sequence[str]) -> bool:
        numbers = sum(is_number(cell) for cell in cells)
        filled = sum(cell.lower() not in _BLANKS for cell in cells)
        timed = any(is_time(cell) for cell in cells)
        return (numbers >= 2 and 2 * (numbers + timed) >= filled) or (timed and filled <= 2 < len(cells)) or (
            timed and numbers >= 1 and filled <= 3
        )  # fmt: skip

    def share(self, cells: Sequence[str]) -> float:
        """Part of the cells that are clean: a number, a time, a blank or one short word."""
        good = 0.0
        for cell in cells:
            if is_number(cell) or cell.lower() in _BLANKS or is_time(cell):
                good += 1.0
            elif len(cell) <= 24 and not re.search(r"[;|\t,]", cell):
                good += 0.5
        return good / max(1, len(cells))


is_data = _IsData()


def read_header(above: list[str], delimiter: str, width: int, split: Callable[[str, str], list[str]]) -> Header:
    """The names of the columns from the lines ``above`` the data; none when no line can be a header.

    Args:
        above: the lines, without blank ones.
        delimiter: what separates the fields of the data.
        width: number of fields in a row of data.
        split: (line, delimiter) -> cells.
    """
    rows: list[list[str]] = []
    for line in above[-12:]:
        cells = _fitting(line, delimiter, width, split)
        if cells is not None:
            rows.append(cells)
    if not rows:
        return Header(None, symbol="")
    scored = [(_score(cells), at) for at, cells in enumerate(rows)]
    _, best = max(scored, key=lambda pair: (pair[0], pair[1]))
    names = list(rows[best])
    groups = _instruments(rows, best)
    for other, cells in enumerate(rows):  # "Date" may stand in a line of its own under the others
        if other > best:
            for at, cell in enumerate(cells[: len(names)]):
                found = meaning_of(cell) if cell else None
                lonely = names[at] == "" or sum(bool(c) for c in cells) == 1
                if lonely and found is not None and found.field in ("datetime", "date", "time"):
                    names[at] = cell
    return Header(tuple(names), groups)


def _fitting(line: str, delimiter: str, width: int, split: Callable[[str, str], list[str]]) -> list[str] | None:
    """Cells of a line that may be a header: about as many as the data has, by its delimiter or by another."""
    for other in (delimiter, "\t", ",", ";", "|"):
        cells = split(line, other)
        if abs(len(cells) - width) <= 2 and len(cells) >= min(3, width):
            return [re.sub(r"^[<\[](.*)[>\]]$", r"\1", cell) for cell in cells]
    for pattern in (r"\t+|\s{2,}", r"\s+"):
        cells = [cell for cell in re.split(pattern, line.strip()) if cell]
        if abs(len(cells) - width) <= 2 and len(cells) >= min(3, width):
            return [re.sub(r"^[<\[](.*)[>\]]$", r"\1", cell) for cell in cells]
    cells = split(line, delimiter)
    if len(cells) > 3 and sum(meaning_of(cell) is not None for cell in cells) >= 3:
        return cells
    return None


def _score(cells: list[str]) -> float:
    """How many of the cells name a field; each field counts in full once."""
    fields = [found.field for cell in cells if cell and (found := meaning_of(cell)) is not None]
    return len(set(fields)) + 0.05 * len(fields)


def _instruments(rows: list[list[str]], best: int) -> tuple[str, ...]:
    """A line beside the best one that repeats a name over several columns names instruments."""
    names = rows[best]
    priced = [i for i, cell in enumerate(names) if (m := meaning_of(cell)) is not None and m.field in
              ("open", "high", "low", "close", "volume")]  # fmt: skip
    for at, cells in enumerate(rows):
        if at == best:
            continue
        words = [cells[i] for i in priced if i < len(cells)]
        told = [word for word in words if word]
        if len(told) >= 3 and len(told) >= 0.8 * len(words) and max(map(told.count, told)) >= 3:
            return tuple(cells) + ("",) * (len(names) - len(cells))
        if len(told) >= 2 and len(told) < 0.5 * len(words) and len(priced) >= 8 and not any(map(meaning_of, told)):
            return _filled(cells, len(names))
    return ()


def _filled(cells: list[str], width: int) -> tuple[str, ...]:
    """Merged cells: a name stands over the first of its columns alone."""
    found, last = [], ""
    for at in range(width):
        last = cells[at] if at < len(cells) and cells[at] else last
        found.append(last)
    return tuple(found)


def same_name(first: str, second: str) -> bool:
    """Whether two names are the same but for case and punctuation."""
    return plain(first) == plain(second)
