"""Import of a large CSV: ours against ``pandas.read_csv`` with parsed dates, on the same bytes, in one run.

    python benchmarks/importing.py                    # 1,000,000 rows of one-minute candles, in four layouts
    python benchmarks/importing.py --rows 200000      # fewer

Ours finds delimiter, header, columns and times by itself and gives a checked ``CandleFrame``; pandas is
told where the header is and which column holds the dates, and checks nothing. Each is run in turn, ``--repeats`` times;
the best time of each counts.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from kronos_dashboard.markets.importers import read
from kronos_dashboard.settings import Settings


def candles(rows: int) -> pd.DataFrame:
    """Random one-minute candles."""
    generator = np.random.default_rng(0)
    close = 100 * np.exp(np.cumsum(generator.normal(0, 1e-4, rows)))
    opens = np.r_[100.0, close[:-1]]
    high = np.maximum(opens, close) * (1 + generator.uniform(0, 1e-4, rows))
    low = np.minimum(opens, close) * (1 - generator.uniform(0, 1e-4, rows))
    frame = pd.DataFrame({"open": opens, "high": high, "low": low, "close": close}).round(5)
    frame["high"], frame["low"] = frame.max(axis=1), frame.min(axis=1)
    frame["volume"] = generator.uniform(1, 1_000, rows).round(3)
    frame.insert(0, "timestamp", pd.date_range("2020-01-01", periods=rows, freq="1min"))
    return frame


def layouts(frame: pd.DataFrame) -> dict[str, tuple[bytes, Callable[[bytes], object]]]:
    """Name -> the bytes, and how pandas reads them."""
    iso = frame.to_csv(index=False).encode()
    epochs = (
        frame.assign(timestamp=frame["timestamp"].astype("datetime64[ms]").astype("int64")).to_csv(index=False).encode()
    )
    american = frame.to_csv(index=False, date_format="%m/%d/%Y %H:%M").encode()
    bare = frame.to_csv(index=False, header=False, sep=";", date_format="%Y%m%d %H%M%S").encode()
    return {
        "ISO stamps": (iso, lambda data: pd.read_csv(io.BytesIO(data), parse_dates=["timestamp"])),
        "epochs in ms": (
            epochs,
            lambda data: pd.read_csv(io.BytesIO(data)).assign(
                timestamp=lambda f: pd.to_datetime(f["timestamp"], unit="ms", utc=True)
            ),
        ),
        "month/day/year": (
            american,
            lambda data: pd.read_csv(io.BytesIO(data), parse_dates=["timestamp"], date_format="%m/%d/%Y %H:%M"),
        ),
        "no header, 20240131 093000": (
            bare,
            lambda data: pd.read_csv(
                io.BytesIO(data), sep=";", header=None, parse_dates=[0], date_format="%Y%m%d %H%M%S"
            ),
        ),
    }


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    limits = Settings(max_upload_mb=1_024, max_rows=max(2, options.rows))
    print(f"{options.rows:,} rows, best of {options.repeats}")
    for name, (data, theirs) in layouts(candles(options.rows)).items():
        pairs = [
            (seconds(lambda d=data: read(d, "candles.csv", settings=limits)), seconds(lambda d=data, t=theirs: t(d)))
            for _ in range(options.repeats)
        ]
        ours, pandas = (min(pair[i] for pair in pairs) for i in (0, 1))
        size = len(data) / 1e6
        print(f"{name:<28} {size:5.0f} MB   ours {ours:6.2f} s   pandas {pandas:6.2f} s   ratio {ours / pandas:5.2f}")


if __name__ == "__main__":
    main()
