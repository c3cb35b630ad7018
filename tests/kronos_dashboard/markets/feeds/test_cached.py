from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kronos_dashboard.errors import FeedUnavailableError, InvalidFeedRequestError, NoCandlesError
from kronos_dashboard.markets.feeds import CachedFeed, CandleCache, FetchRequest
from tests.support.feeds.scripted import START, Scripted

NOW = START + pd.Timedelta(hours=1_000, minutes=30)
HOUR = pd.Timedelta(hours=1)


@pytest.fixture
def inner() -> Scripted:
    return Scripted()


@pytest.fixture
def feed(inner: Scripted, tmp_path: Path) -> CachedFeed:
    return CachedFeed(inner, CandleCache(tmp_path, 10**8))


def asked(**fields: object) -> FetchRequest:
    given = {"symbol": "TEST", "interval": "1h", **fields}
    if "start" not in given:
        given.setdefault("limit", 100)
    return FetchRequest(**given)  # type: ignore[arg-type]


def text_of(fetched) -> str:
    return "\n".join(f"{note.level}: {note.text}" for note in fetched.notes)


def same(candles, inner: Scripted, end: pd.Timestamp, count: int) -> bool:
    """Whether the candles are the last ``count`` that the feed has up to ``end``."""
    truth = inner.frame[inner.frame.index <= end].tail(count)
    return candles.index.equals(truth.index) and np.array_equal(candles.frame[truth.columns], truth)


def test_the_same_candles_come_from_the_cache_without_a_question(feed: CachedFeed, inner: Scripted) -> None:
    first = feed.fetch(asked(), now=NOW)
    again = feed.fetch(asked(limit=60), now=NOW + pd.Timedelta(minutes=20))
    assert len(inner.asked) == 1
    assert same(first.candles, inner, NOW - HOUR, 100)
    assert again.candles.fingerprint == first.candles.tail(60).fingerprint
    assert "info: 100 candles were loaded from the cache, fetched 20 minutes ago" in text_of(again)
    assert "60 candles at 1h, no gaps" in text_of(again)


def test_later_only_what_has_closed_since_is_fetched_with_a_few_bars_of_overlap(
    feed: CachedFeed, inner: Scripted
) -> None:
    feed.fetch(asked(), now=NOW)
    later = feed.fetch(asked(), now=NOW + 6 * HOUR)
    assert same(later.candles, inner, NOW + 5 * HOUR, 100)
    assert inner.sent == [100, 11]
    assert "100 candles were loaded from the cache" in text_of(later)
    assert "11 candles at" not in text_of(later)


def test_a_longer_history_fetches_the_part_before_alone(feed: CachedFeed, inner: Scripted) -> None:
    feed.fetch(asked(), now=NOW)
    longer = feed.fetch(asked(limit=400), now=NOW)
    assert same(longer.candles, inner, NOW - HOUR, 400)
    assert inner.sent == [100, 305]
    from_start = feed.fetch(asked(start=START + 500 * HOUR), now=NOW)
    assert inner.sent == [100, 305, 105]
    assert from_start.candles.index[0] == START + 500 * HOUR
    assert len(feed.fetch(asked(start=START + 500 * HOUR), now=NOW).candles) == 500
    assert len(inner.asked) == 3


def test_the_beginning_of_history_is_remembered(feed: CachedFeed, inner: Scripted) -> None:
    first = feed.fetch(asked(limit=5_000), now=NOW)
    again = feed.fetch(asked(limit=5_000), now=NOW)
    since = feed.fetch(asked(start=START - 90 * HOUR), now=NOW)
    assert len(inner.asked) == 1
    assert len(first.candles) == len(again.candles) == len(since.candles) == 1_000
    assert "Requested 5,000 candles, received 1,000" in text_of(again)
    assert "The history starts at 2024-01-01 00:00" in text_of(since)


def test_a_span_in_the_past_needs_no_question_once_it_is_there(feed: CachedFeed, inner: Scripted) -> None:
    request = asked(start=START + 100 * HOUR, end=START + 200 * HOUR)
    assert len(feed.fetch(request, now=NOW).candles) == 101
    assert len(feed.fetch(request, now=NOW + 300 * HOUR).candles) == 101
    assert len(feed.fetch(asked(limit=50, end=START + 180 * HOUR), now=NOW).candles) == 50
    assert len(inner.asked) == 1


def test_a_count_that_ends_before_the_cached_series_is_fetched_whole(feed: CachedFeed, inner: Scripted) -> None:
    feed.fetch(asked(), now=NOW)
    end = START + 700 * HOUR
    earlier = feed.fetch(asked(end=end), now=NOW)
    assert same(earlier.candles, inner, end, 100)
    assert same(feed.fetch(asked(limit=350), now=NOW).candles, inner, NOW - HOUR, 350)


def test_a_bar_that_was_forming_is_fetched_when_it_has_closed(feed: CachedFeed, inner: Scripted) -> None:
    end = NOW.floor("1h")
    assert feed.fetch(asked(end=end), now=NOW).candles.index[-1] == end - HOUR
    assert feed.fetch(asked(end=end), now=NOW + HOUR).candles.index[-1] == end


def test_history_that_was_restated_is_fetched_whole_with_a_note(feed: CachedFeed, inner: Scripted) -> None:
    feed.fetch(asked(limit=300), now=NOW)
    prices = ["open", "high", "low", "close"]
    inner.frame[prices] = inner.frame[prices] / 4  # a split
    fetched = feed.fetch(asked(), now=NOW + 2 * HOUR)
    assert same(fetched.candles, inner, NOW + HOUR, 100)
    assert "warning: The feed's history has changed since it was cached" in text_of(fetched)
    assert inner.sent == [300, 7, 300]
    assert same(feed.fetch(asked(limit=300), now=NOW + 2 * HOUR).candles, inner, NOW + HOUR, 300)
    assert len(inner.asked) == 3


def test_history_restated_further_back_is_noticed_where_the_older_part_joins(feed: CachedFeed, inner: Scripted) -> None:
    feed.fetch(asked(), now=NOW)
    inner.frame *= 1.002
    fetched = feed.fetch(asked(limit=200), now=NOW)
    assert same(fetched.candles, inner, NOW - HOUR, 200)
    assert "history has changed" in text_of(fetched)


def test_a_correction_of_the_last_bar_alone_is_taken_over(feed: CachedFeed, inner: Scripted) -> None:
    feed.fetch(asked(), now=NOW)
    inner.frame.loc[NOW.floor("1h") - HOUR, "high"] *= 1.5
    fetched = feed.fetch(asked(), now=NOW + HOUR)
    assert same(fetched.candles, inner, NOW, 100)
    assert "info: The feed has since corrected the last cached candle" in text_of(fetched)
    assert "history has changed" not in text_of(fetched)


def test_rounding_of_adjusted_prices_is_no_restatement(feed: CachedFeed, inner: Scripted) -> None:
    feed.fetch(asked(), now=NOW)
    inner.frame[["open", "high", "low", "close"]] *= 1 + 5e-7
    assert "history has changed" not in text_of(feed.fetch(asked(), now=NOW + HOUR))


def test_without_a_network_the_cache_answers_and_says_how_old_it_is(feed: CachedFeed, inner: Scripted) -> None:
    feed.fetch(asked(), now=NOW)
    inner.failure = FeedUnavailableError("The exchange cannot be reached.", "Check the network connection.")
    fetched = feed.fetch(asked(), now=NOW + 50 * HOUR)
    assert same(fetched.candles, inner, NOW - HOUR, 100)
    told = text_of(fetched)
    assert "warning: The exchange cannot be reached. The candles were loaded from the cache, fetched 2 days ago" in told
    assert "the latest at 2024-02-11 15:00 (UTC)" in told
    partial = feed.fetch(asked(limit=400), now=NOW)
    assert len(partial.candles) == 100
    assert "Requested 400 candles, received 100" in text_of(partial)


def test_without_a_network_and_without_a_cache_the_error_is_passed_on(feed: CachedFeed, inner: Scripted) -> None:
    inner.failure = FeedUnavailableError("The exchange cannot be reached.")
    with pytest.raises(FeedUnavailableError, match="cannot be reached"):
        feed.fetch(asked(), now=NOW)
    inner.failure = None
    feed.fetch(asked(), now=NOW)
    inner.failure = FeedUnavailableError("The exchange cannot be reached.")
    with pytest.raises(FeedUnavailableError):
        feed.fetch(asked(start=START, end=START + 5 * HOUR), now=NOW)


def test_a_feed_with_nothing_newer_leaves_what_is_there(feed: CachedFeed, inner: Scripted) -> None:
    feed.fetch(asked(), now=NOW)
    inner.failure = NoCandlesError("nothing there")
    fetched = feed.fetch(asked(), now=NOW + 50 * HOUR)
    assert same(fetched.candles, inner, NOW - HOUR, 100)


def test_a_cache_too_old_for_the_feed_is_replaced(feed: CachedFeed, inner: Scripted) -> None:
    feed.fetch(asked(), now=NOW)
    later = NOW + 500 * HOUR
    original = inner.fetch

    def limited(request: FetchRequest, *, now: pd.Timestamp):
        if request.start is not None and request.start < now - 200 * HOUR:
            raise InvalidFeedRequestError("the last 200 hours alone")
        return original(request, now=now)

    inner.fetch = limited  # type: ignore[method-assign]
    fetched = feed.fetch(asked(), now=later)
    assert same(fetched.candles, inner, later - HOUR, 100)
    assert "too old to extend" in text_of(fetched)


def test_what_a_short_lived_history_has_lost_stays_in_the_cache(tmp_path: Path) -> None:
    inner = Scripted(keeps=50)
    feed = CachedFeed(inner, CandleCache(tmp_path, 10**8))
    feed.fetch(asked(limit=40), now=NOW)
    for hours in (30, 60):
        feed.fetch(asked(limit=40), now=NOW + hours * HOUR)
    fetched = feed.fetch(asked(limit=100), now=NOW + 60 * HOUR)
    assert same(fetched.candles, inner, NOW + 59 * HOUR, 100)
    much_later = feed.fetch(asked(limit=200), now=NOW + 200 * HOUR)
    assert "warning: The feed no longer provides the candles between" in text_of(much_later)
    assert "1 gap (" in text_of(much_later)


def test_requested_candles_far_from_the_cached_ones_start_a_series_of_their_own(tmp_path: Path) -> None:
    inner = Scripted(hours=20_000)
    feed = CachedFeed(inner, CandleCache(tmp_path, 10**8))
    feed.fetch(asked(), now=NOW)
    feed.fetch(asked(), now=NOW + 18_000 * HOUR)
    assert inner.sent == [100, 100]


def test_adjusted_and_raw_prices_are_kept_apart(feed: CachedFeed, inner: Scripted) -> None:
    feed.fetch(asked(), now=NOW)
    feed.fetch(asked(adjusted=False), now=NOW)
    assert len(inner.asked) == 2
    inner.supports_adjusted = False
    feed.fetch(asked(), now=NOW)
    assert len(inner.asked) == 2


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "text", "other"])
def test_a_corrupt_cache_file_is_replaced_with_a_note(
    feed: CachedFeed, inner: Scripted, tmp_path: Path, damage: str
) -> None:
    feed.fetch(asked(), now=NOW)
    [path] = tmp_path.glob("*.parquet")
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[len(data) // 3] ^= 0xFF
    if damage == "other":
        pd.DataFrame({"time": [1], "open": [1.0]}).to_parquet(path)
    else:
        kinds = {"cut": data[: len(data) // 2], "flip": data, "empty": b"", "text": b"not parquet"}
        path.write_bytes(bytes(kinds[damage]))
    fetched = feed.fetch(asked(), now=NOW)
    assert same(fetched.candles, inner, NOW - HOUR, 100)
    assert "warning: The cached candles could not be read; they were deleted and fetched again" in text_of(fetched)
    assert "could not be read" not in text_of(feed.fetch(asked(), now=NOW))
    assert len(inner.asked) == 2


def test_a_cache_that_cannot_be_written_does_not_keep_candles_from_the_user(inner: Scripted, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way of the folder")
    fetched = CachedFeed(inner, CandleCache(blocked, 10**8)).fetch(asked(), now=NOW)
    assert same(fetched.candles, inner, NOW - HOUR, 100)
    assert "not writable" in text_of(fetched)


def test_a_full_disk_is_reported_and_the_old_file_stays_whole(
    feed: CachedFeed, inner: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed.fetch(asked(), now=NOW)
    [path] = tmp_path.glob("*.parquet")
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    fetched = feed.fetch(asked(), now=NOW + 5 * HOUR)
    assert same(fetched.candles, inner, NOW + 4 * HOUR, 100)
    assert "could not be cached: No space left on device" in text_of(fetched)
    assert path.read_bytes() == before
    assert list(tmp_path.glob("*.part")) + list(tmp_path.glob(".*.part")) == []


def test_a_clock_in_the_past_replays_what_was_known_then(feed: CachedFeed, inner: Scripted) -> None:
    feed.fetch(asked(), now=NOW)
    then = feed.fetch(asked(limit=20), now=NOW - 30 * HOUR)
    assert same(then.candles, inner, NOW - 31 * HOUR, 20)
    assert len(inner.asked) == 1


def test_other_requests_are_passed_through(feed: CachedFeed, inner: Scripted) -> None:
    assert (feed.name, feed.supports_adjusted, feed.intervals()) == ("scripted", True, ("1h",))
    assert feed.search("x")[0].name == "x"
    assert replace(inner.info).always_open


@pytest.mark.parametrize("fields", [{"limit": 900}, {"start": START + 90 * HOUR}], ids=["limit", "start"])
def test_a_long_history_is_kept_part_by_part_and_goes_on_where_it_failed(
    feed: CachedFeed, inner: Scripted, monkeypatch: pytest.MonkeyPatch, fields: dict
) -> None:
    monkeypatch.setattr("kronos_dashboard.markets.feeds.cache_update._CHUNK_BARS", 200)
    original, calls = inner.fetch, []

    def failing(request: FetchRequest, *, now: pd.Timestamp):
        calls.append(request)
        if len(calls) == 4:
            raise FeedUnavailableError("The exchange cannot be reached.")
        return original(request, now=now)

    inner.fetch = failing  # type: ignore[method-assign]
    with pytest.raises(FeedUnavailableError):
        feed.fetch(asked(**fields), now=NOW)
    assert sum(inner.sent) > 590
    whole = feed.fetch(asked(**fields), now=NOW)
    count = fields.get("limit", 910)
    assert same(whole.candles, inner, NOW - HOUR, count)
    assert sum(inner.sent) < count + 60
    assert max(inner.sent) <= 206


def test_a_gap_longer_than_a_part_is_crossed(
    feed: CachedFeed, inner: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kronos_dashboard.markets.feeds.cache_update._CHUNK_BARS", 100)
    inner.frame = inner.frame.drop(inner.frame.index[300:700])
    fetched = feed.fetch(asked(start=START), now=NOW)
    assert same(fetched.candles, inner, NOW - HOUR, 600)
    assert "1 gap (400 bars missing)" in text_of(fetched)
