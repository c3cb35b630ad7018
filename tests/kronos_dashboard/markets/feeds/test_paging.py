from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from kronos_dashboard.markets.feeds.paging import Bar, fetch_pages


def exchange(times: Sequence[int], limit: int, style: str, asked: list[tuple[int, int]]):
    """An exchange with these bar times: ``first`` bars from since on, or ``window``s, filled from the start or end."""

    def page(since: int, wanted: int) -> list[Bar]:
        asked.append((since, wanted))
        if style == "first":
            found = [t for t in times if t >= since][: min(wanted, limit)]
        else:
            inside = [t for t in times if since <= t < since + wanted]
            found = inside[:limit] if style == "window" else inside[-limit:]
        return [(t, 1.0, 1.0, 1.0, 1.0, 1.0) for t in found]

    return page


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=200, unique=True).map(sorted),
    st.integers(8, 60),
    st.sampled_from(["first", "window"]),
)
def test_every_bar_of_the_span_is_found_whatever_the_style_of_the_exchange(times, limit, style):
    asked: list[tuple[int, int]] = []
    gaps = [i for i in range(1, len(times)) if times[i] - times[i - 1] > 3 * limit]
    times = times[: gaps[0]] if gaps else times  # longer gaps have tests of their own
    found = fetch_pages(exchange(times, limit, style, asked), start=times[0], end=400, step=1, limit=limit)
    assert sorted({int(bar[0]) for bar in found.bars}) == times
    assert found.num_pages == len(asked) < 200


def test_a_page_that_an_exchange_fills_from_its_end_is_completed_from_its_start() -> None:
    asked: list[tuple[int, int]] = []
    found = fetch_pages(exchange(range(1, 1001), 100, "window-end", asked), start=1, end=1000, step=1, limit=300)
    assert sorted({int(bar[0]) for bar in found.bars}) == list(range(1, 1001))


def test_years_before_a_listing_cost_a_few_requests_and_not_thousands() -> None:
    asked: list[tuple[int, int]] = []
    times = range(900_000, 900_500)
    found = fetch_pages(exchange(times, 100, "window", asked), start=1, end=901_000, step=1, limit=100)
    assert [int(bar[0]) for bar in found.bars] == list(times)
    assert len(asked) < 40


def test_a_symbol_that_stopped_trading_ends_the_walk() -> None:
    asked: list[tuple[int, int]] = []
    found = fetch_pages(exchange(range(1, 500), 100, "window", asked), start=1, end=900_000, step=1, limit=100)
    assert len(found.bars) == 499
    assert len(asked) < 30


def test_a_gap_of_several_pages_is_crossed() -> None:
    asked: list[tuple[int, int]] = []
    times = [*range(1, 200), *range(2_000, 2_200)]
    found = fetch_pages(exchange(times, 100, "window", asked), start=1, end=2_500, step=1, limit=100)
    assert [int(bar[0]) for bar in found.bars] == times


def test_an_exchange_that_always_sends_its_newest_bars_is_requested_no_further() -> None:
    def page(_: int, __: int) -> list[Bar]:
        return [(t, 1.0, 1.0, 1.0, 1.0, 1.0) for t in range(5, 10)]

    found = fetch_pages(page, start=1, end=100, step=1, limit=5)
    assert found.num_pages <= 3
    assert {int(bar[0]) for bar in found.bars} == set(range(5, 10))


def test_a_stamp_from_the_future_does_not_end_the_walk() -> None:
    normalize_symbol = exchange(range(1, 301), 100, "first", [])

    def page(since: int, wanted: int) -> list[Bar]:
        return [*normalize_symbol(since, wanted), (10**9, 1.0, 1.0, 1.0, 1.0, 1.0)]

    found = fetch_pages(page, start=1, end=300, step=1, limit=100)
    assert {int(bar[0]) for bar in found.bars} == {*range(1, 301), 10**9}
