"""Every second path mirrored upside down at the last close."""

from dataclasses import replace

import numpy as np
import pytest

from engine import KronosPredictor, SamplingConfig
from engine.features import mirror_alternate_paths
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
def test_the_first_path_stays_and_the_second_is_mirrored(predictor, overflow):
    frame = tiny.candles(30)
    plain, mirrored = (sample(predictor, frame, sampling, context_overflow=overflow) for sampling in (PLAIN, MIRRORED))
    last = frame["close"].iloc[-1]
    np.testing.assert_array_equal(mirrored[::2], plain[::2])
    for mirrored_column, plain_column in ((OPEN, OPEN), (HIGH, LOW), (LOW, HIGH), (CLOSE, CLOSE)):
        np.testing.assert_allclose(
            np.log(mirrored[1::2, :, mirrored_column] / last), -np.log(plain[1::2, :, plain_column] / last), atol=1e-6
        )
    np.testing.assert_array_equal(mirrored[1::2, :, VOLUME], plain[1::2, :, VOLUME])


def test_amount_goes_with_the_mean_price():
    paths = np.array([[[9, 12, 8, 10, 5, 50]], [[9, 12, 8, 10, 5, 48.75]]], dtype=np.float32)
    mirrored = mirror_alternate_paths(paths, 10.0)[1, 0]
    np.testing.assert_allclose(mirrored[:4], [100 / 9, 100 / 8, 100 / 12, 10], rtol=1e-6)
    np.testing.assert_allclose(mirrored[AMOUNT], 48.75 * mirrored[:4].mean() / 9.75, rtol=1e-6)


def test_the_input_is_not_changed():
    paths = np.full((2, 1, 6), 3, dtype=np.float32)
    mirror_alternate_paths(paths, 2.0)
    assert (paths == 3).all()


def test_the_mirrored_paths_have_no_direction():
    """A model that always rises by a fifth."""
    paths = np.full((1_000, 1, 6), 12, dtype=np.float32)
    assert abs(np.log(mirror_alternate_paths(paths, 10.0)[..., CLOSE] / 10).mean()) < 1e-6


@pytest.mark.parametrize("fallen", [1e-9, 0.5])
def test_a_price_that_fell_to_nearly_nothing_rises_to_ten_times_at_most(fallen):
    paths = np.full((2, 1, 6), fallen, dtype=np.float32)
    mirrored = mirror_alternate_paths(paths, 10.0)[1]
    np.testing.assert_allclose(mirrored[..., :4], 100.0, rtol=1e-6)
    assert np.isfinite(mirrored).all()


@pytest.mark.parametrize("last", [0.0, -30.0])
def test_prices_that_may_be_negative_are_mirrored_by_their_difference(last):
    paths = np.array([[[0] * 6], [[1, 4, -2, 3, 5, 15]]], dtype=np.float32)
    mirrored = mirror_alternate_paths(paths, last)[1, 0]
    np.testing.assert_allclose(mirrored, [2 * last - 1, 2 * last + 2, 2 * last - 4, 2 * last - 3, 5, 15], rtol=1e-6)


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
    for first, candles in zip((0, 2, 4), seen, strict=True):  # slices of two paths, shown once each
        np.testing.assert_allclose(candles, whole[first : first + 2, : candles.shape[1]], rtol=1e-5)


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
