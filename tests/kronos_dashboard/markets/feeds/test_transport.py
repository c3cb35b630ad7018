import pandas as pd
import pytest

from kronos_dashboard.errors import FeedUnavailableError
from kronos_dashboard.markets.feeds import Transport
from kronos_dashboard.markets.feeds.transport import ResponseInfo, RetryPolicy, with_retries
from kronos_dashboard.settings import Settings
from tests.support.feeds.loopback import FakeTime


def failing(times: int, calls: list[int]):
    def work() -> str:
        calls.append(1)
        if len(calls) <= times:
            raise FeedUnavailableError("not now")
        return "done"

    return work


def transport(time: FakeTime, **changes: object) -> Transport:
    return Transport(sleep=time.sleep, clock=time.clock, **changes)  # type: ignore[arg-type]


def test_waits_double_and_vary_within_bounds() -> None:
    time, calls = FakeTime(), []
    assert with_retries(failing(4, calls), transport(time), lambda _: RetryPolicy(9)) == "done"
    for nap, least in zip(time.naps, (0.5, 1.0, 2.0, 4.0), strict=True):
        assert least <= nap <= least + 0.5
    second = FakeTime()
    with_retries(failing(4, []), transport(second), lambda _: RetryPolicy(9))
    assert second.naps != time.naps


def test_retries_end_after_their_budget_or_their_attempts() -> None:
    for changes, most in (({"retry_budget_s": 5.0}, 5), ({"max_attempts": 3}, 3)):
        time, calls = FakeTime(), []
        with pytest.raises(FeedUnavailableError):
            with_retries(failing(99, calls), transport(time, **changes), lambda _: RetryPolicy(99))
        assert len(calls) <= most
        assert time.seconds <= 5.0


def test_an_error_that_will_not_pass_is_raised_at_once() -> None:
    time, calls = FakeTime(), []
    with pytest.raises(FeedUnavailableError):
        with_retries(failing(1, calls), transport(time), lambda _: RetryPolicy(1))
    assert (len(calls), time.naps) == (1, [])


def test_a_pause_that_the_server_wants_is_kept_unless_it_is_too_long() -> None:
    time = FakeTime()
    assert with_retries(failing(1, []), transport(time), lambda _: RetryPolicy(3, wait_s=30.0)) == "done"
    assert time.naps == [30.0]
    with pytest.raises(FeedUnavailableError):
        with_retries(failing(1, []), transport(FakeTime()), lambda _: RetryPolicy(3, wait_s=90.0))


def test_an_interrupt_is_not_held_up() -> None:
    def work() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        with_retries(work, transport(FakeTime()), lambda _: RetryPolicy(9))


def test_headers_of_an_answer_are_read_as_times() -> None:
    response = ResponseInfo()
    response.on_request()
    response.on_response(429, "Sat, 01 Jun 2024 12:30:00 GMT", "40", "Sat, 01 Jun 2024 12:30:25 GMT")
    assert response.server_time == pd.Timestamp("2024-06-01 12:30:40", tz="UTC")
    assert response.retry_after_s == 25.0
    response.on_response(429, None, None, "12")
    assert response.retry_after_s == 12.0
    for nonsense in ("soon", "-5", "inf", "nan", ""):
        response.on_response(200, nonsense, nonsense, nonsense)
        assert response.retry_after_s is None
    assert response.server_time == pd.Timestamp("2024-06-01 12:30:40", tz="UTC")
    response.on_request()
    assert (response.status, response.retry_after_s, response.num_requests) == (None, None, 2)


def test_a_proxy_keeps_host_path_and_query() -> None:
    gateway = Transport.from_settings(Settings(feed_proxy_url="http://127.0.0.1:9/", feed_retry_budget_s=7))
    routed = gateway.route("https://api.binance.com/api/v3/klines?symbol=BTCUSDT&limit=5")
    assert routed == "http://127.0.0.1:9/api.binance.com/api/v3/klines?symbol=BTCUSDT&limit=5"
    assert gateway.route("https://fc.yahoo.com") == "http://127.0.0.1:9/fc.yahoo.com"
    assert gateway.retry_budget_s == 7.0
    assert Transport().route("https://x.org/a") == "https://x.org/a"
