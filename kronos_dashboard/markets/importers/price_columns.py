"""Select the columns of open, high, low and close by name, and check and complete them by their values.

Shapes: n sampled rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.candles import PRICES
from kronos_dashboard.markets.importers.column_names import ColumnMeaning, column_meaning, normalize_name
from kronos_dashboard.markets.importers.column_profile import ColumnProfile
from kronos_dashboard.markets.importers.infer_columns import infer_by_values
from kronos_dashboard.markets.importers.price_patterns import find_price_sets, finite_median, ohlc_fit_fraction
from kronos_dashboard.markets.importers.table import Table
from kronos_dashboard.markets.importers.time_columns import TimeColumns
from kronos_dashboard.messages import msg, nmsg, term
from kronos_dashboard.notes import Note

__all__ = [
    "REQUIRED_COLUMNS_HINT",
    "correct_mislabeled",
    "infer_missing_prices",
    "reject_duplicate_columns",
    "replace_misfits",
    "select_prices",
]

REQUIRED_COLUMNS_HINT = msg(
    "A file must have a time column and open, high, low and close; volume and amount are optional."
)


def select_prices(
    usable: dict[int, ColumnMeaning], blank: set[int], ticker: str | None
) -> tuple[dict[str, int], str, tuple[str, ...]]:
    """Open, high, low and close of one instrument: (columns, its name, the names of all that are complete).

    Args:
        usable: column -> meaning of its name, for numeric columns.
        blank: columns without a number.
        ticker: the requested instrument.
    """
    groups: dict[str, dict[str, tuple[int, int]]] = {}
    for at, meaning in usable.items():
        if meaning.field in PRICES:
            fields = groups.setdefault(meaning.group, {})
            if meaning.field not in fields or meaning.rank < fields[meaning.field][0]:
                fields[meaning.field] = (meaning.rank, at)
    complete = [
        group
        for group, fields in groups.items()
        if all(name in fields for name in PRICES) and not all(fields[name][1] in blank for name in PRICES)
    ] or [group for group, fields in groups.items() if all(name in fields for name in PRICES)]
    if complete:
        named = tuple(group for group in complete if group)
        requested = next((g for g in complete if ticker and g.casefold() == ticker.casefold()), None)
        group = requested if requested is not None else "" if "" in complete else complete[0]
        choices = named if len(complete) > 1 and group else ()
        return {name: at for name, (_, at) in groups[group].items()}, group, choices
    merged: dict[str, tuple[int, int]] = {}
    for group, fields in groups.items():
        for name, (rank, at) in fields.items():
            rank += 5_000 if group else 0
            if name not in merged or rank < merged[name][0]:
                merged[name] = (rank, at)
    return {name: at for name, (_, at) in merged.items()}, "", ()


def reject_duplicate_columns(
    prices: dict[str, int], names: Sequence[str], groups: tuple[str, ...], profiles: Sequence[ColumnProfile],
    forced: dict[str, int], filename: str,
) -> None:  # fmt: skip
    """Refuse two columns of the same name with different values.

    Raises:
        ImportFileError: there are such columns, and the user has not chosen one.
    """
    for name, at in prices.items():
        for other in range(len(names)):
            same = other != at and normalize_name(names[other]) == normalize_name(names[at]) and name not in forced
            if not same or groups[other : other + 1] != groups[at : at + 1] or not profiles[other].is_numeric:
                continue
            if not np.array_equal(profiles[at].values, profiles[other].values, equal_nan=True):
                number = f"{at + 1} and {other + 1}"
                raise ImportFileError(
                    msg(
                        "the file {filename} has two columns named {names} with different values: {columns}.",
                        filename=filename,
                        names=repr(names[at][:40]),
                        columns=number,
                    ),
                    msg(
                        "Remove or rename one of them, or specify which one to use, as in --column {name}={number}.",
                        name=name,
                        number=at + 1,
                    ),
                )


def infer_missing_prices(
    table: Table,
    names: tuple[str, ...],
    prices: dict[str, int],
    profiles: Sequence[ColumnProfile],
    time_columns: TimeColumns,
    filename: str,
) -> tuple[dict[str, int], list[Note]]:
    """Complete the prices by values where a name is missing.

    Raises:
        ImportFileError: the values do not fit either.
    """
    missing = [name for name in PRICES if name not in prices]
    if len(missing) == 1 and (column := _find_fourth_price(prices, missing[0], profiles, time_columns)) is not None:
        label = names[column][:40] or f"column {column + 1}"
        text = msg(
            "No column is named {missing}; {column} was used, because its values fit.",
            missing=term(missing[0]),
            column=repr(label),
        )
        return {**prices, missing[0]: column}, [Note("warning", text)]
    fields = {meant.field for name in names if name and (meant := column_meaning(name)) is not None}
    if len(missing) >= 3 and not fields & {"close", "bid"}:
        try:
            roles = infer_by_values(table, profiles, filename, {}, has_header=True)
        except ImportFileError:
            roles = None
        if roles is not None and not roles.are_ticks:
            return roles.prices, list(roles.notes)
    has = ", ".join(name[:40] for name in names[:12] if name) or msg("no names")
    missing_text = missing[0]
    if len(missing) > 1:
        missing_text = msg("{left} and {right}", left=", ".join(missing[:-1]), right=missing[-1])
    raise ImportFileError(
        nmsg(
            "the file {filename} has no column {expected}; its columns: {names}.",
            "the file {filename} has no columns {expected}; its columns: {names}.",
            len(missing),
            filename=filename,
            expected=missing_text,
            names=has,
        ),
        REQUIRED_COLUMNS_HINT,
    )


def _find_fourth_price(
    prices: dict[str, int], missing: str, profiles: Sequence[ColumnProfile], time_columns: TimeColumns
) -> int | None:
    """The one column whose values fit as the missing price; None when there is none, or several."""
    taken = {*prices.values(), *time_columns.columns}
    candidates = []
    for at, profile in enumerate(profiles):
        if at in taken or not profile.is_numeric or profile.values is None:
            continue
        four = {**{name: profiles[i].values for name, i in prices.items()}, missing: profile.values}
        fraction = ohlc_fit_fraction(*(four[name] for name in PRICES))
        ratio = finite_median(profile.values) / max(finite_median(profiles[next(iter(prices.values()))].values), 1e-300)
        if fraction >= 0.99 and np.isfinite(profile.values).mean() > 0.5 and 0.5 < ratio < 2:
            candidates.append((abs(at - prices.get("low", at)), at))
    return min(candidates)[1] if len(candidates) == 1 else None


def replace_misfits(
    prices: dict[str, int],
    names: tuple[str, ...],
    usable: dict[int, ColumnMeaning],
    group: str,
    profiles: Sequence[ColumnProfile],
) -> tuple[dict[str, int], list[Note]]:
    """Replace a price outside high and low by another column of the same meaning that lies within."""
    notes = []
    for name in PRICES:
        fraction = ohlc_fit_fraction(*(profiles[prices[n]].values for n in PRICES))
        others = [i for i, m in usable.items() if m.field == name and i not in prices.values() and m.group == group]
        for other in others if fraction < 0.9 else []:
            new_fraction = ohlc_fit_fraction(*(profiles[{**prices, name: other}[n]].values for n in PRICES))
            if new_fraction > fraction + 0.1:
                text = msg(
                    "{column} was used as {name} instead of {named_column}, because it lies between high and low.",
                    column=repr(names[other][:40]),
                    name=term(name),
                    named_column=repr(names[prices[name]][:40]),
                )
                notes.append(Note("warning", text))
                prices, fraction = {**prices, name: other}, new_fraction
    return prices, notes


def correct_mislabeled(
    prices: dict[str, int], profiles: Sequence[ColumnProfile], time_columns: TimeColumns
) -> tuple[dict[str, int], list[Note]]:
    """The prices as named, unless the values show that the names stand over the wrong columns."""
    values = {at: profiles[at].values for at in prices.values()}
    fraction = ohlc_fit_fraction(*(values[prices[name]] for name in PRICES))
    if np.isnan(fraction) or fraction >= 0.5 or len(set(prices.values())) < 4:
        return prices, []
    sets = find_price_sets(values, time_columns.order, adjacent=False)
    if sets and ohlc_fit_fraction(*(values[sets[0].columns[name]] for name in PRICES)) >= 0.98:
        text = msg(
            "The columns named high and low do not contain the highest and lowest prices; the columns were "
            "identified by their values."
        )
        return sets[0].columns, [Note("warning", text)]
    return prices, []
