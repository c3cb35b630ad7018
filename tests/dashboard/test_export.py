import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine import Forecast, KronosPredictor
from kronos_dashboard.errors import ExportFailed
from kronos_dashboard.export import file_stem, forecast_csv, record_json, safe_text, write_atomically
from kronos_dashboard.forecasting import RunRecord, SamplingConfig, run
from kronos_dashboard.importers import read
from kronos_dashboard.windows import Window, cut
from tests.dashboard import makers

Made = tuple[Window, Forecast, RunRecord]


@pytest.fixture(scope="module")
def made(predictor: KronosPredictor) -> Made:
    window = cut(makers.candles(200, session_tz="Asia/Shanghai"), 150, 60, 12)
    [(forecast, record)] = run([window], SamplingConfig(num_paths=8, seed=5), predictor, model_name="tiny")
    return window, forecast, record


def table(made: Made) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(forecast_csv(*made)))


def test_there_is_one_row_per_step_on_the_session_clock(made: Made) -> None:
    window, _, record = made
    found = table(made)
    assert found["step"].tolist() == list(range(1, 13))
    assert found["time"].iloc[0] == window.local_future[0].strftime("%Y-%m-%d %H:%M:%S")
    assert set(found["time_zone"]) == {"Asia/Shanghai"}
    assert set(found["seed"]) == {5}
    assert record.checkpoint_digest.startswith(found["checkpoint"].iloc[0])


def test_the_candles_are_the_representative_path_and_the_quantiles_are_over_all(made: Made) -> None:
    _, forecast, _ = made
    found = table(made)
    columns = ["open", "high", "low", "close", "volume", "amount"]
    written = found[columns].to_numpy().astype(np.float32)
    assert np.array_equal(written, forecast.paths[forecast.representative()]), "nine digits bring float32 back exactly"
    assert found["close_median"].to_numpy() == pytest.approx(np.median(forecast.paths[:, :, 3], axis=0))
    order = ["close_q05", "close_q10", "close_q25", "close_median", "close_q75", "close_q90", "close_q95"]
    assert (np.diff(found[order].to_numpy(), axis=1) >= 0).all()
    assert found["close_q05"].to_numpy() == pytest.approx(np.quantile(forecast.paths[:, :, 3], 0.05, axis=0))


def test_an_exported_file_can_be_read_back_as_candles(made: Made) -> None:
    window, forecast, _ = made
    found = read(forecast_csv(*made), "back.csv").candles
    assert len(found) == window.horizon
    assert found.frame["close"].to_numpy() == pytest.approx(forecast.candles()["close"].to_numpy())


def test_a_series_without_volume_leaves_volume_blank(predictor: KronosPredictor) -> None:
    window = cut(makers.candles(200, has_volume=False, has_amount=False), 150, 60, 5)
    [(forecast, record)] = run([window], SamplingConfig(num_paths=2), predictor, model_name="tiny")
    found = table((window, forecast, record))
    assert found[["volume", "amount"]].isna().all(axis=None)
    assert found["close"].notna().all()


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2", "@SUM(A1)", "\t=x", "\r-x"])
def test_text_cannot_become_a_formula_and_numbers_stay_numbers(made: Made, text: str) -> None:
    window, forecast, record = made
    found = table((window, forecast, replace(record, symbol=text, model_label=text)))
    assert set(found["symbol"]) == {f"'{text.strip()}"}
    assert safe_text("BTC-USD") == "BTC-USD"
    assert pd.api.types.is_numeric_dtype(found["close"])


def test_no_cell_of_text_starts_like_a_formula(made: Made) -> None:
    for cell in table(made).select_dtypes(include="str").to_numpy().ravel():
        assert not cell.startswith(("=", "+", "-", "@"))


def test_the_record_is_json(made: Made) -> None:
    assert json.loads(record_json(made[2]))["sampling"]["seed"] == 5


def test_file_names_are_plain(made: Made) -> None:
    stem = file_stem(replace(made[2], symbol="../=BTC/USDT:x"))
    assert stem.startswith("forecast_")
    assert set(stem) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def test_writing_is_all_or_nothing(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    write_atomically(target, b"old")
    write_atomically(target, b"new")
    assert target.read_bytes() == b"new"
    with pytest.raises(ExportFailed, match="cannot be written"):
        write_atomically(tmp_path / "missing" / "out.csv", b"x")
    target.unlink()
    target.mkdir()
    with pytest.raises(ExportFailed):
        write_atomically(target, b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"], "no half-written file stays behind"
