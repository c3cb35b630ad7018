"""How many of the bars that came were foretold, on real series (a folder of CSV files named by KRONOS_SAMPLES)."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kronos_dashboard.markets.calendars import detect_calendar, future_times
from kronos_dashboard.markets.candles import CandleFrame, infer_interval
from kronos_dashboard.markets.samples import SAMPLES, load_sample

HORIZON, CUTOFFS, FIRST = 120, 8, 400
ZONES = {"cn": "Asia/Shanghai", "us": "America/New_York"}
"""Clock of the stamps by the first part of a file's name; UTC otherwise."""


def series(folder: Path) -> Iterator[CandleFrame]:
    """Every CSV in the folder with a column timestamp and open, high, low, close."""
    for path in sorted(folder.glob("*_*.csv")):
        table = pd.read_csv(path)
        zone = ZONES.get(path.stem.split("_")[0], "UTC")
        naive = pd.DatetimeIndex(pd.to_datetime(table["timestamp"]))
        table.index = naive.tz_localize(zone, ambiguous="infer").tz_convert("UTC")
        frame = table.reindex(columns=["open", "high", "low", "close", "volume", "amount"], fill_value=0.0)
        yield CandleFrame(
            frame=frame,
            symbol=path.stem,
            interval=infer_interval(pd.DatetimeIndex(frame.index)),
            session_tz=zone,
            has_volume="volume" in table,
            has_amount="amount" in table,
        )


def hits(candles: CandleFrame) -> float:
    """Share of the next 120 bar times that were foretold, over cutoffs spread through the series."""
    rows = np.unique(np.linspace(FIRST, len(candles) - HORIZON, CUTOFFS).astype(int))
    shares = []
    for row in rows:
        times, _ = future_times(candles.rows(0, int(row)), HORIZON)
        shares.append(len(times.intersection(candles.index[row : row + HORIZON])) / HORIZON)
    return float(np.mean(shares))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.key)
def test_the_bars_of_the_samples_are_foretold(sample):
    assert hits(load_sample(sample.key).candles) > 0.98


@pytest.mark.skipif("KRONOS_SAMPLES" not in os.environ, reason="KRONOS_SAMPLES names no folder of real series")
def test_the_bars_of_other_real_series_are_foretold():
    folder = Path(os.environ["KRONOS_SAMPLES"])
    found = {candles.symbol: (detect_calendar(candles).code, hits(candles)) for candles in series(folder)}
    print("\n".join(f"{share:7.2%}  {code:<8} {name}" for name, (code, share) in found.items()))
    assert min(share for _, share in found.values()) > 0.99
    assert np.mean([share for _, share in found.values()]) > 0.995
