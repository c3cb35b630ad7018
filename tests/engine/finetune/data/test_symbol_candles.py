import sys
import types

import numpy as np
import pandas as pd
import pytest

from engine.errors import DataError, MissingExtra
from engine.finetune.config import DataConfig
from engine.finetune.data import qlib
from engine.finetune.data.mapped_candles import make_store
from engine.finetune.data.symbol_candles import from_frame, from_paths, read_plain
from tests.support import tiny


def long(length=40, **symbols):
    """Frames of several symbols under each other."""
    parts = [tiny.candles(length, seed).assign(symbol=name) for name, seed in symbols.items()]
    return pd.concat(parts).rename_axis("timestamp").reset_index()


@pytest.mark.parametrize("suffix", ["csv", "parquet", "feather"])
def test_files_of_every_kind_give_the_same_candles(tmp_path, suffix):
    frame = long(a=0, b=1)
    path = tmp_path / f"FX_1h.{suffix}"
    {"csv": lambda: frame.to_csv(path, index=False), "parquet": lambda: frame.to_parquet(path)}.get(
        suffix, lambda: frame.to_feather(path)
    )()
    found = list(from_paths([tmp_path]).read())
    assert [(one.group, one.symbol, one.market) for one in found] == [("fx_1h", "a", "fx"), ("fx_1h", "b", "fx")]
    np.testing.assert_allclose(found[1].values, tiny.candles(40, 1).to_numpy())
    assert pd.to_datetime(found[0].times, unit="s").tolist() == tiny.candles(40).index.tolist()


@pytest.mark.parametrize(
    "stamps",
    [
        lambda index: index.astype("int64") // (10**9 if index.unit == "ns" else 10**6),
        lambda index: (index - pd.Timestamp(0)) // pd.Timedelta("1ms"),
        lambda index: index.tz_localize("UTC").tz_convert("Asia/Tokyo"),
        lambda index: index.strftime("%Y-%m-%d %H:%M:%S"),
        lambda index: index.strftime("%Y-%m-%dT%H:%M:%SZ"),
    ],
)
def test_bar_times_are_read_as_seconds_milliseconds_text_or_with_a_zone(tmp_path, stamps):
    frame = tiny.candles(30)
    path = tmp_path / "coin.csv"
    frame.assign(Timestamps=stamps(frame.index)).sample(frac=1, random_state=0).to_csv(path, index=False)
    (one,) = from_paths([path]).read()
    assert pd.to_datetime(one.times, unit="s").tolist() == frame.index.tolist()
    assert (one.group, one.symbol) == ("coin", "coin")


def test_what_is_mended_is_told(tmp_path):
    frame = tiny.candles(30)
    frame.loc[frame.index[3], "volume"] = np.nan
    (one,) = from_frame(pd.concat([frame, frame.iloc[:2] * 2])).read()
    assert len(one.times) == 30
    assert one.values[0, 3] == 2 * frame["close"].iloc[0]
    assert one.notes == (
        "candles of candles: 2 candles come twice; the later one stays.",
        "candles of candles: 1 candles without volume.",
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.drop(columns="close"), "must have the columns open, high, low and close; missing: close"),
        (lambda f: f.assign(close=-1.0), r"must have prices above zero; the candle of .* has -1"),
        (lambda f: f.assign(open=np.nan), r"finite numbers; column open has 30"),
        (lambda f: f.reset_index(drop=True), r"must have bar times in a column timestamp; it has: open, high"),
        (lambda f: f.assign(timestamp="noon"), r"the bar times of the frame could not be read"),
    ],
)
def test_candles_that_cannot_be_used_are_refused(change, words):
    with pytest.raises(DataError, match=words):
        list(from_frame(change(tiny.candles(30))).read())


def test_paths_with_nothing_to_read_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"no candles were named\. Give data\.path"):
        from_paths([])
    with pytest.raises(DataError, match="there is no file or folder"):
        from_paths([tmp_path / "nowhere"])
    with pytest.raises(DataError, match=r"holds no \.csv, \.parquet"):
        from_paths([tmp_path])
    broken = tmp_path / "x_1h.parquet"
    broken.write_bytes(b"no parquet")
    with pytest.raises(DataError, match=r"x_1h\.parquet could not be read"):
        list(from_paths([broken]).read())
    empty = tmp_path / "empty"
    empty.mkdir()
    tiny.candles(3).iloc[:0].rename_axis("timestamp").to_csv(empty / "a.csv")
    with pytest.raises(DataError, match="there are no candles in"):
        make_store(from_paths([empty]), None, DataConfig(), tmp_path / "cache")


def test_a_reader_of_another_format_can_be_given(tmp_path):
    path = tmp_path / "coin_5m.txt"
    path.write_text("anything")
    (one,) = from_paths([tmp_path], lambda file: [(file.suffix, tiny.candles(12))]).read()
    assert (one.group, one.symbol, len(one.times)) == ("coin_5m", ".txt", 12)


def test_the_same_candles_are_stored_once_and_mapped(tmp_path):
    path = tmp_path / "fx_1h.csv"
    long(a=0, b=1).to_csv(path, index=False)
    config = DataConfig(session_clocks={"fx": "America/New_York"})
    store = make_store(from_paths([path]), None, config, tmp_path / "cache")
    (folder,) = (tmp_path / "cache").iterdir()
    stamp = (folder / "values.npy").stat().st_mtime_ns
    again = make_store(from_paths([path]), None, config, tmp_path / "cache")
    assert (folder / "values.npy").stat().st_mtime_ns == stamp
    assert isinstance(again.values, np.memmap)
    assert not again.values.flags.writeable
    assert (store.digest, len(store.series)) == (again.digest, 2)
    assert (np.asarray(store.clock[:, 1]) - np.asarray(store.session_clock[:, 1])).tolist().count(5) > 0
    back, wanted = store.frame(40, 80), tiny.candles(40, 1)
    assert back.index.tolist() == wanted.index.tolist()
    np.testing.assert_allclose(back[wanted.columns], wanted)
    long(a=0, b=2).to_csv(path, index=False)
    assert make_store(from_paths([path]), None, config, tmp_path / "cache").digest != store.digest


def test_an_unknown_time_zone_is_refused(tmp_path):
    with pytest.raises(DataError, match=r'"Mars/Base" is no time zone'):
        make_store(from_frame(tiny.candles(30)), None, DataConfig(session_clocks={"*": "Mars/Base"}), tmp_path)


# ------------------------------------------------------------------------------------------------------------- Qlib


def daily(length, seed):
    frame = tiny.candles(length, seed)
    return frame.set_axis(pd.bdate_range("2020-01-01", periods=length), axis=0)


def test_qlibs_layout_is_written_as_qlib_reads_it(tmp_path):
    frames = {"SH600000": daily(30, 0), "SZ000001": daily(30, 1).iloc[5:20].drop(index=daily(30, 1).index[8])}
    qlib.write(frames, tmp_path)
    calendar = (tmp_path / "calendars" / "day.txt").read_text().split()
    assert calendar == [f"{day:%Y-%m-%d}" for day in daily(30, 0).index]
    spans = [line.split("\t") for line in (tmp_path / "instruments" / "all.txt").read_text().splitlines()]
    assert spans == [["SH600000", calendar[0], calendar[-1]], ["SZ000001", calendar[5], calendar[19]]]
    held = np.frombuffer((tmp_path / "features" / "sz000001" / "close.day.bin").read_bytes(), dtype="<f4")
    assert held[0] == 5
    assert np.isnan(held[1 + 3])
    assert len(held) == 1 + 15
    wanted = frames["SZ000001"]["close"].to_numpy(dtype=np.float32)
    np.testing.assert_array_equal(held[1:][~np.isnan(held[1:])], wanted)
    factor = np.frombuffer((tmp_path / "features" / "sh600000" / "factor.day.bin").read_bytes(), dtype="<f4")
    assert set(factor[1:]) == {1.0}


def test_what_qlib_cannot_hold_is_refused(tmp_path):
    with pytest.raises(DataError, match=r'"BTC/USDT" cannot name a folder'):
        qlib.write({"BTC/USDT": daily(5, 0)}, tmp_path)
    with pytest.raises(DataError, match="bar times in order"):
        qlib.write({"A": daily(5, 0).iloc[::-1]}, tmp_path)


def test_a_provider_is_read_through_qlib(tmp_path, monkeypatch):
    """The package is large and not installed here; its place is taken by a reader of the files that were written."""
    frames = {"A": daily(30, 0), "B": daily(30, 1).iloc[5:20].drop(index=daily(30, 1).index[8])}
    qlib.write(frames, tmp_path)
    monkeypatch.setitem(sys.modules, "qlib", types.SimpleNamespace(init=lambda **given: asked.append(given)))
    monkeypatch.setitem(sys.modules, "qlib.data", types.SimpleNamespace(D=_Files(tmp_path)))
    asked = []
    found = list(from_paths([f"qlib:{tmp_path}"]).read())
    assert asked[0]["provider_uri"] == str(tmp_path)
    assert [(one.group, one.symbol, len(one.times)) for one in found] == [("qlib_1d", "A", 30), ("qlib_1d", "B", 14)]
    np.testing.assert_allclose(found[1].values[:, :5], frames["B"].to_numpy()[:, :5], rtol=1e-6)


class _Files:
    """``qlib.data.D`` over a written folder."""

    def __init__(self, folder):
        self.folder = folder
        self.days = pd.DatetimeIndex((folder / "calendars" / "day.txt").read_text().split())

    def instruments(self, market):
        return market

    def list_instruments(self, market, **given):
        assert given == {"freq": "day", "as_list": True}
        lines = (self.folder / "instruments" / f"{market}.txt").read_text().splitlines()
        return [line.split("\t")[0] for line in lines]

    def features(self, names, fields, freq):
        (name,) = names
        columns = {}
        for field in fields:
            path = self.folder / "features" / name.lower() / f"{field[1:]}.{freq}.bin"
            first, *values = np.frombuffer(path.read_bytes(), dtype="<f4")
            columns[field] = pd.Series(values, index=self.days[int(first) : int(first) + len(values)])
        frame = pd.DataFrame(columns)
        return pd.concat({name: frame}, names=["instrument", "datetime"])


def test_without_the_package_the_command_that_installs_it_is_named(tmp_path, monkeypatch):
    qlib.write({"A": daily(5, 0)}, tmp_path)
    monkeypatch.setitem(sys.modules, "qlib", None)
    with pytest.raises(MissingExtra, match="pip install pyqlib"):
        list(from_paths([f"qlib:{tmp_path}"]).read())
    with pytest.raises(DataError, match=r"is no Qlib provider: it has no calendars/day\.txt"):
        list(qlib.read(tmp_path / "features"))


def test_the_plain_reader_yields_each_symbol(tmp_path):
    long(a=0, b=1).to_csv(tmp_path / "x.csv", index=False)
    assert [name for name, _ in read_plain(tmp_path / "x.csv")] == ["a", "b"]
