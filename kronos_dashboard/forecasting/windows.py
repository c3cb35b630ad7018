"""Windows: T context candles, the H timestamps to forecast, and the actual candles where they are known.

Rows are counted from 1, as in a table; ``end_row`` is the last candle of the context.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from kronos_dashboard.errors import WindowError
from kronos_dashboard.markets.calendars import AUTO, future_times
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.messages import msg
from kronos_dashboard.settings import Settings

__all__ = ["Window", "check_lengths", "latest_window", "replay_window"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Window:
    """A context, the timestamps to forecast, and the actual candles if they are known.

    A window in the past (replay) and one at the end of the series (latest) are the same type.
    """

    context: CandleFrame
    """T candles that the model sees."""
    future: pd.DatetimeIndex
    """H timestamps, UTC."""
    actual: CandleFrame | None
    """The H observed candles, or None."""
    partial_actual: CandleFrame | None = None
    """The first k observed candles, 0 < k < H, if the series ends before the horizon does."""
    note: str = ""
    """How the future timestamps were inferred, in a sentence; empty if they are those of the actual candles."""

    @property
    def cutoff(self) -> pd.Timestamp:
        """Timestamp of the last context candle, UTC."""
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
    def observed(self) -> CandleFrame | None:
        """All known candles of the horizon: ``actual``, else ``partial_actual``, or None."""
        return self.partial_actual if self.actual is None else self.actual

    @property
    def local_future(self) -> pd.DatetimeIndex:
        """The H timestamps in the session timezone."""
        return self.future.tz_convert(self.context.session_tz)

    @property
    def identity(self) -> tuple[str, int, str]:
        """Distinguishes this window from all others: the context's fingerprint, the horizon, the last timestamp."""
        return (self.context.fingerprint, self.horizon, str(self.future[-1]))


def check_lengths(context: int, horizon: int, settings: Settings) -> None:
    """Check that context and horizon are within the bounds of the settings.

    Raises:
        WindowError: one of them is not.
    """
    if not settings.min_context <= context <= settings.max_context:
        raise WindowError(
            msg(
                "the context must be {low} to {high} candles; got {value}.",
                low=settings.min_context,
                high=settings.max_context,
                value=context,
            ),
            msg("Choose a length in this range."),
        )
    if not 1 <= horizon <= settings.max_horizon:
        raise WindowError(
            msg("the horizon must be 1 to {high} bars; got {value}.", high=settings.max_horizon, value=horizon),
            msg("Choose a horizon in this range."),
        )


def replay_window(candles: CandleFrame, end_row: int, context: int, horizon: int) -> Window:
    """The window of the ``context`` candles up to ``end_row``, with the ``horizon`` candles after it as the actuals.

    Raises:
        WindowError: the series does not have all these rows.
    """
    start, end = end_row - context, end_row + horizon
    if start < 0 or end > len(candles) or context < 1 or horizon < 1:
        raise WindowError(
            msg(
                "a window of {context} + {horizon} candles with its cutoff at row {row} needs rows {first} to "
                "{last}; {symbol} has {count}.",
                context=context,
                horizon=horizon,
                row=end_row,
                first=start + 1,
                last=end,
                symbol=candles.symbol,
                count=len(candles),
            ),
            msg("Move the cutoff, load more history, or shorten the context or the horizon."),
        )
    actual = candles.rows(end_row, end)
    return Window(context=candles.rows(start, end_row), future=actual.index, actual=actual)


def latest_window(candles: CandleFrame, context: int, horizon: int, calendar: str = AUTO, *, lag: int = 0) -> Window:
    """The window whose context ends at the last candle, or ``lag`` candles before it.

    Args:
        candles: the whole series, whose timestamps determine the future ones.
        context: T.
        horizon: H.
        calendar: ``auto``, or one of ``calendars.calendar_options()``.
        lag: k, the number of candles between the cutoff and the end of the series. The first k bars of the horizon are
            then known; all of them if k >= H.

    Raises:
        WindowError: there are fewer than ``context + lag`` candles, or future timestamps cannot be inferred.
    """
    end = len(candles) - lag
    if end < context or min(context, horizon) < 1 or lag < 0:
        hint = msg("Load more history, or shorten the context.")
        if lag:
            raise WindowError(
                msg(
                    "a context of {context} candles before the last {lag} is required; {symbol} has {count} candles.",
                    context=context,
                    lag=lag,
                    symbol=candles.symbol,
                    count=len(candles),
                ),
                hint,
            )
        raise WindowError(
            msg(
                "a context of {context} candles is required; {symbol} has {count}.",
                context=context,
                symbol=candles.symbol,
                count=len(candles),
            ),
            hint,
        )
    if lag >= horizon:
        return replay_window(candles, end, context, horizon)
    times, note = future_times(candles, horizon - lag, calendar)
    observed = candles.tail(lag) if lag else None
    return Window(
        context=candles.rows(end - context, end),
        future=times if observed is None else observed.index.append(times),
        actual=None,
        partial_actual=observed,
        note=note,
    )
