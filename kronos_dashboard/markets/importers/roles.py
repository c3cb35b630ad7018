"""Which column of a table is which: by name where there are names, checked against the values; else by the values.

Shapes: everything here looks at n sampled rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.markets.candles import PRICES
from kronos_dashboard.markets.importers.aliases import ALIASES
from kronos_dashboard.markets.importers.column_names import Meaning, meaning_of
from kronos_dashboard.markets.importers.column_profile import Look, look_at
from kronos_dashboard.markets.importers.column_roles import Roles, forced_columns
from kronos_dashboard.markets.importers.infer_columns import by_values
from kronos_dashboard.markets.importers.inference import fits, middle, split_volume
from kronos_dashboard.markets.importers.numbers import style_of
from kronos_dashboard.markets.importers.pricing import HINT, checked, completed, fitting, prices_of, refuse_doubled
from kronos_dashboard.markets.importers.table import Table
from kronos_dashboard.markets.importers.time_columns import Timing, find_time
from kronos_dashboard.notes import Note

__all__ = ["Roles", "find_roles"]


def find_roles(table: Table, filename: str, columns: dict[str, str] | None = None, ticker: str | None = None) -> Roles:
    """Find the columns that make candles (or ticks).

    Args:
        table: what was read.
        filename: for messages, and for a date that only it tells.
        columns: field -> name of the column (or its number, counted from 1), as the user says.
        ticker: which instrument of the header to take.

    Raises:
        ImportFailed: they are not there; the message says which and what there is.
    """
    looks = look_at(table)
    style = style_of(look.sample for look in looks if not look.stamps and not look.clock)
    return replace(_found(table, looks, filename, columns, ticker), style=style)


def _found(
    table: Table, looks: Sequence[Look], filename: str, columns: dict[str, str] | None, ticker: str | None
) -> Roles:
    if table.names is None:
        return by_values(table, looks, filename, columns or {}, headed=False)
    best: tuple[float, Roles] | None = None
    failure: ImportFailed | None = None
    for names in _aligned(table.names, len(table.columns)):
        try:
            roles = _named(table, names, looks, filename, columns or {}, ticker)
        except ImportFailed as error:
            failure = failure or error
            continue
        score = _score(roles, looks)
        if best is None or score > best[0] + 0.02:
            best = (score, roles)
    if best is None:
        assert failure is not None
        raise failure
    return best[1]


def _aligned(names: tuple[str, ...], width: int) -> list[tuple[str, ...]]:
    """The names over the columns; where there are fewer or more, first from the left, then from the right."""
    lack = width - len(names)
    if lack > 0:
        return [names + ("",) * lack, ("",) * lack + names]
    if lack < 0:
        return [names[:width], names[-lack:]]
    return [names]


def _score(roles: Roles, looks: Sequence[Look]) -> float:
    if roles.ticks:
        return -1.0
    share = fits(*(looks[roles.prices[name]].values for name in PRICES))
    return 0.0 if np.isnan(share) else share


def _named(
    table: Table,
    names: tuple[str, ...],
    looks: Sequence[Look],
    filename: str,
    columns: dict[str, str],
    ticker: str | None,
) -> Roles:
    meanings = [_grouped(name, table.groups, i) for i, name in enumerate(_without_twins(names))]
    forced = forced_columns(columns, names, filename)
    for name, at in forced.items():
        meanings = [None if m is not None and m.field == name else m for m in meanings]
        meanings[at] = Meaning(name, -1)
    time = find_time(table, meanings, looks, filename, forced.get("time", forced.get("datetime")))
    usable = {i: m for i, m in enumerate(meanings) if m is not None and i not in time.columns
              and (looks[i].numeric or looks[i].blank)}  # fmt: skip
    prices, group, groups = prices_of(usable, {i for i in usable if looks[i].blank}, ticker)
    refuse_doubled(prices, _without_twins(names), table.groups, looks, forced, filename)
    notes: list[Note] = []
    if not all(name in prices for name in PRICES):
        ticks = _ticks(usable, time, filename)
        if ticks is not None:
            symbol = _symbol(meanings, looks, time)
            return Roles(time=time, prices=ticks, volume=_first(usable, "volume"), symbol=symbol)
        prices, notes = completed(table, names, prices, looks, time, filename)
    prices, more = fitting(prices, names, usable, group, looks)
    notes += more
    prices, more = checked(prices, looks, time)
    volume, amount = _volumes(usable, prices, looks, group, forced)
    if volume is None and amount is None and (volume := _shortened(meanings, looks, {*time.columns})) is not None:
        text = (
            f"No column is called volume; {names[volume][:40]!r} was taken for it, because its numbers are shortened."
        )
        notes.append(Note("warning", text))
    return Roles(
        time=time, prices=prices, volume=volume, amount=amount, symbol=_symbol(meanings, looks, time),
        group=group, groups=groups, notes=(*notes, *more),
    )  # fmt: skip


def _without_twins(names: tuple[str, ...]) -> list[str]:
    """The names, blank where a capital letter stands beside the same small one: of ``t`` and ``T``, ``t`` counts."""
    return ["" if re.search(r"(?:^|\.)[A-Z]$", n) and n[:-1] + n[-1].lower() in names else n for n in names]


def _grouped(name: str, groups: tuple[str, ...], at: int) -> Meaning | None:
    """The meaning of a name, in the group that a second header line names."""
    found = meaning_of(name) if name.strip() else None
    if found is not None and at < len(groups) and groups[at]:
        return replace(found, group=groups[at])
    return found


def _first(usable: dict[int, Meaning], name: str) -> int | None:
    found = sorted((m.rank, at) for at, m in usable.items() if m.field == name)
    return found[0][1] if found else None


def _ticks(usable: dict[int, Meaning], time: Timing, filename: str) -> dict[str, int] | None:
    """Price, or bid and ask, of trades or quotes; None when the rows are no ticks."""
    bid, ask, price = (_first(usable, name) for name in ("bid", "ask", "close"))
    if any(_first(usable, name) is not None for name in ("high", "low")):
        return None
    if bid is not None and ask is not None:
        return {"bid": bid, "ask": ask}
    if price is None:
        return None
    if not time.uneven:
        raise ImportFailed(
            f"the file {filename} has one price per row, and no open, high and low.",
            HINT + " A line of prices is not enough.",
        )
    return {"price": price}


def _volumes(
    usable: dict[int, Meaning], prices: dict[str, int], looks: Sequence[Look], group: str, forced: dict[str, int]
) -> tuple[int | None, int | None]:
    taken = set(prices.values())
    ranked: list[tuple[tuple[bool, bool, int], int]] = []
    for at, meaning in usable.items():
        if meaning.field in ("volume", "amount") and at not in taken:
            ranked.append(((meaning.group not in ("", group), meaning.field == "amount", meaning.rank), at))
    own = [entry for entry in sorted(ranked) if not entry[0][0]] or sorted(ranked)
    candidates = [at for _, at in own]
    volumes = [middle(looks[at].values) for at in candidates if usable[at].field == "volume"]
    if volumes and max(volumes) > 10_000:  # what stays below 100 beside such volumes is a rate, in percent
        candidates = [
            at for at in candidates if usable[at].field == "volume" or not _rate(usable[at], looks[at].values)
        ]
    volume, amount = split_volume(
        candidates, {at: looks[at].values for at in candidates}, looks[prices["close"]].values
    )
    if volume is not None and usable[volume].field == "amount" and amount is None:
        volume, amount = None, volume
    if volume is not None and amount is None:
        amounts = [at for at in candidates if usable[at].field == "amount" and at != volume]
        amount = amounts[0] if amounts else None
    return forced.get("volume", volume), forced.get("amount", amount)


def _shortened(meanings: Sequence[Meaning | None], looks: Sequence[Look], taken: set[int]) -> int | None:
    """The one column of an unknown name in which most numbers end with K, M or B, as volumes are shortened."""
    found = []
    for at, look in enumerate(looks):
        if meanings[at] is not None or at in taken or not look.numeric:
            continue
        cells = [str(cell) for cell in look.sample.to_pylist() if cell]
        if sum(bool(re.fullmatch(r"\d[\d.,]*\s?[KMB]", cell)) for cell in cells) > 0.5 * len(cells):
            found.append(at)
    return found[0] if len(found) == 1 else None


def _rate(meaning: Meaning, values: np.ndarray) -> bool:
    """Whether a column called "turnover", and nothing more, holds percents."""
    exact = meaning.field == "amount" and meaning.rank == ALIASES["amount"].index("turnover")
    return exact and bool(np.nanmax(values, initial=0.0) <= 100)


def _symbol(meanings: Sequence[Meaning | None], looks: Sequence[Look], time: Timing) -> int | None:
    """The column that names the instrument; where several do, the first that says more than one thing."""
    found = sorted((m.rank, at) for at, m in enumerate(meanings) if m is not None and m.field == "symbol" and at not in
                   time.columns)  # fmt: skip
    filled = [at for _, at in found if not looks[at].blank and not _says_nothing(looks[at])]
    plain_names = [at for at in filled if (m := meanings[at]) is not None and not m.group]
    return next((at for at in filled if looks[at].distinct > 1), plain_names[0] if plain_names else None)


def _says_nothing(look: Look) -> bool:
    """Whether a column repeats the state of an answer."""
    return {str(cell).lower() for cell in look.sample.to_pylist()[:50]} <= {"ok", "success", "true", "false", "none"}
