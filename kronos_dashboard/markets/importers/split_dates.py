"""Dates in three columns, year, month and day, put together to one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kronos_dashboard.markets.importers.column_names import plain
from kronos_dashboard.markets.importers.table import Table, texts

__all__ = ["with_whole_dates"]

_DATE = (("year", "yyyy", "jahr", "año", "ano", "anno", "annee", "rok", "年"),
         ("month", "mm", "monat", "mes", "mese", "mois", "miesiac", "月"),
         ("day", "dd", "tag", "dia", "giorno", "jour", "dzien", "日"))  # fmt: skip
_CLOCK = (("hour", "hours", "hh", "stunde", "hora"), ("minute", "minutes", "min", "mi"))


def with_whole_dates(table: Table) -> Table:
    """The table with a column "datetime" in front, where it has the parts of a date in columns of their own."""
    if table.names is None:
        return table
    names = [plain(name) for name in table.names[: len(table.columns)]]
    parts = [_place(names, known) for known in _DATE]
    if any(at is None for at in parts):
        return table
    date = [_digits(table.columns[at], 2) for at in parts if at is not None]
    if any(column is None for column in date):
        return table
    written = pc.binary_join_element_wise(*date, "-")
    clock = [_digits(table.columns[at], 2) for known in _CLOCK if (at := _place(names, known)) is not None]
    if len(clock) == len(_CLOCK) and all(column is not None for column in clock):
        written = pc.binary_join_element_wise(written, pc.binary_join_element_wise(*clock, ":"), " ")
        parts += [_place(names, known) for known in _CLOCK]
    kept = [at for at in range(len(table.columns)) if at not in parts]
    own = [table.names[at] if at < len(table.names) else "" for at in kept]
    groups = ("", *(table.groups[at] if at < len(table.groups) else "" for at in kept)) if table.groups else ()
    columns = (written, *(table.columns[at] for at in kept))
    return replace(table, columns=columns, names=("datetime", *own), groups=groups)


def _place(names: list[str], known: tuple[str, ...]) -> int | None:
    return next((at for at, name in enumerate(names) if name in {plain(k) for k in known}), None)


def _digits(column: Any, width: int) -> Any | None:
    """Whole numbers as texts of at least so many digits; None when they are not short whole numbers."""
    if not (pa.types.is_string(column.type) or pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return None
    text = pc.replace_substring_regex(texts(column), r"\.0+$", "")
    good = pc.match_substring_regex(text, r"^\d{1,4}$")
    return pc.utf8_lpad(text, width, "0") if len(text) and pc.mean(pc.cast(good, pa.float64())).as_py() > 0.9 else None
