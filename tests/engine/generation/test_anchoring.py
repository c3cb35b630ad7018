"""Paths that begin at the last close, instead of where the tokens of the last candle put it."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine import ConfigError, KronosPredictor, ModelConfig, SamplingConfig
from engine.features import candle_values, statistics
from engine.generation import generate as engine_generate
from tests.support import tiny

H = 6
POLICIES = pytest.mark.parametrize("policy", ["exact", "roll"])
AS_DRAWN = SamplingConfig(num_paths=5, seed=1, from_last_close=False)
MOVED = replace(AS_DRAWN, from_last_close=True)
PRICES, CLOSE = slice(0, 4), 3


@pytest.fixture(scope="module")
def predictor():
    return tiny.predictor()


def asked(predictor, frame, sampling, horizon=H, **options):
    return predictor.forecast_many([frame], [tiny.future(frame, horizon)], sampling, **options)[0]


def missed(predictor, frame):
    """What the tokens miss of the last close, in price units: by the whole decoder, not by the one with a cache."""
    values = candle_values(frame)[-predictor.max_context :]
    known = statistics(values)
    start = max(0, len(values) + H - predictor.max_context)
    with torch.inference_mode():
        coarse, fine = predictor.tokenizer.encode(torch.from_numpy(known.normalise(values))[None])
        last = predictor.tokenizer.decode(coarse[:, start:], fine[:, start:])[0, -1].numpy()
    return values[-1, CLOSE] - known.denormalise(last)[CLOSE]


@POLICIES
@pytest.mark.parametrize("rows", [24, 30, 60])
def test_every_price_of_every_path_moves_by_what_the_tokens_miss(predictor, rows, policy):
    frame = tiny.candles(rows)
    drawn, moved = (asked(predictor, frame, s, policy=policy).paths.astype(float) for s in (AS_DRAWN, MOVED))
    gap = missed(predictor, frame)
    assert abs(gap) > 0.05 * frame["close"].std()  # a tokenizer that was never trained misses it by far
    np.testing.assert_allclose(moved[..., CLOSE], drawn[..., CLOSE] + gap, rtol=2e-5)
    np.testing.assert_allclose(moved[..., 0] - drawn[..., 0], gap, rtol=0.2)  # each column by its own deviation
    np.testing.assert_array_equal(moved[..., 4:], drawn[..., 4:])


def test_it_is_off_unless_the_model_or_the_caller_asks(predictor):
    frame = tiny.candles(24)
    plain = asked(predictor, frame, replace(AS_DRAWN, from_last_close=None))
    np.testing.assert_array_equal(plain.paths, asked(predictor, frame, AS_DRAWN).paths)
    assert predictor.settled(MOVED).from_last_close is True
    assert predictor.settled(replace(MOVED, from_last_close=None)).from_last_close is False


def test_a_model_may_ask_for_it_and_the_caller_overrules_it(predictor):
    frame = tiny.candles(24)
    asking = KronosPredictor(tiny.model(from_last_close=True), tiny.tokenizer(), "cpu", tiny.MAX_CONTEXT)
    for sampling, same in ((replace(MOVED, from_last_close=None), MOVED), (AS_DRAWN, AS_DRAWN)):
        np.testing.assert_array_equal(
            asked(asking, frame, sampling).paths, asked(predictor, frame, same).paths, err_msg=str(sampling)
        )


def test_the_references_form_follows_the_model(predictor):
    frame = tiny.candles(24)
    asking = KronosPredictor(tiny.model(from_last_close=True), tiny.tokenizer(), "cpu", tiny.MAX_CONTEXT)
    means = []
    for one in (predictor, asking):
        torch.manual_seed(3)
        means.append(
            one.predict(frame, frame.index.to_series(), tiny.future(frame, H).to_series(), H, verbose=False)["close"]
        )
    np.testing.assert_allclose(means[1] - means[0], missed(predictor, frame), rtol=1e-3)


@POLICIES
def test_a_horizon_that_leaves_the_decoder_no_context_moves_by_what_the_whole_context_misses(predictor, policy):
    frame, most = tiny.candles(24), tiny.MAX_CONTEXT
    drawn, moved = (asked(predictor, frame, s, most, policy=policy).paths[..., CLOSE] for s in (AS_DRAWN, MOVED))
    np.testing.assert_allclose(moved.astype(float) - drawn, missed(predictor, frame), rtol=1e-3)


@POLICIES
def test_alone_in_a_batch_in_slices_and_as_one_path(predictor, monkeypatch, policy):
    frames = [tiny.candles(rows, seed=rows) for rows in (24, 24, 9)]
    together = predictor.forecast_many(frames, [tiny.future(f, H) for f in frames], MOVED, policy=policy)
    for frame, got in zip(frames, together, strict=True):
        np.testing.assert_allclose(got.paths, asked(predictor, frame, MOVED, policy=policy).paths, rtol=1e-5)
        one = asked(predictor, frame, replace(MOVED, num_paths=1), policy=policy)
        np.testing.assert_allclose(one.paths, got.paths[:1], rtol=1e-5)
    monkeypatch.setattr(engine_generate, "_MOST_CACHE_BYTES", 1)
    sliced = predictor.forecast_many(frames, [tiny.future(f, H) for f in frames], MOVED, policy=policy)
    for one, other in zip(together, sliced, strict=True):
        np.testing.assert_allclose(one.paths, other.paths, rtol=1e-5)


def test_who_watches_sees_the_moved_candles(predictor):
    frame, seen = tiny.candles(24), []
    got = asked(predictor, frame, MOVED, partial=lambda _, candles: seen.append(candles))
    assert seen
    for candles in seen:
        np.testing.assert_allclose(candles, got.paths[:, : candles.shape[1]], rtol=1e-5)


def test_a_last_candle_that_is_cut_is_where_the_paths_begin_all_the_same(predictor):
    frame = tiny.candles(30)
    frame.iloc[-1, PRICES] *= 1.5  # 10 standard deviations up
    last, deviation = frame["close"].iloc[-1], frame["close"].iloc[:-1].std()
    drawn, moved = asked(predictor, frame, AS_DRAWN), asked(predictor, frame, MOVED)
    assert (drawn.paths[..., CLOSE] - last < -deviation).all()
    np.testing.assert_allclose(
        (moved.paths - drawn.paths)[..., CLOSE], missed(predictor, frame), rtol=1e-4, atol=1e-5 * last
    )
    assert "nearer the mean than the last close" in drawn.notes[0]
    assert "the shape of the paths is that of a smaller move" in moved.notes[0]


def test_moved_prices_are_still_those_of_candles(predictor):
    frame = tiny.candles(24, level=1e-6)
    frame.iloc[-1, PRICES] *= 0.02
    paths = asked(predictor, frame, MOVED).paths
    assert (paths[..., 2] > 0).all()
    assert (paths[..., 2] <= paths[..., [0, 3]].min(axis=-1)).all()
    assert (paths[..., 1] >= paths[..., [0, 3]].max(axis=-1)).all()


def test_a_series_that_never_moves_stays_exactly_where_it_is(predictor):
    frame = tiny.candles(24)
    frame.iloc[:, PRICES] = 7.0
    np.testing.assert_allclose(asked(predictor, frame, MOVED).paths[..., CLOSE], 7.0, rtol=1e-4)


def test_the_key_of_config_json_is_there_only_where_it_says_something(tmp_path):
    published = ModelConfig(**tiny.MODEL).to_dict()
    assert "from_last_close" not in published
    assert ModelConfig.from_mapping(published).from_last_close is False
    asking = tiny.model(from_last_close=True)
    asking.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text()) == published | {"from_last_close": True}
    assert type(asking).from_pretrained(tmp_path).config == asking.config


@pytest.mark.parametrize("value", [1, "yes", None])
def test_the_key_must_be_true_or_false(value):
    with pytest.raises(ConfigError, match="from_last_close must be true or false"):
        ModelConfig(**tiny.MODEL, from_last_close=value)


def test_the_sampling_takes_true_false_or_none():
    with pytest.raises(ConfigError, match="from_last_close must be true, false or None; got 1"):
        SamplingConfig(from_last_close=1)
