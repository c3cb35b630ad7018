"""The command ``python -m kronos_dashboard fetch``: live candles on the screen or into a file.

Results go to stdout and to the file, notes to stderr.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from kronos_dashboard.errors import FeedError, FeedRefused
from kronos_dashboard.export.candles import candles_csv
from kronos_dashboard.files import replace_file
from kronos_dashboard.markets.candles import CandleFrame, interval_label
from kronos_dashboard.markets.feeds import FEEDS, CachedFeed, CcxtFeed, FetchRequest, open_feed
from kronos_dashboard.settings import Settings

if TYPE_CHECKING:
    from kronos_dashboard.markets.feeds.transport import Transport

__all__ = ["add_parser", "run"]

_DEFAULT_COUNT = 1_000


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Add ``fetch`` to the sub-commands of a parser; its options carry ``command=run``."""
    parser: argparse.ArgumentParser = commands.add_parser("fetch", help="fetch live candles")
    parser.add_argument("--feed", choices=tuple(FEEDS), default="ccxt", help="where from (default ccxt)")
    parser.add_argument("--exchange", default="", help="with ccxt, which exchange (default binance)")
    parser.add_argument("--symbol", help="as in BTC/USDT, AAPL, EURUSD=X or 600519")
    parser.add_argument("--interval", default="1h", help="1m, 1h, 1d, 1w, 1M ... (default 1h)")
    parser.add_argument("--count", type=int, help=f"the newest candles (default {_DEFAULT_COUNT:,})")
    parser.add_argument("--start", help="from this time on instead (UTC, or with an offset)")
    parser.add_argument("--end", help="up to this time (default: now)")
    parser.add_argument("--raw", action="store_true", help="stocks: prices not adjusted for dividends")
    parser.add_argument("--out", type=Path, help="write them as CSV")
    parser.add_argument("--search", metavar="TEXT", help="list symbols that match instead")
    parser.add_argument("--list", choices=("exchanges", "intervals"), help="list these instead")
    parser.set_defaults(command=run)
    return parser


def run(
    options: argparse.Namespace,
    settings: Settings,
    *,
    now: pd.Timestamp | None = None,
    transport: Transport | None = None,
) -> None:
    """Do what the options say.

    Raises:
        FeedError: it cannot be done; the message says why.
    """
    feed = open_feed(options.feed, settings, transport)
    exchange = options.exchange or ("binance" if options.feed == "ccxt" else "")
    if options.list is not None:
        _list(feed, options.list, exchange)
    elif options.search is not None:
        _search(feed, options.search, exchange)
    else:
        _fetch(feed, options, exchange, now or pd.Timestamp.now("UTC"))


def _list(feed: CachedFeed, what: str, exchange: str) -> None:
    if what == "intervals":
        _say(" ".join(feed.intervals(exchange)))
    elif isinstance(feed.feed, CcxtFeed):
        _say("\n".join(feed.feed.exchanges()))
    else:
        raise FeedRefused(f"The feed {feed.name} has no list of exchanges.", "Only ccxt serves several.")


def _search(feed: CachedFeed, text: str, exchange: str) -> None:
    found = feed.search(text, exchange=exchange)
    for info in found:
        _say(f"{info.symbol:<20} {info.kind:<14} {info.exchange:<12} {info.name}")
    if not found:
        raise FeedRefused(f"No symbol matches {text!r}.", "Try fewer letters, or another exchange.")


def _fetch(feed: CachedFeed, options: argparse.Namespace, exchange: str, now: pd.Timestamp) -> None:
    if not options.symbol:
        raise FeedRefused("Which symbol is not said.", "Add --symbol, or find one with --search.")
    if options.out is not None and not options.out.parent.is_dir():
        raise FeedRefused(f"The file {options.out} cannot be written.", "Name a file in a folder that exists.")
    start = _time(options.start, "start")
    count = options.count if options.count is not None or start is not None else _DEFAULT_COUNT
    request = FetchRequest(
        symbol=options.symbol,
        interval=options.interval,
        start=start,
        end=_time(options.end, "end"),
        count=count,
        adjusted=not options.raw,
        exchange=exchange,
    )
    fetched = feed.fetch(request, now=now)
    for note in fetched.notes:
        sys.stderr.write(f"{note.level:<9} {note.text}\n")
    _summarise(fetched.candles)
    if options.out is not None:
        _write(options.out, candles_csv(fetched.candles))
        _say(f"written   {options.out}")


def _summarise(candles: CandleFrame) -> None:
    rows = (
        ("symbol", candles.symbol),
        ("source", candles.source),
        ("rows", f"{len(candles):,}"),
        ("interval", interval_label(candles.interval)),
        ("clock", candles.session_tz),
        ("columns", ", ".join(candles.columns)),
        ("first", f"{candles.local_index[0]:%Y-%m-%d %H:%M}  close {candles.frame['close'].iloc[0]:,.8g}"),
        ("last", f"{candles.local_index[-1]:%Y-%m-%d %H:%M}  close {candles.frame['close'].iloc[-1]:,.8g}"),
    )
    for name, text in rows:
        _say(f"{name:<9} {text}")


def _write(path: Path, data: bytes) -> None:
    try:
        replace_file(path, data)
    except OSError as error:
        raise FeedError(f"the file {path} cannot be written: {error.strerror}.", "Choose another folder.") from error


def _time(text: str | None, name: str) -> pd.Timestamp | None:
    if text is None:
        return None
    try:
        time = pd.Timestamp(text)
        if pd.isna(time):
            raise ValueError("no time")
    except ValueError as error:
        raise FeedRefused(
            f"the {name} {text[:40]!r} is not a time.", "Write 2024-01-31 or 2024-01-31T09:30Z."
        ) from error
    return time.tz_localize("UTC") if time.tz is None else time.tz_convert("UTC")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
