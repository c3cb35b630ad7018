import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch

from engine import COLUMNS, CancelledError, ConfigError, InvalidCandlesError, KronosPredictor, SamplingConfig
from engine.features import candle_values, compute_stats, time_features
from engine.generation import generate as engine_generate
from engine.generation.generate import generate
from engine.generation.request import GenerationRequest
from tests.support import tiny

H = 6
SAMPLING = SamplingConfig(num_paths=5, seed=1)
OVERFLOWS = pytest.mark.parametrize("overflow", ["recompute", "evict"])


@pytest.fixture(scope="module")
def predictor():
    return tiny.predictor()


@pytest.fixture
def frame():
    return tiny.candles(24)


def asked(predictor, frame, horizon=H, sampling=SAMPLING, **options):
    return predictor.forecast_many([frame], [tiny.future(frame, horizon)], sampling, **options)[0]


def assert_near(paths, others, frame, *, within=1e-4, scale=1.0):
    """Within a small part of each column's standard deviation, and of what float32 can tell apart."""
    deviation = candle_values(frame).std(axis=0) * scale
    assert (np.abs(paths - others) <= within * deviation + 2e-7 * np.abs(others) + 1e-9).all()


# --------------------------------------------------------------------------------------------------- what comes back


@OVERFLOWS
def test_all_paths_come_back_and_cannot_be_written_to(predictor, frame, overflow):
    future = tiny.future(frame, H)
    got = predictor.forecast_many([frame], [future], SAMPLING, context_overflow=overflow)
    assert len(got) == 1
    assert got[0].paths.shape == (5, H, 6)
    assert got[0].paths.dtype == np.float32
    assert got[0].index is future
    assert np.isfinite(got[0].paths).all()
    with pytest.raises(ValueError, match="read-only"):
        got[0].paths[0, 0, 0] = 1


@pytest.mark.parametrize("level", [1e-6, 1.0, 1e9])
@OVERFLOWS
def test_every_candle_is_possible(predictor, level, overflow):
    frame = tiny.candles(24, level=level)
    got = asked(predictor, frame, 20, SamplingConfig(num_paths=40, temperature=1.5), context_overflow=overflow)
    opened, high, low, close, volume, amount = np.moveaxis(got.paths, -1, 0)
    assert (low <= np.minimum(opened, close)).all()
    assert (np.maximum(opened, close) <= high).all()
    assert min(volume.min(), amount.min()) >= 0
    assert low.min() > 0
    assert 0 < got.repaired_fraction < 1  # a random model draws impossible candles, and that is said


def test_by_default_thirty_paths_are_drawn(predictor, frame):
    got = predictor.forecast_many([frame], [tiny.future(frame, 2)])
    assert got[0].num_paths == 30


def test_nothing_asked_is_nothing_answered(predictor):
    assert predictor.forecast_many([], []) == []


@pytest.mark.parametrize("columns", [list(COLUMNS), list(COLUMNS[:5]), list(COLUMNS[:4])], ids=len)
def test_volume_and_amount_may_be_missing(predictor, frame, columns):
    got = asked(predictor, frame[columns])
    assert np.isfinite(got.paths).all()
    if "volume" not in columns:
        assert got.paths[..., 4:].max() < 1e-3


def test_one_candle_is_context_enough(predictor):
    assert np.isfinite(asked(predictor, tiny.candles(1)).paths).all()


def test_the_frames_are_left_as_they_were(predictor, frame):
    before = frame.copy(deep=True)
    asked(predictor, frame)
    pd.testing.assert_frame_equal(frame, before)


def test_the_horizon_may_be_as_long_as_the_models_context(predictor, frame):
    assert asked(predictor, frame, tiny.MAX_CONTEXT).horizon == tiny.MAX_CONTEXT


# ------------------------------------------------------------------------------------------------------------- seeds


@OVERFLOWS
def test_the_same_seed_gives_the_same_paths_and_another_others(predictor, frame, overflow):
    one, again = (asked(predictor, frame, 12, context_overflow=overflow).paths for _ in range(2))
    other = asked(predictor, frame, 12, SamplingConfig(num_paths=5, seed=2), context_overflow=overflow).paths
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_the_global_generator_neither_counts_nor_moves(predictor, frame):
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    one = asked(predictor, frame).paths
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(2)
    np.testing.assert_array_equal(one, asked(predictor, frame).paths)


@OVERFLOWS
def test_a_series_comes_out_alone_as_in_a_batch_of_unequal_lengths(predictor, overflow):
    frames = [tiny.candles(length, seed=length) for length in (24, 9, 24, 40, 1, 24)]
    futures = [tiny.future(frame, horizon) for frame, horizon in zip(frames, (6, 6, 6, 6, 12, 9), strict=True)]
    seeds = [3, 1, 4, 1, 5, 9]
    together = predictor.forecast_many(frames, futures, SAMPLING, seeds=seeds, context_overflow=overflow)
    for frame, future, seed, got in zip(frames, futures, seeds, together, strict=True):
        alone = predictor.forecast_many(
            [frame], [future], SamplingConfig(num_paths=5, seed=seed), context_overflow=overflow
        )[0]
        assert got.index is future
        assert_near(got.paths, alone.paths, frame)


def test_equal_series_with_unequal_seeds_differ(predictor, frame):
    futures = [tiny.future(frame, H)] * 3
    one, two, three = predictor.forecast_many([frame] * 3, futures, SAMPLING, seeds=[1, 2, 1])
    np.testing.assert_array_equal(one.paths, three.paths)
    assert (one.paths != two.paths).any()


def test_without_seeds_every_series_takes_that_of_the_sampling(predictor, frame):
    one, two = predictor.forecast_many([frame] * 2, [tiny.future(frame, H)] * 2, SAMPLING)
    np.testing.assert_array_equal(one.paths, two.paths)


def test_temperature_zero_draws_one_path_whatever_the_seed(predictor, frame):
    runs = [asked(predictor, frame, sampling=SamplingConfig(num_paths=3, temperature=0, seed=s)).paths for s in (1, 2)]
    np.testing.assert_array_equal(runs[0], runs[1])
    np.testing.assert_array_equal(runs[0][0], runs[0][2])


@OVERFLOWS
def test_ten_threads_at_once_get_to_the_bit_what_each_gets_alone(predictor, overflow):
    """Contexts of many lengths, so that a cache on a module would be the wrong one."""
    frames = [tiny.candles(3 * i + 5, seed=i) for i in range(10)]

    def one(i):
        return asked(predictor, frames[i], 8, SamplingConfig(num_paths=4, seed=i), context_overflow=overflow).paths

    alone = [one(i) for i in range(10)]
    start = threading.Barrier(10)

    def at_once(i):
        start.wait(timeout=30)
        return [one(i) for _ in range(3)]

    with ThreadPoolExecutor(10) as pool:
        for i, runs in enumerate(pool.map(at_once, range(10))):
            for paths in runs:
                np.testing.assert_array_equal(paths, alone[i])


def test_the_number_of_torch_threads_changes_no_path(predictor, frame):
    before, runs = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            runs.append(asked(predictor, frame, sampling=SamplingConfig(num_paths=40)).paths)
    finally:
        torch.set_num_threads(before)
    assert_near(*runs, frame)


# -------------------------------------------------------------------------------------------------------- numeric care


@pytest.mark.parametrize("a", [1e-9, 1e-6, 2.0**-20, 1 / 3, 7.3, 1e3, 2.0**30, 1e9])
def test_prices_in_another_unit_give_the_forecast_in_that_unit(predictor, frame, a):
    got, wanted = asked(predictor, frame * a), asked(predictor, frame).paths * np.float64(a)
    assert_near(got.paths, wanted, frame, scale=a)


@pytest.mark.parametrize(("a", "b"), [(1.0, 50.0), (1e-3, 1.0), (1e4, -3e5), (1e6, 1e9)])
def test_shifted_prices_give_the_shifted_forecast(predictor, frame, a, b):
    shifted = frame.copy()
    shifted[list(COLUMNS[:4])] = frame[list(COLUMNS[:4])] * a + b
    wanted = asked(predictor, frame).paths.astype(np.float64)
    wanted[..., :4] = wanted[..., :4] * a + b
    got = asked(predictor, shifted)
    assert_near(got.paths, wanted, shifted)


@pytest.mark.parametrize("level", [0.0, 0.1, 123.0, 1e9])
def test_a_series_that_never_moves_forecasts_that_it_stays(predictor, frame, level):
    still = frame.assign(**dict.fromkeys(COLUMNS[:4], level))
    got = asked(predictor, still)
    assert got.notes == ()
    np.testing.assert_allclose(got.paths[..., :4], level, rtol=1e-6, atol=1e-3)


def test_zero_volume_forecasts_next_to_none(predictor, frame):
    got = asked(predictor, frame.assign(volume=0.0, amount=0.0))
    assert (got.paths[..., 4:] >= 0).all()
    assert got.paths[..., 4:].max() < 1e-3
    deviation = frame["close"].std()
    assert np.abs(got.paths[..., 3] - frame["close"].mean()).max() < 50 * deviation


def test_series_with_negative_prices_are_forecast(predictor, frame):
    got = asked(predictor, frame - 100)
    assert np.isfinite(got.paths).all()


# ------------------------------------------------------------------------------------- what may matter, and what not


@OVERFLOWS
def test_nothing_after_the_cutoff_matters(predictor, overflow):
    """The same past with three different continuations, which a forecast must not know."""
    longer = tiny.candles(40)
    past, future = longer.iloc[:24], longer.index[24:30]
    wanted = predictor.forecast_many([past.copy()], [future], SAMPLING, context_overflow=overflow)[0].paths
    for factor in (0.1, 10.0):
        changed = longer.copy()
        changed.iloc[24:] *= factor
        got = predictor.forecast_many([changed.loc[: longer.index[23]]], [future], SAMPLING, context_overflow=overflow)[
            0
        ].paths
        np.testing.assert_array_equal(got, wanted)


def test_every_row_of_the_context_matters(predictor, frame):
    wanted = asked(predictor, frame).paths
    for row in (0, 12, 23):
        changed = frame.copy()
        changed.iloc[row, :4] *= 1.05
        assert (asked(predictor, changed).paths != wanted).any()


@OVERFLOWS
def test_rows_before_those_that_the_model_sees_do_not_matter(predictor, overflow):
    frame = tiny.candles(50)
    got, wanted = (
        asked(predictor, rows, 12, context_overflow=overflow) for rows in (frame, frame.iloc[-tiny.MAX_CONTEXT :])
    )
    np.testing.assert_array_equal(got.paths, wanted.paths)


def test_predict_takes_its_statistics_over_all_rows_as_the_reference_does(predictor):
    frame = tiny.candles(50)
    greedy = {"pred_len": H, "top_k": 1, "top_p": 1.0, "verbose": False}
    got, other = (predictor.predict(*upstream(rows), **greedy) for rows in (frame, frame.iloc[-tiny.MAX_CONTEXT :]))
    assert (got != other).any(axis=None)


def test_the_zone_that_the_index_is_shown_in_matters(predictor):
    utc = tiny.candles(24, tz="UTC")
    shanghai = utc.tz_convert("Asia/Shanghai")
    naive = shanghai.tz_localize(None)
    one, two, three = (asked(predictor, frame, 12).paths for frame in (utc, shanghai, naive))
    assert (one != two).any()
    np.testing.assert_array_equal(two, three)


def test_the_policies_agree_while_nothing_slides(predictor, frame):
    one, two = (asked(predictor, frame, 9, context_overflow=overflow).paths for overflow in ("recompute", "evict"))
    assert_near(one, two, frame)


# -------------------------------------------------------------------------------------------------------------- notes


def jumping(rows, position):
    """Candles that hardly move, but for one far from all others."""
    frame = tiny.candles(rows)
    frame[list(COLUMNS[:4])] = 100 + (frame[list(COLUMNS[:4])] - 100) * 1e-3
    frame.iloc[position, :4] += 50
    return frame


def test_a_last_candle_that_is_cut_is_said(predictor):
    got = asked(predictor, jumping(32, -1))
    assert len(got.notes) == 1
    assert "The last candle is 5.6 standard deviations from the mean" in got.notes[0]
    assert "clipped to 5" in got.notes[0]


def test_an_earlier_candle_that_is_cut_is_not(predictor):
    assert asked(predictor, jumping(32, -2)).notes == ()
    assert asked(predictor, jumping(32, 0)).notes == ()


def test_a_last_candle_within_the_cut_is_not(predictor):
    assert asked(predictor, jumping(25, -1)).notes == ()  # one of n lies at most sqrt(n - 1) deviations out


def test_a_last_volume_that_is_cut_is_not(predictor):
    frame = tiny.candles(32)
    frame.iloc[-1, 4:] *= 1e4
    assert asked(predictor, frame).notes == ()


def test_the_note_follows_the_predictors_own_cut(frame):
    close = candle_values(frame)
    distance = compute_stats(close).max_abs_zscore(close[-1])
    for clip, notes in ((distance * 0.99, 1), (distance * 1.01, 0)):
        predictor = KronosPredictor(tiny.model(), tiny.tokenizer(), "cpu", tiny.MAX_CONTEXT, clip)
        assert len(asked(predictor, frame).notes) == notes


def test_the_cut_changes_what_the_model_sees(predictor, frame):
    narrow = KronosPredictor(tiny.model(), tiny.tokenizer(), "cpu", tiny.MAX_CONTEXT, 0.5)
    assert (asked(narrow, frame).paths != asked(predictor, frame).paths).any()


# ------------------------------------------------------------------------------------------------ progress and stopping


@OVERFLOWS
def test_every_decode_step_is_told_up_to_the_total(predictor, overflow):
    frames = [tiny.candles(24), tiny.candles(9), tiny.candles(24)]
    futures = [tiny.future(frame, horizon) for frame, horizon in zip(frames, (6, 12, 6), strict=True)]
    told = []
    predictor.forecast_many(
        frames, futures, SAMPLING, context_overflow=overflow, progress=lambda *step: told.append(step)
    )
    assert told == [(done, 18) for done in range(1, 19)]  # two shapes: 6 steps of two series at once, 12 of one


def test_slices_change_no_path_and_the_total_counts_them(predictor, frame, monkeypatch):
    wanted = asked(predictor, frame).paths
    monkeypatch.setattr(engine_generate, "_MAX_CACHE_BYTES", 1)
    told = []
    got = asked(predictor, frame, progress=lambda *step: told.append(step))
    assert_near(got.paths, wanted, frame)
    assert told == [(done, 3 * H) for done in range(1, 3 * H + 1)]  # two paths at once


def test_a_run_that_is_cancelled_stops_at_the_next_step(predictor, frame):
    cancel, told = threading.Event(), []

    def progress(done, total):
        told.append(done)
        if done == 3:
            cancel.set()

    with pytest.raises(CancelledError, match=f"stopped on request after 3 of {H} decode steps; no result was kept"):
        asked(predictor, frame, progress=progress, cancel=cancel)
    assert told == [1, 2, 3]


def test_a_token_that_is_never_set_stops_nothing(predictor, frame):
    np.testing.assert_array_equal(
        asked(predictor, frame, cancel=threading.Event()).paths, asked(predictor, frame).paths
    )


@OVERFLOWS
def test_who_watches_sees_the_candles_so_far_and_changes_none(predictor, overflow):
    frames = [tiny.candles(20, seed=1), tiny.candles(24, seed=2), tiny.candles(20, seed=3)]
    futures = [tiny.future(frame, 22) for frame in frames]
    plain = predictor.forecast_many(frames, futures, SAMPLING, context_overflow=overflow)
    seen = []
    watched = predictor.forecast_many(
        frames,
        futures,
        SAMPLING,
        context_overflow=overflow,
        on_preview=lambda number, paths: seen.append((number, paths)),
    )
    for one, other in zip(plain, watched, strict=True):
        np.testing.assert_array_equal(one.paths, other.paths)
    assert sorted((number, paths.shape[1]) for number, paths in seen) == [(i, t) for i in range(3) for t in (4, 12, 20)]
    for number, paths in seen:
        assert_near(paths, watched[number].paths[:, : paths.shape[1]], frames[number])


def test_what_a_watcher_raises_ends_the_run(predictor, frame):
    def stop(number, paths):
        raise KeyError(number)

    with pytest.raises(KeyError):
        asked(predictor, frame, horizon=8, on_preview=stop)


def test_what_the_progress_callback_raises_reaches_the_caller(predictor, frame):
    def progress(done, total):
        raise LookupError("the screen is gone")

    with pytest.raises(LookupError, match="the screen is gone"):
        asked(predictor, frame, progress=progress)


# -------------------------------------------------------------------------------------------------------- the predictor


def snapshot(predictor):
    """Everything that hangs on the modules: tensors by value, other attributes by identity."""
    state, attributes = {}, {}
    for half in (predictor.model, predictor.tokenizer):
        for name, module in half.named_modules():
            attributes[id(half), name] = {key: id(value) for key, value in vars(module).items()}
        state |= {(id(half), name): tensor.clone() for name, tensor in half.state_dict().items()}
        state |= {(id(half), name): tensor.clone() for name, tensor in half.named_buffers()}
    return state, attributes, dict(vars(predictor))


@OVERFLOWS
def test_a_forecast_leaves_the_modules_as_they_were(predictor, overflow):
    before = snapshot(predictor)
    asked(predictor, tiny.candles(40), 12, context_overflow=overflow)
    after = snapshot(predictor)
    assert before[0].keys() == after[0].keys()
    assert all(torch.equal(before[0][name], after[0][name]) for name in before[0])
    assert before[1:] == after[1:]


@pytest.mark.parametrize("half", ["model", "tokenizer"])
def test_modules_in_training_are_refused(frame, half):
    predictor = tiny.predictor()
    getattr(predictor, half).train()
    with pytest.raises(ConfigError, match=r"must be in evaluation mode to forecast; call \.eval\(\)"):
        asked(predictor, frame)


def test_a_predictor_puts_its_modules_in_evaluation_mode():
    """The reference leaves dropout on."""
    predictor = KronosPredictor(tiny.model(resid_dropout_p=0.5).train(), tiny.tokenizer().train(), "cpu")
    assert not predictor.model.training
    assert not predictor.tokenizer.training
    assert not any(parameter.requires_grad for parameter in predictor.model.parameters())


def test_arguments_come_in_the_references_order():
    predictor = KronosPredictor(tiny.model(), tiny.tokenizer(), "cpu", 17, 3)
    assert (predictor.device, predictor.max_context, predictor.clip) == (torch.device("cpu"), 17, 3)
    assert KronosPredictor(tiny.model(), tiny.tokenizer()).max_context == 512


def test_model_and_tokenizer_must_make_the_same_tokens():
    with pytest.raises(ConfigError, match=r"tokens of 4 \+ 3 bits, but the tokenizer produces 3 \+ 4"):
        KronosPredictor(tiny.model(), tiny.tokenizer(s1_bits=3, s2_bits=4), "cpu")


def test_a_context_of_one_token_and_other_types_are_refused():
    with pytest.raises(ConfigError, match="max_context must be at least 2; got 1"):
        tiny.predictor(max_context=1)
    with pytest.raises(ConfigError, match=r"dtype must be torch\.float32 or torch\.bfloat16; got torch\.float16"):
        tiny.predictor(dtype=torch.float16)


@OVERFLOWS
def test_half_precision_stays_near(predictor, overflow):
    """Draws differ where a number falls near a boundary; the distribution does not.

    The means of 400 paths differ by chance by 0.05 to 0.1 of a deviation; a wrong distribution by several times that.
    """
    half, frame, sampling = tiny.predictor(dtype=torch.bfloat16), tiny.candles(24), SamplingConfig(num_paths=400)
    got = asked(half, frame, 12, sampling, context_overflow=overflow).paths
    wanted = asked(predictor, frame, 12, sampling, context_overflow=overflow).paths
    assert np.isfinite(got).all()
    deviation = wanted.std(axis=0)
    assert (np.abs(got.mean(axis=0) - wanted.mean(axis=0)) < 0.25 * deviation).all()
    assert (np.abs(got.std(axis=0) / deviation - 1) < 0.25).all()
    assert (got[:, 0] == wanted[:, 0]).all(axis=-1).mean() > 0.8


# --------------------------------------------------------------------------------------------------------- bad input


def with_index(frame, index):
    return frame.set_axis(pd.DatetimeIndex(index), axis=0)


def twice(frame):
    return with_index(frame, [*frame.index[:3], frame.index[2], *frame.index[4:]])


def shuffled(frame):
    return with_index(frame, [*frame.index[:3], frame.index[8], *frame.index[4:8], frame.index[3], *frame.index[9:]])


def with_nat(frame):
    return with_index(frame, [*frame.index[:3], pd.NaT, *frame.index[4:]])


BAD_FRAMES = {
    "a missing column": (lambda f: f.drop(columns="high"), r"frames\[1\] must have the columns .* missing: high\."),
    "no price": (lambda f: f.assign(close=np.nan), "column close has 24 other values, the first at row 0"),
    "an infinite price": (lambda f: f.assign(low=[1.0] * 20 + [np.inf] * 4), "column low has 4 .* row 20 .*: inf"),
    "no volume in one row": (lambda f: f.assign(volume=[np.nan] + [1.0] * 23), "column volume has 1 other values"),
    "text": (lambda f: f.assign(open="a"), "must have numbers in the columns open"),
    "newest first": (lambda f: f.iloc[::-1], "oldest first; it is newest first. Call .sort_index"),
    "a time twice": (twice, "must have each bar time once; 1 are repeated, the first is 2024-03-04 09:45:00"),
    "a time out of order": (shuffled, "oldest first; 2024-03-04 09:55:00 comes after a later bar"),
    "an empty time": (with_nat, r"has 1 empty bar times \(NaT\)"),
    "no rows": (lambda f: f.iloc[:0], "has no rows; at least 1 candle is required"),
    "numbered rows": (lambda f: f.reset_index(drop=True), "must be indexed by bar time .* its index is RangeIndex"),
    "times as text": (lambda f: f.set_axis(f.index.astype(str), axis=0), "must be indexed by bar time"),
    "no frame": (lambda f: f.to_numpy(), "must be a DataFrame; got ndarray"),
    "one zone too many": (
        lambda f: f.tz_localize("UTC"),
        "must either both have a time zone or both have none; got UTC and None",
    ),
}


@pytest.mark.parametrize(("spoil", "words"), BAD_FRAMES.values(), ids=BAD_FRAMES)
def test_a_bad_frame_is_refused_by_number_before_anything_is_drawn(predictor, frame, spoil, words):
    future, told = tiny.future(frame, H), []
    with pytest.raises(InvalidCandlesError, match=words) as caught:
        predictor.forecast_many(
            [frame, spoil(frame)], [future, future], SAMPLING, progress=lambda *step: told.append(step)
        )
    assert "frames[1]" in str(caught.value)
    assert told == []


BAD_FUTURES = {
    "no steps": (lambda t: t[:0], r"must have 1 to 32 bar times \(the horizon\); got 0"),
    "too many steps": (lambda t: pd.date_range(t[0], periods=33, freq="5min"), r"must have 1 to 32 .*; got 33"),
    "the last candle again": (lambda t: t - pd.Timedelta("5min"), "must start after its last bar, .* it starts at"),
    "the past": (lambda t: t - pd.Timedelta("9D"), "must start after its last bar"),
    "not times": (list, "must be a DatetimeIndex of bar times; got list"),
    "a series of times": (pd.Series, "must be a DatetimeIndex of bar times; got Series"),
    "backwards": (lambda t: t[::-1], "newest first"),
    "a time twice": (lambda t: t[[0, 1, 1, 2]], "must have each bar time once"),
    "an empty time": (lambda t: t.insert(2, pd.NaT), "empty bar times"),
    "a zone": (lambda t: t.tz_localize("UTC"), "must either both have a time zone or both have none; got None and UTC"),
}


@pytest.mark.parametrize(("spoil", "words"), BAD_FUTURES.values(), ids=BAD_FUTURES)
def test_a_bad_future_is_refused(predictor, frame, spoil, words):
    with pytest.raises(InvalidCandlesError, match=words) as caught:
        predictor.forecast_many([frame], [spoil(tiny.future(frame, H))], SAMPLING)
    assert "future" in str(caught.value)
    assert "frames[0]" in str(caught.value)


def test_every_frame_needs_its_future_and_its_seed(predictor, frame):
    future = tiny.future(frame, H)
    with pytest.raises(InvalidCandlesError, match="got 2 frames and 1 futures"):
        predictor.forecast_many([frame, frame], [future], SAMPLING)
    with pytest.raises(ConfigError, match="seeds must have one number for each of the 2 frames"):
        predictor.forecast_many([frame, frame], [future, future], SAMPLING, seeds=[1])
    for seed in (-1, 2**63):
        with pytest.raises(ConfigError, match="seed"):
            predictor.forecast_many([frame], [future], SAMPLING, seeds=[seed])


def test_an_unknown_policy_is_refused(predictor, frame):
    with pytest.raises(ConfigError, match=r"context_overflow must be .recompute. or .evict.; got 'slide'"):
        asked(predictor, frame, context_overflow="slide")


# -------------------------------------------------------------------------------------------- the reference's signature


def upstream(frame, horizon=H):
    """A frame with numbered rows, and times in a column, as code for the reference has them."""
    future = pd.Series(tiny.future(frame, horizon))
    return frame.reset_index(drop=True), pd.Series(frame.index), future


@pytest.mark.parametrize("kind", [pd.Series, pd.DatetimeIndex])
def test_predict_takes_times_as_series_or_index_and_gives_them_back(predictor, frame, kind):
    df, past, future = upstream(frame)
    got = predictor.predict(df, kind(past), kind(future), H, 1.0, 0, 0.9, 2, False)
    assert list(got.columns) == list(COLUMNS)
    assert got.shape == (H, 6)
    assert (got.index == pd.DatetimeIndex(future)).all()
    assert np.isfinite(got.to_numpy()).all()


def test_predict_takes_its_arguments_in_the_references_order_and_by_name(predictor, frame):
    df, past, future = upstream(frame)
    torch.manual_seed(3)
    one = predictor.predict(df, past, future, H, 0.7, 3, 0.8, 4, False)
    torch.manual_seed(3)
    two = predictor.predict(
        verbose=False,
        sample_count=4,
        top_p=0.8,
        top_k=3,
        T=0.7,
        pred_len=H,
        y_timestamp=future,
        x_timestamp=past,
        df=df,
    )
    pd.testing.assert_frame_equal(one, two)


def test_rows_may_be_indexed_by_anything(predictor, frame):
    """The times that count are those of ``x_timestamp``."""
    df, past, future = upstream(frame)
    results = []
    for given in (df, frame, df.set_axis(range(100, 124)), frame.iloc[:, ::-1]):
        torch.manual_seed(3)
        results.append(predictor.predict(given, past.set_axis(range(50, 74)), future, H, verbose=False))
    for other in results[1:]:
        pd.testing.assert_frame_equal(results[0], other)


def test_predict_repeats_with_torchs_seed(predictor, frame):
    runs = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        runs.append(predictor.predict(*upstream(frame), H, sample_count=3, verbose=False))
    pd.testing.assert_frame_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).any(axis=None)


def raw_paths(predictor, frame, sampling):
    """Paths [N, H, 6] as the model gives them, unrepaired, with the window sliding as the reference's."""
    values = candle_values(frame)
    found = compute_stats(values, reference_compat=True)
    times = time_features(frame.index.append(tiny.future(frame, H)))
    question = GenerationRequest(
        torch.from_numpy(found.normalize(values))[None], torch.from_numpy(times)[None], [sampling.seed]
    )
    drawn = generate(
        predictor.model,
        predictor.tokenizer,
        question,
        sampling,
        max_context=predictor.max_context,
        context_overflow="recompute",
        on_step=lambda: None,
    )
    return found.denormalize(drawn[0].numpy())


@pytest.mark.parametrize("rows", [10, 30, 40])
def test_predict_is_the_mean_of_the_raw_paths(predictor, rows):
    frame = tiny.candles(rows)
    torch.manual_seed(7)
    got = predictor.predict(*upstream(frame), H, T=0.8, top_k=5, top_p=0.9, sample_count=4, verbose=False)
    torch.manual_seed(7)
    seed = int(torch.randint(2**62, ()))
    sampling = SamplingConfig(num_paths=4, temperature=0.8, top_k=5, top_p=0.9, seed=seed)
    np.testing.assert_allclose(got, raw_paths(predictor, frame, sampling).mean(axis=0), rtol=1e-6)


def test_predict_batch_gives_each_series_its_own_draws(predictor, frame):
    df, past, future = upstream(frame)
    torch.manual_seed(7)
    one, two = predictor.predict_batch([df, df], [past, past], [future, future], H, verbose=False)
    assert (one != two).any(axis=None)
    torch.manual_seed(7)
    pd.testing.assert_frame_equal(one, predictor.predict(df, past, future, H, verbose=False))


def test_predict_batch_takes_unequal_lengths(predictor):
    frames = [tiny.candles(length, seed=length) for length in (9, 24, 40)]
    parts = [upstream(frame) for frame in frames]
    greedy = {"T": 1.0, "top_k": 1, "top_p": 1.0, "verbose": False}
    together = predictor.predict_batch(*(list(part) for part in zip(*parts, strict=True)), H, **greedy)
    for part, got in zip(parts, together, strict=True):
        pd.testing.assert_frame_equal(got, predictor.predict(*part, H, **greedy), rtol=1e-6)


def test_predict_shows_its_steps_only_when_asked_to(predictor, frame, capfd):
    predictor.predict(*upstream(frame), H, verbose=False)
    assert capfd.readouterr() == ("", "")
    predictor.predict(*upstream(frame), H, verbose=True)
    assert "decode steps" in capfd.readouterr().err


def test_predict_takes_a_series_that_slides(predictor):
    frame = tiny.candles(50)
    got = predictor.predict(*upstream(frame, 20), 20, sample_count=2, verbose=False)
    assert np.isfinite(got.to_numpy()).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pred_len": 5}, "y_timestamp must have pred_len = 5 times; got 6"),
        ({"df": tiny.candles(9)}, "df and x_timestamp must have the same length; got 9 rows and 24 times"),
        ({"df": [1, 2, 3]}, "df must be a DataFrame; got list"),
        ({"df": tiny.candles(24).drop(columns="low")}, "missing: low"),
        ({"T": -1.0}, "temperature must be 0"),
        ({"top_p": 0.0}, "top_p must be above 0"),
        ({"top_k": -1}, "top_k must be at least 1"),
        ({"sample_count": 0}, "num_paths must be 1"),
    ],
)
def test_predict_refuses_what_it_cannot_use(predictor, frame, change, words):
    df, past, future = upstream(frame)
    arguments = {"df": df, "x_timestamp": past, "y_timestamp": future, "pred_len": H, "verbose": False}
    with pytest.raises(ValueError, match=words):
        predictor.predict(**(arguments | change))


def test_predict_batch_wants_as_many_times_as_frames(predictor, frame):
    df, past, future = upstream(frame)
    with pytest.raises(InvalidCandlesError, match="got 2 frames, 1 and 2"):
        predictor.predict_batch([df, df], [past], [future, future], H)


# ------------------------------------------------------------------------------------------------------------- fan


def test_paths_spread_with_the_temperature(predictor, frame):
    spreads = [
        asked(predictor, frame, 12, SamplingConfig(num_paths=60, temperature=temperature))
        .paths[..., 3]
        .std(axis=0)
        .mean()
        for temperature in (0.0, 0.4, 1.5)
    ]
    assert all(one < other for one, other in pairwise(spreads))
    assert spreads[0] < 1e-3


def test_a_forecast_carries_the_sampling_that_made_it(predictor, frame):
    frames, futures = [frame, frame], [tiny.future(frame, 4)] * 2
    made = predictor.forecast_many(frames, futures, SamplingConfig(num_paths=2, mirror_paths=True), seeds=[3, 9])
    for forecast, seed in zip(made, (3, 9), strict=True):
        resolved = predictor.resolve_sampling(SamplingConfig(num_paths=2, mirror_paths=True, seed=seed))
        assert forecast.sampling == resolved
        assert None not in (resolved.min_p, resolved.anchor_to_last_close, resolved.mirror_paths)
        assert forecast.is_mirrored
