"""Antithetic pairs: each sampled path and its own mirror image about the last close."""

from dataclasses import replace

import numpy as np
import pytest

from engine import KronosPredictor, SamplingConfig
from engine.features import interleave_mirror_images
from engine.generation import generate as engine_generate
from tests.support import tiny

H = 6
PLAIN = SamplingConfig(num_paths=5, seed=1, anchor_to_last_close=True, mirror_paths=False)
MIRRORED = replace(PLAIN, mirror_paths=True)
OPEN, HIGH, LOW, CLOSE, VOLUME, AMOUNT = range(6)


@pytest.fixture(scope="module")
def predictor():
    return tiny.predictor()


def sample(predictor, frame, sampling, **options):
    return predictor.forecast_many([frame], [tiny.future(frame, H)], sampling, **options)[0].paths.astype(float)


@pytest.mark.parametrize("overflow", ["recompute", "evict"])
@pytest.mark.parametrize("num_paths", [2, 5, 6])
def test_each_sampled_path_is_followed_by_its_own_mirror_image(predictor, overflow, num_paths):
    frame = tiny.candles(30)
    mirrored = sample(predictor, frame, replace(MIRRORED, num_paths=num_paths), context_overflow=overflow)
    num_decoded = -(-num_paths // 2)
    plain = sample(predictor, frame, replace(PLAIN, num_paths=num_decoded), context_overflow=overflow)
    last = frame["close"].iloc[-1]
    assert len(mirrored) == num_paths
    np.testing.assert_array_equal(mirrored[::2], plain)
    originals, images = mirrored[: num_paths // 2 * 2 : 2], mirrored[1::2]
    for image_column, column in ((OPEN, OPEN), (HIGH, LOW), (LOW, HIGH), (CLOSE, CLOSE)):
        np.testing.assert_allclose(
            np.log(images[..., image_column] / last), -np.log(originals[..., column] / last), atol=1e-6
        )
    np.testing.assert_array_equal(images[..., VOLUME], originals[..., VOLUME])


@pytest.mark.parametrize("level", [1e-6, 1.18567, 1e9])
def test_the_median_is_the_last_close_and_intervals_are_symmetric(predictor, level):
    frame = tiny.candles(30, level=level)
    [forecast] = predictor.forecast_many([frame], [tiny.future(frame, H)], replace(MIRRORED, num_paths=10))
    last = frame["close"].iloc[-1]
    np.testing.assert_allclose(forecast.median(), last, rtol=1e-6)
    lower, upper = forecast.band(0.8)
    np.testing.assert_allclose(np.log(upper / last), -np.log(lower / last), atol=1e-6)
    closes, center = forecast.paths[..., CLOSE], np.float32(last)
    np.testing.assert_array_equal((closes > center).sum(axis=0), (closes < center).sum(axis=0))


def test_a_single_path_has_no_mirror_image(predictor):
    frame = tiny.candles(30)
    single = [sample(predictor, frame, replace(sampling, num_paths=1)) for sampling in (PLAIN, MIRRORED)]
    np.testing.assert_array_equal(*single)


def test_pairs_cost_half_the_decode_steps(predictor, monkeypatch):
    """Memory for two paths at a time: six paths in pairs are two slices."""
    frame, steps = tiny.candles(24), []
    monkeypatch.setattr(engine_generate, "_MAX_CACHE_BYTES", 1)
    six = replace(MIRRORED, num_paths=6)
    sample(predictor, frame, six, progress=lambda done, total: steps.append((done, total)))
    assert steps[-1] == (2 * H, 2 * H)


def test_amount_goes_with_the_mean_price():
    paths = np.array([[[9, 12, 8, 10, 5, 48.75]]], dtype=np.float32)
    image = interleave_mirror_images(paths, 10.0)[1, 0]
    np.testing.assert_allclose(image[:4], [100 / 9, 100 / 8, 100 / 12, 10], rtol=1e-6)
    np.testing.assert_allclose(image[AMOUNT], 48.75 * image[:4].mean() / 9.75, rtol=1e-6)


def test_the_input_is_not_changed():
    paths = np.full((2, 1, 6), 3, dtype=np.float32)
    interleave_mirror_images(paths, 2.0)
    assert (paths == 3).all()


def test_an_unchanged_price_is_its_own_mirror_image():
    last = 1.18567  # no float32: rounded as the paths are
    pairs = interleave_mirror_images(np.full((1, 1, 6), last, dtype=np.float32), last)
    np.testing.assert_array_equal(pairs[0], pairs[1])


@pytest.mark.parametrize("fallen", [1e-9, 0.5])
def test_a_price_that_fell_to_nearly_nothing_rises_to_ten_times_at_most(fallen):
    image = interleave_mirror_images(np.full((1, 1, 6), fallen, dtype=np.float32), 10.0)[1]
    np.testing.assert_allclose(image[..., :4], 100.0, rtol=1e-6)
    assert np.isfinite(image).all()


@pytest.mark.parametrize("last", [0.0, -30.0])
def test_prices_that_may_be_negative_are_mirrored_by_their_difference(last):
    paths = np.array([[[1, 4, -2, 3, 5, 15]]], dtype=np.float32)
    image = interleave_mirror_images(paths, last)[1, 0]
    np.testing.assert_allclose(image, [2 * last - 1, 2 * last + 2, 2 * last - 4, 2 * last - 3, 5, 15], rtol=1e-6)


@pytest.mark.parametrize("level", [1e-6, 1.0, 1e9])
def test_mirrored_candles_are_valid(predictor, level):
    paths = sample(predictor, tiny.candles(30, level=level), MIRRORED)
    assert (paths[..., HIGH] >= paths[..., [OPEN, CLOSE]].max(axis=-1)).all()
    assert (paths[..., LOW] <= paths[..., [OPEN, CLOSE]].min(axis=-1)).all()
    assert (paths[..., [VOLUME, AMOUNT]] >= 0).all()
    assert (paths[..., LOW] > 0).all()


def test_a_path_does_not_depend_on_how_many_there_are_nor_on_slices(predictor, monkeypatch):
    frame, seen = tiny.candles(24), []
    whole = sample(predictor, frame, MIRRORED)
    np.testing.assert_allclose(sample(predictor, frame, replace(MIRRORED, num_paths=2)), whole[:2], rtol=1e-5)
    monkeypatch.setattr(engine_generate, "_MAX_CACHE_BYTES", 1)
    sliced = sample(predictor, frame, MIRRORED, on_preview=lambda _, candles: seen.append(candles))
    np.testing.assert_allclose(sliced, whole, rtol=1e-5)
    for first, candles in zip((0, 4), seen, strict=True):  # slices of two pairs and of what is left, shown once each
        count = min(4, 5 - first)
        np.testing.assert_allclose(candles[:count], whole[first : first + 4, : candles.shape[1]], rtol=1e-5)


def test_the_models_default_holds_unless_the_caller_overrides_it(predictor):
    frame = tiny.candles(24)
    neutral = KronosPredictor(tiny.model(mirror_paths=True), tiny.tokenizer(), "cpu", tiny.MAX_CONTEXT)
    unset = replace(MIRRORED, mirror_paths=None)
    np.testing.assert_array_equal(sample(neutral, frame, unset), sample(predictor, frame, MIRRORED))
    np.testing.assert_array_equal(sample(neutral, frame, PLAIN), sample(predictor, frame, unset))


def test_the_models_min_p_holds_unless_the_caller_overrides_it(predictor):
    frame = tiny.candles(24)
    neutral = KronosPredictor(tiny.model(min_p=0.3), tiny.tokenizer(), "cpu", tiny.MAX_CONTEXT)
    filtered, unfiltered = sample(neutral, frame, PLAIN), sample(predictor, frame, PLAIN)
    assert (filtered != unfiltered).any()
    np.testing.assert_array_equal(filtered, sample(predictor, frame, replace(PLAIN, min_p=0.3)))
    np.testing.assert_array_equal(unfiltered, sample(neutral, frame, replace(PLAIN, min_p=0.0)))


def test_settings_left_to_the_model_are_resolved():
    neutral = KronosPredictor(tiny.model(mirror_paths=True, min_p=0.01), tiny.tokenizer(), "cpu", tiny.MAX_CONTEXT)
    assert neutral.resolve_sampling() == SamplingConfig(anchor_to_last_close=False, mirror_paths=True, min_p=0.01)
    explicit = replace(PLAIN, min_p=0.0)
    assert neutral.resolve_sampling(explicit) == explicit
