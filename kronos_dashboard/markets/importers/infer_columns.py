"""Infer the roles of columns from their values, for files without a header or with names in an unknown language.

Shapes: n sampled rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.candles import PRICES
from kronos_dashboard.markets.importers.column_profile import ColumnProfile
from kronos_dashboard.markets.importers.column_roles import ColumnRoles, resolve_user_columns
from kronos_dashboard.markets.importers.price_patterns import find_price_sets, finite_median, split_volume
from kronos_dashboard.markets.importers.table import Table
from kronos_dashboard.markets.importers.time_columns import TimeColumns, find_time_columns
from kronos_dashboard.messages import join_messages, msg, term
from kronos_dashboard.notes import Note

__all__ = ["infer_by_values"]

_MAX_VOLUME_CANDIDATES = 4
"""Volume and amount follow the prices, perhaps behind a count of trades; further columns are indicators."""
_MAX_UNKNOWN_COLUMNS = 16
"""Among more numeric columns with unknown names, four that look like candles are found by accident."""


def infer_by_values(
    table: Table, profiles: Sequence[ColumnProfile], filename: str, columns: dict[str, str], *, has_header: bool
) -> ColumnRoles:
    """The roles of the columns, from the values alone.

    Raises:
        ImportFileError: no four columns look like prices.
    """
    width = len(table.columns)
    user_columns = resolve_user_columns(columns, tuple(f"column {column + 1}" for column in range(width)), filename)
    time_columns = find_time_columns(table, [None] * width, profiles, filename, user_columns.get("time"))
    others = [column for column in range(width) if column not in time_columns.columns]
    numeric: dict[int, Any] = {
        column: profiles[column].values
        for column in others
        if profiles[column].is_numeric and not profiles[column].is_timestamp
    }
    texts = [
        column
        for column in others
        if not (profiles[column].is_numeric or profiles[column].is_timestamp or profiles[column].is_blank)
        and profiles[column].num_distinct
    ]
    symbol = next((column for column in texts if profiles[column].num_distinct > 1), texts[0] if texts else None)
    if all(name in user_columns for name in PRICES):
        prices = {name: user_columns[name] for name in PRICES}
        sets, notes = [], []
    else:
        sets = find_price_sets(numeric, time_columns.order)
        if has_header:  # columns with unknown names may be anything
            sets = [candidate for candidate in sets if candidate.spread > 0 and len(numeric) <= _MAX_UNKNOWN_COLUMNS]
        if not sets:
            return _infer_ticks(numeric, time_columns, symbol, filename)
        prices = {**sets[0].columns, **{name: at for name, at in user_columns.items() if name in PRICES}}
        notes = [_assignment_note(prices, is_certain=sets[0].is_certain, has_header=has_header)]
    volume, amount = _infer_volumes(numeric, prices, profiles)
    second = next((price_set for price_set in sets if not set(price_set.columns.values()) & set(prices.values())), None)
    if second is not None:
        notes.append(Note("warning", msg("There are two sets of four prices (bid and ask?); the first was used.")))
        volume = volume if volume is not None and volume < min(second.columns.values()) else None
    return ColumnRoles(
        time=time_columns,
        prices=prices,
        volume=user_columns.get("volume", volume),
        amount=user_columns.get("amount", amount),
        symbol=symbol,
        has_header=has_header,
        notes=tuple(notes),
    )


def _infer_volumes(
    numeric: dict[int, Any], prices: dict[str, int], profiles: Sequence[ColumnProfile]
) -> tuple[int | None, int | None]:
    """(volume, amount) among the numeric columns; those behind the prices are the most likely."""
    first, last = min(prices.values()), max(prices.values())
    others = [at for at in sorted(numeric) if at > last] + [at for at in sorted(numeric) if at < first]
    lows, highs = profiles[prices["low"]].values, profiles[prices["high"]].values
    candidates = [
        at
        for at in others
        if np.nanmin(numeric[at], initial=0.0) >= 0
        and not _is_within_price_range(profiles[at].values, lows, highs)
        and (profiles[at].num_distinct > 1 or at == others[0])
    ]
    closes = numeric.get(prices["close"], profiles[prices["close"]].values)
    return split_volume(candidates[:_MAX_VOLUME_CANDIDATES], numeric, closes)


def _is_within_price_range(values: np.ndarray, lows: np.ndarray, highs: np.ndarray) -> bool:
    """Whether a column stays within the range of the prices, as an average price does."""
    with np.errstate(invalid="ignore"):
        return bool(((values >= lows * 0.98) & (values <= highs * 1.02)).mean() > 0.9)


def _assignment_note(prices: dict[str, int], *, is_certain: bool, has_header: bool) -> Note:
    assignment = join_messages(
        [msg("{name} is column {number}", name=term(name), number=prices[name] + 1) for name in PRICES]
    )
    why = msg("The column names in the header were not recognized") if has_header else msg("There is no header")
    is_standard_order = list(prices.values()) == sorted(prices.values()) and list(prices) == list(PRICES)
    if is_certain or (is_standard_order and not has_header):
        return Note(
            "warning" if has_header else "info",
            msg("{reason}; judging by the values, {places}.", reason=why, places=assignment),
        )
    return Note(
        "warning",
        msg(
            "{reason}, and the values do not clearly distinguish open from close; assumed {places}.",
            reason=why,
            places=assignment,
        ),
    )


def _infer_ticks(numeric: dict[int, np.ndarray], time: TimeColumns, symbol: int | None, filename: str) -> ColumnRoles:
    """Roles for one price, or bid and ask, per row."""
    positive = [i for i in sorted(numeric) if finite_median(numeric[i]) > 0] if numeric else []
    if not time.is_tick_like or not positive or len(positive) > 4:
        raise ImportFileError(
            msg(
                "the file {filename} has no header, and no four adjacent columns look like open, high, low and close.",
                filename=filename,
            ),
            msg("Add a header line with column names, or specify them with --column open=2."),
        )
    if len(positive) > 1 and abs(finite_median(numeric[positive[1]]) / finite_median(numeric[positive[0]]) - 1) < 0.05:
        first, second = (
            (positive[0], positive[1])
            if finite_median(numeric[positive[0]]) <= finite_median(numeric[positive[1]])
            else (positive[1], positive[0])
        )
        return ColumnRoles(time=time, prices={"bid": first, "ask": second}, symbol=symbol, has_header=False)
    return ColumnRoles(
        time=time,
        prices={"price": positive[0]},
        volume=positive[1] if len(positive) > 1 else None,
        symbol=symbol,
        has_header=False,
    )
