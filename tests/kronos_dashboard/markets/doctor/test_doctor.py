"""The doctor finds what is odd, keeps silent where nothing is, and its fixes do once what they say."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kronos_dashboard.errors import DashboardError, WindowError
from kronos_dashboard.markets.candles import PRICES, CandleFrame
from kronos_dashboard.markets.doctor import FIX_TITLES, apply_fixes, get_fix, run_checks
from kronos_dashboard.markets.samples import SAMPLES, load_sample
from tests.kronos_dashboard.markets.calendars.test_calendars import currency_week, exchange
from tests.support import makers

CALM = makers.candles(900, "1h", symbol="BTCUSDT")


def changed(candles, **columns):
    """The same candles with other values in some rows: ``close={5: 7.0}``; high and low follow."""
    frame = candles.frame.copy()
    for name, cells in columns.items():
        for row, value in cells.items():
            frame.iloc[row, frame.columns.get_loc(name)] = value
    frame["high"] = frame[list(PRICES)].max(axis=1)
    frame["low"] = frame[["open", "low", "close"]].min(axis=1)
    return replace(candles, frame=frame)


def scaled(candles, rows, factor):
    frame = candles.frame.copy()
    frame.iloc[rows, :4] *= factor
    return replace(candles, frame=frame)


def keys(candles, **given_):
    return [finding.key for finding in run_checks(candles, **given_)]


def one(candles, key, **given_):
    found = [finding for finding in run_checks(candles, **given_) if finding.key == key]
    assert len(found) == 1, [finding.key for finding in run_checks(candles, **given_)]
    return found[0]


def cured(candles, key, name=None, **given_):
    """Apply the finding's fix; it must be gone, and the fix must not do anything more the second time."""
    finding = one(candles, key, **given_)
    chosen = next(one_fix for one_fix in finding.fixes if name in (None, one_fix.name))
    fixed = chosen.apply(candles)
    assert fixed.note.text.strip()
    assert fixed.note.level == "info"
    again = chosen.apply(fixed.candles)
    assert again.candles.fingerprint == fixed.candles.fingerprint
    assert "No changes" in again.note.text
    assert key not in keys(fixed.candles, **given_)
    return fixed


def test_nothing_is_odd_about_calm_candles():
    assert run_checks(CALM) == []


def test_missing_bars_are_found_and_filled():
    broken = replace(CALM, frame=CALM.frame.drop(CALM.index[[100, 101, 102, 300]]))
    finding = one(broken, "gaps")
    assert (finding.count, finding.rows, finding.level) == (4, (101, 298), "info")
    assert "3 bars from 2024-01-05 04:00" in finding.text
    fixed = cured(broken, "gaps", "fill-gaps")
    assert fixed.candles.index.equals(CALM.index)
    filled = fixed.candles.frame.iloc[100:103]
    assert (filled[list(PRICES)] == CALM.frame["close"].iloc[99]).all(axis=None)
    assert (filled["volume"] == 0).all()
    assert fixed.note.rows == (101, 102, 103, 301)


def test_a_long_gap_is_a_warning_and_the_longest_segment_can_be_kept():
    broken = replace(CALM, frame=CALM.frame.drop(CALM.index[700:760]))
    assert one(broken, "gaps").level == "warning"
    kept = cured(broken, "gaps", "keep-longest-segment").candles
    assert (len(kept), kept.index[-1]) == (700, CALM.index[699])


def test_closed_hours_are_no_gaps_and_a_lost_session_is():
    made = exchange("XNYS", "2024-03-01", "2024-12-20", 60)
    assert "gaps" not in keys(made)
    lost = replace(made, frame=made.frame[made.local_index.strftime("%m-%d") != "09-18"])
    assert one(lost, "gaps").count == 7
    week = currency_week("2024-01-02", "2024-05-03", "1h")
    assert "gaps" not in keys(week)
    assert one(replace(week, frame=week.frame.drop(week.index[500:504])), "gaps").count == 4


def test_an_incomplete_bar_is_reported_by_the_clock_and_left_out():
    now = CALM.index[-1] + pd.Timedelta("59min")
    finding = one(CALM, "forming", now=now)
    assert finding.rows == (len(CALM),)
    assert len(cured(CALM, "forming", now=now).candles) == len(CALM) - 1
    assert keys(CALM, now=CALM.index[-1] + pd.Timedelta("60min")) == []


def test_a_daily_bar_closes_with_its_session():
    days = exchange("XNYS", "2023-01-03", "2024-12-20", 24 * 60)
    stamps = days.local_index.normalize().tz_localize(None)
    made = makers.at(stamps, "America/New_York")
    last = stamps[-1].tz_localize("America/New_York")
    assert "forming" in keys(made, now=(last + pd.Timedelta("15h59min")).tz_convert("UTC"))
    assert "forming" not in keys(made, now=(last + pd.Timedelta("16h")).tz_convert("UTC"))


def test_stamps_at_the_close_have_closed_when_they_say():
    made = exchange("XSHG", "2024-05-06", "2024-07-10", 5, timestamp_at="close")
    finding = one(made, "stamped")
    assert finding.level == "info"
    assert "forming" not in keys(made, now=made.index[-1])
    assert cured(made, "stamped").candles.timestamp_at == "close"


def test_old_candles_and_candles_from_the_future_are_reported():
    assert one(CALM, "stale", now=CALM.index[-1] + pd.Timedelta("10h")).count == 10
    assert "stale" not in keys(CALM, now=CALM.index[-1] + pd.Timedelta("2h"))
    late = one(CALM, "clock", now=CALM.index[-1] - pd.Timedelta("3h"))
    assert late.level == "warning"
    assert "time zone of the timestamps may be wrong" in late.text


@pytest.mark.parametrize(("factor", "words"), [(2.0, "2-for-1"), (3.0, "3-for-1"), (0.1, "1-for-10"), (20.0, "20-for")])
def test_a_split_is_found_and_adjusted(factor, words):
    whole = exchange("XNYS", "2023-01-03", "2024-06-28", 24 * 60)
    whole = makers.on(whole.frame, session_tz="America/New_York", interval=pd.Timedelta("1D"))
    split = scaled(whole, slice(0, 150), factor)
    finding = one(split, "splits")
    assert finding.rows == (151,)
    assert words in finding.text
    fixed = cured(split, "splits").candles
    np.testing.assert_allclose(fixed.frame[list(PRICES)], whole.frame[list(PRICES)])
    np.testing.assert_allclose(fixed.frame["volume"].iloc[:150], whole.frame["volume"].iloc[:150] * factor)
    assert (fixed.frame["amount"] == split.frame["amount"]).all()


@pytest.mark.parametrize("bars", [1, 2])
def test_a_split_in_the_last_bars_is_reported_by_its_ratio_alone(bars):
    whole = exchange("XNYS", "2023-01-03", "2024-06-28", 24 * 60)
    frame = whole.frame.copy()
    frame.iloc[-bars, 0] = frame["close"].iloc[-bars - 1]  # no gap of its own
    whole = makers.on(frame, session_tz="America/New_York", interval=pd.Timedelta("1D"))
    split = scaled(whole, slice(0, -bars), 2.0)
    assert one(split, "splits").rows == (len(split) - bars + 1,)
    np.testing.assert_allclose(cured(split, "splits").candles.frame[list(PRICES)], whole.frame[list(PRICES)])
    assert "splits" not in keys(scaled(whole, slice(0, -bars), 1.5)), "a fall by a third is no rare one"
    assert "splits" not in keys(scaled(whole, slice(0, -bars), 2.1))


def test_dividends_are_no_splits():
    whole = exchange("XNYS", "2023-01-03", "2024-06-28", 24 * 60)
    whole = makers.on(whole.frame, session_tz="America/New_York", interval=pd.Timedelta("1D"))
    for paid in (0.01, 0.05, 0.12, 0.25):
        assert "splits" not in keys(scaled(whole, slice(200, None), 1 - paid))


def test_a_crash_is_no_split():
    crash = scaled(CALM, slice(450, None), 0.61)
    assert "splits" not in keys(crash)
    doubled = scaled(CALM, slice(450, None), 2.0)
    assert "splits" not in keys(doubled), "coins do double over an hour; they are not split two for one"


@pytest.mark.parametrize("cells", [{"close": {450: 250.0}}, {"low": {450: 20.0}}, {"high": {450: 400.0}}])
def test_a_spike_is_found_and_cut_to_its_neighbours(cells):
    spiked = changed(CALM, **cells)
    if "close" in cells:
        spiked = changed(spiked, open={451: float(CALM.frame["close"].iloc[450])})
    finding = one(spiked, "outliers")
    assert finding.rows == (451,)
    assert finding.level == "info", "it is not within the last 400 candles"
    fixed = cured(spiked, "outliers").candles
    beside = CALM.frame.iloc[[449, 451]]
    assert fixed.frame["high"].iloc[450] <= beside["high"].max()
    assert fixed.frame["low"].iloc[450] >= beside["low"].min()
    rest = np.delete(np.arange(len(CALM)), [450, 451])
    assert fixed.frame.iloc[rest].equals(CALM.frame.iloc[rest])


@pytest.mark.parametrize("price", [250.0, 20.0])
def test_a_wrong_close_at_which_the_next_candle_opens_is_cut_back_with_that_open(price):
    spiked = changed(CALM, close={450: price}, open={451: price})
    fixed = cured(spiked, "outliers")
    assert fixed.note.text.count("Clipped") == 1
    prices = fixed.candles.frame[list(PRICES)]
    calm = CALM.frame.iloc[448:454]
    assert prices.iloc[449:453].max().max() <= calm["high"].max()
    assert prices.iloc[449:453].min().min() >= calm["low"].min()
    assert prices["close"].iloc[451] == CALM.frame["close"].iloc[451]
    rest = np.delete(np.arange(len(CALM)), [450, 451])
    assert fixed.candles.frame.iloc[rest].equals(CALM.frame.iloc[rest])


def test_a_move_that_stays_is_no_outlier():
    assert "outliers" not in keys(scaled(CALM, slice(700, None), 1.2))


def test_flat_stretches_are_found_and_left_out():
    frame = CALM.frame.copy()
    frame.iloc[600:630, :4] = frame["close"].iloc[599]
    frame.iloc[600:630, 4] = 0.0
    padded = replace(CALM, frame=frame)
    finding = one(padded, "flat")
    assert (finding.count, finding.level) == (30, "warning")
    assert "filled" in finding.text
    assert len(cured(padded, "flat").candles) == len(CALM) - 30


def test_nothing_is_offered_for_a_series_that_never_moves():
    frame = CALM.frame.copy()
    frame.iloc[:, :4] = 5.0
    assert one(replace(CALM, frame=frame), "flat").fixes == ()


def test_repeated_candles_are_found_and_left_out():
    frame = CALM.frame.copy()
    frame.iloc[[610, 611]] = frame.iloc[609].to_numpy()
    doubled = replace(CALM, frame=frame)
    assert one(doubled, "repeats").rows == (611, 612)
    assert len(cured(doubled, "repeats").candles) == len(CALM) - 2


def test_volume_that_means_nothing_can_be_dropped():
    idle = replace(CALM, frame=CALM.frame.assign(volume=0.0))
    fixed = cured_volume(idle)
    assert fixed.columns == PRICES
    constant = replace(CALM, frame=CALM.frame.assign(volume=1.0))
    assert one(constant, "volume").title == "Constant volume"
    some = changed(CALM, volume={3: 0.0, 700: 0.0})
    assert (one(some, "volume").level, one(some, "volume").rows) == ("info", (4, 701))
    without = replace(CALM, has_volume=False, has_amount=False)
    assert one(without, "volume").level == "info"


def cured_volume(candles):
    chosen = one(candles, "volume").fixes[0]
    fixed = chosen.apply(candles)
    assert chosen.apply(fixed.candles).candles.fingerprint == fixed.candles.fingerprint
    assert one(fixed.candles, "volume").level == "info"
    return fixed.candles


def test_tiny_and_coarse_prices_are_reported():
    tiny = scaled(CALM, slice(None), 1e-7)
    assert one(tiny, "micro").level == "info"
    rounded = replace(CALM, frame=CALM.frame.assign(**{name: CALM.frame[name].round(0) for name in PRICES}))
    assert "coarse" in keys(rounded)
    assert "coarse" not in keys(CALM)


def test_a_clipped_last_candle_is_a_warning_with_a_context_that_helps():
    calm = changed(CALM, **{name: dict.fromkeys(range(480, 895), 100.0 + 0.01) for name in PRICES})
    frame = calm.frame.copy()
    frame.iloc[480:895, :4] *= np.linspace(1, 1.001, 415)[:, None]
    frame.iloc[895:, :4] = 130.0 + np.linspace(0, 1, 5)[:, None]
    finding = one(replace(calm, frame=frame), "clip")
    assert finding.rows == (900,)
    assert "standard deviations" in finding.text
    assert "with a context of" in finding.text or "Wait" in finding.text
    assert "clip" not in keys(CALM)


def test_few_candles_are_reported():
    assert one(CALM.tail(450), "length").level == "info"
    finding = one(CALM.tail(300), "length")
    assert (finding.level, "100 more" in finding.text) == ("warning", True)


def test_mixed_intervals_are_reported():
    daily, hourly = makers.candles(300, "1D", start="2023-01-01"), makers.candles(120, "1h", start="2023-11-05")
    frame = pd.concat([daily.frame, hourly.frame])
    mixed = makers.on(frame[~frame.index.duplicated()], interval=pd.Timedelta("1D"))
    finding = one(mixed, "mixed")
    assert finding.level == "warning"
    assert len(cured(mixed, "mixed").candles) == 300


@pytest.mark.parametrize("zone", ["instants", "hours"])
def test_the_clock_of_the_market_is_offered(zone):
    york = exchange("XNYS", "2023-09-01", "2024-12-20", 60)
    made = makers.on(york.frame, session_tz="UTC")
    if zone == "hours":
        made = makers.at(york.local_index.tz_localize(None), "UTC")
    fixed = cured(made, "clock").candles
    assert fixed.session_tz == "America/New_York"
    assert fixed.index.equals(york.index)


def test_bar_times_without_a_pattern_are_reported():
    stamps = pd.DatetimeIndex(pd.date_range("2024-01-01", periods=600, freq="D")) + pd.to_timedelta(
        [(i * 7919) % 86_400 for i in range(600)], unit="s"
    )
    made = makers.on(makers.at(stamps).frame, interval=pd.Timedelta("1h"))
    assert "calendar" in keys(made)


def test_fixes_go_by_name_one_after_the_other():
    broken = replace(changed(CALM, low={500: 20.0}), frame=changed(CALM, low={500: 20.0}).frame.drop(CALM.index[100]))
    healed, notes = apply_fixes(broken, ["fill-gaps", "clip-outliers", "back-adjust"])
    assert [note.text.startswith("No changes") for note in notes] == [False, False, True]
    assert keys(healed) == []
    with pytest.raises(DashboardError, match="unknown fix 'magic'"):
        apply_fixes(CALM, ["magic"])
    with pytest.raises(WindowError, match="unknown calendar"):
        run_checks(CALM, calendar="XXXX")


@given(seed=st.integers(0, 10_000), name=st.sampled_from(sorted(FIX_TITLES)), data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_fix_gives_valid_candles_and_does_nothing_the_second_time(seed, name, data):
    made = makers.candles(data.draw(st.integers(30, 200)), data.draw(st.sampled_from(["1h", "1D", "15min"])), seed=seed)
    frame = made.frame.copy()
    generator = np.random.default_rng(seed)
    for _ in range(data.draw(st.integers(0, 4))):
        row, kind = int(generator.integers(1, len(frame))), int(generator.integers(4))
        if kind == 0:
            frame.iloc[row, 1] *= 3
        elif kind == 1:
            frame.iloc[row:, :4] *= generator.choice([2.0, 0.1])
        elif kind == 2:
            frame.iloc[row : row + 15, :4] = frame.iloc[row, 3]
        else:
            frame.iloc[row, 4] = 0.0
    kept = frame[generator.uniform(size=len(frame)) > 0.03]
    broken = replace(made, frame=kept if len(kept) > 5 else frame)
    before = broken.fingerprint
    now = broken.index[-1] + broken.interval / 2
    try:
        fixed = get_fix(name, now).apply(broken)
        again = get_fix(name, now).apply(fixed.candles)
    except WindowError:
        return  # no calendar fits such stamps: a fix that needs one says so
    assert isinstance(fixed.candles, CandleFrame)
    assert again.candles.fingerprint == fixed.candles.fingerprint
    assert broken.fingerprint == before
    run_checks(fixed.candles, now=now)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.key)
def test_no_false_alarm_on_the_samples(sample):
    candles = load_sample(sample.key).candles
    findings = run_checks(candles, now=candles.index[-1] + candles.interval)
    assert [finding for finding in findings if finding.level != "info"] == []
    assert {finding.key for finding in findings} <= {"volume", "gaps"}


@pytest.mark.skipif("KRONOS_SAMPLES" not in os.environ, reason="KRONOS_SAMPLES names no folder of real series")
def test_no_false_alarm_on_other_real_series():
    from tests.kronos_dashboard.markets.calendars.test_calendars_real import series

    for candles in series(Path(os.environ["KRONOS_SAMPLES"])):
        loud = [f for f in run_checks(candles, now=candles.index[-1] + candles.interval) if f.level != "info"]
        assert loud == [], candles.symbol


def test_a_hundred_thousand_candles_are_examined_whole():
    frame = makers.values(100_000)
    frame.index = pd.date_range("2020-01-01", periods=100_000, freq="5min", tz="UTC")
    frame.iloc[50_000, frame.columns.get_loc("high")] *= 3
    made = makers.on(frame, symbol="BTCUSDT")
    found = {finding.key: finding for finding in run_checks(made, now=made.index[-1] + pd.Timedelta("5min"))}
    assert found["outliers"].rows == (50_001,)
    assert "gaps" not in found
