import numpy as np
import pandas as pd
import pytest

from kronos_dashboard.errors import FeedEmpty, FeedRefused
from kronos_dashboard.markets.feeds import FetchRequest, Origin
from kronos_dashboard.markets.feeds.assemble import Clocks, assemble, bar_ends, span_of
from tests.support import makers

NOW = pd.Timestamp("2024-01-02 03:30", tz="UTC")
ORIGIN = Origin(symbol="X", source="a feed")


def bars(n: int = 27, start: str = "2024-01-01 01:00") -> pd.DataFrame:
    frame = makers.values(n).drop(columns="amount")
    frame.index = pd.date_range(start, periods=n, freq="1h", tz="UTC")
    return frame


def made(frame: pd.DataFrame, origin: Origin = ORIGIN, clocks: Clocks | None = None, **fields: object):
    given = {"symbol": "X", "interval": "1h", "count": 1_000, **fields}
    return assemble(frame, origin, FetchRequest(**given), clocks or Clocks(now=NOW))  # type: ignore[arg-type]


def text_of(fetched) -> str:
    return "\n".join(f"{note.level}: {note.text}" for note in fetched.notes)


def test_the_forming_bar_is_dropped_by_the_clock_and_said() -> None:
    fetched = made(bars())
    assert fetched.candles.index[-1] == pd.Timestamp("2024-01-02 02:00", tz="UTC")
    assert "still forming, is left out: 2024-01-02 03:00 (UTC)" in text_of(fetched)
    closed = made(bars(), clocks=Clocks(now=NOW.ceil("1h")))
    assert len(closed.candles) == 27
    assert "forming" not in text_of(closed)


def test_bars_from_the_future_are_refused_with_a_warning() -> None:
    fetched = made(bars(30))
    assert fetched.candles.index[-1] == pd.Timestamp("2024-01-02 02:00", tz="UTC")
    assert "warning: 3 bars after the clock (2024-01-02 03:30 UTC) refused" in text_of(fetched)


def test_a_clock_that_is_ahead_of_the_feed_does_not_let_a_forming_bar_through() -> None:
    fetched = made(bars(), clocks=Clocks(now=NOW + pd.Timedelta(hours=2), feed=NOW))
    assert fetched.candles.index[-1] == pd.Timestamp("2024-01-02 02:00", tz="UTC")
    assert "The clock here is 2 hours ahead of the feed's; the feed's clock decides" in text_of(fetched)


def test_a_clock_that_is_behind_is_told_and_its_future_refused() -> None:
    fetched = made(bars(), clocks=Clocks(now=NOW - pd.Timedelta(hours=2), feed=NOW))
    assert fetched.candles.index[-1] == pd.Timestamp("2024-01-02 00:00", tz="UTC")
    assert "2 hours behind the feed's" in text_of(fetched)
    assert "2 bars after the clock" in text_of(fetched)


def test_clocks_that_nearly_agree_are_not_mentioned() -> None:
    assert "clock here" not in text_of(made(bars(), clocks=Clocks(now=NOW, feed=NOW - pd.Timedelta(seconds=20))))


def test_duplicates_disorder_and_contradictions_are_each_told() -> None:
    frame = bars()
    corrected = frame.iloc[[9]] * 1.001
    fetched = made(pd.concat([frame.iloc[10:], frame.iloc[:12], corrected]))
    assert fetched.candles.index.equals(frame.index[:-1])
    assert fetched.candles.frame["close"].iloc[9] == pytest.approx(frame["close"].iloc[9] * 1.001)
    told = text_of(fetched)
    assert "did not arrive in order" in told
    assert "2 bars that arrived twice dropped once" in told
    assert "warning: 1 bar arrived again with other values; the later ones hold: 2024-01-01 10:00 (UTC)" in told


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("close", np.nan, "without prices"),
        ("low", 0.0, "with impossible values"),
        ("open", -1.0, "with impossible values"),
        ("high", 1.0, "with impossible values"),
        ("low", 1e9, "with impossible values"),
        ("close", np.inf, "with impossible values"),
        ("volume", -1.0, "with impossible values"),
    ],
)
def test_a_bar_that_no_market_could_have_made_is_dropped_and_named(column: str, value: float, what: str) -> None:
    frame = bars()
    frame.iloc[3, frame.columns.get_loc(column)] = value
    fetched = made(frame)
    assert frame.index[3] not in fetched.candles.index
    assert len(fetched.candles) == 25
    assert f"warning: 1 bar {what} dropped: 2024-01-01 04:00 (UTC)." in text_of(fetched)


def test_blank_volumes_become_zero_with_a_note_and_no_volume_at_all_is_absent() -> None:
    frame = bars()
    frame.iloc[:3, frame.columns.get_loc("volume")] = np.nan
    fetched = made(frame)
    assert fetched.candles.has_volume
    assert fetched.candles.frame["volume"].iloc[0] == 0
    assert "warning: 3 bars without volume; set to 0" in text_of(fetched)
    nothing = made(frame.assign(volume=0.0))
    assert not nothing.candles.has_volume
    assert "gives no volume" in text_of(nothing)


def test_a_bar_without_a_time_is_dropped() -> None:
    frame = bars()
    frame.index = frame.index[:5].append(pd.DatetimeIndex([pd.NaT], tz="UTC")).append(frame.index[6:])
    fetched = made(frame)
    assert len(fetched.candles) == 25
    assert "1 bar without a time dropped" in text_of(fetched)


def test_a_gap_is_a_warning_where_the_market_never_closes_and_a_pause_elsewhere() -> None:
    frame = bars().drop(bars().index[5:8])
    assert "warning: 23 candles at 1h, 1 gap (3 bars missing), the first after 2024-01-01 05:00" in text_of(
        made(frame, Origin(symbol="X", source="a feed", always_open=True))
    )
    assert "info: 23 candles at 1h, 1 pause" in text_of(made(frame))


def test_a_span_and_a_count_are_cut_out_and_a_short_history_is_told() -> None:
    start, end = pd.Timestamp("2024-01-01 05:00", tz="UTC"), pd.Timestamp("2024-01-01 08:00", tz="UTC")
    fetched = made(bars(), count=None, start=start, end=end)
    assert list(fetched.candles.index) == list(pd.date_range(start, end, freq="1h"))
    assert len(made(bars(), count=4).candles) == 4
    assert "27 candles were asked for, 26 came" in text_of(made(bars(), count=27))


def test_no_closed_bar_at_all_is_an_error() -> None:
    with pytest.raises(FeedEmpty, match="a feed has no closed candles of X at 1h up to now"):
        made(bars(1, "2024-01-02 03:00"))
    with pytest.raises(FeedEmpty):
        made(bars(3).iloc[:0])


def test_months_end_with_the_month_and_days_with_the_day_on_the_session_clock() -> None:
    zone = "America/New_York"
    days = pd.DatetimeIndex(["2024-03-09", "2024-03-10", "2024-11-03"]).tz_localize(zone).tz_convert("UTC")
    origin = Origin(symbol="X", source="", session_tz=zone)
    ends = bar_ends(days, "1d", origin).tz_convert(zone)
    assert list(ends.strftime("%m-%d %H")) == ["03-10 00", "03-11 00", "11-04 00"]
    months = pd.DatetimeIndex(["2024-01-01", "2024-02-01"]).tz_localize(zone).tz_convert("UTC")
    assert list(bar_ends(months, "1M", origin).tz_convert(zone).strftime("%m-%d")) == ["02-01", "03-01"]


def test_bars_stamped_at_their_close_are_closed_at_their_stamp() -> None:
    fetched = made(bars(29), Origin(symbol="X", source="", stamped="close"), Clocks(now=NOW.floor("1h")))
    assert fetched.candles.index[-1] == pd.Timestamp("2024-01-02 03:00", tz="UTC")
    assert "still forming, is left out: 2024-01-02 04:00" in text_of(fetched)
    assert "1 bar after the clock" in text_of(fetched)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"symbol": "../../etc"}, None),
        ({"symbol": "A B"}, "not a symbol"),
        ({"symbol": "=" * 5}, "not a symbol"),
        ({"symbol": "A" * 65}, "not a symbol"),
        ({"symbol": "A\n"}, "not a symbol"),
        ({"symbol": "A?x=1"}, "not a symbol"),
        ({"interval": "7x"}, "not the name of an interval"),
        ({"interval": "0m"}, "not the name of an interval"),
        ({"exchange": "a/b"}, "not the name of an exchange"),
        ({"count": 0}, "must be 1 to"),
        ({"count": 10_000_000}, "must be 1 to"),
        ({"count": None}, "either a number of candles or a start"),
        ({"start": NOW}, "either a number of candles or a start"),
        ({"count": None, "start": pd.Timestamp("2024-01-01")}, "with its zone"),
        ({"count": None, "start": NOW, "end": NOW - pd.Timedelta(days=1)}, "after the end"),
    ],
)
def test_a_request_out_of_bounds_is_refused(fields: dict, word: str | None) -> None:
    given = {"symbol": "X", "count": 5, **fields}
    if word is None:
        assert FetchRequest(**given).symbol == fields["symbol"]  # marks of symbols; no feed takes it for a path
        return
    with pytest.raises(FeedRefused, match=word):
        FetchRequest(**given)


def test_spellings_of_intervals_are_brought_to_one() -> None:
    names = [FetchRequest(symbol="X", count=1, interval=text).interval for text in ("60m", "1wk", "1mo", "1D", "15m")]
    assert names == ["1h", "1w", "1M", "1d", "15m"]


def test_lengths_of_time_read_well() -> None:
    spans = [span_of(pd.Timedelta(seconds=s)) for s in (1, 45, 600, 7_200, 260_000)]
    assert spans == ["1 second", "45 seconds", "10 minutes", "2 hours", "3 days"]
