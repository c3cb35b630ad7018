"""Fetch candles, print a summary of them and write them to a file.

The summary goes to stdout, notes on the candles go to stderr.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pandas as pd

from kronos_dashboard.cli.options import FetchOptions, ListName
from kronos_dashboard.errors import InvalidFeedRequestError
from kronos_dashboard.export import write_file
from kronos_dashboard.export.candles import write_candles_csv
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.markets.feeds import CachedFeed, CcxtFeed, FetchRequest, open_feed
from kronos_dashboard.markets.intervals import interval_label
from kronos_dashboard.messages import msg
from kronos_dashboard.settings import Settings

if TYPE_CHECKING:
    from kronos_dashboard.markets.feeds.transport import Transport

__all__ = ["run_fetch"]

_DEFAULT_LIMIT = 1_000
"""Candles to fetch if neither their number nor a start is given."""


def run_fetch(
    options: FetchOptions, settings: Settings, *, now: pd.Timestamp | None = None, transport: Transport | None = None
) -> None:
    """Fetch candles, or print the list that ``options`` ask for.

    Args:
        options: what to fetch.
        settings: cache and proxy of the feeds.
        now: the current time; None = that of the clock.
        transport: connection to the providers; None = as the settings say.

    Raises:
        FeedError: it is not possible; the message says why.
    """
    feed = open_feed(options.provider, settings, transport)
    exchange = options.exchange or ("binance" if options.provider == "ccxt" else "")
    if options.list is not None:
        _print_list(feed, options.list, exchange)
    elif options.search is not None:
        _print_matches(feed, options.search, exchange)
    else:
        _fetch_candles(feed, options, exchange, now or pd.Timestamp.now("UTC"))


def _print_list(feed: CachedFeed, name: ListName, exchange: str) -> None:
    if name == "intervals":
        _print(" ".join(feed.intervals(exchange)))
    elif isinstance(feed.feed, CcxtFeed):
        _print("\n".join(feed.feed.exchanges()))
    else:
        raise InvalidFeedRequestError(
            msg("The feed {name} does not list exchanges.", name=feed.name),
            msg("Only ccxt supports several exchanges."),
        )


def _print_matches(feed: CachedFeed, text: str, exchange: str) -> None:
    matches = feed.search(text, exchange=exchange)
    for info in matches:
        _print(f"{info.symbol:<20} {info.kind:<14} {info.exchange:<12} {info.name}")
    if not matches:
        raise InvalidFeedRequestError(
            msg("No symbol matches {text}.", text=repr(text)), msg("Try a shorter search, or another exchange.")
        )


def _fetch_candles(feed: CachedFeed, options: FetchOptions, exchange: str, now: pd.Timestamp) -> None:
    if not options.symbol:
        raise InvalidFeedRequestError(msg("No symbol was given."), msg("Add --symbol, or find one with --search."))
    if options.out is not None and not options.out.parent.is_dir():
        raise InvalidFeedRequestError(
            msg("The file {out} cannot be written.", out=options.out), msg("Choose a file in an existing folder.")
        )
    start = _parse_time(options.start, "start")
    limit = options.limit if options.limit is not None or start is not None else _DEFAULT_LIMIT
    request = FetchRequest(
        symbol=options.symbol,
        interval=options.interval,
        start=start,
        end=_parse_time(options.end, "end"),
        limit=limit,
        adjusted=not options.unadjusted,
        exchange=exchange,
    )
    fetched = feed.fetch(request, now=now)
    for note in fetched.notes:
        sys.stderr.write(f"{note.level:<9} {note.text}\n")
    _print_summary(fetched.candles)
    if options.out is not None:
        write_file(options.out, write_candles_csv(fetched.candles))
        _print(f"written   {options.out}")


def _print_summary(candles: CandleFrame) -> None:
    rows = (
        ("symbol", candles.symbol),
        ("source", candles.source),
        ("rows", f"{len(candles):,}"),
        ("interval", interval_label(candles.interval)),
        ("time zone", candles.session_tz),
        ("columns", ", ".join(candles.columns)),
        ("first", f"{candles.local_index[0]:%Y-%m-%d %H:%M}  close {candles.frame['close'].iloc[0]:,.8g}"),
        ("last", f"{candles.local_index[-1]:%Y-%m-%d %H:%M}  close {candles.frame['close'].iloc[-1]:,.8g}"),
    )
    for name, text in rows:
        _print(f"{name:<9} {text}")


def _parse_time(text: str | None, name: str) -> pd.Timestamp | None:
    if text is None:
        return None
    try:
        time = pd.Timestamp(text)
        if pd.isna(time):
            raise ValueError("no time")
    except ValueError as error:
        raise InvalidFeedRequestError(
            msg("the {name} {text} is not a valid time.", name=name, text=repr(text[:40])),
            msg("Write 2024-01-31 or 2024-01-31T09:30Z."),
        ) from error
    return time.tz_localize("UTC") if time.tz is None else time.tz_convert("UTC")


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
