"""Candles as CSV, as the importers read them. No cell contains text, so none can be a formula."""

from __future__ import annotations

from kronos_dashboard.markets.candles import CandleFrame

__all__ = ["write_candles_csv"]


def write_candles_csv(candles: CandleFrame) -> bytes:
    """``timestamps`` (ISO 8601 in the session timezone), prices, and volume and amount if known.

    Numbers have as many digits as restore them exactly.
    """
    table = candles.frame.loc[:, list(candles.columns)].copy()
    table.insert(0, "timestamps", [timestamp.isoformat() for timestamp in candles.local_index])
    return table.to_csv(index=False, lineterminator="\n").encode()
