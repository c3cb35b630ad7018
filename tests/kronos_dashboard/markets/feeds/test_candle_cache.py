import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from kronos_dashboard.markets.feeds import CachedFeed, CandleCache, FetchRequest, SeriesInfo
from kronos_dashboard.markets.feeds.candle_cache import CachedSeries, CorruptCacheError, SeriesKey
from tests.support import makers
from tests.support.feeds.scripted import START, Scripted
from tests.support.paths import ROOT

NOW = START + pd.Timedelta(hours=1_000, minutes=30)


def key(symbol: str = "BTC/USDT", **fields: object) -> SeriesKey:
    given = {"feed": "ccxt", "exchange": "binance", "interval": "1h", "adjusted": False, **fields}
    return SeriesKey(symbol=symbol, **given)  # type: ignore[arg-type]


def held(n: int = 100, seed: int = 0) -> CachedSeries:
    info = SeriesInfo(symbol="BTC/USDT", source="Binance (ccxt)", always_open=True, history_note="none")
    candles = makers.candles(n, seed=seed, symbol="BTC/USDT", source="Binance (ccxt)")
    first = candles.index[0]
    return CachedSeries(candles=candles, info=info, fetched_at=NOW, covered_start=first, covered_end=NOW)


def test_what_is_written_is_read_back_to_the_bit(tmp_path: Path) -> None:
    store, written = CandleCache(tmp_path / "deep" / "folder", 10**8), held()
    assert store.read(key()) is None
    store.write(key(), written)
    read = store.read(key())
    assert read is not None
    assert read.candles.fingerprint == written.candles.fingerprint
    assert (read.info, read.fetched_at) == (written.info, written.fetched_at)
    assert (read.covered_start, read.covered_end) == (written.covered_start, written.covered_end)
    assert read.candles.interval == written.candles.interval
    assert store.read(key("ETH/USDT")) is None
    store.remove(key())
    assert store.read(key()) is None


def test_a_file_with_the_former_names_of_its_fields_is_read(tmp_path: Path) -> None:
    store, written = CandleCache(tmp_path, 10**8), held()
    store.write(key(), written)
    table = pq.read_table(store.path(key()))
    metadata = json.loads(table.schema.metadata[b"kronos_candles"])
    former = metadata.pop("info")
    former["stamped"], former["limits"] = former.pop("timestamp_at"), former.pop("history_note")
    metadata["origin"] = former
    pq.write_table(table.replace_schema_metadata({b"kronos_candles": json.dumps(metadata)}), store.path(key()))
    read = store.read(key())
    assert read is not None
    assert read.info == written.info
    assert read.candles.fingerprint == written.candles.fingerprint


@pytest.mark.parametrize(
    "symbol",
    [
        "../../../etc/passwd",
        "..",
        "CON",
        "a" * 64,
        "币安人生/USDT",
        "BTC/USDT:USDT-240628-70000-C",
        "^GSPC",
        "$",
        "A.B",
    ],
)
def test_file_names_are_safe_for_any_symbol(tmp_path: Path, symbol: str) -> None:
    store = CandleCache(tmp_path, 10**8)
    path = store.path(key(symbol))
    assert path.parent == tmp_path
    assert path.name.isascii()
    assert len(path.name) < 100
    assert not set(path.name) & set('/\\:*?"<>| ')
    assert not path.name.startswith((".", "-"))


def test_symbols_that_look_alike_have_files_of_their_own(tmp_path: Path) -> None:
    store = CandleCache(tmp_path, 10**8)
    keys = [key(s) for s in ("BTC/USDT", "BTC-USDT", "btc/usdt", "BTC:USDT")]
    keys += [
        key(interval="1d"),
        key(adjusted=True),
        key(exchange="okx"),
        key(feed="yfinance"),
        key(interval="1M"),
        key(interval="1m"),
    ]
    assert len({store.path(k).name.lower() for k in keys}) == len(keys)


def test_a_file_under_the_name_of_another_series_is_not_believed(tmp_path: Path) -> None:
    store = CandleCache(tmp_path, 10**8)
    store.write(key(), held())
    store.path(key()).rename(store.path(key("ETH/USDT")))
    with pytest.raises(CorruptCacheError, match="cached candles of ETH/USDT cannot be read"):
        store.read(key("ETH/USDT"))


def test_the_series_unused_for_longest_make_room(tmp_path: Path) -> None:
    store = CandleCache(tmp_path, 10**8)
    symbols = ["A", "B", "C", "D"]
    for place, symbol in enumerate(symbols):
        store.write(key(symbol), held(500, seed=place))
        os.utime(store.path(key(symbol)), (1_000 + place, 1_000 + place))
    size = store.path(key("A")).stat().st_size
    store.read(key("A"))  # used again: now the youngest
    small = CandleCache(tmp_path, int(3.5 * size))
    small.write(key("E"), held(500, seed=9))
    assert {symbol for symbol in [*symbols, "E"] if small.read(key(symbol)) is not None} == {"A", "D", "E"}
    tiny = CandleCache(tmp_path, 10)
    tiny.write(key("F"), held(500))
    assert [path.name for path in tmp_path.glob("*.parquet")] == [store.path(key("F")).name]


def test_leftovers_of_broken_writes_are_removed_after_a_day(tmp_path: Path) -> None:
    store = CandleCache(tmp_path, 10**8)
    old, young = tmp_path / ".x.parquet.abc.part", tmp_path / ".y.parquet.abc.part"
    for path, age in ((old, 100_000), (young, 10)):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age, time.time() - age))
    store.write(key(), held())
    assert (old.exists(), young.exists()) == (False, True)


def test_a_lock_that_another_session_holds_is_waited_for_and_then_given_up(tmp_path: Path) -> None:
    store = CandleCache(tmp_path, 10**8, lock_timeout_s=0.2)
    got = []

    def other() -> None:
        with store.lock(key()) as locked:
            got.append(locked)

    with store.lock(key()) as locked:
        assert locked
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    other()
    assert got == [False, True]


def test_sessions_at_once_fetch_a_series_once(tmp_path: Path) -> None:
    inner = Scripted()
    feed = CachedFeed(inner, CandleCache(tmp_path, 10**8))
    found: list[str] = []

    def session() -> None:
        fetched = feed.fetch(FetchRequest(symbol="TEST", limit=200), now=NOW)
        found.append(fetched.candles.fingerprint)

    threads = [threading.Thread(target=session) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1
    assert len(inner.asked) == 1


WORK = """
import sys, pandas as pd
from pathlib import Path
from kronos_dashboard.markets.feeds import CachedFeed, CandleCache, FetchRequest
from tests.support.feeds.scripted import START, Scripted

feed, step = CachedFeed(Scripted(), CandleCache(Path(sys.argv[1]), 10**8)), int(sys.argv[2])
print("ready", flush=True)
for hours in range(step, 100_000, 2):
    now = START + pd.Timedelta(hours=200 + hours % 1_500, minutes=30)
    fetched = feed.fetch(FetchRequest(symbol="TEST", limit=150), now=now)
    assert len(fetched.candles) == 150 and not any(note.level == "warning" for note in fetched.notes), fetched.notes
    if hours > int(sys.argv[3]):
        break
"""


def worker(folder: Path, first: int, until: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WORK, str(folder), str(first), str(until)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_share_a_series_without_harm(tmp_path: Path) -> None:
    both = [worker(tmp_path, first, 24) for first in (0, 1)]
    for process in both:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")


def test_a_process_that_is_killed_in_the_middle_leaves_whole_files(tmp_path: Path) -> None:
    for pause in (0.03, 0.08):
        process = worker(tmp_path, 0, 10**6)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
        fetched = CachedFeed(Scripted(), CandleCache(tmp_path, 10**8, 5.0)).fetch(
            FetchRequest(symbol="TEST", limit=150), now=NOW
        )
        assert len(fetched.candles) == 150
        assert "could not be read" not in " ".join(note.text for note in fetched.notes)


def test_a_series_that_was_fetched_again_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    store = CandleCache(tmp_path, 10**8)
    store.write(key(), held())
    store.write(key(), replace(held(50, seed=3), fetched_at=NOW + pd.Timedelta(hours=1)))
    read = store.read(key())
    assert read is not None
    assert len(read.candles) == 50
    assert len(list(tmp_path.glob("*.parquet"))) == 1
