"""What it costs to check, examine and continue candles, on made series of different lengths.

    python benchmarks/checking.py                # 1,000,000 candles checked, 100,000 by the doctor
    python benchmarks/checking.py --rows 200000  # fewer

The figures are the shortest of some runs in one thread. The last one is of a fresh process, which builds the calendars
of exchanges.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from kronos_dashboard.markets.calendars import detect_calendar, future_times
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.markets.doctor import run_checks
from kronos_dashboard.markets.resampling import resample

FIRST = """
import time
from benchmarks.checking import stock
made = stock(2_000)
from kronos_dashboard.markets.calendars import future_times
start = time.perf_counter()
future_times(made, 120)
print(time.perf_counter() - start)
"""


def frame(index: pd.DatetimeIndex) -> pd.DataFrame:
    """Candles of a random walk at these bar times; made, for speed alone."""
    generator = np.random.default_rng(0)
    close = 100 * np.exp(np.cumsum(generator.normal(0, 0.001, len(index))))
    opens = np.r_[100.0, close[:-1]]
    high, low = np.maximum(opens, close) * 1.001, np.minimum(opens, close) * 0.999
    volume = generator.uniform(1, 10, len(index))
    columns = {"open": opens, "high": high, "low": low, "close": close, "volume": volume, "amount": volume * close}
    return pd.DataFrame(columns, index=index)


def coin(rows: int) -> CandleFrame:
    """One candle a minute, day and night."""
    index = pd.date_range("2020-01-01", periods=rows, freq="1min", tz="UTC")
    return CandleFrame(frame=frame(index), symbol="BTCUSDT", interval=pd.Timedelta("1min"))


def stock(rows: int) -> CandleFrame:
    """Five-minute candles of New York sessions, without its holidays, on stamps without a zone."""
    days = pd.bdate_range("2015-01-02", periods=rows // 78 + 1)
    stamps = (days.to_numpy()[:, None] + np.arange(78) * np.timedelta64(5, "m") + np.timedelta64(570, "m")).ravel()
    index = pd.DatetimeIndex(stamps[:rows]).tz_localize("UTC")
    return CandleFrame(frame=frame(index), symbol="MADE", interval=pd.Timedelta("5min"))


def best_of(action: Callable[[], object], times: int = 3) -> float:
    """Seconds of the shortest run."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main() -> None:
    """Measure and print one line per figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="candles that are checked and resampled")
    parser.add_argument("--doctor-rows", type=int, default=100_000, help="candles that the doctor checks")
    args = parser.parse_args()
    many = coin(args.rows)
    holes = many.frame.iloc[np.flatnonzero(np.arange(args.rows) % 10 != 3)]
    rows = f"{args.rows:,}"

    def report(what: str, seconds: float) -> None:
        print(f"{what:<52}{1000 * seconds:>10.1f} ms", flush=True)

    report(f"check {rows} candles", best_of(lambda: CandleFrame(frame=many.frame, symbol="X", interval=many.interval)))
    sparse = CandleFrame(frame=holes, symbol="X", interval=many.interval)
    report(f"list its gaps, {args.rows // 10:,} of them", best_of(sparse.gaps))
    report(f"resample {rows} candles to 1h", best_of(lambda: resample(many, "1h")))
    now = pd.Timestamp("2026-01-01", tz="UTC")
    for name, made in (("coin", coin(args.doctor_rows)), ("stock", stock(args.doctor_rows))):
        report(f"check {args.doctor_rows:,} candles of a {name}", best_of(lambda one=made: run_checks(one, now)))  # type: ignore[misc]
        report(f"find the calendar of a {name}", best_of(lambda one=made: detect_calendar(one)))  # type: ignore[misc]
        report(f"compute 120 bar times of a {name}", best_of(lambda one=made: future_times(one, 120)))  # type: ignore[misc]
    first = subprocess.run([sys.executable, "-c", FIRST], capture_output=True, text=True, check=True)
    report("the first 120 bar times of a process, of a stock", float(first.stdout))


if __name__ == "__main__":
    main()
