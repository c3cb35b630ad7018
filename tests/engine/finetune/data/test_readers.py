import numpy as np
import pandas as pd
import pytest

from engine.finetune.config import DataConfig
from engine.finetune.data.mapped_candles import map_candles
from engine.finetune.data.readers import read_table, source_from_frame, source_from_paths
from engine.finetune.errors import DataError
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
    found = list(source_from_paths([tmp_path]).read())
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
    (one,) = source_from_paths([path]).read()
    assert pd.to_datetime(one.times, unit="s").tolist() == frame.index.tolist()
    assert (one.group, one.symbol) == ("coin", "coin")


def test_repairs_are_noted(tmp_path):
    frame = tiny.candles(30)
    frame.loc[frame.index[3], "volume"] = np.nan
    (one,) = source_from_frame(pd.concat([frame, frame.iloc[:2] * 2])).read()
    assert len(one.times) == 30
    assert one.values[0, 3] == 2 * frame["close"].iloc[0]
    assert one.notes == (
        "candles of candles: 2 duplicate candles; kept the later one.",
        "candles of candles: 1 candles without volume.",
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.drop(columns="close"), "must have the columns open, high, low and close; missing: close"),
        (lambda f: f.assign(close=-1.0), r"must have prices above 0; the candle at .* has -1"),
        (lambda f: f.assign(open=np.nan), r"finite numbers; column open has 30"),
        (
            lambda f: f.reset_index(drop=True),
            r"must have bar times in a column named timestamp; its columns: open, high",
        ),
        (lambda f: f.assign(timestamp="noon"), r"the bar times of the frame could not be read"),
    ],
)
def test_unusable_candles_are_refused(change, words):
    with pytest.raises(DataError, match=words):
        list(source_from_frame(change(tiny.candles(30))).read())


def test_paths_with_nothing_to_read_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"no candles were specified\. Set data\.train"):
        source_from_paths([])
    with pytest.raises(DataError, match="there is no file or folder"):
        source_from_paths([tmp_path / "nowhere"])
    with pytest.raises(DataError, match=r"contains no \.csv, \.parquet"):
        source_from_paths([tmp_path])
    broken = tmp_path / "x_1h.parquet"
    broken.write_bytes(b"no parquet")
    with pytest.raises(DataError, match=r"x_1h\.parquet could not be read"):
        list(source_from_paths([broken]).read())
    empty = tmp_path / "empty"
    empty.mkdir()
    tiny.candles(3).iloc[:0].rename_axis("timestamp").to_csv(empty / "a.csv")
    with pytest.raises(DataError, match="contains no candles"):
        map_candles(source_from_paths([empty]), None, DataConfig(), tmp_path / "cache")


def test_a_reader_of_another_format_can_be_given(tmp_path):
    path = tmp_path / "coin_5m.txt"
    path.write_text("anything")
    (one,) = source_from_paths([tmp_path], lambda file: [(file.suffix, tiny.candles(12))]).read()
    assert (one.group, one.symbol, len(one.times)) == ("coin_5m", ".txt", 12)


def test_the_same_candles_are_stored_once_and_mapped(tmp_path):
    path = tmp_path / "fx_1h.csv"
    long(a=0, b=1).to_csv(path, index=False)
    config = DataConfig(session_timezones={"fx": "America/New_York"})
    store = map_candles(source_from_paths([path]), None, config, tmp_path / "cache")
    (folder,) = (tmp_path / "cache").iterdir()
    stamp = (folder / "values.npy").stat().st_mtime_ns
    again = map_candles(source_from_paths([path]), None, config, tmp_path / "cache")
    assert (folder / "values.npy").stat().st_mtime_ns == stamp
    assert isinstance(again.values, np.memmap)
    assert not again.values.flags.writeable
    assert (store.digest, len(store.series)) == (again.digest, 2)
    assert (np.asarray(store.time_features[:, 1]) - np.asarray(store.session_time_features[:, 1])).tolist().count(5) > 0
    back, wanted = store.frame(40, 80), tiny.candles(40, 1)
    assert back.index.tolist() == wanted.index.tolist()
    np.testing.assert_allclose(back[wanted.columns], wanted)
    long(a=0, b=2).to_csv(path, index=False)
    assert map_candles(source_from_paths([path]), None, config, tmp_path / "cache").digest != store.digest


def test_an_unknown_time_zone_is_refused(tmp_path):
    with pytest.raises(DataError, match=r'"Mars/Base" is not a time zone'):
        map_candles(
            source_from_frame(tiny.candles(30)), None, DataConfig(session_timezones={"*": "Mars/Base"}), tmp_path
        )


def test_the_plain_reader_yields_each_symbol(tmp_path):
    long(a=0, b=1).to_csv(tmp_path / "x.csv", index=False)
    assert [name for name, _ in read_table(tmp_path / "x.csv")] == ["a", "b"]
