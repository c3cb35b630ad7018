"""Windows: one question to the model. These T candles, those H future bar times, and the truth where it is known.

Rows are counted from 1, as people count them; ``end_row`` is the last candle of the context.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from kronos_dashboard.errors import WindowError
from kronos_dashboard.markets.calendars import AUTO, future_times
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.settings import Settings

__all__ = ["Window", "check_lengths", "cut", "latest"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Window:
    """A context, the bar times to forecast, and what came, if it is known. Replay and latest are the same type."""

    context: CandleFrame
    """T candles the model sees."""
    future: pd.DatetimeIndex
    """H bar times, UTC."""
    truth: CandleFrame | None
    """The H candles that came, or None."""
    begun: CandleFrame | None = None
    """The first k candles that came, 0 < k < H, where the series ends before the horizon does."""
    note: str = ""
    """How the future bar times were found, in a sentence; empty when they are the truth's own."""

    @property
    def cutoff(self) -> pd.Timestamp:
        """Bar time of the last context candle, UTC."""
        return self.context.index[-1]

    @property
    def context_length(self) -> int:
        """T."""
        return len(self.context)

    @property
    def horizon(self) -> int:
        """H."""
        return len(self.future)

    @property
    def came(self) -> CandleFrame | None:
        """All that is known of what came: the truth, or its beginning, or None."""
        return self.begun if self.truth is None else self.truth

    @property
    def local_future(self) -> pd.DatetimeIndex:
        """The H bar times on the session clock."""
        return self.future.tz_convert(self.context.session_tz)

    @property
    def key(self) -> tuple[str, int, str]:
        """What tells this window from every other: the context's fingerprint, the horizon, the last bar time."""
        return (self.context.fingerprint, self.horizon, str(self.future[-1]))


def check_lengths(context: int, horizon: int, settings: Settings) -> None:
    """Check that context and horizon are within bounds.

    Raises:
        WindowError: one of them is not.
    """
    if not settings.min_context <= context <= settings.max_context:
        raise WindowError(
            f"the context must be {settings.min_context} to {settings.max_context} candles; got {context}.",
            "Choose a length within these bounds.",
        )
    if not 1 <= horizon <= settings.max_horizon:
        raise WindowError(
            f"the horizon must be 1 to {settings.max_horizon} steps; got {horizon}.",
            "Choose a horizon within these bounds.",
        )


def cut(candles: CandleFrame, end_row: int, context: int, horizon: int) -> Window:
    """A replay window: the ``context`` candles up to ``end_row``, and the ``horizon`` candles after it as the truth.

    Raises:
        WindowError: the candles do not hold all these rows.
    """
    start, end = end_row - context, end_row + horizon
    if start < 0 or end > len(candles) or context < 1 or horizon < 1:
        raise WindowError(
            f"a window of {context} + {horizon} candles with its cutoff at row {end_row} needs rows "
            f"{start + 1}..{end}; {candles.symbol} has {len(candles)}.",
            "Move the cutoff, load more history, or shorten the context or the horizon.",
        )
    truth = candles.rows(end_row, end)
    return Window(context=candles.rows(start, end_row), future=truth.index, truth=truth)


def latest(candles: CandleFrame, context: int, horizon: int, calendar: str = AUTO, *, back: int = 0) -> Window:
    """The window whose context ends at the last candle, or a few before it; the end of its future is not known yet.

    Args:
        candles: the whole series; its stamps say where the next ones will stand.
        context: T.
        horizon: H.
        calendar: ``auto``, or one of ``calendars.choices()``.
        back: k, how many candles before the last one the cutoff lies. The first k bars to forecast are then known; all
            of them where k is H or more.

    Raises:
        WindowError: there are fewer than ``context + back`` candles, or no bar times can be foretold.
    """
    end = len(candles) - back
    if end < context or min(context, horizon) < 1 or back < 0:
        before = f" before the last {back}" if back else ""
        raise WindowError(
            f"a context of {context} candles{before} is wanted; {candles.symbol} has {len(candles)}.",
            "Load more history, or shorten the context.",
        )
    if back >= horizon:
        return cut(candles, end, context, horizon)
    times, note = future_times(candles, horizon - back, calendar)
    begun = candles.tail(back) if back else None
    return Window(
        context=candles.rows(end - context, end),
        future=times if begun is None else begun.index.append(times),
        truth=None,
        begun=begun,
        note=note,
    )
