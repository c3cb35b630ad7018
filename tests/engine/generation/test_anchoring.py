"""Paths that start at the last close instead of the price that the last context token decodes to."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine import ConfigError, KronosPredictor, ModelConfig, SamplingConfig
from engine.features import candle_values, compute_stats
from engine.generation import generate as engine_generate
from tests.support import tiny

H = 6
OVERFLOWS = pytest.mark.parametrize("overflow", ["recompute", "evict"])
UNANCHORED = SamplingConfig(num_paths=5, seed=1, anchor_to_last_close=False)
ANCHORED = replace(UNANCHORED, anchor_to_last_close=True)
PRICES, CLOSE = slice(0, 4), 3


@pytest.fixture(scope="module")
def predictor():
    return tiny.predictor()


def sample(predictor, frame, sampling, horizon=H, **options):
    return predictor.forecast_many([frame], [tiny.future(frame, horizon)], sampling, **options)[0]


def close_offset(predictor, frame):
    """Last close less decoded last close, price units, by the decoder without a cache."""
    values = candle_values(frame)[-predictor.max_context :]
    stats = compute_stats(values)
    start = max(0, len(values) + H - predictor.max_context)
    with torch.inference_mode():
        coarse, fine = predictor.tokenizer.encode(torch.from_numpy(stats.normalize(values))[None])
        last = predictor.tokenizer.decode(coarse[:, start:], fine[:, start:])[0, -1].numpy()
    return values[-1, CLOSE] - stats.denormalize(last)[CLOSE]


@OVERFLOWS
@pytest.mark.parametrize("rows", [24, 30, 60])
def test_every_price_of_every_path_is_shifted_by_the_close_offset(predictor, rows, overflow):
    frame = tiny.candles(rows)
    unanchored, anchored = (
        sample(predictor, frame, s, context_overflow=overflow).paths.astype(float) for s in (UNANCHORED, ANCHORED)
    )
    gap = close_offset(predictor, frame)
    assert abs(gap) > 0.05 * frame["close"].std()  # a tokenizer that was never trained misses it by far
    np.testing.assert_allclose(anchored[..., CLOSE], unanchored[..., CLOSE] + gap, rtol=2e-5)
    np.testing.assert_allclose(anchored[..., 0] - unanchored[..., 0], gap, rtol=0.2)  # each column by its own deviation
    np.testing.assert_array_equal(anchored[..., 4:], unanchored[..., 4:])


def test_it_is_off_unless_the_model_or_the_caller_sets_it(predictor):
    frame = tiny.candles(24)
    plain = sample(predictor, frame, replace(UNANCHORED, anchor_to_last_close=None))
    np.testing.assert_array_equal(plain.paths, sample(predictor, frame, UNANCHORED).paths)
    assert predictor.resolve_sampling(ANCHORED).anchor_to_last_close is True
    assert predictor.resolve_sampling(replace(ANCHORED, anchor_to_last_close=None)).anchor_to_last_close is False


def test_the_models_default_holds_unless_the_caller_overrides_it(predictor):
    frame = tiny.candles(24)
    anchoring = KronosPredictor(tiny.model(anchor_to_last_close=True), tiny.tokenizer(), "cpu", tiny.MAX_CONTEXT)
    for sampling, same in ((replace(ANCHORED, anchor_to_last_close=None), ANCHORED), (UNANCHORED, UNANCHORED)):
        np.testing.assert_array_equal(
            sample(anchoring, frame, sampling).paths, sample(predictor, frame, same).paths, err_msg=str(sampling)
        )


def test_predict_follows_the_model(predictor):
    frame = tiny.candles(24)
    anchoring = KronosPredictor(tiny.model(anchor_to_last_close=True), tiny.tokenizer(), "cpu", tiny.MAX_CONTEXT)
    means = []
    for one in (predictor, anchoring):
        torch.manual_seed(3)
        means.append(
            one.predict(frame, frame.index.to_series(), tiny.future(frame, H).to_series(), H, verbose=False)["close"]
        )
    np.testing.assert_allclose(means[1] - means[0], close_offset(predictor, frame), rtol=1e-3)


@OVERFLOWS
def test_without_context_in_the_decoder_the_offset_is_that_of_the_whole_context(predictor, overflow):
    frame, most = tiny.candles(24), tiny.MAX_CONTEXT
    unanchored, anchored = (
        sample(predictor, frame, s, most, context_overflow=overflow).paths[..., CLOSE] for s in (UNANCHORED, ANCHORED)
    )
    np.testing.assert_allclose(anchored.astype(float) - unanchored, close_offset(predictor, frame), rtol=1e-3)


@OVERFLOWS
def test_alone_in_a_batch_in_slices_and_as_one_path(predictor, monkeypatch, overflow):
    frames = [tiny.candles(rows, seed=rows) for rows in (24, 24, 9)]
    together = predictor.forecast_many(frames, [tiny.future(f, H) for f in frames], ANCHORED, context_overflow=overflow)
    for frame, got in zip(frames, together, strict=True):
        np.testing.assert_allclose(
            got.paths, sample(predictor, frame, ANCHORED, context_overflow=overflow).paths, rtol=1e-5
        )
        one = sample(predictor, frame, replace(ANCHORED, num_paths=1), context_overflow=overflow)
        np.testing.assert_allclose(one.paths, got.paths[:1], rtol=1e-5)
    monkeypatch.setattr(engine_generate, "_MAX_CACHE_BYTES", 1)
    sliced = predictor.forecast_many(frames, [tiny.future(f, H) for f in frames], ANCHORED, context_overflow=overflow)
    for one, other in zip(together, sliced, strict=True):
        np.testing.assert_allclose(one.paths, other.paths, rtol=1e-5)


def test_previews_show_the_anchored_candles(predictor):
    frame, seen = tiny.candles(24), []
    got = sample(predictor, frame, ANCHORED, on_preview=lambda _, candles: seen.append(candles))
    assert seen
    for candles in seen:
        np.testing.assert_allclose(candles, got.paths[:, : candles.shape[1]], rtol=1e-5)


def test_paths_start_at_a_last_close_that_is_clipped(predictor):
    frame = tiny.candles(30)
    frame.iloc[-1, PRICES] *= 1.5  # 10 standard deviations up
    last, deviation = frame["close"].iloc[-1], frame["close"].iloc[:-1].std()
    unanchored, anchored = sample(predictor, frame, UNANCHORED), sample(predictor, frame, ANCHORED)
    assert (unanchored.paths[..., CLOSE] - last < -deviation).all()
    np.testing.assert_allclose(
        (anchored.paths - unanchored.paths)[..., CLOSE], close_offset(predictor, frame), rtol=1e-4, atol=1e-5 * last
    )
    assert "closer to the mean than the last close" in unanchored.notes[0]
    assert "the shape of the paths is that of a smaller move" in anchored.notes[0]


def test_anchored_candles_are_valid(predictor):
    frame = tiny.candles(24, level=1e-6)
    frame.iloc[-1, PRICES] *= 0.02
    paths = sample(predictor, frame, ANCHORED).paths
    assert (paths[..., 2] > 0).all()
    assert (paths[..., 2] <= paths[..., [0, 3]].min(axis=-1)).all()
    assert (paths[..., 1] >= paths[..., [0, 3]].max(axis=-1)).all()


def test_a_series_that_never_moves_stays_exactly_where_it_is(predictor):
    frame = tiny.candles(24)
    frame.iloc[:, PRICES] = 7.0
    np.testing.assert_allclose(sample(predictor, frame, ANCHORED).paths[..., CLOSE], 7.0, rtol=1e-4)


def test_the_key_of_config_json_is_written_only_if_it_is_set(tmp_path):
    published = ModelConfig(**tiny.MODEL).to_dict()
    assert "anchor_to_last_close" not in published
    assert ModelConfig.from_mapping(published).anchor_to_last_close is False
    anchoring = tiny.model(anchor_to_last_close=True)
    anchoring.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text()) == published | {"anchor_to_last_close": True}
    assert type(anchoring).from_pretrained(tmp_path).config == anchoring.config


@pytest.mark.parametrize("value", [1, "yes", None])
def test_the_key_must_be_true_or_false(value):
    with pytest.raises(ConfigError, match="anchor_to_last_close must be true or false"):
        ModelConfig(**tiny.MODEL, anchor_to_last_close=value)


def test_the_sampling_takes_true_false_or_none():
    with pytest.raises(ConfigError, match="anchor_to_last_close must be true, false or None; got 1"):
        SamplingConfig(anchor_to_last_close=1)
