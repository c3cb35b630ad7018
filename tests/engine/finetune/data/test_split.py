import numpy as np
import pandas as pd
import pytest

from engine.finetune import run
from engine.finetune.data.mapped_candles import map_candles, max_gap_s
from engine.finetune.data.readers import source_from_frame
from engine.finetune.data.split import make_split, sample_windows, training_runs
from engine.finetune.errors import ConstantPricesError, FinetuneConfigError, NoValidationError, TooFewCandlesError
from tests.support import finetune_makers as makers
from tests.support import tiny


def test_training_ends_an_embargo_before_the_first_validation_target(tmp_path):
    mapped, split, config = makers.mapped(tmp_path, tiny.candles(900), **{"data.embargo": 40})
    runs = training_runs(mapped, split, 32)
    last_trained = int(runs.first_rows[-1] + runs.num_windows[-1] - 1 + 31)
    validation = split.windows(mapped, "validation", 24, 8)
    test = split.windows(mapped, "test", 24, 8)
    targets = [window.first_row + 24 for window in validation]
    assert min(targets) - last_trained == 41
    assert min(window.first_row + 24 for window in test) - max(targets) - 7 >= 41
    assert np.diff(targets).min() == 8  # targets do not overlap
    assert max(window.first_row + 31 for window in test) <= 899
    assert config.data.embargo_length == 40


def test_the_embargo_is_context_and_horizon_by_itself(tmp_path):
    mapped, split, _ = makers.mapped(tmp_path, tiny.candles(900), **{"data.embargo": "none"})
    trained = training_runs(mapped, split, 32)
    first = split.windows(mapped, "validation", 24, 8)[0].first_row
    assert first > int(trained.first_rows[-1] + trained.num_windows[-1] - 1 + 31)  # not even contexts touch


def test_dates_split_where_they_are_given(tmp_path):
    frame = tiny.candles(900)
    dates = {"data.validation_start": frame.index[500].isoformat(), "data.test_start": frame.index[700].isoformat()}
    mapped, split, _ = makers.mapped(tmp_path, frame, **dates)
    assert split.windows(mapped, "validation", 24, 8)[0].first_row == 476
    assert split.windows(mapped, "test", 24, 8)[0].first_row == 676
    assert training_runs(mapped, split, 32).num_windows[0] == 500 - 32 + 1
    with pytest.raises(
        FinetuneConfigError, match=r'data\.validation_start must be a date like "2024-07-01"; got "soon"'
    ):
        makers.mapped(tmp_path, frame, **{"data.validation_start": "soon"})


def test_later_candles_validate_with_contexts_that_reach_back(tmp_path):
    frame, config = (
        tiny.candles(400),
        makers.settings(tmp_path, **{"data.validation": "given", "data.test_fraction": 0.0}),
    )
    parts = [source_from_frame(part) for part in (frame.iloc[:300], frame.iloc[300:])]
    mapped = map_candles(*parts, config.data, tmp_path / "cache")
    split = make_split(mapped, config.data)
    assert len(mapped.series) == 1
    assert split.windows(mapped, "validation", 24, 8)[0].first_row == 276
    assert split.windows(mapped, "test", 24, 8) == []
    assert training_runs(mapped, split, 32).num_windows[0] == 300 - 32 + 1


def test_holdout_symbols_are_validated_on_and_never_trained_on(tmp_path):
    both = pd.concat([tiny.candles(600, seed).assign(symbol=name) for seed, name in enumerate("ab")])
    mapped, split, _ = makers.mapped(tmp_path, both, **{"data.holdout_symbols": "b"})
    assert training_runs(mapped, split, 32).first_rows.tolist() == [0]
    assert {window.series_index for window in split.windows(mapped, "validation", 24, 8)} == {1}
    with pytest.raises(FinetuneConfigError, match="contains c; the candles have no such symbol"):
        makers.mapped(tmp_path, both, **{"data.holdout_symbols": "c"})


def test_exactly_one_window_is_enough(tmp_path):
    frame = tiny.candles(132)
    dates = {"data.validation_start": frame.index[32].isoformat()}
    mapped, split, _ = makers.mapped(tmp_path, frame, **dates)
    assert training_runs(mapped, split, 32).num_windows.tolist() == [1]
    dates = {"data.validation_start": frame.index[31].isoformat()}
    mapped, split, _ = makers.mapped(tmp_path, frame, **dates)
    with pytest.raises(
        TooFewCandlesError, match=r"a window needs 32 candles.*the longest training segment has 31 of 132"
    ):
        training_runs(mapped, split, 32)


def test_too_few_candles_are_reported_before_anything_is_written(tmp_path):
    makers.csv(tmp_path, length=30)
    with pytest.raises(TooFewCandlesError, match=r"Load more history, or lower data\.context"):
        makers.prepared(tmp_path)
    assert not (tmp_path / "run" / "run.json").exists()


def test_an_empty_validation_set_is_refused(tmp_path):
    makers.csv(tmp_path, length=120)
    with pytest.raises(
        NoValidationError, match=r"no window remains for validation: its 8 targets.*Raise data\.validation_fraction"
    ):
        makers.prepared(tmp_path, **{"data.validation_fraction": 0.01})


def test_prices_that_never_move_are_refused_or_left_out_with_a_note(tmp_path):
    still = tiny.candles(300).assign(open=5.0, high=5.0, low=5.0, close=5.0, symbol="still")
    with pytest.raises(ConstantPricesError, match="the price of still never changes"):
        makers.mapped(tmp_path, still)
    both = pd.concat([still, tiny.candles(300).assign(symbol="moving")])
    mapped, _, _ = makers.mapped(tmp_path, both)
    assert [one.symbol for one in mapped.series] == ["moving"]
    assert mapped.notes == ("still of candles is left out: its price never changes.",)


def test_a_normal_break_depends_on_the_interval_and_on_whether_the_market_closes():
    hour = np.arange(24 * 60) * 3600 + 345_600  # from a Monday
    weekdays = hour[(hour // 86_400 + 3) % 7 < 5]
    assert max_gap_s(hour) == 86_400
    assert max_gap_s(weekdays) == 4.5 * 86_400
    assert max_gap_s(np.arange(100) * 86_400) == 12 * 86_400
    assert max_gap_s(np.arange(100) * 7 * 86_400) == 21 * 86_400
    assert max_gap_s(hour, hours=3) == 10_800


def test_windows_are_chosen_from_all_groups_in_turn(tmp_path):
    makers.csv(tmp_path, "big_5m.csv", 3600)
    makers.csv(tmp_path, "small_1h.csv", 400)
    prepared = makers.prepared(tmp_path, **{"data.train": f"{tmp_path}/big_5m.csv,{tmp_path}/small_1h.csv"})
    windows = prepared.split.windows(prepared.candles, "validation", 24, 8)
    chosen = sample_windows(prepared.candles, windows, 8, seed=0)
    assert (
        sorted(prepared.candles.series[window.series_index].group for window in chosen)
        == ["big_5m"] * 4 + ["small_1h"] * 4
    )
    assert chosen == sample_windows(prepared.candles, windows, 8, seed=0)
    assert sample_windows(prepared.candles, windows, 10_000, seed=1) != windows
    assert run.open_run(tmp_path / "run").split == prepared.split
