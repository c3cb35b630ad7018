import numpy as np
import pandas as pd
import pytest

from engine import COLUMNS, Forecast, SamplingConfig

PATHS = np.random.default_rng(0).normal(100, 3, (11, 4, 6)).astype(np.float32)
INDEX = pd.date_range("2024-03-04", periods=4, freq="h", tz="UTC")


@pytest.fixture
def forecast():
    return Forecast(paths=PATHS, index=INDEX)


def test_it_knows_its_size(forecast):
    assert (forecast.num_paths, forecast.horizon) == (11, 4)


def test_quantiles_are_taken_over_the_paths_of_one_column(forecast):
    assert forecast.quantile(0.1).shape == (4,)
    for number, column in enumerate(COLUMNS):
        wanted = np.quantile(PATHS[:, :, number], (0.1, 0.7), axis=0)
        np.testing.assert_array_equal(forecast.quantile((0.1, 0.7), column), wanted)


def test_close_is_the_column_where_none_is_named(forecast):
    np.testing.assert_array_equal(forecast.quantile(0.3), np.quantile(PATHS[:, :, 3], 0.3, axis=0))


def test_a_band_leaves_half_of_the_rest_on_each_side(forecast):
    np.testing.assert_allclose(forecast.band(0.8), np.quantile(PATHS[:, :, 3], (0.1, 0.9), axis=0), rtol=1e-12)


def test_a_wider_band_encloses_a_narrower_one(forecast):
    wide, narrow = forecast.band(0.9, "low"), forecast.band(0.5, "low")
    assert (wide[0] <= narrow[0]).all()
    assert (narrow[1] <= wide[1]).all()


def test_the_median_of_an_odd_number_of_paths_is_one_of_them(forecast):
    np.testing.assert_array_equal(forecast.median("high"), np.sort(PATHS[:, :, 1], axis=0)[5])


def test_the_medoid_path_is_nearest_the_median_close():
    level = np.array([0.0, 9.0, 4.0, 5.0, 6.0], dtype=np.float32)
    paths = np.broadcast_to(level[:, None, None], (5, 3, 6)).copy()
    paths[..., 4] = 100 - paths[..., 4]  # other columns do not count
    assert Forecast(paths=paths, index=INDEX[:3]).medoid_path() == 3


def test_a_path_comes_as_a_frame_of_candles(forecast):
    frame = forecast.candles(2)
    assert list(frame.columns) == list(COLUMNS)
    assert frame.index.equals(INDEX)
    np.testing.assert_array_equal(frame.to_numpy(), PATHS[2])


def test_the_frame_is_the_medoid_path_by_default(forecast):
    np.testing.assert_array_equal(forecast.candles().to_numpy(), PATHS[forecast.medoid_path()])


@pytest.mark.parametrize("mirror_paths", [True, False, None])
def test_every_second_path_of_a_mirrored_forecast_is_a_mirror_image(mirror_paths):
    forecast = Forecast(paths=PATHS, index=INDEX, sampling=SamplingConfig(mirror_paths=mirror_paths))
    assert forecast.is_mirrored is bool(mirror_paths)
    np.testing.assert_array_equal(forecast.unmirrored_paths, PATHS[::2] if mirror_paths else PATHS)


def test_a_single_path_is_never_a_mirror_image():
    single = Forecast(paths=PATHS[:1], index=INDEX, sampling=SamplingConfig(mirror_paths=True))
    assert not single.is_mirrored
    np.testing.assert_array_equal(single.unmirrored_paths, PATHS[:1])


def test_a_forecast_without_sampling_has_no_mirror_images(forecast):
    assert forecast.sampling is None
    assert not forecast.is_mirrored
    assert forecast.unmirrored_paths is forecast.paths
