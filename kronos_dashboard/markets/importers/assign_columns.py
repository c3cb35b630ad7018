"""Assign the columns of a table: by name, checked against the values, or else by the values alone.

Shapes: n sampled rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.candles import PRICES
from kronos_dashboard.markets.importers.aliases import ALIASES
from kronos_dashboard.markets.importers.column_names import ColumnMeaning, column_meaning
from kronos_dashboard.markets.importers.column_profile import ColumnProfile, profile_columns
from kronos_dashboard.markets.importers.column_roles import ColumnRoles, resolve_user_columns
from kronos_dashboard.markets.importers.infer_columns import infer_by_values
from kronos_dashboard.markets.importers.numbers import detect_decimal_mark
from kronos_dashboard.markets.importers.price_columns import (
    REQUIRED_COLUMNS_HINT,
    correct_mislabeled,
    infer_missing_prices,
    reject_duplicate_columns,
    replace_misfits,
    select_prices,
)
from kronos_dashboard.markets.importers.price_patterns import finite_median, ohlc_fit_fraction, split_volume
from kronos_dashboard.markets.importers.table import Table
from kronos_dashboard.markets.importers.time_columns import TimeColumns, find_time_columns
from kronos_dashboard.messages import msg, sentences
from kronos_dashboard.notes import Note

__all__ = ["ColumnRoles", "find_roles"]


def find_roles(
    table: Table, filename: str, columns: dict[str, str] | None = None, ticker: str | None = None
) -> ColumnRoles:
    """Find the columns of candles or ticks.

    Args:
        table: the table.
        filename: for messages, and for a date that only the name contains.
        columns: field -> name of the column (or its number, counted from 1), as given by the user.
        ticker: the instrument to select in the header.

    Raises:
        ImportFileError: columns are missing; the message lists them and those that exist.
    """
    profiles = profile_columns(table)
    decimal_mark = detect_decimal_mark(
        profile.sample for profile in profiles if not profile.is_timestamp and not profile.is_time_of_day
    )
    return replace(_find_columns(table, profiles, filename, columns, ticker), decimal_mark=decimal_mark)


def _find_columns(
    table: Table, profiles: Sequence[ColumnProfile], filename: str, columns: dict[str, str] | None, ticker: str | None
) -> ColumnRoles:
    if table.names is None:
        return infer_by_values(table, profiles, filename, columns or {}, has_header=False)
    best: tuple[float, ColumnRoles] | None = None
    failure: ImportFileError | None = None
    for names in _align_names(table.names, len(table.columns)):
        try:
            roles = _roles_by_name(table, names, profiles, filename, columns or {}, ticker)
        except ImportFileError as error:
            failure = failure or error
            continue
        score = _score(roles, profiles)
        if best is None or score > best[0] + 0.02:
            best = (score, roles)
    if best is None:
        assert failure is not None
        raise failure
    return best[1]


def _align_names(names: tuple[str, ...], width: int) -> list[tuple[str, ...]]:
    """The names over the columns; if their number differs, aligned at the left and at the right."""
    lack = width - len(names)
    if lack > 0:
        return [names + ("",) * lack, ("",) * lack + names]
    if lack < 0:
        return [names[:width], names[-lack:]]
    return [names]


def _score(roles: ColumnRoles, profiles: Sequence[ColumnProfile]) -> float:
    """Quality of an assignment: the fraction of consistent rows, below that of any candles for ticks."""
    if roles.are_ticks:
        return -1.0
    fraction = ohlc_fit_fraction(*(profiles[roles.prices[name]].values for name in PRICES))
    return 0.0 if np.isnan(fraction) else fraction


def _roles_by_name(
    table: Table,
    names: tuple[str, ...],
    profiles: Sequence[ColumnProfile],
    filename: str,
    columns: dict[str, str],
    ticker: str | None,
) -> ColumnRoles:
    meanings = [_meaning_in_group(name, table.groups, i) for i, name in enumerate(_drop_uppercase_twins(names))]
    user_columns = resolve_user_columns(columns, names, filename)
    for name, at in user_columns.items():
        meanings = [None if m is not None and m.field == name else m for m in meanings]
        meanings[at] = ColumnMeaning(name, -1)
    time_columns = find_time_columns(
        table, meanings, profiles, filename, user_columns.get("time", user_columns.get("datetime"))
    )
    usable = {i: m for i, m in enumerate(meanings) if m is not None and i not in time_columns.columns
              and (profiles[i].is_numeric or profiles[i].is_blank)}  # fmt: skip
    prices, group, groups = select_prices(usable, {i for i in usable if profiles[i].is_blank}, ticker)
    reject_duplicate_columns(prices, _drop_uppercase_twins(names), table.groups, profiles, user_columns, filename)
    notes: list[Note] = []
    if not all(name in prices for name in PRICES):
        tick_prices = _find_tick_prices(usable, time_columns, filename)
        if tick_prices is not None:
            symbol = _find_symbol_column(meanings, profiles, time_columns)
            return ColumnRoles(
                time=time_columns, prices=tick_prices, volume=_best_column(usable, "volume"), symbol=symbol
            )
        prices, notes = infer_missing_prices(table, names, prices, profiles, time_columns, filename)
    prices, price_notes = replace_misfits(prices, names, usable, group, profiles)
    notes += price_notes
    prices, price_notes = correct_mislabeled(prices, profiles, time_columns)
    volume, amount = _find_volumes(usable, prices, profiles, group, user_columns)
    if (
        volume is None
        and amount is None
        and (volume := _find_abbreviated_volume(meanings, profiles, {*time_columns.columns})) is not None
    ):
        text = msg(
            "No column is named volume; {column} was used, because its numbers are abbreviated.",
            column=repr(names[volume][:40]),
        )
        notes.append(Note("warning", text))
    return ColumnRoles(
        time=time_columns,
        prices=prices,
        volume=volume,
        amount=amount,
        symbol=_find_symbol_column(meanings, profiles, time_columns),
        group=group,
        groups=groups,
        notes=(*notes, *price_notes),
    )


def _drop_uppercase_twins(names: tuple[str, ...]) -> list[str]:
    """The names, with ``T`` blank where ``t`` exists: APIs use the capital for a second field (close time)."""
    return ["" if re.search(r"(?:^|\.)[A-Z]$", n) and n[:-1] + n[-1].lower() in names else n for n in names]


def _meaning_in_group(name: str, groups: tuple[str, ...], at: int) -> ColumnMeaning | None:
    """The meaning of a name, within the group that a second header line names."""
    meaning = column_meaning(name) if name.strip() else None
    if meaning is not None and at < len(groups) and groups[at]:
        return replace(meaning, group=groups[at])
    return meaning


def _best_column(usable: dict[int, ColumnMeaning], field: str) -> int | None:
    """The most likely column of a field."""
    ranked = sorted((m.rank, at) for at, m in usable.items() if m.field == field)
    return ranked[0][1] if ranked else None


def _find_tick_prices(
    usable: dict[int, ColumnMeaning], time_columns: TimeColumns, filename: str
) -> dict[str, int] | None:
    """The column of the price, or those of bid and ask; None when the rows are not ticks."""
    bid, ask, price = (_best_column(usable, name) for name in ("bid", "ask", "close"))
    if any(_best_column(usable, name) is not None for name in ("high", "low")):
        return None
    if bid is not None and ask is not None:
        return {"bid": bid, "ask": ask}
    if price is None:
        return None
    if not time_columns.is_tick_like:
        raise ImportFileError(
            msg("the file {filename} has only one price per row, and no open, high and low.", filename=filename),
            sentences(REQUIRED_COLUMNS_HINT, msg("Open, high, low and close are required.")),
        )
    return {"price": price}


def _find_volumes(
    usable: dict[int, ColumnMeaning],
    prices: dict[str, int],
    profiles: Sequence[ColumnProfile],
    group: str,
    user_columns: dict[str, int],
) -> tuple[int | None, int | None]:
    price_columns = set(prices.values())
    ranked: list[tuple[tuple[bool, bool, int], int]] = []
    for at, meaning in usable.items():
        if meaning.field in ("volume", "amount") and at not in price_columns:
            ranked.append(((meaning.group not in ("", group), meaning.field == "amount", meaning.rank), at))
    same_group = [entry for entry in sorted(ranked) if not entry[0][0]] or sorted(ranked)
    candidates = [at for _, at in same_group]
    volumes = [finite_median(profiles[at].values) for at in candidates if usable[at].field == "volume"]
    if volumes and max(volumes) > 10_000:  # what stays below 100 beside such volumes is a rate, in percent
        candidates = [
            at
            for at in candidates
            if usable[at].field == "volume" or not _is_turnover_rate(usable[at], profiles[at].values)
        ]
    volume, amount = split_volume(
        candidates, {at: profiles[at].values for at in candidates}, profiles[prices["close"]].values
    )
    if volume is not None and usable[volume].field == "amount" and amount is None:
        volume, amount = None, volume
    if volume is not None and amount is None:
        amounts = [at for at in candidates if usable[at].field == "amount" and at != volume]
        amount = amounts[0] if amounts else None
    return user_columns.get("volume", volume), user_columns.get("amount", amount)


def _find_abbreviated_volume(
    meanings: Sequence[ColumnMeaning | None], profiles: Sequence[ColumnProfile], excluded: set[int]
) -> int | None:
    """The one unknown column in which most numbers end with K, M or B, as only volumes do."""
    columns = []
    for at, profile in enumerate(profiles):
        if meanings[at] is not None or at in excluded or not profile.is_numeric:
            continue
        cells = [str(cell) for cell in profile.sample.to_pylist() if cell]
        if sum(bool(re.fullmatch(r"\d[\d.,]*\s?[KMB]", cell)) for cell in cells) > 0.5 * len(cells):
            columns.append(at)
    return columns[0] if len(columns) == 1 else None


def _is_turnover_rate(meaning: ColumnMeaning, values: np.ndarray) -> bool:
    """Whether a column called "turnover" contains percentages."""
    exact = meaning.field == "amount" and meaning.rank == ALIASES["amount"].index("turnover")
    return exact and bool(np.nanmax(values, initial=0.0) <= 100)


def _find_symbol_column(
    meanings: Sequence[ColumnMeaning | None], profiles: Sequence[ColumnProfile], time_columns: TimeColumns
) -> int | None:
    """The column of the instrument; of several, the first with more than one value."""
    ranked = sorted((m.rank, at) for at, m in enumerate(meanings) if m is not None and m.field == "symbol" and at not in
                   time_columns.columns)  # fmt: skip
    filled = [at for _, at in ranked if not profiles[at].is_blank and not _is_status_column(profiles[at])]
    ungrouped = [at for at in filled if (m := meanings[at]) is not None and not m.group]
    return next((at for at in filled if profiles[at].num_distinct > 1), ungrouped[0] if ungrouped else None)


def _is_status_column(profile: ColumnProfile) -> bool:
    """Whether a column repeats the status of an API response."""
    return {str(cell).lower() for cell in profile.sample.to_pylist()[:50]} <= {"ok", "success", "true", "false", "none"}
