"""What happens to forecasts of this app in the importer."""

import pytest

from engine import KronosPredictor
from kronos_dashboard import export
from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.forecasting import SamplingConfig, run
from kronos_dashboard.importers import read
from kronos_dashboard.windows import latest
from tests.dashboard import makers

WHERE = "Forecast page: Take away, open an exported forecast"


@pytest.fixture(scope="module")
def made(predictor: KronosPredictor):
    window = latest(makers.candles(200), 60, 5)
    [(forecast, record)] = run([window], SamplingConfig(num_paths=3), predictor, model_name="tiny")
    return window, forecast, record


def test_an_exported_forecast_with_all_paths_is_refused_and_the_place_to_open_it_told(made) -> None:
    _, forecast, record = made
    for data, name in (
        (export.paths_csv(forecast, record), "paths.csv"),
        (export.paths_parquet(forecast, record), "paths.parquet"),
    ):
        with pytest.raises(ImportFailed, match="exported forecast with all its paths") as caught:
            read(data, name)
        assert WHERE in caught.value.hint


def test_the_table_of_an_exported_forecast_is_told_to_be_one_sampled_path(made) -> None:
    window, _, _ = made
    found = read(export.forecast_csv(*made), "table.csv")
    assert len(found.candles) == window.horizon
    assert any(WHERE in note.text for note in found.notes if note.level == "warning")
