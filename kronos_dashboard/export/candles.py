"""Candles as CSV, in a form that the importers read back. No cell holds text, so none can become a formula."""

from __future__ import annotations

from kronos_dashboard.markets.candles import CandleFrame

__all__ = ["candles_csv"]


def candles_csv(candles: CandleFrame) -> bytes:
    """``timestamps`` (ISO, on the session clock with its offset from UTC), prices, and volume and amount if known.

    Numbers have as many digits as bring them back exactly.
    """
    table = candles.frame.loc[:, list(candles.columns)].copy()
    table.insert(0, "timestamps", [stamp.isoformat() for stamp in candles.local_index])
    return table.to_csv(index=False, lineterminator="\n").encode()
