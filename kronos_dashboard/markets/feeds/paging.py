"""Fetch the history of an exchange page by page; pages may be short, empty, repeated or out of order.

Times are whole milliseconds since 1970, as exchanges count them. A *window* is the span of one full page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Bar", "PagedBars", "fetch_pages"]

Bar = Sequence[float | int | None]
"""Bar time in ms, open, high, low, close, volume."""
PageFetcher = Callable[[int, int], Sequence[Bar]]
"""(first bar time, maximal number of bars) -> bars as received."""

_MAX_EMPTY_PAGES = 3
"""Empty windows in a row before the next bar is found by bisection: short pauses in trading need no search."""
_SPARE_BARS = 10
"""Extra bars requested on the last page: some exchanges begin a page with bars of the page before."""
_GAP_DIVISOR = 4
"""A page that begins later than requested by 1/4 of a window is requested again from its start."""


@dataclass(frozen=True)
class PagedBars:
    """Bars in order of arrival, duplicates included."""

    bars: tuple[Bar, ...]
    num_pages: int


def fetch_pages(page: PageFetcher, *, start: int, end: int, step: int, limit: int) -> PagedBars:
    """Fetch all bars with bar times from ``start`` to ``end``, both included.

    An empty page does not end the search: exchanges that serve fixed windows send one for every window without a trade.
    After a few of them the next window with bars is found by bisection, so that years before a listing cost some twenty
    requests instead of thousands. An exchange that ignores the start and sends its newest bars ends the search.

    Args:
        page: fetches one page.
        start: first bar time.
        end: last bar time.
        step: shortest time between two bars.
        limit: maximal number of bars on a page.
    """
    received: list[Bar] = []
    cursor, empty, num_pages = start, 0, 0
    while cursor <= end:
        num_requested = min(limit, (end - cursor) // step + 1 + _SPARE_BARS)
        bars = page(cursor, num_requested)
        num_pages += 1
        received += bars
        last = _newest_time(bars, end)
        if last is not None and last >= cursor:
            skipped, added = _fetch_skipped(page, bars, cursor, step, limit)
            received, num_pages = received + skipped, num_pages + added
            cursor, empty = last + step, 0
            continue
        if last is not None:
            break  # nothing newer than what it already sent
        empty += 1
        cursor += num_requested * step
        if empty >= _MAX_EMPTY_PAGES and cursor <= end:
            cursor, added = _find_next_window(page, cursor, end, step * limit, limit)
            num_pages, empty = num_pages + added, 0
    return PagedBars(tuple(received), num_pages)


def _fetch_skipped(page: PageFetcher, bars: Sequence[Bar], start: int, step: int, limit: int) -> tuple[list[Bar], int]:
    """Bars missing at the start of a page, and the number of pages fetched for them.

    Some exchanges fill a page from its end when the window holds more bars than they send.
    """
    skipped: list[Bar] = []
    num_pages, first = 0, _oldest_time(bars)
    while first - start > step * max(1, limit // _GAP_DIVISOR):
        bars = page(start, min(limit, (first - start) // step))
        num_pages += 1
        older = [bar for bar in bars if bar[0] and start <= bar[0] < first]
        if not older:
            break
        skipped, first = older + skipped, _oldest_time(older)
    return skipped, num_pages


def _find_next_window(page: PageFetcher, start: int, end: int, window: int, limit: int) -> tuple[int, int]:
    """Start of the next window with bars (beyond ``end`` when there is none), and the number of pages fetched.

    A window with bars is searched from the end backward in doubling steps, then the first one by bisection.
    """
    num_pages, newest = 0, max(0, (end - start) // window)

    def has_bars(number: int) -> bool:
        nonlocal num_pages
        num_pages += 1
        return _newest_time(page(start + number * window, limit)) is not None

    back = 0
    while back <= newest and not has_bars(newest - back):
        back = 2 * back or 1
    if back > newest:
        return end + 1, num_pages
    low, high = 0, newest - back
    while low < high:  # the first window with bars is one of low..high; high has bars
        middle = (low + high) // 2
        if has_bars(middle):
            high = middle
        else:
            low = middle + 1
    return start + low * window, num_pages


def _newest_time(bars: Sequence[Bar], end: int | None = None) -> int | None:
    """The newest bar time on a page, of those up to ``end`` if there are any; None without bars.

    A single timestamp from the future must not make the search skip the bars before it.
    """
    times = [int(bar[0]) for bar in bars if bar and bar[0]]
    return max((time for time in times if end is None or time <= end), default=max(times, default=None))


def _oldest_time(bars: Sequence[Bar]) -> int:
    """The oldest bar time on a page with bars."""
    return min(int(bar[0]) for bar in bars if bar and bar[0])
