import numpy as np
import pandas as pd
import pytest

from kronos_dashboard.errors import InvalidFeedRequestError, NoCandlesError
from kronos_dashboard.markets.feeds import FetchRequest, SeriesInfo
from kronos_dashboard.markets.feeds.assemble import Clocks, bar_end_times, build_candles, format_duration
from tests.support import makers

NOW = pd.Timestamp("2024-01-02 03:30", tz="UTC")
ORIGIN = SeriesInfo(symbol="X", source="a feed")


def bars(n: int = 27, start: str = "2024-01-01 01:00") -> pd.DataFrame:
    frame = makers.values(n).drop(columns="amount")
    frame.index = pd.date_range(start, periods=n, freq="1h", tz="UTC")
    return frame


def made(frame: pd.DataFrame, info: SeriesInfo = ORIGIN, clocks: Clocks | None = None, **fields: object):
    given = {"symbol": "X", "interval": "1h", "limit": 1_000, **fields}
    return build_candles(frame, info, FetchRequest(**given), clocks or Clocks(now=NOW))  # type: ignore[arg-type]


def text_of(fetched) -> str:
    return "\n".join(f"{note.level}: {note.text}" for note in fetched.notes)


def test_the_incomplete_bar_is_dropped_by_the_clock_and_said() -> None:
    fetched = made(bars())
    assert fetched.candles.index[-1] == pd.Timestamp("2024-01-02 02:00", tz="UTC")
    assert "Skipped the last bar, which is still forming: 2024-01-02 03:00 (UTC)" in text_of(fetched)
    closed = made(bars(), clocks=Clocks(now=NOW.ceil("1h")))
    assert len(closed.candles) == 27
    assert "forming" not in text_of(closed)


def test_bars_from_the_future_are_refused_with_a_warning() -> None:
    fetched = made(bars(30))
    assert fetched.candles.index[-1] == pd.Timestamp("2024-01-02 02:00", tz="UTC")
    assert "warning: Rejected 3 bars later than the current time (2024-01-02 03:30 UTC)" in text_of(fetched)


def test_a_clock_that_is_ahead_of_the_feed_does_not_let_an_incomplete_bar_through() -> None:
    fetched = made(bars(), clocks=Clocks(now=NOW + pd.Timedelta(hours=2), feed=NOW))
    assert fetched.candles.index[-1] == pd.Timestamp("2024-01-02 02:00", tz="UTC")
    assert "This computer's clock is 2 hours ahead of the feed's; the feed's clock decides" in text_of(fetched)


def test_a_clock_that_is_behind_is_reported_and_its_future_refused() -> None:
    fetched = made(bars(), clocks=Clocks(now=NOW - pd.Timedelta(hours=2), feed=NOW))
    assert fetched.candles.index[-1] == pd.Timestamp("2024-01-02 00:00", tz="UTC")
    assert "2 hours behind the feed's" in text_of(fetched)
    assert "Rejected 2 bars later than the current time" in text_of(fetched)


def test_clocks_that_nearly_agree_are_not_mentioned() -> None:
    assert "This computer's clock" not in text_of(
        made(bars(), clocks=Clocks(now=NOW, feed=NOW - pd.Timedelta(seconds=20)))
    )


def test_duplicates_disorder_and_contradictions_are_each_reported() -> None:
    frame = bars()
    corrected = frame.iloc[[9]] * 1.001
    fetched = made(pd.concat([frame.iloc[10:], frame.iloc[:12], corrected]))
    assert fetched.candles.index.equals(frame.index[:-1])
    assert fetched.candles.frame["close"].iloc[9] == pytest.approx(frame["close"].iloc[9] * 1.001)
    told = text_of(fetched)
    assert "were not in time order" in told
    assert "Dropped 2 duplicate bars" in told
    assert "warning: 1 bar was received again with other values; kept the latest: 2024-01-01 10:00 (UTC)" in told


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("close", np.nan, "Dropped 1 bar without prices"),
        ("low", 0.0, "Dropped 1 bar with impossible values"),
        ("open", -1.0, "Dropped 1 bar with impossible values"),
        ("high", 1.0, "Dropped 1 bar with impossible values"),
        ("low", 1e9, "Dropped 1 bar with impossible values"),
        ("close", np.inf, "Dropped 1 bar with impossible values"),
        ("volume", -1.0, "Dropped 1 bar with impossible values"),
    ],
)
def test_a_bar_that_no_market_could_have_made_is_dropped_and_named(column: str, value: float, what: str) -> None:
    frame = bars()
    frame.iloc[3, frame.columns.get_loc(column)] = value
    fetched = made(frame)
    assert frame.index[3] not in fetched.candles.index
    assert len(fetched.candles) == 25
    assert f"warning: {what}: 2024-01-01 04:00 (UTC)." in text_of(fetched)


def test_blank_volumes_become_zero_with_a_note_and_no_volume_at_all_is_absent() -> None:
    frame = bars()
    frame.iloc[:3, frame.columns.get_loc("volume")] = np.nan
    fetched = made(frame)
    assert fetched.candles.has_volume
    assert fetched.candles.frame["volume"].iloc[0] == 0
    assert "warning: Set missing volume to 0 in 3 bars" in text_of(fetched)
    nothing = made(frame.assign(volume=0.0))
    assert not nothing.candles.has_volume
    assert "provides no volume" in text_of(nothing)


def test_a_bar_without_a_time_is_dropped() -> None:
    frame = bars()
    frame.index = frame.index[:5].append(pd.DatetimeIndex([pd.NaT], tz="UTC")).append(frame.index[6:])
    fetched = made(frame)
    assert len(fetched.candles) == 25
    assert "Dropped 1 bar without a time" in text_of(fetched)


def test_a_gap_is_a_warning_where_the_market_never_closes_and_a_pause_elsewhere() -> None:
    frame = bars().drop(bars().index[5:8])
    assert "warning: 23 candles at 1h, 1 gap (3 bars missing), the first after 2024-01-01 05:00" in text_of(
        made(frame, SeriesInfo(symbol="X", source="a feed", always_open=True))
    )
    assert "info: 23 candles at 1h, 1 gap" in text_of(made(frame))


def test_a_span_and_a_count_are_cut_out_and_a_short_history_is_reported() -> None:
    start, end = pd.Timestamp("2024-01-01 05:00", tz="UTC"), pd.Timestamp("2024-01-01 08:00", tz="UTC")
    fetched = made(bars(), limit=None, start=start, end=end)
    assert list(fetched.candles.index) == list(pd.date_range(start, end, freq="1h"))
    assert len(made(bars(), limit=4).candles) == 4
    assert "Requested 27 candles, received 26" in text_of(made(bars(), limit=27))


def test_no_closed_bar_at_all_is_an_error() -> None:
    with pytest.raises(NoCandlesError, match="a feed has no closed 1h candles of X until now"):
        made(bars(1, "2024-01-02 03:00"))
    with pytest.raises(NoCandlesError):
        made(bars(3).iloc[:0])


def test_months_end_with_the_month_and_days_with_the_day_on_the_session_clock() -> None:
    zone = "America/New_York"
    days = pd.DatetimeIndex(["2024-03-09", "2024-03-10", "2024-11-03"]).tz_localize(zone).tz_convert("UTC")
    info = SeriesInfo(symbol="X", source="", session_tz=zone)
    ends = bar_end_times(days, "1d", info).tz_convert(zone)
    assert list(ends.strftime("%m-%d %H")) == ["03-10 00", "03-11 00", "11-04 00"]
    months = pd.DatetimeIndex(["2024-01-01", "2024-02-01"]).tz_localize(zone).tz_convert("UTC")
    assert list(bar_end_times(months, "1M", info).tz_convert(zone).strftime("%m-%d")) == ["02-01", "03-01"]


def test_bars_stamped_at_their_close_are_closed_at_their_stamp() -> None:
    fetched = made(bars(29), SeriesInfo(symbol="X", source="", timestamp_at="close"), Clocks(now=NOW.floor("1h")))
    assert fetched.candles.index[-1] == pd.Timestamp("2024-01-02 03:00", tz="UTC")
    assert "Skipped the last bar, which is still forming: 2024-01-02 04:00" in text_of(fetched)
    assert "Rejected 1 bar later than the current time" in text_of(fetched)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"symbol": "../../etc"}, None),
        ({"symbol": "A B"}, "not a valid symbol"),
        ({"symbol": "=" * 5}, "not a valid symbol"),
        ({"symbol": "A" * 65}, "not a valid symbol"),
        ({"symbol": "A\n"}, "not a valid symbol"),
        ({"symbol": "A?x=1"}, "not a valid symbol"),
        ({"interval": "7x"}, "not a valid interval"),
        ({"interval": "0m"}, "not a valid interval"),
        ({"exchange": "a/b"}, "not a valid exchange name"),
        ({"limit": 0}, "must be 1 to"),
        ({"limit": 10_000_000}, "must be 1 to"),
        ({"limit": None}, "either a number of candles or a start"),
        ({"start": NOW}, "either a number of candles or a start"),
        ({"limit": None, "start": pd.Timestamp("2024-01-01")}, "with a time zone"),
        ({"limit": None, "start": NOW, "end": NOW - pd.Timedelta(days=1)}, "after the end"),
    ],
)
def test_a_request_out_of_bounds_is_refused(fields: dict, word: str | None) -> None:
    given = {"symbol": "X", "limit": 5, **fields}
    if word is None:
        assert FetchRequest(**given).symbol == fields["symbol"]  # marks of symbols; no feed takes it for a path
        return
    with pytest.raises(InvalidFeedRequestError, match=word):
        FetchRequest(**given)


def test_spellings_of_intervals_are_brought_to_one() -> None:
    names = [FetchRequest(symbol="X", limit=1, interval=text).interval for text in ("60m", "1wk", "1mo", "1D", "15m")]
    assert names == ["1h", "1w", "1M", "1d", "15m"]


def test_lengths_of_time_read_well() -> None:
    spans = [format_duration(pd.Timedelta(seconds=s)) for s in (1, 45, 600, 7_200, 260_000)]
    assert spans == ["1 second", "45 seconds", "10 minutes", "2 hours", "3 days"]
