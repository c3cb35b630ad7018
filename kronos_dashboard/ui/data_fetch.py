"""Live candles: which feed, symbol, interval and span; the feed is asked in the background."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pandas as pd
import streamlit as st

from kronos_dashboard.errors import DashboardError
from kronos_dashboard.feeds import CcxtFeed, Fetched, FetchRequest, SymbolInfo
from kronos_dashboard.feeds.yahoo import LIMITS
from kronos_dashboard.importers import Imported
from kronos_dashboard.ui.data_held import Series
from kronos_dashboard.ui.data_link import MOST_CANDLES, Selection
from kronos_dashboard.ui.data_tasks import feed, start
from kronos_dashboard.ui.page import escape, show_error
from kronos_dashboard.ui.series import keep

__all__ = ["fetch_form", "fetch_selection"]

_FEEDS = {"ccxt": "Crypto exchanges", "yfinance": "Stocks, indices, FX (Yahoo)", "akshare": "A-shares"}
_EXAMPLES = {"ccxt": "BTC/USDT", "yfinance": "AAPL", "akshare": "600519"}
_POPULAR = ("binance", "kraken", "okx", "coinbase", "bybit", "bitstamp", "kucoin", "gate", "bitget", "bitfinex")
_COUNT, _FOUND = 1_000, 20
_USUAL = ("1h", "1d", "1m")
_AKSHARE_LIMITS = "1m goes back 5 trading days; days, weeks and months go back to the listing."


def fetch_selection(selection: Selection) -> None:
    """Ask the feed in the background; what comes becomes a series, and the chosen one."""
    request = selection.request
    if request is None:
        return
    source, now = feed(selection.feed), pd.Timestamp.now("UTC")
    where = request.exchange.capitalize() or _FEEDS[selection.feed]
    what = f"{request.count:,} candles" if request.count else "candles"
    start(
        f"Asking {where} for {what} of {request.symbol} at {request.interval}",
        lambda: source.fetch(request, now=now),
        lambda fetched: _take(selection, fetched),
    )


def fetch_form() -> None:
    """Feed, symbol with a search, interval, span. Says what the feed serves before it is asked."""
    name = st.selectbox("Feed", list(_FEEDS), format_func=_FEEDS.__getitem__, key="fetch_feed", persist_state="session")
    try:
        exchange = _exchange() if name == "ccxt" else ""
        intervals = feed(name).intervals(exchange)
    except DashboardError as error:
        show_error(error)
        return
    symbol = _symbol(name, exchange)
    left, right = st.columns(2)
    usual = next((interval for interval in _USUAL if interval in intervals), intervals[0])
    interval = left.selectbox(
        "Interval", intervals, intervals.index(usual), key=f"fetch_interval_{name}_{exchange}", persist_state="session"
    )
    by_dates = right.selectbox("Span", ("Newest", "Dates"), key="fetch_span", persist_state="session") == "Dates"
    span = _dates(name, interval) if by_dates else _count()
    adjusted = True
    if feed(name).adjusts:
        adjusted = st.toggle(
            "Adjusted prices", value=True, key="fetch_adjusted", persist_state="session", help="Without dividends."
        )
    st.caption(_limits(name, exchange, interval))
    if st.button("Fetch", key="fetch_go", type="primary", icon=":material/cloud_download:", width="stretch"):
        try:
            request = FetchRequest(
                symbol=symbol.strip(), interval=interval, adjusted=adjusted, exchange=exchange, **span
            )
            fetch_selection(Selection(feed=name, request=request))
        except DashboardError as error:
            show_error(error)


def _exchange() -> str:
    source = feed("ccxt").feed
    assert isinstance(source, CcxtFeed)
    with st.spinner("Reading the list of exchanges …"):
        known = source.exchanges()
    popular = [name for name in _POPULAR if name in known]
    names = [*popular, *(name for name in known if name not in popular)]
    return str(st.selectbox("Exchange", names, key="fetch_exchange", persist_state="session"))


def _symbol(name: str, exchange: str) -> str:
    """A field, a search that asks the feed, and what it found."""
    key, found_key = f"fetch_symbol_{name}", f"fetch_found_{name}_{exchange}"
    st.session_state.setdefault(key, _EXAMPLES[name])
    field, button = st.columns([1.7, 1], vertical_alignment="bottom", gap="small")
    symbol = field.text_input("Symbol", key=key, max_chars=64, persist_state="session", placeholder=_EXAMPLES[name])
    if button.button("Find", key="fetch_search", help="Search the symbols of this feed.", width="stretch"):
        source, query = feed(name), symbol.strip()
        start(
            f"Searching for {query}",
            lambda: source.search(query, exchange=exchange, limit=_FOUND),
            lambda found: st.session_state.update({found_key: (query, found)}),
        )
    if found_key in st.session_state:
        _offer(key, *st.session_state[found_key])
    return symbol


def _offer(key: str, query: str, found: list[SymbolInfo]) -> None:
    """The symbols that were found; a choice goes into the field."""
    if not found:
        st.caption(f"No symbol matches “{escape(query)}”. Try fewer letters.")
        return
    names = {info.symbol: f"{info.symbol} · {info.name} · {info.kind}" for info in found}
    pick = f"{key}_pick_{query}"
    st.selectbox(
        f"Found for “{query}”",
        list(names),
        index=None,
        format_func=names.__getitem__,
        key=pick,
        placeholder=f"{len(found)} found: choose one",
        on_change=lambda: st.session_state.update({key: st.session_state[pick] or st.session_state[key]}),
    )


def _count() -> dict[str, int]:
    count = st.number_input(
        "Candles", 10, MOST_CANDLES, _COUNT, 100, key="fetch_count", persist_state="session", help="The newest ones."
    )
    return {"count": int(count)}


def _dates(name: str, interval: str) -> dict[str, pd.Timestamp | None]:
    """From the first moment of one day to the last of another, UTC."""
    today = datetime.now(UTC).date()
    days = LIMITS.get(interval) if name == "yfinance" else None
    left, right = st.columns(2)
    usual = today - timedelta(days=min(days or 30, 30) - 1)
    first = left.date_input("From", usual, date(1970, 1, 1), today, key=f"fetch_from_{name}_{interval}")
    last = right.date_input("To", today, date(1970, 1, 1), today, key=f"fetch_to_{name}_{interval}")
    end = None if last == today else pd.Timestamp(datetime.combine(last, time(23, 59, 59), UTC))
    return {"start": pd.Timestamp(datetime.combine(first, time(), UTC)), "end": end}


def _limits(name: str, exchange: str, interval: str) -> str:
    """What the feed serves, told before it is asked."""
    if name == "yfinance":
        days = LIMITS.get(interval)
        told = f"Yahoo serves {interval} candles of the last {days} days." if days else "Yahoo serves all its history."
    elif name == "akshare":
        told = _AKSHARE_LIMITS
    elif exchange == "kraken":
        told = "Kraken serves its newest 720 candles of an interval alone."
    else:
        told = f"Up to {MOST_CANDLES:,} candles, page by page."
    return f"{told} Only closed candles; what was fetched before comes from this computer, also without a network."


def _take(selection: Selection, fetched: Fetched) -> None:
    where = fetched.candles.source.partition(" (")[0]
    title = f"{fetched.candles.symbol} · {where}" if where else fetched.candles.symbol
    keep(Series.of(selection.key, title, Imported(fetched.candles, fetched.notes), selection=selection))
