"""Aggregate ticks (single trades or quotes) to candles."""

from __future__ import annotations

import numpy as np

from kronos_dashboard.markets.candles import PRICES
from kronos_dashboard.markets.importers.cleaning import Rows
from kronos_dashboard.markets.importers.options import ChoiceRequiredError, ImportChoice, parse_interval
from kronos_dashboard.markets.importers.timestamp_text import NAT
from kronos_dashboard.messages import msg, nmsg
from kronos_dashboard.notes import Note

__all__ = ["TICK_INTERVALS", "aggregate_ticks"]

TICK_INTERVALS = ("1s", "5s", "15s", "1m", "5m", "15m", "30m", "1h", "1d")
"""Intervals that are offered."""


def aggregate_ticks(rows: Rows, interval: str | None, filename: str) -> tuple[Rows, list[Note]]:
    """Candles from ticks with ``price`` (or ``bid`` and ``ask``) and optionally ``volume``.

    Bars start at multiples of the interval since 1970 (UTC).

    Raises:
        ChoiceRequiredError: no interval was chosen.
    """
    quotes = "bid" in rows.values
    if interval is None:
        raise ChoiceRequiredError(
            msg(
                "the file {filename} contains {count:,} ticks ({kind}) and no candles.",
                filename=filename,
                kind=msg("quotes") if quotes else msg("trades"),
                count=len(rows),
            ),
            msg(
                "Choose an interval to aggregate them to, such as {interval}.",
                interval=TICK_INTERVALS[3],
            ),
            ImportChoice(option="interval", values=TICK_INTERVALS),
        )
    interval_ns = parse_interval(interval).value
    price = rows.values["price"] if "price" in rows.values else (rows.values["bid"] + rows.values["ask"]) / 2
    usable = (rows.ns != NAT) & np.isfinite(price) & (price > 0)
    notes = [
        Note(
            "warning",
            msg("Ticks were aggregated to {interval} candles, from mid prices.", interval=interval)
            if quotes
            else msg("Ticks were aggregated to {interval} candles.", interval=interval),
        )
    ]
    if not usable.all():
        notes.append(
            Note(
                "warning",
                nmsg(
                    "Dropped {n:,} tick without a time or a price.",
                    "Dropped {n:,} ticks without a time or a price.",
                    int((~usable).sum()),
                ),
            )
        )
    order = np.flatnonzero(usable)[np.argsort(rows.ns[usable], kind="stable")]
    bar_times = rows.ns[order] // interval_ns * interval_ns
    volume = rows.values["volume"][order] if "volume" in rows.values else None
    return _aggregate(bar_times, price[order], volume), notes


def _aggregate(bar_times: np.ndarray, price: np.ndarray, volume: np.ndarray | None) -> Rows:
    """Candles of m ticks, in order of time: times of their bars, prices and volumes [m]."""
    if len(price) == 0:
        return Rows(ns=bar_times, values=dict.fromkeys(PRICES, price), row_numbers=np.arange(0))
    first = np.flatnonzero(np.r_[True, np.diff(bar_times) > 0])  # index of the first tick of each bar
    last = np.r_[first[1:], len(bar_times)] - 1
    values = {
        "open": price[first],
        "high": np.maximum.reduceat(price, first),
        "low": np.minimum.reduceat(price, first),
        "close": price[last],
    }
    if volume is not None:
        values["volume"] = np.add.reduceat(np.nan_to_num(volume, posinf=0, neginf=0), first)
    return Rows(ns=bar_times[first], values=values, row_numbers=np.arange(1, len(first) + 1))
