"""Every second path turned upside down at the last close."""

from dataclasses import replace

import numpy as np
import pytest

from engine import KronosPredictor, SamplingConfig
from engine.features import mirror
from engine.generation import generate as engine_generate
from tests.support import tiny

H = 6
DRAWN = SamplingConfig(num_paths=5, seed=1, from_last_close=True, mirrored=False)
TURNED = replace(DRAWN, mirrored=True)
OPEN, HIGH, LOW, CLOSE, VOLUME, AMOUNT = range(6)


@pytest.fixture(scope="module")
def predictor():
    return tiny.predictor()


def asked(predictor, frame, sampling, **options):
    return predictor.forecast_many([frame], [tiny.future(frame, H)], sampling, **options)[0].paths.astype(float)


@pytest.mark.parametrize("policy", ["exact", "roll"])
def test_the_first_path_stays_and_the_second_is_turned(predictor, policy):
    frame = tiny.candles(30)
    drawn, turned = (asked(predictor, frame, sampling, policy=policy) for sampling in (DRAWN, TURNED))
    last = frame["close"].iloc[-1]
    np.testing.assert_array_equal(turned[::2], drawn[::2])
    for mine, theirs in ((OPEN, OPEN), (HIGH, LOW), (LOW, HIGH), (CLOSE, CLOSE)):
        np.testing.assert_allclose(
            np.log(turned[1::2, :, mine] / last), -np.log(drawn[1::2, :, theirs] / last), atol=1e-6
        )
    np.testing.assert_array_equal(turned[1::2, :, VOLUME], drawn[1::2, :, VOLUME])


def test_amount_goes_with_the_mean_price():
    paths = np.array([[[9, 12, 8, 10, 5, 50]], [[9, 12, 8, 10, 5, 48.75]]], dtype=np.float32)
    turned = mirror(paths, 10.0)[1, 0]
    np.testing.assert_allclose(turned[:4], [100 / 9, 100 / 8, 100 / 12, 10], rtol=1e-6)
    np.testing.assert_allclose(turned[AMOUNT], 48.75 * turned[:4].mean() / 9.75, rtol=1e-6)


def test_what_it_is_given_stays_as_it_was():
    paths = np.full((2, 1, 6), 3, dtype=np.float32)
    mirror(paths, 2.0)
    assert (paths == 3).all()


def test_the_paths_together_lean_nowhere():
    """A model that always rises by a fifth."""
    paths = np.full((1_000, 1, 6), 12, dtype=np.float32)
    assert abs(np.log(mirror(paths, 10.0)[..., CLOSE] / 10).mean()) < 1e-6


@pytest.mark.parametrize("fallen", [1e-9, 0.5])
def test_a_price_that_fell_to_nearly_nothing_rises_to_ten_times_at_most(fallen):
    paths = np.full((2, 1, 6), fallen, dtype=np.float32)
    turned = mirror(paths, 10.0)[1]
    np.testing.assert_allclose(turned[..., :4], 100.0, rtol=1e-6)
    assert np.isfinite(turned).all()


@pytest.mark.parametrize("last", [0.0, -30.0])
def test_prices_that_may_be_negative_turn_by_their_difference(last):
    paths = np.array([[[0] * 6], [[1, 4, -2, 3, 5, 15]]], dtype=np.float32)
    turned = mirror(paths, last)[1, 0]
    np.testing.assert_allclose(turned, [2 * last - 1, 2 * last + 2, 2 * last - 4, 2 * last - 3, 5, 15], rtol=1e-6)


@pytest.mark.parametrize("level", [1e-6, 1.0, 1e9])
def test_turned_candles_are_possible(predictor, level):
    paths = asked(predictor, tiny.candles(30, level=level), TURNED)
    assert (paths[..., HIGH] >= paths[..., [OPEN, CLOSE]].max(axis=-1)).all()
    assert (paths[..., LOW] <= paths[..., [OPEN, CLOSE]].min(axis=-1)).all()
    assert (paths[..., [VOLUME, AMOUNT]] >= 0).all()
    assert (paths[..., LOW] > 0).all()


def test_a_path_does_not_depend_on_how_many_there_are_nor_on_slices(predictor, monkeypatch):
    frame, seen = tiny.candles(24), []
    whole = asked(predictor, frame, TURNED)
    np.testing.assert_allclose(asked(predictor, frame, replace(TURNED, num_paths=2)), whole[:2], rtol=1e-5)
    monkeypatch.setattr(engine_generate, "_MOST_CACHE_BYTES", 1)
    sliced = asked(predictor, frame, TURNED, partial=lambda _, candles: seen.append(candles))
    np.testing.assert_allclose(sliced, whole, rtol=1e-5)
    for first, candles in zip((0, 2, 4), seen, strict=True):  # slices of two paths, shown once each
        np.testing.assert_allclose(candles, whole[first : first + 2, : candles.shape[1]], rtol=1e-5)


def test_a_model_may_ask_for_it_and_the_caller_overrules_it(predictor):
    frame = tiny.candles(24)
    asking = KronosPredictor(tiny.model(mirrored=True), tiny.tokenizer(), "cpu", tiny.MAX_CONTEXT)
    left = replace(TURNED, mirrored=None)
    np.testing.assert_array_equal(asked(asking, frame, left), asked(predictor, frame, TURNED))
    np.testing.assert_array_equal(asked(asking, frame, DRAWN), asked(predictor, frame, left))


def test_a_models_min_p_counts_unless_the_caller_says_otherwise(predictor):
    frame = tiny.candles(24)
    asking = KronosPredictor(tiny.model(min_p=0.3), tiny.tokenizer(), "cpu", tiny.MAX_CONTEXT)
    few, all_of_them = asked(asking, frame, DRAWN), asked(predictor, frame, DRAWN)
    assert (few != all_of_them).any()
    np.testing.assert_array_equal(few, asked(predictor, frame, replace(DRAWN, min_p=0.3)))
    np.testing.assert_array_equal(all_of_them, asked(asking, frame, replace(DRAWN, min_p=0.0)))


def test_what_is_left_to_the_model_can_be_told():
    asking = KronosPredictor(tiny.model(mirrored=True, min_p=0.01), tiny.tokenizer(), "cpu", tiny.MAX_CONTEXT)
    assert asking.settled() == SamplingConfig(from_last_close=False, mirrored=True, min_p=0.01)
    said = replace(DRAWN, min_p=0.0)
    assert asking.settled(said) == said
