"""Damaged files for the importers: every layout of tests/data/imports, and other kinds of files, with bytes changed.

    python -m tests.support.imports.fuzz --count 20000            # prints the outcomes, and the memory in use
    python -m tests.support.imports.fuzz --zoo FOLDER             # the files of a folder as well

Each damaged file must give candles (which check themselves) or an error of the project's own; anything else is printed
with the seed that repeats it.
"""

from __future__ import annotations

import argparse
import gzip
import io
import resource
import sys
import time
import traceback
import zipfile
from collections import Counter
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from kronos_dashboard.errors import DashboardError
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.markets.importers import ImportOptions, read
from kronos_dashboard.settings import Settings
from tests.support import makers
from tests.support.imports.cases import CASES, load_case

LIMITS = Settings(max_upload_mb=4, max_rows=50_000)
WORDS = """
nan inf -inf 1e308 1e-320 0 1_0 0x10 K (1) 99999999999999999999999 1700000000000 1,234.5 2024-02-30 24:00 9999-12-31
0001-01-01 Z +99:99 AM null true .. -- open Date NaT 日期 , ; " - # % : $ . { } [ ] '
"""
JUNK = [*WORDS.encode().split(), b"\t", b"\n", b"\r", b"\0", b" ", b"\xff", *map(str.encode, "\u3000\u202e\ufeff")]


@lru_cache(maxsize=4)
def seeds(folder: str = "") -> list[tuple[str, bytes]]:
    """Undamaged files: (name, bytes)."""
    files = [(case.filename, case.data) for case in map(load_case, CASES)]
    table = pd.read_csv(io.StringIO(makers.csv(40)), parse_dates=["timestamp"])
    for name, save in (("f.parquet", table.to_parquet), ("f.feather", table.to_feather), ("f.xlsx", table.to_excel)):
        save(out := io.BytesIO())
        files.append((name, out.getvalue()))
    plain = makers.csv(40).encode()
    files.append(("f.csv.gz", gzip.compress(plain)))
    with zipfile.ZipFile(out := io.BytesIO(), "w") as archive:
        archive.writestr("a.csv", plain)
        archive.writestr("b.csv", plain)
    files.append(("f.zip", out.getvalue()))
    paths = sorted(path for path in Path(folder).rglob("*") if path.is_file()) if folder else []
    files += [(path.name, head(path.read_bytes())) for path in paths if path.name not in ("MANIFEST.csv", "README.md")]
    return files


def head(data: bytes) -> bytes:
    """Text files are cut to their beginning, so that many fit into a minute."""
    return data if data[:2] in (b"PK", b"\x1f\x8b", b"PA", b"AR", b"\xd0\xcf") else data[:6_000]


def damaged(seed: int, folder: str = "") -> tuple[str, bytes, ImportOptions]:
    """File number ``seed``: its name, its bytes, and the options to read it with."""
    random = np.random.default_rng(seed)
    all_seeds = seeds(folder)
    name, data = all_seeds[int(random.integers(len(all_seeds)))]
    for _ in range(int(random.choice([1, 1, 2, 4, 16]))):
        data = mutate(data, random, all_seeds)
    options: dict = {}
    if random.random() < 0.2:
        options = [
            {"interval": "5m"}, {"session_tz": "America/New_York"}, {"day_first": True}, {"symbol": "AAPL"},
            {"sheet": "b"},
            {"columns": {"close": "2"}}, {"price_divisor": 100.0}, {"columns": {"time": "1", "open": "3"}},
        ][int(random.integers(8))]  # fmt: skip
    return name, data, ImportOptions(**options)


def mutate(data: bytes, random: np.random.Generator, others: list[tuple[str, bytes]]) -> bytes:
    """One change: bytes flipped, cut, doubled, moved, or junk put in."""
    at = int(random.integers(len(data) + 1))
    upto = min(len(data), at + int(random.choice([1, 2, 8, 50, 400])))
    kind = int(random.integers(9))
    if kind == 0:
        return data[:at] + bytes(random.integers(0, 256, upto - at, dtype="uint8")) + data[upto:]
    if kind == 1:
        return data[:at] + data[upto:]
    if kind == 2:
        return data[:upto] + data[at:upto] * int(random.choice([1, 3, 50])) + data[upto:]
    if kind == 3:
        return data[:at]
    if kind == 4:
        old, new = (JUNK[int(random.integers(len(JUNK)))] for _ in range(2))
        return data.replace(old, new, int(random.choice([1, 5, 1_000])))
    if kind == 5:
        lines = data.split(b"\n")
        order = random.permutation(len(lines)) if random.random() < 0.5 else np.arange(len(lines))[::-1]
        return b"\n".join(lines[i] for i in order)
    if kind == 6:
        other = others[int(random.integers(len(others)))][1]
        return data[:at] + other[int(random.integers(len(other) + 1)) :][:2_000]
    if kind == 7:
        lines = data.split(b"\n")
        column, sep = int(random.integers(8)), bytes(random.choice([b",", b";", b"\t"]))
        junk = JUNK[int(random.integers(len(JUNK)))]
        cells = [line.split(sep) for line in lines]
        return b"\n".join(sep.join(junk if i == column else cell for i, cell in enumerate(row)) for row in cells)
    return data[:at] + JUNK[int(random.integers(len(JUNK)))] + data[at:]


def outcome(seed: int, folder: str = "") -> str:
    """``"read"`` or ``"refused"``; raises any other error of the importer."""
    name, data, options = damaged(seed, folder)
    try:
        candles = read(data, name, options, LIMITS).candles
    except DashboardError:
        return "refused"
    assert len(candles) >= 2
    CandleFrame(frame=candles.frame, symbol=candles.symbol, interval=candles.interval)
    assert candles.local_index is not None
    return "read"


def main() -> int:
    """Run many; the exit status is 1 when one of them broke."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--zoo", default="")
    options = parser.parse_args()
    counts: Counter[str] = Counter()
    start, slowest = time.perf_counter(), (0.0, -1)
    seeds(options.zoo)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for seed in range(options.first, options.first + options.count):
        started_at = time.perf_counter()
        try:
            counts[outcome(seed, options.zoo)] += 1
        except Exception:  # noqa: BLE001 (any error that is not one of ours is a bug)
            counts["broken"] += 1
            print(f"--- seed {seed}", traceback.format_exc(limit=-4), sep="\n", flush=True)
        if seed % 2_000 == 1_999:
            print(f"{seed + 1:,}: {dict(counts)}", flush=True)
        slowest = max(slowest, (time.perf_counter() - started_at, seed))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(dict(counts), f"in {time.perf_counter() - start:.0f} s; slowest {slowest[0]:.2f} s (seed {slowest[1]});",
          f"memory grew by {grown:.0f} MB at most")  # fmt: skip
    return 1 if counts["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
