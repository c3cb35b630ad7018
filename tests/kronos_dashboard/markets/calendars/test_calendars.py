"""The next bars open when the market does: weekends, lunch breaks, half days, changes of clocks."""

from types import SimpleNamespace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import CheckpointNotFoundError
from kronos_dashboard.errors import WindowError
from kronos_dashboard.markets.calendars import (
    calendar_options,
    detect_calendar,
    expected_times,
    future_times,
    learn_sessions,
    preload_calendars,
)
from kronos_dashboard.markets.calendars import sessions as calendar_sessions
from kronos_dashboard.markets.calendars.bar_grids import ClockGrid, SessionGrid
from kronos_dashboard.markets.calendars.sessions import load_sessions
from kronos_dashboard.markets.calendars.timezones import from_seconds
from kronos_dashboard.markets.samples import load_sample
from tests.support import makers


def exchange(code, start, end, minutes, *, timestamp_at="open", zone=None, grid=None, **fields):
    """Candles at all bars of an exchange between two dates, on its own clock unless told otherwise."""
    sessions = load_sessions(code)
    first, last = (pd.Timestamp(date).value // 10**9 // 86_400 for date in (start, end))
    rows = sessions.rows(int(sessions.labels.searchsorted(first)), int(sessions.labels.searchsorted(last)))
    rule = grid or SessionGrid(
        interval=minutes * 60, through_break=False, timestamp_at=timestamp_at, capped_at_close=timestamp_at == "close"
    )
    frame_index = from_seconds(rule.times(rows))
    made = makers.at(frame_index, "UTC")
    return makers.on(made.frame, session_tz=zone or sessions.zone, interval=pd.Timedelta(minutes=minutes), **fields)


def sessions(start, days, *spans, freq):
    """Weekday sessions: the stamps from the first to the last time of every span."""
    parts = [
        pd.date_range(f"{day:%Y-%m-%d} {a}", f"{day:%Y-%m-%d} {b}", freq=freq)
        for day in pd.bdate_range(start, periods=days)
        for a, b in spans
    ]
    return pd.DatetimeIndex([stamp for part in parts for stamp in part])


def local(candles, horizon, calendar="auto"):
    times, _ = future_times(candles, horizon, calendar)
    assert len(times) == horizon
    assert times.is_monotonic_increasing
    assert times.is_unique
    assert times[0] > candles.index[-1]
    return times.tz_convert(candles.session_tz)


def cut_at(candles, time):
    return candles.until(pd.Timestamp(time, tz=candles.session_tz).tz_convert("UTC"))


@pytest.mark.parametrize("freq", ["1min", "15min", "1h", "4h", "1D"])
def test_a_market_that_never_closes_goes_on_at_the_interval(freq):
    made = makers.candles(400, freq)
    times = local(made, 50)
    assert (times[0] - made.index[-1]) == made.interval
    assert set(times[1:] - times[:-1]) == {made.interval}


@pytest.mark.parametrize("symbol", ["BTCUSDT", "BTC/USDT", "ETH-USD"])
def test_a_coin_trades_on_saturdays_even_in_a_short_file(symbol):
    assert set(local(makers.candles(40, "15min", symbol=symbol), 700).day_of_week) == set(range(7))


def test_a_short_intraday_file_is_not_taken_for_a_market_that_closes():
    assert set(local(makers.candles(200, "5min"), 2000).day_of_week) == set(range(7))


def test_a_short_file_of_a_currency_keeps_the_currency_week():
    times = local(makers.candles(200, "5min", start="2024-01-03", symbol="EURUSD"), 2000)
    assert 5 not in times.day_of_week


@pytest.mark.parametrize(
    ("code", "minutes", "hours"),
    [
        ("XNYS", 60, ("09:30", "15:30")),
        ("XNYS", 5, ("09:30", "15:55")),
        ("XLON", 30, ("08:00", "16:00")),
        ("XETR", 60, ("09:00", "17:00")),
        ("XSHG", 5, ("09:30", "14:55")),
        ("XHKG", 15, ("09:30", "15:45")),
        ("XTKS", 5, ("09:00", "14:55")),
    ],
)
def test_stocks_trade_within_their_hours_and_never_on_weekends(code, minutes, hours):
    made = exchange(code, "2024-03-18", "2024-06-10", minutes)
    times = local(made, 500)
    assert not set(times.day_of_week) & {5, 6}
    shown = set(times.strftime("%H:%M"))
    assert (min(shown), max(shown)) == hours


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "UTC"])
@pytest.mark.parametrize("minutes", [5, 15, 30, 60])
def test_shanghai_keeps_its_lunch_break_and_its_stamps_at_the_close(zone, minutes):
    stamps = exchange("XSHG", "2024-05-06", "2024-07-10", minutes, timestamp_at="close").local_index.tz_localize(None)
    made = makers.at(stamps, zone)
    assert detect_calendar(made).code == "XSHG"
    assert detect_calendar(made).timestamp_at == "close"
    times = local(made, 200)
    clock = times.hour * 60 + times.minute
    assert not ((clock > 11 * 60 + 30) & (clock < 13 * 60 + minutes)).any()
    assert (clock.min(), clock.max()) == (9 * 60 + 30 + minutes, 15 * 60)


def test_golden_week_and_new_year_are_closed_in_shanghai():
    made = exchange("XSHG", "2023-05-01", "2024-09-28", 24 * 60, grid=None)
    daily = makers.on(
        made.frame.groupby(made.local_index.normalize().tz_convert("UTC")).first(), session_tz="Asia/Shanghai"
    )
    dates = local(daily, 5).strftime("%m-%d").tolist()
    assert dates[0] == "09-30"
    assert dates[1] == "10-08", "1 to 7 October are holidays"


def test_tokyo_closes_half_an_hour_later_since_november_2024():
    made = exchange("XTKS", "2024-08-01", "2024-11-01", 30)
    assert cut_at(made, "2024-11-01").local_index.strftime("%H:%M").max() == "14:30"
    times = local(made, 60)
    by_day = pd.Series(times.strftime("%H:%M"), index=times.strftime("%m-%d")).groupby(level=0).max()
    assert by_day["11-01"] == "14:30"
    assert by_day["11-06"] == "15:00"
    assert "11-04" not in by_day, "the day after Culture Day is a holiday"
    lunch = times.strftime("%H:%M")
    assert not ((lunch >= "11:30") & (lunch < "12:30")).any()


def test_hong_kong_closes_at_noon_before_christmas_and_new_year():
    made = exchange("XHKG", "2024-09-02", "2024-12-23", 60)
    times = local(made, 60)
    of_day = {day: times[times.strftime("%m-%d") == day].strftime("%H:%M").tolist() for day in ("12-24", "12-27")}
    assert of_day["12-24"] == ["09:30", "10:30", "11:30"]
    assert of_day["12-27"][-1] == "15:00"
    assert not set(times.strftime("%m-%d")) & {"12-25", "12-26", "01-01"}


@pytest.mark.parametrize(
    ("cutoff", "half_day", "last", "closed"),
    [
        ("2024-11-26 16:00", "2024-11-29", "12:30", "2024-11-28"),
        ("2024-12-20 16:00", "2024-12-24", "12:30", "2024-12-25"),
        ("2024-07-01 16:00", "2024-07-03", "12:30", "2024-07-04"),
    ],
)
def test_new_york_closes_early_around_thanksgiving_christmas_and_independence_day(cutoff, half_day, last, closed):
    made = cut_at(exchange("XNYS", "2024-03-01", "2025-01-10", 60), cutoff)
    times = local(made, 60)
    assert times[times.strftime("%Y-%m-%d") == half_day].strftime("%H:%M").max() == last
    assert closed not in set(times.strftime("%Y-%m-%d"))


def test_bars_on_the_hour_stay_there_and_the_first_holds_half_an_hour_of_trading():
    grid = ClockGrid(interval=3_600, zone="America/New_York", phase=0, timestamp_at="open")
    made = cut_at(exchange("XNYS", "2024-03-01", "2025-01-10", 60, grid=grid), "2024-11-26 16:00")
    times = local(made, 30)
    assert times[times.strftime("%m-%d") == "11-29"].strftime("%H:%M").tolist() == ["09:00", "10:00", "11:00", "12:00"]
    assert times[times.strftime("%m-%d") == "12-02"].strftime("%H:%M").max() == "15:00"


def test_after_hours_move_with_an_early_close():
    days = load_sessions("XNYS")
    first, last = (pd.Timestamp(date).value // 10**9 // 86_400 for date in ("2024-08-01", "2024-11-28"))
    labels = days.labels[days.labels.searchsorted(first) : days.labels.searchsorted(last)]
    stamps = [pd.date_range(day, periods=16, freq="1h") for day in labels.astype("datetime64[D]") + pd.Timedelta("4h")]
    made = makers.at(pd.DatetimeIndex([stamp for part in stamps for stamp in part]), "America/New_York")
    made = makers.on(made.frame, session_tz="America/New_York", symbol="SPY.US")
    times = local(made, 30)
    shown = times[times.strftime("%m-%d") == "11-29"].strftime("%H:%M")
    assert (shown.min(), shown.max()) == ("04:00", "16:00"), "four hours after a close at 13:00"
    assert times[times.strftime("%m-%d") == "12-02"].strftime("%H:%M").max() == "19:00"


@pytest.mark.parametrize(
    ("code", "change"),
    [("XNYS", "2024-03-10"), ("XNYS", "2024-11-03"), ("XLON", "2024-03-31"), ("XLON", "2024-10-27")],
)
@pytest.mark.parametrize("interpretation", ["instants", "hours of a file without a zone"])
def test_a_session_keeps_its_hours_over_both_changes_of_clocks(code, change, interpretation):
    made = exchange(code, "2023-06-01", change, 60)
    if interpretation != "instants":
        made = makers.at(made.local_index.tz_localize(None), "UTC")
    times = local(made, 70)
    zone = load_sessions(code).zone
    shown = times if interpretation != "instants" else times.tz_convert(zone)
    assert times[-1].tz_localize(None) > pd.Timestamp(change) + pd.Timedelta("2D")
    minutes = "30" if code == "XNYS" else "00"
    assert set(shown.strftime("%M")) == {minutes}
    assert shown.strftime("%H").min() == ("09" if code == "XNYS" else "08")


def currency_week(start, end, freq, broker=False):
    """Bars from Sunday 17:00 to Friday 17:00 in New York; a broker's server stamps them seven hours later."""
    every = pd.date_range(start, end, freq=freq, tz="UTC")
    york = every.tz_convert("America/New_York")
    hours = york.day_of_week * 24 + york.hour
    kept = every[~(((hours >= 4 * 24 + 17) & (york.day_of_week < 6)) | ((york.day_of_week == 6) & (york.hour < 17)))]
    if not broker:
        return makers.at(kept, "UTC")
    return makers.at(kept.tz_convert("America/New_York").tz_localize(None) + pd.Timedelta("7h"), "UTC")


def test_currencies_stop_on_friday_at_17_in_new_york_and_return_on_sunday():
    times = local(currency_week("2024-01-02", "2024-03-05", "1h"), 240).tz_convert("America/New_York")
    assert 5 not in times.day_of_week
    assert times[times.day_of_week == 6].hour.min() == 17
    assert times[times.day_of_week == 4].hour.max() == 16
    assert times[-1] > pd.Timestamp("2024-03-14", tz="America/New_York"), "over the change to summer time"


def test_a_brokers_clock_runs_from_monday_to_friday_all_year():
    made = currency_week("2023-06-02", "2024-03-05", "1h", broker=True)
    assert detect_calendar(made).code == "fx"
    assert "New_York + 7 h" in future_times(made, 5)[1]
    times = local(made, 240)
    assert set(times.day_of_week) == {0, 1, 2, 3, 4}
    assert set(times[times.day_of_week == 0].hour) == set(range(24))


def test_daily_stocks_skip_weekends_and_holidays():
    stamps = pd.DatetimeIndex(load_sessions("XNYS").labels.astype("datetime64[D]"))
    made = makers.at(stamps[(stamps >= "2023-01-01") & (stamps < "2024-12-20")], "America/New_York")
    times = local(made, 60)
    assert set(times.day_of_week) == {0, 1, 2, 3, 4}
    assert set(times.hour) == {0}, "midnight in the session timezone, on both sides of the change to summer time"
    assert not set(times.strftime("%m-%d")) & {"12-25", "01-01", "01-20", "02-17"}


@pytest.mark.parametrize("hour", ["00:00", "09:30", "16:00"])
def test_daily_bars_keep_the_time_of_day_they_are_stamped_at(hour):
    stamps = pd.DatetimeIndex(load_sessions("XNYS").labels.astype("datetime64[D]"))
    made = makers.at(stamps[(stamps >= "2023-01-01") & (stamps < "2024-03-01")] + pd.Timedelta(f"{hour}:00"), "UTC")
    york = makers.at(made.index.tz_localize(None), "America/New_York")
    for one in (made, york, makers.on(york.frame, session_tz="UTC")):
        shown = local(one, 40).tz_convert("America/New_York" if one is not made else "UTC")
        assert set(shown.strftime("%H:%M")) == {hour}


def test_weeks_and_months_are_counted_on_the_session_clock():
    weekly = makers.at(pd.date_range("2024-01-01", periods=60, freq="7D"), "Europe/Berlin")
    assert set(local(weekly, 10).day_of_week) == {0}
    assert set(local(weekly, 40).hour) == {0}
    monthly = makers.at(pd.date_range("2020-01-01", periods=40, freq="MS"), "UTC")
    assert set(local(monthly, 14).day) == {1}
    ends = makers.at(pd.date_range("2020-01-31", periods=37, freq="ME"), "UTC")
    assert local(ends, 14).is_month_end.all()
    quarters = makers.at(pd.date_range("2010-01-01", periods=37, freq="QS"), "UTC")
    assert set(local(quarters, 8).month) == {1, 4, 7, 10}


@pytest.mark.parametrize(("period", "position"), [("W", "last"), ("W", "first"), ("M", "last"), ("M", "first")])
def test_weeks_and_months_stamped_at_a_session_stay_on_one(period, position):
    days = pd.DatetimeIndex(load_sessions("XNYS").labels.astype("datetime64[D]"))
    days = days[(days >= "2016-01-01") & (days < "2025-01-01")]
    stamps = pd.DatetimeIndex(pd.Series(days, index=days.to_period(period)).groupby(level=0).agg(position).to_numpy())
    cut = len(stamps) * 2 // 3
    times = local(makers.at(stamps[:cut], "America/New_York"), 30)
    assert times.tz_localize(None).tolist() == stamps[cut : cut + 30].tolist()


def test_a_horizon_beyond_the_known_holidays_is_reported():
    made = exchange("XSHG", "2024-05-06", "2024-07-10", 5, timestamp_at="close")
    daily = makers.on(
        made.frame.iloc[::48], session_tz="Asia/Shanghai", interval=pd.Timedelta("1D"), symbol="600977.SH"
    )
    _, near = future_times(daily, 20)
    _, far = future_times(daily, 900)
    assert "not known yet" not in near
    assert "Holidays after 2026-12-31 are not known yet" in far


def test_a_template_says_what_it_found():
    stamps = sessions("2024-06-03", 20, ("09:35", "11:30"), ("13:05", "15:00"), freq="5min")
    assert learn_sessions(stamps.tz_localize("UTC"), pd.Timedelta("5min")).describe() == "Mon–Fri, 09:35–15:00"
    assert learn_sessions(makers.candles(400).index, pd.Timedelta("1h")).describe().startswith("around the clock")


def test_a_market_that_no_calendar_knows_keeps_the_hours_of_its_file():
    stamps = sessions("2024-01-01", 80, ("07:20", "10:20"), ("18:40", "20:40"), freq="20min")
    made = makers.at(stamps, "UTC")
    assert detect_calendar(made).code == "learned"
    times, text = future_times(made, 200)
    assert set(times.strftime("%H:%M")) == set(stamps.strftime("%H:%M"))
    assert set(times.day_of_week) == {0, 1, 2, 3, 4}
    assert "Holidays are not known" in text


def test_a_learned_market_that_was_closed_at_christmas_will_be():
    stamps = sessions("2023-01-02", 520, ("07:20", "20:40"), freq="20min")
    made = makers.at(stamps[~stamps.strftime("%m-%d").isin(["12-25", "01-01"])], "UTC")
    times, text = future_times(made.until(pd.Timestamp("2024-12-23", tz="UTC")), 300)
    assert "Closed on Christmas, New Year" in text
    assert not set(times.strftime("%m-%d")) & {"12-25", "01-01"}
    assert "12-26" in set(times.strftime("%m-%d"))


def test_bar_times_without_a_pattern_are_refused():
    days = pd.date_range("2024-01-01", periods=300, freq="D")
    stamps = days + pd.to_timedelta([(i * 7919) % 86_400 for i in range(300)], unit="s")
    with pytest.raises(WindowError, match="no daily pattern"):
        future_times(makers.on(makers.at(pd.DatetimeIndex(stamps)).frame, interval=pd.Timedelta("1h")), 5)


def test_the_calendar_can_be_named():
    made = makers.candles(400, "1h")
    assert 5 in local(made, 200, "24/7").day_of_week
    assert 5 not in local(made, 200, "fx").day_of_week
    york = local(made, 200, "xnys").tz_convert("America/New_York")
    assert (york.hour.min(), york.hour.max()) == (9, 15)
    assert set(calendar_options()) >= {"auto", "24/7", "fx", "learned", "XNYS", "XSHG", "XTKS"}
    with pytest.raises(WindowError, match="unknown calendar 'XXXX'"):
        future_times(made, 5, "XXXX")


def test_a_detection_gives_its_reason_and_what_else_was_tried():
    found = detect_calendar(exchange("XNYS", "2024-03-01", "2024-09-10", 60, symbol="IBM.US"))
    assert found.code == "XNYS"
    assert "100.0%" in found.reason
    assert "IBM.US" in found.reason
    assert dict(found.candidates)["XNYS"] > dict(found.candidates)["24/7"]


def test_the_bars_that_a_calendar_expects_are_those_of_the_series():
    made = exchange("XHKG", "2024-03-01", "2024-09-10", 60)
    assert expected_times(made).equals(made.index)
    assert expected_times(made, "XHKG").equals(made.index)


REGULAR = {
    "New York 1h": exchange("XNYS", "2023-09-01", "2025-01-31", 60),
    "New York 4h on the clock": exchange(
        "XNYS", "2022-09-01", "2025-01-31", 240,
        grid=ClockGrid(interval=14_400, zone="America/New_York", phase=0, timestamp_at="open"),
    ),
    "Frankfurt 30m": exchange("XETR", "2024-06-03", "2025-01-31", 30),
    "London 1h, no zone": makers.at(exchange("XLON", "2023-09-01", "2025-01-31", 60).local_index.tz_localize(None)),
    "Shanghai 15m close": exchange("XSHG", "2024-03-01", "2025-01-24", 15, timestamp_at="close"),
    "Tokyo 1h": exchange("XTKS", "2024-03-01", "2025-03-31", 60),
    "Hong Kong 30m": exchange("XHKG", "2024-03-01", "2025-01-31", 30),
    "currency 1h": currency_week("2023-09-01", "2024-12-20", "1h"),
    "currency 4h": currency_week("2022-09-01", "2024-12-20", "4h"),
    "coin 15m": makers.candles(3000, "15min", symbol="BTCUSDT"),
}  # fmt: skip


@pytest.mark.parametrize("name", REGULAR)
@given(place=st.floats(0, 1), horizon=st.integers(1, 120))
@settings(max_examples=6, deadline=None)
def test_a_regular_series_cut_anywhere_is_continued_as_it_went_on(name, place, horizon):
    made = REGULAR[name]
    row = 500 + round(place * (len(made) - 500 - horizon))
    times, _ = future_times(made.rows(0, row), horizon)
    assert times.tolist() == made.index[row : row + horizon].tolist()


def test_what_was_prepared_need_not_be_built_when_a_series_comes(monkeypatch):
    built = []
    build = calendar_sessions._exchange_sessions
    monkeypatch.setattr(calendar_sessions, "_exchange_sessions", lambda code: built.append(code) or build(code))
    load_sessions.cache_clear()
    preload_calendars()
    assert built == ["XNYS"]
    assert detect_calendar(load_sample("aapl_1d").candles).code == "XNYS"
    assert built == ["XNYS"]


def test_the_app_prepares_calendars_in_the_background_also_without_a_model(monkeypatch):
    from kronos_dashboard.ui import resources  # here, so that the other tests of this file load no user interface

    def get(name):
        order.append(name)
        raise CheckpointNotFoundError("there is none")

    order = []
    monkeypatch.setattr(resources, "preload_calendars", lambda: order.append("calendars"))
    resources._warm_up(SimpleNamespace(get=get), "bundled")
    assert order == ["bundled", "calendars"]
