"""Roles of columns by the values alone, for files without a header or with one in an unknown language.

Shapes: everything here looks at n sampled rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.markets.candles import PRICES
from kronos_dashboard.markets.importers.column_profile import Look
from kronos_dashboard.markets.importers.column_roles import Roles, forced_columns
from kronos_dashboard.markets.importers.inference import middle, price_sets, split_volume
from kronos_dashboard.markets.importers.table import Table
from kronos_dashboard.markets.importers.time_columns import Timing, find_time
from kronos_dashboard.notes import Note

__all__ = ["by_values"]

_MOST_UNKNOWN = 16
"""Among more columns of numbers whose names nobody knows, four that fit are found by chance."""


def by_values(table: Table, looks: Sequence[Look], filename: str, columns: dict[str, str], *, headed: bool) -> Roles:
    """Roles by the values alone.

    Raises:
        ImportFailed: no four columns look like prices.
    """
    width = len(table.columns)
    forced = forced_columns(columns, tuple(f"column {i + 1}" for i in range(width)), filename)
    time = find_time(table, [None] * width, looks, filename, forced.get("time"))
    numeric: dict[int, Any] = {i: looks[i].values for i in range(width) if looks[i].numeric and i not in time.columns
                               and not looks[i].stamps}  # fmt: skip
    texts = [i for i in range(width) if not looks[i].numeric and not looks[i].stamps and not looks[i].blank and i not in
             time.columns and looks[i].distinct]  # fmt: skip
    symbol = next((i for i in texts if looks[i].distinct > 1), texts[0] if texts else None)
    if all(name in forced for name in PRICES):
        prices = {name: forced[name] for name in PRICES}
        sets, notes = [], []
    else:
        sets = price_sets(numeric, time.order)
        if headed:  # what has names that nobody knows may be anything
            sets = [found for found in sets if found.spread > 0 and len(numeric) <= _MOST_UNKNOWN]
        if not sets:
            return _ticks(numeric, time, symbol, filename)
        prices = {**sets[0].columns, **{name: at for name, at in forced.items() if name in PRICES}}
        notes = [_told(prices, sure=sets[0].sure, headed=headed)]
    behind = [i for i in sorted(numeric) if i > max(prices.values())] + [
        i for i in sorted(numeric) if i < min(prices.values())
    ]
    like_price = [
        i for i in behind if _like_price(looks[i].values, looks[prices["low"]].values, looks[prices["high"]].values)
    ]
    kept = [i for i in behind if np.nanmin(numeric[i], initial=0.0) >= 0 and i not in like_price and
            (looks[i].distinct > 1 or i == behind[0])]  # fmt: skip
    volume, amount = split_volume(kept[:4], numeric, numeric.get(prices["close"], looks[prices["close"]].values))
    second = next((s for s in sets if not set(s.columns.values()) & set(prices.values())), None)
    if second is not None:
        notes.append(Note("warning", "There are two sets of four prices (bid and ask?); the first was taken."))
        volume = volume if volume is not None and volume < min(second.columns.values()) else None
    return Roles(time=time, prices=prices, volume=forced.get("volume", volume), amount=forced.get("amount", amount),
                 symbol=symbol, headed=headed, notes=tuple(notes))  # fmt: skip


def _like_price(values: np.ndarray, lows: np.ndarray, highs: np.ndarray) -> bool:
    """Whether a column keeps to the range of the prices, as an average price does."""
    with np.errstate(invalid="ignore"):
        return bool(((values >= lows * 0.98) & (values <= highs * 1.02)).mean() > 0.9)


def _told(prices: dict[str, int], *, sure: bool, headed: bool) -> Note:
    places = ", ".join(f"{name} is column {prices[name] + 1}" for name in PRICES)
    why = "The names in the header are not known" if headed else "There is no header"
    usual = list(prices.values()) == sorted(prices.values()) and list(prices) == list(PRICES)
    if sure or (usual and not headed):
        return Note("warning" if headed else "info", f"{why}; by the values, {places}.")
    return Note("warning", f"{why}, and the values do not tell open from close for certain; {places} was assumed.")


def _ticks(numeric: dict[int, np.ndarray], time: Timing, symbol: int | None, filename: str) -> Roles:
    at = [i for i in sorted(numeric) if middle(numeric[i]) > 0] if numeric else []
    if not time.uneven or not at or len(at) > 4:
        raise ImportFailed(
            f"the file {filename} has no header, and no four neighbouring columns look like open, high, low and close.",
            "Add a header line that names the columns, or name them with --column open=2.",
        )
    if len(at) > 1 and abs(middle(numeric[at[1]]) / middle(numeric[at[0]]) - 1) < 0.05:
        first, second = (at[0], at[1]) if middle(numeric[at[0]]) <= middle(numeric[at[1]]) else (at[1], at[0])
        return Roles(time=time, prices={"bid": first, "ask": second}, symbol=symbol, headed=False)
    return Roles(time=time, prices={"price": at[0]}, volume=at[1] if len(at) > 1 else None, symbol=symbol, headed=False)
