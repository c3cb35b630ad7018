"""Which columns of a table with names are open, high, low and close: by the names, checked and completed by the values.

Shapes: everything here looks at n sampled rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.markets.candles import PRICES
from kronos_dashboard.markets.importers.column_names import Meaning, meaning_of, plain
from kronos_dashboard.markets.importers.column_profile import Look
from kronos_dashboard.markets.importers.infer_columns import by_values
from kronos_dashboard.markets.importers.inference import fits, middle, price_sets
from kronos_dashboard.markets.importers.table import Table
from kronos_dashboard.markets.importers.time_columns import Timing
from kronos_dashboard.notes import Note

__all__ = ["HINT", "checked", "completed", "fitting", "prices_of", "refuse_doubled"]

HINT = "A file must have a time column and open, high, low and close; volume and amount are optional."


def prices_of(
    usable: dict[int, Meaning], blank: set[int], ticker: str | None
) -> tuple[dict[str, int], str, tuple[str, ...]]:
    """Open, high, low and close of one instrument: (columns, its name, the names of all that are complete).

    Args:
        usable: column -> what its name says, of those with numbers.
        blank: columns without a number.
        ticker: the instrument that is wanted.
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
        wanted = next((g for g in complete if ticker and g.casefold() == ticker.casefold()), None)
        group = wanted if wanted is not None else "" if "" in complete else complete[0]
        several = named if len(complete) > 1 and group else ()
        return {name: at for name, (_, at) in groups[group].items()}, group, several
    merged: dict[str, tuple[int, int]] = {}
    for group, fields in groups.items():
        for name, (rank, at) in fields.items():
            rank += 5_000 if group else 0
            if name not in merged or rank < merged[name][0]:
                merged[name] = (rank, at)
    return {name: at for name, (_, at) in merged.items()}, "", ()


def refuse_doubled(
    prices: dict[str, int], names: Sequence[str], groups: tuple[str, ...], looks: Sequence[Look],
    forced: dict[str, int], filename: str,
) -> None:  # fmt: skip
    """Refuse two columns of the same name with different values, which cannot be told apart.

    Raises:
        ImportFailed: there are such, and the user has not said which it is.
    """
    for name, at in prices.items():
        for other in range(len(names)):
            same = other != at and plain(names[other]) == plain(names[at]) and name not in forced
            if not same or groups[other : other + 1] != groups[at : at + 1] or not looks[other].numeric:
                continue
            if not np.array_equal(looks[at].values, looks[other].values, equal_nan=True):
                number = f"{at + 1} and {other + 1}"
                raise ImportFailed(
                    f"the file {filename} has two columns called {names[at][:40]!r} that differ: {number}.",
                    f"Remove or rename one of them, or say which it is, as in --column {name}={at + 1}.",
                )


def completed(
    table: Table, names: tuple[str, ...], prices: dict[str, int], looks: Sequence[Look], time: Timing, filename: str
) -> tuple[dict[str, int], list[Note]]:
    """What the names do not tell, from the values.

    Raises:
        ImportFailed: the values do not tell it either.
    """
    missing = [name for name in PRICES if name not in prices]
    if len(missing) == 1 and (found := _fourth(prices, missing[0], looks, time)) is not None:
        told = names[found][:40] or f"column {found + 1}"
        text = f"No column is called {missing[0]}; {told!r} was taken for it, because its values fit."
        return {**prices, missing[0]: found}, [Note("warning", text)]
    fields = {meant.field for name in names if name and (meant := meaning_of(name)) is not None}
    if len(missing) >= 3 and not fields & {"close", "bid"}:
        try:
            roles = by_values(table, looks, filename, {}, headed=True)
        except ImportFailed:
            roles = None
        if roles is not None and not roles.ticks:
            return roles.prices, list(roles.notes)
    wanted = " and ".join(", ".join(missing).rsplit(", ", 1))
    has = ", ".join(name[:40] for name in names[:12] if name) or "no names"
    raise ImportFailed(
        f"the file {filename} lacks {'the column' if len(missing) == 1 else 'the columns'} {wanted}; it has {has}.",
        HINT,
    )


def _fourth(prices: dict[str, int], missing: str, looks: Sequence[Look], time: Timing) -> int | None:
    """The nearest column whose values make sense as the missing price."""
    taken = {*prices.values(), *time.columns}
    hits = []
    for at, look in enumerate(looks):
        if at in taken or not look.numeric or look.values is None:
            continue
        four = {**{name: looks[i].values for name, i in prices.items()}, missing: look.values}
        share = fits(*(four[name] for name in PRICES))
        near = middle(look.values) / max(middle(looks[next(iter(prices.values()))].values), 1e-300)
        if share >= 0.99 and np.isfinite(look.values).mean() > 0.5 and 0.5 < near < 2:
            hits.append((abs(at - prices.get("low", at)), at))
    return min(hits)[1] if len(hits) == 1 else None


def fitting(
    prices: dict[str, int], names: tuple[str, ...], usable: dict[int, Meaning], group: str, looks: Sequence[Look]
) -> tuple[dict[str, int], list[Note]]:
    """The prices, with another column of the same meaning where that one lies between high and low alone."""
    notes = []
    for name in PRICES:
        share = fits(*(looks[prices[n]].values for n in PRICES))
        others = [i for i, m in usable.items() if m.field == name and i not in prices.values() and m.group == group]
        for other in others if share < 0.9 else []:
            better = fits(*(looks[{**prices, name: other}[n]].values for n in PRICES))
            if better > share + 0.1:
                text = f"{names[other][:40]!r} was taken for the {name} instead of {names[prices[name]][:40]!r}"
                notes.append(Note("warning", f"{text}, because it lies between high and low."))
                prices, share = {**prices, name: other}, better
    return prices, notes


def checked(prices: dict[str, int], looks: Sequence[Look], time: Timing) -> tuple[dict[str, int], list[Note]]:
    """The prices as named, unless the values say plainly that the names stand over the wrong columns."""
    values = {at: looks[at].values for at in prices.values()}
    share = fits(*(values[prices[name]] for name in PRICES))
    if np.isnan(share) or share >= 0.5 or len(set(prices.values())) < 4:
        return prices, []
    found = price_sets(values, time.order, adjacent=False)
    if found and fits(*(values[found[0].columns[name]] for name in PRICES)) >= 0.98:
        text = "High and low as named are not the highest and the lowest price; the columns were told by their values."
        return found[0].columns, [Note("warning", text)]
    return prices, []
