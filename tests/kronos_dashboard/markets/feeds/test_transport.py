import pandas as pd
import pytest

from kronos_dashboard.errors import FeedUnreachable
from kronos_dashboard.markets.feeds import Transport
from kronos_dashboard.markets.feeds.transport import Patience, Seen, patiently
from kronos_dashboard.settings import Settings
from tests.support.feeds.loopback import FakeTime


def failing(times: int, calls: list[int]):
    def work() -> str:
        calls.append(1)
        if len(calls) <= times:
            raise FeedUnreachable("not now")
        return "done"

    return work


def transport(time: FakeTime, **changes: object) -> Transport:
    return Transport(sleep=time.sleep, clock=time.clock, **changes)  # type: ignore[arg-type]


def test_waits_double_and_vary_within_bounds() -> None:
    time, calls = FakeTime(), []
    assert patiently(failing(4, calls), transport(time), lambda _: Patience(9)) == "done"
    for nap, least in zip(time.naps, (0.5, 1.0, 2.0, 4.0), strict=True):
        assert least <= nap <= least + 0.5
    second = FakeTime()
    patiently(failing(4, []), transport(second), lambda _: Patience(9))
    assert second.naps != time.naps


def test_patience_ends_after_its_time_or_its_attempts() -> None:
    for changes, most in (({"patience_s": 5.0}, 5), ({"attempts": 3}, 3)):
        time, calls = FakeTime(), []
        with pytest.raises(FeedUnreachable):
            patiently(failing(99, calls), transport(time, **changes), lambda _: Patience(99))
        assert len(calls) <= most
        assert time.seconds <= 5.0


def test_an_error_that_will_not_pass_is_raised_at_once() -> None:
    time, calls = FakeTime(), []
    with pytest.raises(FeedUnreachable):
        patiently(failing(1, calls), transport(time), lambda _: Patience(1))
    assert (len(calls), time.naps) == (1, [])


def test_a_pause_that_the_server_wants_is_kept_unless_it_is_too_long() -> None:
    time = FakeTime()
    assert patiently(failing(1, []), transport(time), lambda _: Patience(3, wait_s=30.0)) == "done"
    assert time.naps == [30.0]
    with pytest.raises(FeedUnreachable):
        patiently(failing(1, []), transport(FakeTime()), lambda _: Patience(3, wait_s=90.0))


def test_an_interrupt_is_not_held_up() -> None:
    def work() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        patiently(work, transport(FakeTime()), lambda _: Patience(9))


def test_headers_of_an_answer_are_read_as_times() -> None:
    seen = Seen()
    seen.begin()
    seen.answer(429, "Sat, 01 Jun 2024 12:30:00 GMT", "40", "Sat, 01 Jun 2024 12:30:25 GMT")
    assert seen.time == pd.Timestamp("2024-06-01 12:30:40", tz="UTC")
    assert seen.retry_after_s == 25.0
    seen.answer(429, None, None, "12")
    assert seen.retry_after_s == 12.0
    for nonsense in ("soon", "-5", "inf", "nan", ""):
        seen.answer(200, nonsense, nonsense, nonsense)
        assert seen.retry_after_s is None
    assert seen.time == pd.Timestamp("2024-06-01 12:30:40", tz="UTC")
    seen.begin()
    assert (seen.status, seen.retry_after_s, seen.asked) == (None, None, 2)


def test_a_gateway_keeps_host_path_and_query() -> None:
    gateway = Transport.from_settings(Settings(feed_gateway="http://127.0.0.1:9/", feed_patience_s=7))
    routed = gateway.route("https://api.binance.com/api/v3/klines?symbol=BTCUSDT&limit=5")
    assert routed == "http://127.0.0.1:9/api.binance.com/api/v3/klines?symbol=BTCUSDT&limit=5"
    assert gateway.route("https://fc.yahoo.com") == "http://127.0.0.1:9/fc.yahoo.com"
    assert gateway.patience_s == 7.0
    assert Transport().route("https://x.org/a") == "https://x.org/a"
