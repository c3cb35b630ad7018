"""Live candles: which feed, symbol, interval and span; the feed is asked in the background."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pandas as pd
import streamlit as st

from kronos_dashboard.errors import DashboardError
from kronos_dashboard.markets.feeds import CcxtFeed, Fetched, FetchRequest, SymbolInfo
from kronos_dashboard.markets.feeds.crypto import most_bars
from kronos_dashboard.markets.feeds.yahoo import LIMITS
from kronos_dashboard.markets.importers import Imported
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.layout import escape, show_error
from kronos_dashboard.ui.series.library import keep
from kronos_dashboard.ui.series.session_series import Series
from kronos_dashboard.ui.series.share_link import MOST_CANDLES, Selection
from kronos_dashboard.ui.widgets.background_task import feed, start

__all__ = ["fetch_form", "fetch_selection"]

_EXAMPLES = {"ccxt": "BTC/USDT", "yfinance": "AAPL", "akshare": "600519"}
_POPULAR = ("binance", "kraken", "okx", "coinbase", "bybit", "bitstamp", "kucoin", "gate", "bitget", "bitfinex")
_COUNT, _FOUND = 1_000, 20
_USUAL = ("1h", "1d", "1m")


def _feeds() -> dict[str, str]:
    """Every feed by its name, and what it serves."""
    return {"ccxt": t("Crypto exchanges"), "yfinance": t("Stocks, indices, FX (Yahoo)"), "akshare": t("A-shares")}


def fetch_selection(selection: Selection) -> None:
    """Ask the feed in the background; what comes becomes a series, and the chosen one."""
    request = selection.request
    if request is None:
        return
    source, now = feed(selection.feed), pd.Timestamp.now("UTC")
    where = request.exchange.capitalize() or _feeds()[selection.feed]
    facts = {"where": where, "symbol": request.symbol, "interval": request.interval}
    if request.count:
        told = t("Asking {where} for {count} candles of {symbol} at {interval}", count=f"{request.count:,}", **facts)
    else:
        told = t("Asking {where} for candles of {symbol} at {interval}", **facts)
    start(
        told,
        lambda: source.fetch(request, now=now),
        lambda fetched: _take(selection, fetched),
    )


def fetch_form() -> None:
    """Feed, symbol with a search, interval, span. Says what the feed serves before it is asked."""
    feeds = _feeds()
    name = st.selectbox(
        t("Feed"), list(feeds), format_func=feeds.__getitem__, key="fetch_feed", persist_state="session"
    )
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
        t("Interval"),
        intervals,
        intervals.index(usual),
        key=f"fetch_interval_{name}_{exchange}",
        persist_state="session",
    )
    spans = {"Newest": t("Newest"), "Dates": t("Dates")}
    chosen = right.selectbox(
        t("Span"), list(spans), format_func=spans.__getitem__, key="fetch_span", persist_state="session"
    )
    by_dates = chosen == "Dates"
    span = _dates(name, interval) if by_dates else _count()
    adjusted = True
    if feed(name).adjusts:
        adjusted = st.toggle(
            t("Adjusted prices"),
            value=True,
            key="fetch_adjusted",
            persist_state="session",
            help=t("Without dividends."),
        )
    st.caption(_limits(name, exchange, interval))
    if st.button(t("Fetch"), key="fetch_go", type="primary", icon=":material/cloud_download:", width="stretch"):
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
    with st.spinner(t("Reading the list of exchanges …")):
        known = source.exchanges()
    popular = [name for name in _POPULAR if name in known]
    names = [*popular, *(name for name in known if name not in popular)]
    return str(st.selectbox(t("Exchange"), names, key="fetch_exchange", persist_state="session"))


def _symbol(name: str, exchange: str) -> str:
    """A field, a search that asks the feed, and what it found."""
    key, found_key = f"fetch_symbol_{name}", f"fetch_found_{name}_{exchange}"
    st.session_state.setdefault(key, _EXAMPLES[name])
    field, button = st.columns([1.7, 1], vertical_alignment="bottom", gap="small")
    symbol = field.text_input(t("Symbol"), key=key, max_chars=64, persist_state="session", placeholder=_EXAMPLES[name])
    if button.button(t("Find"), key="fetch_search", help=t("Search the symbols of this feed."), width="stretch"):
        source, query = feed(name), symbol.strip()
        start(
            t("Searching for {query}", query=query),
            lambda: source.search(query, exchange=exchange, limit=_FOUND),
            lambda found: st.session_state.update({found_key: (query, found)}),
        )
    if found_key in st.session_state:
        _offer(key, *st.session_state[found_key])
    return symbol


def _offer(key: str, query: str, found: list[SymbolInfo]) -> None:
    """The symbols that were found; a choice goes into the field."""
    if not found:
        st.caption(t("No symbol matches “{query}”. Try fewer letters.", query=escape(query)))
        return
    names = {info.symbol: f"{info.symbol} · {info.name} · {info.kind}" for info in found}
    pick = f"{key}_pick_{query}"
    st.selectbox(
        t("Found for “{query}”", query=query),
        list(names),
        index=None,
        format_func=names.__getitem__,
        key=pick,
        placeholder=t("{count} found: choose one", count=len(found)),
        on_change=lambda: st.session_state.update({key: st.session_state[pick] or st.session_state[key]}),
    )


def _count() -> dict[str, int]:
    count = st.number_input(
        t("Candles"),
        10,
        MOST_CANDLES,
        _COUNT,
        100,
        key="fetch_count",
        persist_state="session",
        help=t("The newest ones."),
    )
    return {"count": int(count)}


def _dates(name: str, interval: str) -> dict[str, pd.Timestamp | None]:
    """From the first moment of one day to the last of another, UTC."""
    today = datetime.now(UTC).date()
    days = LIMITS.get(interval) if name == "yfinance" else None
    left, right = st.columns(2)
    usual = today - timedelta(days=min(days or 30, 30) - 1)
    first = left.date_input(t("From"), usual, date(1970, 1, 1), today, key=f"fetch_from_{name}_{interval}")
    last = right.date_input(t("To"), today, date(1970, 1, 1), today, key=f"fetch_to_{name}_{interval}")
    end = None if last == today else pd.Timestamp(datetime.combine(last, time(23, 59, 59), UTC))
    return {"start": pd.Timestamp(datetime.combine(first, time(), UTC)), "end": end}


def _limits(name: str, exchange: str, interval: str) -> str:
    """What the feed serves, told before it is asked."""
    if name == "yfinance":
        days = LIMITS.get(interval)
        told = (
            t("Yahoo serves {interval} candles of the last {days} days.", interval=interval, days=days)
            if days
            else t("Yahoo serves all its history.")
        )
    elif name == "akshare":
        told = t("1m goes back 5 trading days; days, weeks and months go back to the listing.")
    elif name == "ccxt" and (keeps := most_bars(exchange)) is not None:
        told = t(
            "{exchange} serves its newest {count} candles of an interval alone.",
            exchange=exchange.capitalize(),
            count=f"{keeps:,}",
        )
    else:
        told = t("Up to {count} candles, page by page.", count=f"{MOST_CANDLES:,}")
    more = t("Only closed candles; what was fetched before comes from this computer, also without a network.")
    return f"{told} {more}"


def _take(selection: Selection, fetched: Fetched) -> None:
    where = fetched.candles.source.partition(" (")[0]
    title = f"{fetched.candles.symbol} · {where}" if where else fetched.candles.symbol
    keep(Series.of(selection.key, title, Imported(fetched.candles, fetched.notes), selection=selection))
