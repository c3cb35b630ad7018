import pandas as pd
import pytest

from kronos_dashboard.calendars import future_times, learn
from kronos_dashboard.errors import WindowError
from kronos_dashboard.samples import load_sample
from tests.dashboard import makers


def sessions(start: str, days: int, *spans: tuple[str, str], freq: str) -> pd.DatetimeIndex:
    """Weekday sessions: the stamps from the first to the last time of every span."""
    parts = [
        pd.date_range(f"{day:%Y-%m-%d} {a}", f"{day:%Y-%m-%d} {b}", freq=freq)
        for day in pd.bdate_range(start, periods=days)
        for a, b in spans
    ]
    return pd.DatetimeIndex([stamp for part in parts for stamp in part])


def local(candles, horizon):
    times, _ = future_times(candles, horizon)
    assert len(times) == horizon
    assert times.is_monotonic_increasing
    assert times[0] > candles.index[-1]
    return times.tz_convert(candles.session_tz)


@pytest.mark.parametrize("freq", ["1min", "15min", "1h", "4h", "1D"])
def test_a_market_that_never_closes_goes_on_at_the_interval(freq: str) -> None:
    made = makers.candles(400, freq)
    times = local(made, 50)
    assert (times[0] - made.index[-1]) == made.interval
    assert set(times[1:] - times[:-1]) == {made.interval}


def test_daily_stocks_skip_weekends() -> None:
    times = local(load_sample("aapl_1d").candles, 60)
    assert set(times.day_of_week) == {0, 1, 2, 3, 4}
    assert set(times.hour) == {0}, "midnight on the session clock, on both sides of the change to summer time"


def test_currencies_stop_on_friday_night_and_return_on_sunday_night() -> None:
    times = local(load_sample("eurusd_1h").candles, 240)
    assert 5 not in times.day_of_week
    assert set(times[times.day_of_week == 6].hour) == {22, 23}
    assert times[times.day_of_week == 4].hour.max() == 21


def test_shanghai_keeps_its_lunch_break() -> None:
    stamps = sessions("2024-06-03", 20, ("09:35", "11:30"), ("13:05", "15:00"), freq="5min")
    made = makers.at(stamps[:-30], "Asia/Shanghai")
    times = local(made, 200)
    minutes = times.hour * 60 + times.minute
    assert not ((minutes > 11 * 60 + 30) & (minutes < 13 * 60 + 5)).any()
    assert (minutes.min(), minutes.max()) == (9 * 60 + 35, 15 * 60)
    assert times.day_of_week.max() == 4


def test_a_session_keeps_its_hours_over_the_change_to_summer_time() -> None:
    made = makers.at(sessions("2024-02-05", 24, ("09:30", "15:30"), freq="1h"), "America/New_York")
    times = local(made, 70)
    assert times[-1] > pd.Timestamp("2024-03-11", tz="America/New_York")
    assert set(times.strftime("%H:%M")) == {f"{hour:02d}:30" for hour in range(9, 16)}


def test_one_holiday_does_not_close_a_weekday() -> None:
    stamps = sessions("2024-11-18", 10, ("09:30", "15:30"), freq="1h")
    made = makers.at(stamps[stamps.normalize() != "2024-11-28"], "America/New_York")
    assert 3 in local(made, 70).day_of_week


def test_weeks_and_months_are_counted_on_the_session_clock() -> None:
    weekly = makers.at(pd.date_range("2024-01-01", periods=60, freq="7D"), "Europe/Berlin")
    assert set(local(weekly, 10).day_of_week) == {0}
    monthly = makers.at(pd.date_range("2020-01-01", periods=40, freq="MS"), "UTC")
    assert set(local(monthly, 14).day) == {1}
    ends = makers.at(pd.date_range("2020-01-31", periods=37, freq="ME"), "UTC")
    assert local(ends, 14).is_month_end.all()


def test_a_template_says_what_it_found() -> None:
    stamps = sessions("2024-06-03", 20, ("09:35", "11:30"), ("13:05", "15:00"), freq="5min")
    assert learn(stamps.tz_localize("UTC"), pd.Timedelta("5min")).describe() == "Mon–Fri, 09:35–15:00"
    assert learn(makers.candles(400).index, pd.Timedelta("1h")).describe().startswith("around the clock")


def test_a_short_intraday_file_is_not_taken_for_a_market_that_closes() -> None:
    assert set(local(makers.candles(200, "5min"), 2000).day_of_week) == set(range(7))


def test_bar_times_without_a_pattern_are_refused() -> None:
    days = pd.date_range("2024-01-01", periods=300, freq="D")
    stamps = days + pd.to_timedelta([(i * 7919) % 86_400 for i in range(300)], unit="s")
    with pytest.raises(WindowError, match="no daily pattern"):
        future_times(makers.on(makers.at(pd.DatetimeIndex(stamps)).frame, interval=pd.Timedelta("1h")), 5)
