"""Qlib providers: written as Qlib reads them, and read through Qlib."""

import sys
import types

import numpy as np
import pandas as pd
import pytest

from engine.finetune.data import qlib
from engine.finetune.data.readers import source_from_paths
from engine.finetune.errors import DataError, MissingDependencyError
from tests.support import tiny


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


def test_frames_that_qlib_cannot_store_are_refused(tmp_path):
    with pytest.raises(DataError, match=r'"BTC/USDT" is not a valid folder name'):
        qlib.write({"BTC/USDT": daily(5, 0)}, tmp_path)
    with pytest.raises(DataError, match="sorted bar times"):
        qlib.write({"A": daily(5, 0).iloc[::-1]}, tmp_path)


def test_a_provider_is_read_through_qlib(tmp_path, monkeypatch):
    """The package is large and not installed here; its place is taken by a reader of the files that were written."""
    frames = {"A": daily(30, 0), "B": daily(30, 1).iloc[5:20].drop(index=daily(30, 1).index[8])}
    qlib.write(frames, tmp_path)
    monkeypatch.setitem(sys.modules, "qlib", types.SimpleNamespace(init=lambda **given: asked.append(given)))
    monkeypatch.setitem(sys.modules, "qlib.data", types.SimpleNamespace(D=_Files(tmp_path)))
    asked = []
    found = list(source_from_paths([f"qlib:{tmp_path}"]).read())
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
    with pytest.raises(MissingDependencyError, match="pip install pyqlib"):
        list(source_from_paths([f"qlib:{tmp_path}"]).read())
    with pytest.raises(DataError, match=r"is not a Qlib provider: it has no calendars/day\.txt"):
        list(qlib.read(tmp_path / "features"))
