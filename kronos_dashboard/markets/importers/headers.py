"""Find the header above the data: the line that names the columns, and a second one that names instruments."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from kronos_dashboard.markets.importers.column_names import column_meaning
from kronos_dashboard.markets.importers.numbers import is_number

__all__ = ["Header", "clean_fraction", "is_data_row", "looks_like_time", "read_header"]

_TIME_PATTERN = re.compile(
    r"""^['"]?(?:\d{1,4}[-/.年]\s?\d{1,2}(?:[-/.月]\s?\d{1,4}日?)?|\d{8}|\d{1,2}[-/. ][^\W\d_]{3,9}\.?[-/. ,]+\d{2,4}
    |[^\W\d_]{3,9}\.?[ -]\d{1,2},?[ -]\d{2,4}|\d{1,2}:\d\d)(?:[ T,_-].*|\s*[zZ])?$"""
    r"""|^\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?:\s?[AaPp][Mm])?$|^[^\W\d_]{3,9},?\s+.*\d{4}.*$""",
    re.VERBOSE,
)
"""A date or a time of day in one of many spellings; a loose test that is only used to recognize rows of data."""
_BLANK_CELLS = frozenset({"", "-", "--", "nan", "null", "none", "n/a", "na", "#n/a", "true", "false"})


@dataclass(frozen=True)
class Header:
    """The header of a table."""

    names: tuple[str, ...] | None
    groups: tuple[str, ...] = ()

    def padded(self, width: int) -> Header:
        """The same header, extended to ``width`` columns."""
        if self.names is None:
            return self
        pad = ("",) * max(0, width - len(self.names))
        return replace(self, names=self.names + pad, groups=self.groups + pad if self.groups else ())


def looks_like_time(cell: str) -> bool:
    """Whether a cell looks like a date or a time of day."""
    return 4 <= len(cell) < 60 and bool(_TIME_PATTERN.match(cell))


def is_data_row(cells: Sequence[str]) -> bool:
    """Whether cells are a row of data: mostly numbers, times and blanks, and at least two numbers."""
    num_numbers = sum(is_number(cell) for cell in cells)
    num_filled = sum(cell.lower() not in _BLANK_CELLS for cell in cells)
    has_time = any(looks_like_time(cell) for cell in cells)
    if num_numbers >= 2 and 2 * (num_numbers + has_time) >= num_filled:
        return True
    # a bar without trades may have a timestamp and nothing else, or one number beside it
    return has_time and (num_filled <= 2 < len(cells) or (num_numbers >= 1 and num_filled <= 3))


def clean_fraction(cells: Sequence[str]) -> float:
    """Fraction of the cells that are a number, a time or a blank; a short word without separators counts half."""
    score = 0.0
    for cell in cells:
        if is_number(cell) or cell.lower() in _BLANK_CELLS or looks_like_time(cell):
            score += 1.0
        elif len(cell) <= 24 and not re.search(r"[;|\t,]", cell):
            score += 0.5
    return score / max(1, len(cells))


def read_header(above: list[str], delimiter: str, width: int, split_line: Callable[[str, str], list[str]]) -> Header:
    """The header among the lines ``above`` the data; without names when no line can be one.

    Args:
        above: the lines, without blank ones.
        delimiter: separator of the fields of the data.
        width: number of fields in a row of data.
        split_line: (line, delimiter) -> cells.
    """
    rows: list[list[str]] = []
    for line in above[-12:]:
        cells = _header_cells(line, delimiter, width, split_line)
        if cells is not None:
            rows.append(cells)
    if not rows:
        return Header(None)
    scored = [(_header_score(cells), at) for at, cells in enumerate(rows)]
    _, best = max(scored, key=lambda pair: (pair[0], pair[1]))
    names = list(rows[best])
    groups = _find_instrument_row(rows, best)
    for other, cells in enumerate(rows):  # the name of the index ("Date") may be on a line of its own below the others
        if other > best:
            for at, cell in enumerate(cells[: len(names)]):
                meaning = column_meaning(cell) if cell else None
                lonely = names[at] == "" or sum(bool(c) for c in cells) == 1
                if lonely and meaning is not None and meaning.field in ("datetime", "date", "time"):
                    names[at] = cell
    return Header(tuple(names), groups)


def _header_cells(line: str, delimiter: str, width: int, split: Callable[[str, str], list[str]]) -> list[str] | None:
    """The cells of a line with about as many fields as the data, by its delimiter or by another; None otherwise."""
    for other in (delimiter, "\t", ",", ";", "|"):
        cells = split(line, other)
        if abs(len(cells) - width) <= 2 and len(cells) >= min(3, width):
            return [re.sub(r"^[<\[](.*)[>\]]$", r"\1", cell) for cell in cells]
    for pattern in (r"\t+|\s{2,}", r"\s+"):
        cells = [cell for cell in re.split(pattern, line.strip()) if cell]
        if abs(len(cells) - width) <= 2 and len(cells) >= min(3, width):
            return [re.sub(r"^[<\[](.*)[>\]]$", r"\1", cell) for cell in cells]
    cells = split(line, delimiter)
    if len(cells) > 3 and sum(column_meaning(cell) is not None for cell in cells) >= 3:
        return cells
    return None


def _header_score(cells: list[str]) -> float:
    """The number of different fields that the cells name; repeated fields add a little."""
    fields = [meaning.field for cell in cells if cell and (meaning := column_meaning(cell)) is not None]
    return len(set(fields)) + 0.05 * len(fields)


def _find_instrument_row(rows: list[list[str]], best: int) -> tuple[str, ...]:
    """The line beside the header that names an instrument for every column; empty when there is none."""
    names = rows[best]
    price_columns = [i for i, cell in enumerate(names) if (m := column_meaning(cell)) is not None and m.field in
              ("open", "high", "low", "close", "volume")]  # fmt: skip
    for at, cells in enumerate(rows):
        if at == best:
            continue
        cells_over_prices = [cells[i] for i in price_columns if i < len(cells)]
        filled = [word for word in cells_over_prices if word]
        if len(filled) >= 3 and len(filled) >= 0.8 * len(cells_over_prices) and max(map(filled.count, filled)) >= 3:
            return tuple(cells) + ("",) * (len(names) - len(cells))
        if (
            len(filled) >= 2
            and len(filled) < 0.5 * len(cells_over_prices)
            and len(price_columns) >= 8
            and not any(map(column_meaning, filled))
        ):
            return _fill_merged_cells(cells, len(names))
    return ()


def _fill_merged_cells(cells: list[str], width: int) -> tuple[str, ...]:
    """Repeat the name of merged cells, which stands over the first of their columns only."""
    filled, last = [], ""
    for at in range(width):
        last = cells[at] if at < len(cells) and cells[at] else last
        filled.append(last)
    return tuple(filled)
