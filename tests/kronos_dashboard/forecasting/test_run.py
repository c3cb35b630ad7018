import hashlib
import json
import subprocess
import sys
import threading
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import pytest

from engine import CancelledError, KronosPredictor, ModelConfig
from kronos_dashboard.errors import RecordError
from kronos_dashboard.forecasting.record import record_schema
from kronos_dashboard.forecasting.run import RunRecord, SamplingConfig, model_frame, run_forecasts
from kronos_dashboard.forecasting.windows import latest_window, replay_window
from tests.support import makers

SAMPLING = SamplingConfig(num_paths=4, seed=3)
CANDLES = makers.candles(200, session_tz="Asia/Shanghai")


def test_many_windows_come_back_in_order_each_with_its_record(predictor: KronosPredictor) -> None:
    windows = [replay_window(CANDLES, 150, 60, 5), latest_window(CANDLES, 40, 5)]
    found = run_forecasts(windows, SAMPLING, predictor, model_name="tiny")
    assert [forecast.paths.shape for forecast, _ in found] == [(4, 5, 6), (4, 5, 6)]
    assert [record.cutoff for _, record in found] == [window.cutoff.isoformat() for window in windows]
    assert found[0][1].candles_fingerprint == windows[0].context.fingerprint
    assert found[0][1].weights_sha256 == predictor.weights_sha256
    assert found[1][1].notes[0] == windows[1].note


def test_a_window_forecasts_the_same_alone_and_in_company(predictor: KronosPredictor) -> None:
    windows = [replay_window(CANDLES, 150, 60, 5), replay_window(CANDLES, 120, 40, 5)]
    together = run_forecasts(windows, SAMPLING, predictor, model_name="tiny")
    for window, (forecast, _) in zip(windows, together, strict=True):
        [(alone, _)] = run_forecasts([window], SAMPLING, predictor, model_name="tiny")
        np.testing.assert_allclose(alone.paths, forecast.paths, rtol=1e-5)


def test_the_engine_sees_the_session_clock_and_the_columns_that_mean_something() -> None:
    frame = model_frame(makers.candles(40, session_tz="Asia/Shanghai", has_amount=False))
    assert str(frame.index.tz) == "Asia/Shanghai"
    assert frame.index[0].hour == 8
    assert list(frame.columns) == ["open", "high", "low", "close", "volume"]


def test_progress_counts_to_the_horizon(predictor: KronosPredictor) -> None:
    steps: list[tuple[int, int]] = []
    run_forecasts(
        [replay_window(CANDLES, 150, 60, 5)], SAMPLING, predictor, lambda *step: steps.append(step), model_name="tiny"
    )
    assert steps[-1][0] == steps[-1][1]
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)


def test_a_cancelled_run_stops(predictor: KronosPredictor) -> None:
    token = threading.Event()
    token.set()
    with pytest.raises(CancelledError):
        run_forecasts([replay_window(CANDLES, 150, 60, 5)], SAMPLING, predictor, cancel=token, model_name="tiny")


def test_a_record_survives_json_and_gives_the_sampling_back(predictor: KronosPredictor) -> None:
    [(_, record)] = run_forecasts([replay_window(CANDLES, 150, 60, 5)], SAMPLING, predictor, model_name="tiny")
    again = RunRecord.from_json(record.to_json())
    assert again == record
    assert (
        again.sampling == predictor.resolve_sampling(SAMPLING) == replace(SAMPLING, **ModelConfig.extension_defaults())
    )


def test_a_record_tells_where_the_paths_began_whoever_has_said_so(predictor: KronosPredictor, tmp_path: Path) -> None:
    folder = makers.checkpoint(tmp_path, anchor_to_last_close=True)
    asking = KronosPredictor.from_pretrained(folder, device="cpu")
    window, found = replay_window(CANDLES, 150, 60, 5), {}
    for name, model in (("published", predictor), ("asking", asking)):
        for begin in (None, True, False):
            [(_, record)] = run_forecasts(
                [window], replace(SAMPLING, anchor_to_last_close=begin), model, model_name=name
            )
            found[name, begin] = (record.sampling.anchor_to_last_close, record.paths_sha256)
            assert record.to_dict()["sampling"]["anchor_to_last_close"] is record.sampling.anchor_to_last_close
    moved, drawn = found["published", True], found["published", False]
    assert (moved[0], drawn[0]) == (True, False)
    assert moved[1] != drawn[1]
    assert found["published", None] == found["asking", False] == drawn
    assert found["asking", None] == found["asking", True] == moved


def test_what_is_decoded_meanwhile_begins_where_the_forecast_does(predictor: KronosPredictor) -> None:
    def shown(begin: bool) -> tuple[np.ndarray, np.ndarray]:
        parts: list[np.ndarray] = []
        sampling = replace(SAMPLING, anchor_to_last_close=begin)
        see = lambda _, paths: parts.append(paths)  # noqa: E731 - one line for both ways
        [(forecast, _)] = run_forecasts(
            [replay_window(CANDLES, 150, 60, 20)], sampling, predictor, on_preview=see, model_name="tiny"
        )
        return parts[-1], forecast.paths[:, : parts[-1].shape[1]]

    for begin in (True, False):
        so_far, whole = shown(begin)
        np.testing.assert_allclose(so_far, whole, rtol=1e-5)
    assert abs(shown(True)[0][..., 3] - shown(False)[0][..., 3]).min() > 0


@pytest.mark.parametrize("text", ["", "[]", "{}", "12", '{"run_id": "x"}'])
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(RecordError):
        RunRecord.from_json(text)


@pytest.mark.parametrize(("values", "words"), [
    ({"unknown": 1}, "unknown: unknown"),
    ({"symbol": 5}, "symbol of a run record must be text"),
    ({"context_length": "60"}, "context_length of a run record must be a whole number"),
    ({"horizon": True}, "horizon of a run record must be a whole number"),
    ({"seconds": float("nan")}, "seconds of a run record must be a number"),
    ({"notes": "one"}, "notes of a run record must be a list of strings"),
    ({"versions": {"torch": 2}}, "versions of a run record must be a mapping of names to strings"),
    ({"timestamp_at": "middle"}, "timestamp_at of a run record must be open or close"),
    ({"session_tz": "Mars/Base"}, "an unknown time zone, 'Mars/Base'"),
    ({"cutoff": "soon"}, "must be times with a time zone"),
    ({"cutoff": "2024-01-07T05:00:00"}, "must be times with a time zone"),
    ({"future": []}, "do not match"),
    ({"sampling": {"num_paths": 0}}, "num_paths must be 1"),
    ({"sampling": {"num_paths": 4}}, "the sampling settings of a run record must have the fields"),
    ({"sampling": {"number": 4}}, "cannot be used"),
    ({"sampling": {**asdict(SAMPLING), "mirror_paths": False}}, "must be set; got null"),
    ({"sampling": {**asdict(SAMPLING), "anchor_to_last_close": 1}}, "anchor_to_last_close must be true, false or None"),
    ({"record_version": 99}, "has version 99; supported: 4"),
    ({"source": "another"}, "changed after it was saved"),
])  # fmt: skip
def test_a_record_that_does_not_hold_together_is_refused(predictor: KronosPredictor, values: dict, words: str) -> None:
    [(_, record)] = run_forecasts([replay_window(CANDLES, 150, 60, 5)], SAMPLING, predictor, model_name="tiny")
    with pytest.raises(RecordError, match=words):
        RunRecord.from_json(json.dumps({**record.to_dict(), **values}))


def test_a_record_that_lacks_a_field_or_comes_from_an_older_program_is_refused(predictor: KronosPredictor) -> None:
    [(_, record)] = run_forecasts([replay_window(CANDLES, 150, 60, 5)], SAMPLING, predictor, model_name="tiny")
    document = record.to_dict()
    with pytest.raises(RecordError, match="missing: future"):
        RunRecord.from_dict({name: value for name, value in document.items() if name != "future"})
    with pytest.raises(RecordError, match="has version 1"):
        RunRecord.from_dict({name: value for name, value in document.items() if name != "record_version"})


def test_a_record_names_both_weights_by_their_files(predictor: KronosPredictor, checkpoint: Path) -> None:
    [(_, record)] = run_forecasts([replay_window(CANDLES, 150, 60, 5)], SAMPLING, predictor, model_name="tiny")
    for digest, part in ((record.weights_sha256, "model"), (record.tokenizer_sha256, "tokenizer")):
        assert digest == hashlib.sha256((checkpoint / part / "model.safetensors").read_bytes()).hexdigest()


def test_the_policy_is_taken_and_recorded(predictor: KronosPredictor) -> None:
    window = replay_window(CANDLES, 150, 60, 5)
    policies = [
        run_forecasts([window], SAMPLING, predictor, model_name="tiny", context_overflow=p)[0][1].context_overflow
        for p in (None, "recompute")
    ]
    assert policies == ["evict", "recompute"]


def test_the_digest_of_the_paths_tells_seeds_apart_and_runs_in_company_together(predictor: KronosPredictor) -> None:
    windows = [replay_window(CANDLES, 150, 60, 5), replay_window(CANDLES, 120, 60, 5)]
    together = run_forecasts(windows, SAMPLING, predictor, model_name="tiny")
    [(_, alone)] = run_forecasts(windows[1:], SAMPLING, predictor, model_name="tiny")
    [(_, other)] = run_forecasts(windows[1:], SamplingConfig(num_paths=4, seed=4), predictor, model_name="tiny")
    assert together[1][1].paths_sha256 == alone.paths_sha256 != other.paths_sha256


def test_pages_can_name_forecasts_without_waiting_for_torch() -> None:
    modules = "kronos_dashboard.forecasting.run, kronos_dashboard.export"
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_json_schema_describes_every_field_of_a_record() -> None:
    schema = record_schema()
    assert schema["properties"].keys() == {field.name for field in fields(RunRecord)}
    assert schema["properties"]["timestamp_at"]["enum"] == ["open", "close"]
    assert "mirror_paths" in schema["$defs"]["SamplingConfig"]["properties"]
