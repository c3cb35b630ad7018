import numpy as np
import pandas as pd
import pytest

from engine.errors import ConstantPrices, NoValidation, SettingsError, TooFewCandles
from engine.finetune import run
from engine.finetune.data import symbol_candles as candles
from engine.finetune.data.mapped_candles import longest_break_s, make_store
from engine.finetune.data.split import choose, make_split, train_rows
from tests.support import finetune_makers as makers
from tests.support import tiny


def test_training_ends_an_embargo_before_the_first_validation_target(tmp_path):
    store, split, config = makers.stored(tmp_path, tiny.candles(900), **{"data.embargo": 40})
    rows = train_rows(store, split, 32)
    last_trained = int(rows.first[-1] + rows.room[-1] - 1 + 31)
    validation = split.places(store, "validation", 24, 8)
    test = split.places(store, "test", 24, 8)
    targets = [place.first + 24 for place in validation]
    assert min(targets) - last_trained == 41
    assert min(place.first + 24 for place in test) - max(targets) - 7 >= 41
    assert np.diff(targets).min() == 8  # targets do not overlap
    assert max(place.first + 31 for place in test) <= 899
    assert config.data.gap == 40


def test_the_embargo_is_context_and_horizon_by_itself(tmp_path):
    store, split, _ = makers.stored(tmp_path, tiny.candles(900), **{"data.embargo": "none"})
    trained = train_rows(store, split, 32)
    first = split.places(store, "validation", 24, 8)[0].first
    assert first > int(trained.first[-1] + trained.room[-1] - 1 + 31)  # not even contexts touch


def test_dates_split_where_they_are_given(tmp_path):
    frame = tiny.candles(900)
    dates = {"data.validation_from": frame.index[500].isoformat(), "data.test_from": frame.index[700].isoformat()}
    store, split, _ = makers.stored(tmp_path, frame, **dates)
    assert split.places(store, "validation", 24, 8)[0].first == 476
    assert split.places(store, "test", 24, 8)[0].first == 676
    assert train_rows(store, split, 32).room[0] == 500 - 32 + 1
    with pytest.raises(SettingsError, match=r'data\.validation_from must be a date like "2024-07-01"; got "soon"'):
        makers.stored(tmp_path, frame, **{"data.validation_from": "soon"})


def test_later_candles_validate_with_contexts_that_reach_back(tmp_path):
    frame, config = tiny.candles(400), makers.settings(tmp_path, **{"data.validation_path": "given", "test_share": 0.0})
    parts = [candles.from_frame(part) for part in (frame.iloc[:300], frame.iloc[300:])]
    store = make_store(*parts, config.data, tmp_path / "cache")
    split = make_split(store, config.data)
    assert len(store.series) == 1
    assert split.places(store, "validation", 24, 8)[0].first == 276
    assert split.places(store, "test", 24, 8) == []
    assert train_rows(store, split, 32).room[0] == 300 - 32 + 1


def test_symbols_that_are_held_out_are_validated_on_and_never_trained_on(tmp_path):
    both = pd.concat([tiny.candles(600, seed).assign(symbol=name) for seed, name in enumerate("ab")])
    store, split, _ = makers.stored(tmp_path, both, **{"data.held_out_symbols": "b"})
    assert train_rows(store, split, 32).first.tolist() == [0]
    assert {place.series for place in split.places(store, "validation", 24, 8)} == {1}
    with pytest.raises(SettingsError, match="names c; the candles have no such symbol"):
        makers.stored(tmp_path, both, **{"data.held_out_symbols": "c"})


def test_exactly_one_window_is_enough(tmp_path):
    frame = tiny.candles(132)
    dates = {"data.validation_from": frame.index[32].isoformat()}
    store, split, _ = makers.stored(tmp_path, frame, **dates)
    assert train_rows(store, split, 32).room.tolist() == [1]
    dates = {"data.validation_from": frame.index[31].isoformat()}
    store, split, _ = makers.stored(tmp_path, frame, **dates)
    with pytest.raises(TooFewCandles, match=r"a window takes 32 candles.*the longest run to train on has 31, of 132"):
        train_rows(store, split, 32)


def test_too_few_candles_are_told_before_anything_is_written(tmp_path):
    makers.csv(tmp_path, length=30)
    with pytest.raises(TooFewCandles, match=r"Load more history, or lower data\.context"):
        makers.prepared(tmp_path)
    assert not (tmp_path / "run" / "run.json").exists()


def test_an_empty_validation_set_is_refused(tmp_path):
    makers.csv(tmp_path, length=120)
    with pytest.raises(NoValidation, match=r"is left to validate on: its 8 targets.*Raise data\.validation_share"):
        makers.prepared(tmp_path, **{"data.validation_share": 0.01})


def test_prices_that_never_move_are_refused_or_left_out_with_a_note(tmp_path):
    still = tiny.candles(300).assign(open=5.0, high=5.0, low=5.0, close=5.0, symbol="still")
    with pytest.raises(ConstantPrices, match="the price of still never moves"):
        makers.stored(tmp_path, still)
    both = pd.concat([still, tiny.candles(300).assign(symbol="moving")])
    store, _, _ = makers.stored(tmp_path, both)
    assert [one.symbol for one in store.series] == ["moving"]
    assert store.notes == ("still of candles is left out: its price never moves.",)


def test_a_normal_break_depends_on_the_interval_and_on_whether_the_market_closes():
    hour = np.arange(24 * 60) * 3600 + 345_600  # from a Monday
    weekdays = hour[(hour // 86_400 + 3) % 7 < 5]
    assert longest_break_s(hour) == 86_400
    assert longest_break_s(weekdays) == 4.5 * 86_400
    assert longest_break_s(np.arange(100) * 86_400) == 12 * 86_400
    assert longest_break_s(np.arange(100) * 7 * 86_400) == 21 * 86_400
    assert longest_break_s(hour, hours=3) == 10_800


def test_windows_are_chosen_from_all_groups_in_turn(tmp_path):
    makers.csv(tmp_path, "big_5m.csv", 3600)
    makers.csv(tmp_path, "small_1h.csv", 400)
    made = makers.prepared(tmp_path, data=f"{tmp_path}/big_5m.csv,{tmp_path}/small_1h.csv")
    places = made.split.places(made.store, "validation", 24, 8)
    chosen = choose(made.store, places, 8, seed=0)
    assert sorted(made.store.series[place.series].group for place in chosen) == ["big_5m"] * 4 + ["small_1h"] * 4
    assert chosen == choose(made.store, places, 8, seed=0)
    assert choose(made.store, places, 10_000, seed=1) != places
    assert run.reopen(tmp_path / "run").split == made.split
