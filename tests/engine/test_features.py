import numpy as np
import pandas as pd
import pytest

from engine import COLUMNS, InvalidCandlesError
from engine.features import ZSCORE_CLIP, candle_values, compute_stats, enforce_ohlc_constraints, time_features
from tests.support import tiny

# ------------------------------------------------------------------------------------------------- candle_values


def test_columns_come_in_the_models_order_whatever_theirs():
    frame = tiny.candles(9)
    shuffled = frame[["amount", "close", "low", "volume", "open", "high"]].assign(vwap=1.0)
    np.testing.assert_array_equal(candle_values(shuffled), frame[list(COLUMNS)].to_numpy())


def test_without_volume_and_amount_both_are_zero():
    values = candle_values(tiny.candles(5)[["open", "high", "low", "close"]])
    assert values.shape == (5, 6)
    assert (values[:, 4:] == 0).all()


def test_a_missing_amount_is_volume_times_the_mean_price():
    frame = tiny.candles(5).drop(columns="amount")
    wanted = frame["volume"] * frame[["open", "high", "low", "close"]].mean(axis=1)
    np.testing.assert_allclose(candle_values(frame)[:, 5], wanted, rtol=1e-12)


def test_a_given_amount_is_kept_when_volume_is_missing():
    frame = tiny.candles(5).drop(columns="volume")
    values = candle_values(frame)
    np.testing.assert_array_equal(values[:, 5], frame["amount"])
    assert (values[:, 4] == 0).all()


def test_the_frame_is_left_as_it_was():
    frame = tiny.candles(5)
    before = frame.copy(deep=True)
    candle_values(frame)[:] = 0
    pd.testing.assert_frame_equal(frame, before)


def test_whole_numbers_and_numbers_in_object_columns_are_numbers():
    frame = pd.DataFrame({c: pd.Series([1, 2], dtype=object) for c in ("open", "high", "low", "close")})
    assert candle_values(frame.assign(volume=[3, 4])).tolist() == [[1, 1, 1, 1, 3, 3], [2, 2, 2, 2, 4, 8]]


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_named_with_its_place(column, bad):
    frame = tiny.candles(9)
    frame.loc[frame.index[[4, 7]], column] = bad
    with pytest.raises(
        InvalidCandlesError,
        match=f"tables must have finite numbers; column {column} has 2 .* at row 4 .2024-03-04 09:55:00.: ",
    ):
        candle_values(frame, "tables")


@pytest.mark.parametrize("gone", [["close"], ["open", "low"]])
def test_missing_price_columns_are_named(gone):
    with pytest.raises(InvalidCandlesError, match=f"missing: {', '.join(gone)}. Its columns: .*volume"):
        candle_values(tiny.candles(5).drop(columns=gone))


def test_a_frame_without_any_columns_says_so():
    with pytest.raises(InvalidCandlesError, match=r"missing: open, high, low, close\. Its columns: none"):
        candle_values(pd.DataFrame(index=[1, 2]))


def test_no_rows_are_refused():
    with pytest.raises(InvalidCandlesError, match="has no rows; at least 1 candle is required"):
        candle_values(tiny.candles(5).iloc[:0])


def test_text_is_refused():
    with pytest.raises(InvalidCandlesError, match="must have numbers in"):
        candle_values(tiny.candles(2).assign(close=["1.5", "n/a"]))


# ---------------------------------------------------------------------------------------------------- statistics


@pytest.mark.parametrize("compat", [True, False])
def test_ordinary_columns_use_the_published_formula(compat):
    values = candle_values(tiny.candles(50))
    z = compute_stats(values, reference_compat=compat).normalize(values)
    wanted = np.clip((values - values.mean(0)) / (values.std(0) + 1e-5), -ZSCORE_CLIP, ZSCORE_CLIP)
    np.testing.assert_allclose(z, wanted, rtol=1e-6, atol=1e-7)
    assert z.dtype == np.float32


def test_normalising_clips_and_denormalising_inverts_the_rest():
    values = candle_values(tiny.candles(60))
    values[30] = values[:30].mean(0) + 40 * values.std(0)
    found = compute_stats(values)
    z = found.normalize(values)
    assert z.max() == ZSCORE_CLIP
    assert found.normalize(values, clip=2.0).max() == 2.0
    np.testing.assert_allclose(found.denormalize(z)[:30], values[:30], rtol=1e-5)
    assert found.denormalize(z).dtype == np.float64


def test_distance_is_that_of_the_farthest_price_unclipped():
    values = candle_values(tiny.candles(60))
    found = compute_stats(values)
    candle = found.mean.copy()
    candle[1] += 7.5 * found.scale[1]
    candle[2] -= 2.0 * found.scale[2]
    candle[4] += 99 * found.scale[4]  # volume is no price
    assert found.max_abs_zscore(candle) == pytest.approx(7.5)


@pytest.mark.parametrize("level", [1e-9, 1e-6, 1e-3, 1.0, 1e3, 1e9])
def test_z_scores_hardly_depend_on_the_unit(level):
    """The published constant moves a z-score by at most 0.1 %, for a coin worth 1e-9 too."""
    values = candle_values(tiny.candles(50))[:, :4]
    z = compute_stats(values * level).normalize(values * level).astype(np.float64)
    exact = np.clip((values - values.mean(0)) / values.std(0), -ZSCORE_CLIP, ZSCORE_CLIP)
    np.testing.assert_allclose(z, exact, rtol=1.1e-3, atol=1e-6)


def test_the_published_constant_drowns_small_prices_and_is_kept_for_parity():
    values = candle_values(tiny.candles(50))[:, :4] * 1e-8
    z = compute_stats(values, reference_compat=True).normalize(values)
    np.testing.assert_allclose(z, (values - values.mean(0)) / (values.std(0) + 1e-5), rtol=1e-4, atol=1e-7)
    assert np.abs(z).max() < 0.02


def test_statistics_are_taken_in_double_precision():
    """At a price of 1e9 that moves by 1, single precision sees steps of 64."""
    step = np.arange(200.0)
    values = 1e9 + np.column_stack([step] * 6)
    z = compute_stats(values).normalize(values)[:, 0]
    np.testing.assert_allclose(z, (step - step.mean()) / (step.std() + 1e-5), rtol=1e-5)


@pytest.mark.parametrize("level", [0.0, 0.1, 1e9])
def test_a_constant_column_is_zero_everywhere(level):
    """0.1 has no exact mean in binary: rounding must not be magnified into a signal."""
    values = np.full((997, 6), level)
    found = compute_stats(values)
    assert (found.normalize(values) == 0).all()
    np.testing.assert_array_equal(found.denormalize(np.zeros((2, 6))), np.full((2, 6), level))


# ------------------------------------------------------------------------------------------------- time_features


def test_time_features_are_minute_hour_weekday_day_month():
    index = pd.DatetimeIndex(["2024-02-29 23:59:58", "2024-03-03 00:00", "2023-12-31 15:07"])
    features = time_features(index)
    assert features.dtype == np.int64
    assert features.tolist() == [[59, 23, 3, 29, 2], [0, 0, 6, 3, 3], [7, 15, 6, 31, 12]]


def test_time_features_are_read_in_the_indexs_own_zone():
    local = pd.DatetimeIndex(["2024-03-04 01:30"], tz="Asia/Shanghai")
    assert time_features(local).tolist() == [[30, 1, 0, 4, 3]]
    assert time_features(local.tz_convert("UTC")).tolist() == [[30, 17, 6, 3, 3]]


# -------------------------------------------------------------------------------------------------------- repair


def test_possible_candles_are_left_alone():
    values = candle_values(tiny.candles(20))
    mended, changed = enforce_ohlc_constraints(values[None], values)
    assert changed == 0.0
    np.testing.assert_array_equal(mended[0], values.astype(np.float32))


def test_repaired_candles_are_possible_and_keep_open_and_close():
    rng = np.random.default_rng(0)
    context = candle_values(tiny.candles(20))
    paths = rng.normal(100, 5, (7, 9, 6))
    paths[..., 4:] -= 100
    mended, changed = enforce_ohlc_constraints(paths, context)
    opened, high, low, close, volume, amount = np.moveaxis(mended, -1, 0)
    assert (low <= np.minimum(opened, close)).all()
    assert (np.maximum(opened, close) <= high).all()
    assert min(volume.min(), amount.min()) >= 0
    np.testing.assert_array_equal(mended[..., [0, 3]], paths[..., [0, 3]].astype(np.float32))
    assert mended.dtype == np.float32
    assert 0.5 < changed <= 1.0


def test_the_repaired_fraction_counts_candles():
    context = candle_values(tiny.candles(20))
    paths = np.stack([context[:4]] * 2)
    paths[1, 2, 1] = 0.0  # one high below everything
    assert enforce_ohlc_constraints(paths, context)[1] == pytest.approx(1 / 8)


def test_a_positive_series_stays_positive_and_another_need_not():
    context = candle_values(tiny.candles(20))
    paths = np.full((1, 1, 6), -3.0)
    floor = context[:, :4].min() * 1e-3
    np.testing.assert_allclose(enforce_ohlc_constraints(paths, context)[0][..., :4], floor, rtol=1e-6)
    context[3, 2] = -1.0  # oil, April 2020
    assert (enforce_ohlc_constraints(paths, context)[0][..., :4] == -3.0).all()


def test_a_series_without_volume_is_given_none_and_that_is_no_repair():
    context = candle_values(tiny.candles(20))
    paths = np.repeat(context[None, :4], 2, axis=0)
    paths[0, :, 4:], paths[1, :, 4:] = -1e-4, 1e-4
    quiet = context.copy()
    quiet[:, 4:] = 0.0
    mended, changed = enforce_ohlc_constraints(paths, quiet)
    assert (mended[..., 4:] == 0).all()
    assert changed == 0.0
    quiet[3, 4] = 1.0  # one traded candle: its volume is drawn, its amount is not
    mended, changed = enforce_ohlc_constraints(paths, quiet)
    assert (mended[0, :, 4:] == 0).all()
    np.testing.assert_allclose(mended[1, :, 4], 1e-4, rtol=1e-6)
    assert (mended[1, :, 5] == 0).all()
    assert changed == 0.5


def test_repairing_leaves_its_input_alone():
    paths = np.random.default_rng(0).normal(0, 1, (2, 3, 6))
    before = paths.copy()
    enforce_ohlc_constraints(paths, candle_values(tiny.candles(20)))
    np.testing.assert_array_equal(paths, before)
