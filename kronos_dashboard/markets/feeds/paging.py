"""Walk through an exchange's history page by page, whatever it makes of a page: short, empty, repeated, out of order.

Times are whole milliseconds since 1970, as exchanges count them. A *window* is what one full page covers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Bar", "Walk", "walk"]

Bar = Sequence[float | int | None]
"""Bar time in ms, open, high, low, close, volume."""
Page = Callable[[int, int], Sequence[Bar]]
"""(bar time from which on, most bars) -> bars, as the exchange gives them."""

_EMPTY_IN_A_ROW = 3
"""Empty windows that are walked through one by one, before the next bar is looked for by halving."""
_SPARE = 10
"""Bars more than needed on the last page: some exchanges begin a page with bars that they have sent before."""
_LARGE_GAP = 4
"""A page that begins later than asked by this part of a window is asked for again from its start."""


@dataclass(frozen=True)
class Walk:
    """Bars in the order of arrival, repeated ones included."""

    bars: tuple[Bar, ...]
    pages: int


def walk(page: Page, *, start: int, end: int, step: int, limit: int) -> Walk:
    """All bars with bar times from ``start`` to ``end``, both included.

    An empty page is no end: exchanges that cut history into windows send one for every window without a trade. After
    a few of them the next window with bars is found by halving what is left, so that years before a listing cost some
    twenty requests and not thousands. An exchange that sends bars from elsewhere (its newest, whatever was asked)
    ends the walk with what it sent.

    Args:
        page: asks for one page.
        start: first bar time.
        end: last bar time.
        step: shortest time between two bars.
        limit: most bars that the exchange puts on a page.
    """
    found: list[Bar] = []
    cursor, empty, pages = start, 0, 0
    while cursor <= end:
        wanted = min(limit, (end - cursor) // step + 1 + _SPARE)
        bars = page(cursor, wanted)
        pages += 1
        found += bars
        last = _last(bars, end)
        if last is not None and last >= cursor:
            earlier, asked = _before(page, bars, cursor, step, limit)
            found, pages = found + earlier, pages + asked
            cursor, empty = last + step, 0
            continue
        if last is not None:
            break  # it has nothing newer than what it already sent
        empty += 1
        cursor += wanted * step
        if empty >= _EMPTY_IN_A_ROW and cursor <= end:
            cursor, asked = _next_window(page, cursor, end, step * limit, limit)
            pages, empty = pages + asked, 0
    return Walk(tuple(found), pages)


def _before(page: Page, bars: Sequence[Bar], start: int, step: int, limit: int) -> tuple[list[Bar], int]:
    """Bars that should have come first on a page, and the pages it took.

    Some exchanges fill a page from its end when it holds more than they like to send.
    """
    found: list[Bar] = []
    asked, first = 0, _first(bars)
    while first - start > step * max(1, limit // _LARGE_GAP):
        bars = page(start, min(limit, (first - start) // step))
        asked += 1
        newer = [bar for bar in bars if bar[0] and start <= bar[0] < first]
        if not newer:
            break
        found, first = newer + found, _first(newer)
    return found, asked


def _next_window(page: Page, start: int, end: int, window: int, limit: int) -> tuple[int, int]:
    """Where to go on after empty windows (beyond ``end`` when no bars are left), and the pages it took.

    First a window with bars is looked for from the end backward, in steps that double; then the first one by halving.
    """
    asked, newest = 0, max(0, (end - start) // window)

    def has_bars(number: int) -> bool:
        nonlocal asked
        asked += 1
        return _last(page(start + number * window, limit)) is not None

    back = 0
    while back <= newest and not has_bars(newest - back):
        back = 2 * back or 1
    if back > newest:
        return end + 1, asked
    low, high = 0, newest - back
    while low < high:  # the first window with bars is one of low..high; high has some
        middle = (low + high) // 2
        if has_bars(middle):
            high = middle
        else:
            low = middle + 1
    return start + low * window, asked


def _last(bars: Sequence[Bar], end: int | None = None) -> int | None:
    """The newest bar time on a page, of those up to ``end`` if there are any; None when there is no bar.

    A single stamp from the future must not make the walk skip what lies between.
    """
    times = [int(bar[0]) for bar in bars if bar and bar[0]]
    return max((time for time in times if end is None or time <= end), default=max(times, default=None))


def _first(bars: Sequence[Bar]) -> int:
    """The oldest bar time on a page that has bars."""
    return min(int(bar[0]) for bar in bars if bar and bar[0])
