"""Tasks are plain values: they survive pickling, and run the same afterwards."""

import pickle
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kronos_dashboard.compute.queue import Job, JobQueue, TaskContext
from kronos_dashboard.compute.tasks import ForecastOutcome, ForecastTask, SensitivityTask
from kronos_dashboard.forecasting.run import SamplingConfig
from kronos_dashboard.forecasting.windows import replay_window
from kronos_dashboard.models.cache import ModelCache
from kronos_dashboard.models.catalog import ModelKey
from tests.support import makers

WINDOW = replay_window(makers.candles(200), 150, 60, 5)
SAMPLING = SamplingConfig(num_paths=4, seed=3)


@pytest.fixture(scope="module")
def models() -> ModelCache:
    return ModelCache()


def context(models: ModelCache) -> TaskContext:
    return TaskContext(Job(1, "me", "forecast"), models)


def forecast_task(checkpoint: Path) -> ForecastTask:
    return ForecastTask(window=WINDOW, sampling=SAMPLING, model_key=ModelKey(name=str(checkpoint), device="cpu"))


def test_a_pickled_forecast_task_gives_the_same_paths(checkpoint: Path, models: ModelCache) -> None:
    task = forecast_task(checkpoint)
    copied = pickle.loads(pickle.dumps(task))
    assert (copied.window.identity, copied.sampling, copied.model_key) == (WINDOW.identity, SAMPLING, task.model_key)
    outcome, again = task.run(context(models)), copied.run(context(models))
    assert np.array_equal(outcome.forecast.paths, again.forecast.paths)
    assert outcome.record.paths_sha256 == again.record.paths_sha256
    assert outcome.surprisal is not None
    assert outcome.baseline.horizon == outcome.cone.horizon == WINDOW.horizon


def test_the_outcome_of_a_forecast_can_be_pickled(checkpoint: Path, models: ModelCache) -> None:
    outcome = forecast_task(checkpoint).run(context(models))
    copied = pickle.loads(pickle.dumps(outcome))
    assert copied.record == outcome.record
    assert np.array_equal(copied.forecast.paths, outcome.forecast.paths)


def test_a_pickled_sensitivity_task_gives_the_same_table_and_previews_it(checkpoint: Path, models: ModelCache) -> None:
    key = ModelKey(name=str(checkpoint), device="cpu")
    task = SensitivityTask(window=WINDOW, contexts=(40, 60), temperatures=(1.0,), sampling=SAMPLING, model_key=key)
    running = context(models)
    table = pickle.loads(pickle.dumps(task)).run(running)
    assert list(table.index) == [(40, 1.0), (60, 1.0)]
    assert isinstance(running.job.preview, pd.DataFrame)
    pd.testing.assert_frame_equal(running.job.preview, table)


def test_the_queue_lends_its_models_to_its_tasks(checkpoint: Path, models: ModelCache) -> None:
    queue = JobQueue(models=models)
    job = queue.submit("me", "forecast", forecast_task(checkpoint))
    deadline = time.monotonic() + 60
    while not job.is_finished and time.monotonic() < deadline:
        time.sleep(0.01)
    assert isinstance(job.future.result(), ForecastOutcome)
    assert job.fraction == 1.0
    queue.close()


def test_a_model_key_names_model_device_and_dtype() -> None:
    assert str(ModelKey(name="bundled")) == "bundled|best|float32"
    assert str(ModelKey(name="kronos-small", device="cpu", dtype="bfloat16")) == "kronos-small|cpu|bfloat16"
