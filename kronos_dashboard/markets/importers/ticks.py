"""Single trades or quotes: put together to candles of an interval that the user chooses."""

from __future__ import annotations

import numpy as np

from kronos_dashboard.markets.importers.cleaning import Rows
from kronos_dashboard.markets.importers.options import ChoiceNeeded, Choices, parse_interval
from kronos_dashboard.markets.importers.table import plural
from kronos_dashboard.markets.importers.timestamp_text import NAT
from kronos_dashboard.notes import Note

__all__ = ["INTERVALS", "from_ticks"]

INTERVALS = ("1s", "5s", "15s", "1m", "5m", "15m", "30m", "1h", "1d")


def from_ticks(rows: Rows, interval: str | None, filename: str) -> tuple[Rows, list[Note]]:
    """Candles of ticks with the columns ``price`` (or ``bid`` and ``ask``) and, perhaps, ``volume``.

    Raises:
        ChoiceNeeded: no interval was chosen.
    """
    kind = "quotes" if "bid" in rows.values else "trades"
    if interval is None:
        raise ChoiceNeeded(
            f"the file {filename} holds ticks (single {kind}), {len(rows):,} of them, and no candles.",
            f"Choose an interval to put them together to, such as {INTERVALS[3]}.",
            Choices(option="interval", values=INTERVALS),
        )
    length = parse_interval(interval).value
    price = rows.values["price"] if "price" in rows.values else (rows.values["bid"] + rows.values["ask"]) / 2
    good = (rows.ns != NAT) & np.isfinite(price) & (price > 0)
    notes = [
        Note(
            "warning", f"Ticks put together to candles of {interval}{'' if kind == 'trades' else ', from mid prices'}."
        )
    ]
    if not good.all():
        notes.append(Note("warning", f"{plural(int((~good).sum()), 'tick')} without a time or a price dropped."))
    order = np.flatnonzero(good)[np.argsort(rows.ns[good], kind="stable")]
    stamps, price = rows.ns[order] // length * length, price[order]
    if len(order) == 0:
        return Rows(ns=stamps, values=dict.fromkeys(("open", "high", "low", "close"), price), numbers=order), notes
    first = np.flatnonzero(np.r_[True, np.diff(stamps) > 0])
    last = np.r_[first[1:], len(stamps)] - 1
    values = {
        "open": price[first],
        "high": np.maximum.reduceat(price, first),
        "low": np.minimum.reduceat(price, first),
        "close": price[last],
    }
    if "volume" in rows.values:
        values["volume"] = np.add.reduceat(np.nan_to_num(rows.values["volume"][order], posinf=0, neginf=0), first)
    return Rows(ns=stamps[first], values=values, numbers=np.arange(1, len(first) + 1)), notes
