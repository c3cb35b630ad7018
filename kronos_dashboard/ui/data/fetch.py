"""Live candles: the form of feed, symbol, interval and span. Requests run in the background."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pandas as pd
import streamlit as st

from kronos_dashboard.errors import DashboardError
from kronos_dashboard.markets.editable_series import EditableSeries
from kronos_dashboard.markets.feeds import CcxtFeed, FetchedCandles, FetchRequest, SymbolInfo
from kronos_dashboard.markets.feeds.crypto import max_recent_bars
from kronos_dashboard.markets.feeds.yahoo import MAX_HISTORY_DAYS
from kronos_dashboard.markets.importers import ImportedCandles
from kronos_dashboard.markets.share_link import MAX_CANDLES, Selection
from kronos_dashboard.ui import state
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.layout import escape_markdown, show_error
from kronos_dashboard.ui.resources import cached_feed
from kronos_dashboard.ui.series.library import add_series
from kronos_dashboard.ui.widgets.background_task import start_task

__all__ = ["fetch_form", "start_fetch"]

_EXAMPLES = {"ccxt": "BTC/USDT", "yfinance": "AAPL", "akshare": "600519"}
_POPULAR = ("binance", "kraken", "okx", "coinbase", "bybit", "bitstamp", "kucoin", "gate", "bitget", "bitfinex")
_DEFAULT_COUNT, _MAX_MATCHES = 1_000, 20
_DEFAULT_INTERVALS = ("1h", "1d", "1m")


def _feed_names() -> dict[str, str]:
    """Return what each feed serves, by its name."""
    return {"ccxt": t("Crypto exchanges"), "yfinance": t("Stocks, indices, FX (Yahoo)"), "akshare": t("A-shares")}


def start_fetch(selection: Selection) -> None:
    """Fetch in the background; the result becomes a series and is selected."""
    request = selection.request
    if request is None:
        return
    source, now = cached_feed(selection.feed), pd.Timestamp.now("UTC")
    where = request.exchange.capitalize() or _feed_names()[selection.feed]
    facts = {"where": where, "symbol": request.symbol, "interval": request.interval}
    if request.limit:
        text = t("Fetching {count} {interval} candles of {symbol} from {where}", count=f"{request.limit:,}", **facts)
    else:
        text = t("Fetching {interval} candles of {symbol} from {where}", **facts)
    start_task(
        text,
        lambda: source.fetch(request, now=now),
        lambda fetched: _add_fetched(selection, fetched),
    )


def fetch_form() -> None:
    """Draw the form; below it stands what the feed can serve."""
    feeds = _feed_names()
    name = st.selectbox(
        t("Data source"), list(feeds), format_func=feeds.__getitem__, key="fetch_feed", persist_state="session"
    )
    try:
        exchange = _exchange_select() if name == "ccxt" else ""
        intervals = cached_feed(name).intervals(exchange)
    except DashboardError as error:
        show_error(error)
        return
    symbol = _symbol_input(name, exchange)
    left, right = st.columns(2)
    default = next((interval for interval in _DEFAULT_INTERVALS if interval in intervals), intervals[0])
    interval = left.selectbox(
        t("Interval"),
        intervals,
        intervals.index(default),
        key=f"fetch_interval_{name}_{exchange}",
        persist_state="session",
    )
    spans = {"Newest": t("Most recent"), "Dates": t("Dates")}
    kind_of_span = right.selectbox(
        t("Range"), list(spans), format_func=spans.__getitem__, key="fetch_span", persist_state="session"
    )
    span = _date_inputs(name, interval) if kind_of_span == "Dates" else _count_input()
    adjusted = True
    if cached_feed(name).supports_adjusted:
        adjusted = st.toggle(
            t("Adjusted prices"),
            value=True,
            key="fetch_adjusted",
            persist_state="session",
            help=t("Adjusted for dividends and splits."),
        )
    st.caption(_feed_limits(name, exchange, interval))
    if st.button(t("Fetch"), key="fetch_go", type="primary", icon=":material/cloud_download:", width="stretch"):
        try:
            request = FetchRequest(
                symbol=symbol.strip(), interval=interval, adjusted=adjusted, exchange=exchange, **span
            )
            start_fetch(Selection(feed=name, request=request))
        except DashboardError as error:
            show_error(error)


def _exchange_select() -> str:
    source = cached_feed("ccxt").feed
    assert isinstance(source, CcxtFeed)
    with st.spinner(t("Loading exchanges…")):
        exchanges = source.exchanges()
    popular = [name for name in _POPULAR if name in exchanges]
    names = [*popular, *(name for name in exchanges if name not in popular)]
    return str(st.selectbox(t("Exchange"), names, key="fetch_exchange", persist_state="session"))


def _symbol_input(name: str, exchange: str) -> str:
    """Draw the symbol field, the search button and the symbols that were found; return the symbol."""
    field_key, matches = state.FETCH_SYMBOL.of(name), state.FETCH_MATCHES.of(name, exchange)
    if not field_key.is_set():
        field_key.set(_EXAMPLES[name])
    field, button = st.columns([1.7, 1], vertical_alignment="bottom", gap="small")
    symbol = field.text_input(
        t("Symbol"), key=field_key.name, max_chars=64, persist_state="session", placeholder=_EXAMPLES[name]
    )
    if button.button(t("Search"), key="fetch_search", help=t("Search the symbols of this source."), width="stretch"):
        source, query = cached_feed(name), symbol.strip()
        start_task(
            t("Searching for {query}", query=query),
            lambda: source.search(query, exchange=exchange, limit=_MAX_MATCHES),
            lambda symbols: matches.set((query, symbols)),
        )
    if matches.is_set():
        _match_select(field_key, *matches.get())
    return symbol


def _match_select(field_key: state.StateKey[str], query: str, symbols: list[SymbolInfo]) -> None:
    """Draw the symbols that were found; a selected one is written into the field."""
    if not symbols:
        st.caption(t("No matches for “{query}”. Try a shorter search.", query=escape_markdown(query)))
        return
    names = {info.symbol: f"{info.symbol} · {info.name} · {info.kind}" for info in symbols}
    pick = state.FETCH_SYMBOL_PICK.of(field_key.name, query)
    st.selectbox(
        t("Results for “{query}”", query=query),
        list(names),
        index=None,
        format_func=names.__getitem__,
        key=pick.name,
        placeholder=t("{count} found: choose one", count=len(symbols)),
        on_change=lambda: field_key.set(pick.get() or field_key.get()),
    )


def _count_input() -> dict[str, int]:
    count = st.number_input(
        t("Candles"),
        10,
        MAX_CANDLES,
        _DEFAULT_COUNT,
        100,
        key="fetch_count",
        persist_state="session",
        help=t("Number of most recent candles."),
    )
    return {"limit": int(count)}


def _date_inputs(name: str, interval: str) -> dict[str, pd.Timestamp | None]:
    """Draw both dates; return the span from the start of the first day to the end of the last one, UTC."""
    today = datetime.now(UTC).date()
    days = MAX_HISTORY_DAYS.get(interval) if name == "yfinance" else None
    left, right = st.columns(2)
    default = today - timedelta(days=min(days or 30, 30) - 1)
    first = left.date_input(t("From"), default, date(1970, 1, 1), today, key=f"fetch_from_{name}_{interval}")
    last = right.date_input(t("To"), today, date(1970, 1, 1), today, key=f"fetch_to_{name}_{interval}")
    # Up to today means up to now: the feed then stops at its newest closed candle.
    end = None if last == today else pd.Timestamp(datetime.combine(last, time(23, 59, 59), UTC))
    return {"start": pd.Timestamp(datetime.combine(first, time(), UTC)), "end": end}


def _feed_limits(name: str, exchange: str, interval: str) -> str:
    """Return what the feed can serve."""
    if name == "yfinance":
        days = MAX_HISTORY_DAYS.get(interval)
        text = (
            t("Yahoo provides {interval} candles for the last {days} days.", interval=interval, days=days)
            if days
            else t("Yahoo provides the full history.")
        )
    elif name == "akshare":
        text = t("1m: last 5 trading days. Daily, weekly and monthly: since listing.")
    elif name == "ccxt" and (limit := max_recent_bars(exchange)) is not None:
        text = t(
            "{exchange} provides only the latest {count} candles per interval.",
            exchange=exchange.capitalize(),
            count=f"{limit:,}",
        )
    else:
        text = t("Up to {count} candles.", count=f"{MAX_CANDLES:,}")
    more = t("Closed candles only. Candles fetched before are cached on this computer and work offline.")
    return f"{text} {more}"


def _add_fetched(selection: Selection, fetched: FetchedCandles) -> None:
    where = fetched.candles.source.partition(" (")[0]
    title = f"{fetched.candles.symbol} · {where}" if where else fetched.candles.symbol
    add_series(
        EditableSeries.from_import(
            selection.key, title, ImportedCandles(fetched.candles, fetched.notes), selection=selection
        )
    )
