"""Further layouts that the importer tests run through: answers of exchanges, brokers and data sites in JSON."""

from __future__ import annotations

import json
from collections.abc import Callable

import pandas as pd

from tests.support.imports.makers import Case, as_json, ms, record, s

__all__ = ["JSONS"]


def row_lists(row: Callable[[pd.Series], list]) -> Callable[[pd.DataFrame], list]:
    """A list of lists."""
    return lambda f: [row(o) for _, o in f.iterrows()]


def dicts(row: Callable[[pd.Series], dict]) -> Callable[[pd.DataFrame], list]:
    """A list of objects."""
    return lambda f: [row(o) for _, o in f.iterrows()]


def within(wrap: Callable[[list], object], inner: Callable[[pd.DataFrame], list]) -> Callable[[pd.DataFrame], bytes]:
    """A document around a list."""
    return as_json(lambda f: wrap(inner(f)))


def iso(t: pd.Timestamp, end: str = "Z") -> str:
    return f"{t:%Y-%m-%dT%H:%M:%S}{end}"


def sides(value: float) -> dict:
    """Bid, ask and last of one price."""
    return {"bid": value, "ask": round(value + 0.5, 2), "lastTraded": None}


def money(value: float) -> dict:
    """Whole units, and billionths of one."""
    units = int(value)
    return {"units": str(units), "nano": round((value - units) * 1e9)}


def told(value: float) -> dict:
    """A number, and how people read it."""
    return {"raw": value, "fmt": f"{value:,.2f}"}


def script(before: str, row: Callable[[pd.Series], str], after: str) -> Callable[[pd.DataFrame], bytes]:
    """Data as a script has it."""
    return lambda f: (before + ",\n".join(row(o) for _, o in f.iterrows()) + after).encode()


JSONS = [
    Case(name="deribit", freq="1h", filename="k.json", amount=True, make=as_json(lambda f: {
        "jsonrpc": "2.0", "usIn": 1, "usOut": 2, "result": {
            "volume": f.v.tolist(), "ticks": [ms(t) for t in f.t], "status": "ok", "open": f.o.tolist(),
            "low": f.l.tolist(), "high": f.h.tolist(), "cost": f.a.tolist(), "close": f.c.tolist()}})),
    Case(name="kraken futures", freq="1h", filename="k.json", make=within(
        lambda rows: {"candles": rows, "more_candles": False},
        dicts(lambda o: {"time": ms(o.t), "open": str(o.o), "high": str(o.h), "low": str(o.l), "close": str(o.c),
                         "volume": str(o.v)}))),
    Case(name="bitmex buckets", freq="1h", filename="k.json", symbol="XBTUSD", amount=True,
         make=as_json(dicts(lambda o: {
             "timestamp": iso(o.t, ".000Z"), "symbol": "XBTUSD", "open": o.o, "high": o.h, "low": o.l, "close": o.c,
        "trades": 12, "volume": int(o.v), "vwap": o.c, "lastSize": 100, "turnover": int(o.v) * 7_000,
        "homeNotional": 1.5, "foreignNotional": int(o.v)}))),
    Case(name="bitget", freq="1h", filename="k.json", amount=True, make=within(
        lambda rows: {"code": "00000", "msg": "success", "requestTime": 1_700_000_000_000, "data": rows},
        row_lists(lambda o: [str(ms(o.t)), *(str(x) for x in (o.o, o.h, o.l, o.c, o.v, o.a, o.a))]))),
    Case(name="mexc futures", freq="1h", filename="k.json", amount=True, make=as_json(lambda f: {
        "success": True, "code": 0, "data": {
            "time": [s(t) for t in f.t], "open": f.o.tolist(), "close": f.c.tolist(), "high": f.h.tolist(),
            "low": f.l.tolist(), "vol": f.v.tolist(), "amount": f.a.tolist(), "realOpen": f.o.tolist(),
            "realClose": f.c.tolist(), "realHigh": f.h.tolist(), "realLow": f.l.tolist()}})),
    Case(name="hyperliquid", freq="1h", filename="k.json", symbol="BTC", make=as_json(dicts(lambda o: {
        "T": ms(o.t) + 3_599_999, "c": str(o.c), "h": str(o.h), "i": "1h", "l": str(o.l), "n": 12, "o": str(o.o),
        "s": "BTC", "t": ms(o.t), "v": str(o.v)}))),
    Case(name="socket lines", freq="1m", filename="stream.jsonl", symbol="BTCUSDT",
         make=lambda f: "\n".join(
        json.dumps({"e": "kline", "E": ms(o.t) + 60_100, "s": "BTCUSDT", "k": {
            "t": ms(o.t), "T": ms(o.t) + 59_999, "s": "BTCUSDT", "i": "1m", "f": 100, "L": 200, "o": str(o.o),
            "c": str(o.c), "h": str(o.h), "l": str(o.l), "v": str(o.v), "n": 100, "x": True, "q": str(o.a),
            "V": str(o.v / 2), "Q": str(o.a / 2), "B": "0"}}) for _, o in f.iterrows())),
    Case(name="poloniex chart", freq="1h", filename="k.json", amount=True, make=as_json(dicts(lambda o: {
        "date": s(o.t), "high": o.h, "low": o.l, "open": o.o, "close": o.c, "volume": o.a, "quoteVolume": o.v,
        "weightedAverage": o.c}))),
    Case(name="bithumb", freq="1h", filename="k.json", make=within(
        lambda rows: {"status": "0000", "data": rows},
        row_lists(lambda o: [ms(o.t), str(o.o), str(o.c), str(o.h), str(o.l), str(o.v)]))),
    Case(name="coindesk", freq="1h", filename="k.json", amount=True, make=within(
        lambda rows: {"Data": rows, "Err": {}},
        dicts(lambda o: {"UNIT": "HOUR", "TIMESTAMP": s(o.t), "TYPE": "267", "MARKET": "kraken",
                         "INSTRUMENT": "BTC-USD",
                         "MAPPED_INSTRUMENT": "BTC-USD", "BASE": "BTC", "QUOTE": "USD", "OPEN": o.o, "HIGH": o.h,
                         "LOW": o.l, "CLOSE": o.c, "FIRST_TRADE_TIMESTAMP": s(o.t) + 1, "FIRST_TRADE_PRICE": o.o,
                         "HIGH_TRADE_PRICE": o.h, "LAST_TRADE_PRICE": o.c, "TOTAL_TRADES": 10, "VOLUME": o.v,
                         "QUOTE_VOLUME": o.a, "VOLUME_BUY": o.v / 2}))),
    Case(name="coinapi", freq="1h", filename="k.json", make=as_json(dicts(lambda o: {
        "time_period_start": iso(o.t, ".0000000Z"), "time_period_end": iso(o.t + pd.Timedelta("1h"), ".0000000Z"),
        "time_open": iso(o.t + pd.Timedelta(int(o.c * 700) % 59, "s"), ".5320000Z"),
        "time_close": iso(o.t + pd.Timedelta(3_590 - int(o.o * 500) % 57, "s"), ".9980000Z"),
        "price_open": o.o, "price_high": o.h,
        "price_low": o.l, "price_close": o.c, "volume_traded": o.v, "trades_count": 31}))),
    Case(name="coinpaprika", filename="k.json", make=as_json(dicts(lambda o: {
        "time_open": iso(o.t), "time_close": iso(o.t + pd.Timedelta("23h59min59s")), "open": o.o, "high": o.h,
        "low": o.l, "close": o.c, "volume": int(o.v), "market_cap": int(o.v) * 1_000}))),
    Case(name="geckoterminal", freq="1h", filename="k.json", make=within(
        lambda rows: {"data": {"id": "1", "type": "ohlcv_request_response", "attributes": {"ohlcv_list": rows}},
                      "meta": {"base": {"name": "Wrapped Ether", "symbol": "WETH"}}},
        row_lists(lambda o: [s(o.t), o.o, o.h, o.l, o.c, o.v]))),
    Case(name="coinmarketcap json", filename="k.json", symbol="BTC", make=within(
        lambda rows: {"data": {"id": 1, "name": "Bitcoin", "symbol": "BTC", "quotes": rows}},
        dicts(lambda o: {"timeOpen": iso(o.t, ".000Z"), "timeClose": iso(o.t + pd.Timedelta("23h59min59s"), ".999Z"),
                         "timeHigh": iso(o.t + pd.Timedelta("2h")), "timeLow": iso(o.t + pd.Timedelta("3h")),
                         "quote": {"USD": {"open": o.o, "high": o.h, "low": o.l, "close": o.c, "volume": o.v,
                                           "market_cap": o.v * 9_000.0, "timestamp": iso(o.t)}}}))),
    Case(name="names in one branch, rows in another", freq="1h", filename="k.json", make=within(
        lambda rows: {"status": {"elapsed": 3}, "data": {"parameters": {"columns": [
            "timestamp", "open", "high", "low", "close", "volume"], "start": "2024"}, "schema": {"name": "x"},
            "values": rows}}, row_lists(lambda o: [ms(o.t), o.o, o.h, o.l, o.c, o.v]))),
    Case(name="xueqiu", freq="1h", filename="k.json", symbol="SH600519", amount=True, make=within(
        lambda rows: {"data": {"symbol": "SH600519", "column": [
            "timestamp", "volume", "open", "high", "low", "close", "chg", "percent", "turnoverrate", "amount"],
            "item": rows}, "error_code": 0, "error_description": ""},
        row_lists(lambda o: [ms(o.t), int(o.v), o.o, o.h, o.l, o.c, 0.4, -0.1, 0.3, o.a]))),
    Case(name="tencent", filename="k.json", make=within(
        lambda rows: {"code": 0, "msg": "", "data": {"sh600519": {"day": rows, "qt": {"sh600519": ["1", "x"]},
                                                                  "prec": "100.1"}}},
        row_lists(lambda o: [f"{o.t:%Y-%m-%d}", str(o.o), str(o.c), str(o.h), str(o.l), f"{o.v:.3f}"]))),
    Case(name="a variable of a script", filename="k.js", make=lambda f: ("kline_dayqfq=" + json.dumps(
        {"code": 0, "data": {"sz000001": {"qfqday": [[f"{o.t:%Y-%m-%d}", str(o.o), str(o.c), str(o.h), str(o.l),
                                                      str(o.v)] for _, o in f.iterrows()]}}})).encode()),
    Case(name="names without quotes", freq="1h", filename="k.json", make=script(
        "[", lambda o: f'{{day:"{o.t}",open:"{o.o}",high:"{o.h}",low:"{o.l}",close:"{o.c}",volume:"{o.v}"}}', "]")),
    Case(name="a constant of a script", filename="data.js", make=script(
        "const candles = [\n",
        lambda o: f"  {{ time: '{o.t:%Y-%m-%d}', open: {o.o}, high: {o.h}, low: {o.l}, close: {o.c}, volume: {o.v} }}",
        ",\n];\n")),
    Case(name="single quotes", filename="k.txt", make=script(
        "[['날짜', '시가', '고가', '저가', '종가', '거래량', '외국인소진율'],\n",
        lambda o: f'["{o.t:%Y%m%d}", {o.o}, {o.h}, {o.l}, {o.c}, {o.v}, 53.5]', "\n]\n")),
    Case(name="a comment above", filename="k.json", freq="1h", make=script(
        "/* AAPL historical OHLC data from a web site */\n[\n",
        lambda o: f"/* {o.t:%b %Y} */\n[{ms(o.t)},{o.o},{o.h},{o.l},{o.c},{o.v}]", "\n]")),
    Case(name="one long text of rows", filename="k.json", amount=True, make=lambda f: (
        "quotebridge_v6_line_hs_600519_01_last(" + json.dumps({
            "rt": "0930-1130,1300-1500", "num": len(f), "total": "5000", "start": "20010827", "name": "x",
            "data": ";".join(f"{o.t:%Y%m%d},{o.o},{o.h},{o.l},{o.c},{o.v},{o.a},0.35,,,0" for _, o in f.iterrows()),
        }) + ")").encode()),
    Case(name="alpha vantage crypto", filename="k.json", make=as_json(lambda f: {
        "Meta Data": {"1. Information": "Daily Prices", "2. Digital Currency Code": "BTC"},
        "Time Series (Digital Currency Daily)": {
            f"{o.t:%Y-%m-%d}": {"1a. open (EUR)": str(o.o), "1b. open (USD)": str(round(o.o * 1.1, 2)),
                                "2a. high (EUR)": str(o.h), "2b. high (USD)": str(round(o.h * 1.1, 2)),
                                "3a. low (EUR)": str(o.l), "3b. low (USD)": str(round(o.l * 1.1, 2)),
                                "4a. close (EUR)": str(o.c), "4b. close (USD)": str(round(o.c * 1.1, 2)),
                                "5. volume": str(o.v), "6. market cap (USD)": str(o.v)}
            for _, o in f[::-1].iterrows()}})),
    Case(name="tradier history", filename="k.json", make=within(
        lambda rows: {"history": {"day": rows}},
        dicts(lambda o: {"date": f"{o.t:%Y-%m-%d}", "open": o.o, "high": o.h, "low": o.l, "close": o.c,
                         "volume": int(o.v)}))),
    Case(name="tradier time and sales", freq="1h", filename="k.json", rows=7, make=within(
        lambda rows: {"series": {"data": rows}},
        dicts(lambda o: {"time": iso(o.t - pd.Timedelta("5h"), ""), "timestamp": s(o.t),
                         "price": round((o.h + o.l) / 2, 2), "open": o.o, "high": o.h, "low": o.l, "close": o.c,
                         "volume": int(o.v), "vwap": o.c}))),
    Case(name="schwab", freq="1h", filename="k.json", symbol="AAPL", make=within(
        lambda rows: {"candles": rows, "symbol": "AAPL", "empty": False},
        dicts(lambda o: {"open": o.o, "high": o.h, "low": o.l, "close": o.c, "volume": int(o.v),
                         "datetime": ms(o.t)}))),
    Case(name="financial modeling prep", filename="k.json", symbol="AAPL", make=within(
        lambda rows: {"symbol": "AAPL", "historical": rows[::-1]},
        dicts(lambda o: {"date": f"{o.t:%Y-%m-%d}", "open": o.o, "high": o.h, "low": o.l, "close": o.c,
                         "adjClose": round(o.c * 0.98, 2), "volume": int(o.v), "unadjustedVolume": int(o.v),
                         "change": 0.4, "changePercent": 0.2, "vwap": o.c, "label": f"{o.t:%B %d, %y}",
                         "changeOverTime": 0.002}))),
    Case(name="marketstack", filename="k.json", symbol="AAPL", make=within(
        lambda rows: {"pagination": {"limit": 100, "offset": 0, "count": 40, "total": 40}, "data": rows[::-1]},
        dicts(lambda o: {"open": o.o, "high": o.h, "low": o.l, "close": o.c, "volume": float(o.v), "adj_high": o.h,
                         "adj_low": o.l, "adj_close": o.c, "adj_open": o.o, "adj_volume": float(o.v) * 2,
                         "split_factor": 1.0, "dividend": 0.0, "symbol": "AAPL", "exchange": "XNAS",
                         "date": iso(o.t, "+0000")}))),
    Case(name="intrinio", filename="k.json", make=within(
        lambda rows: {"stock_prices": rows, "security": {"id": "sec_1", "company_id": "com_1", "ticker": "AAPL"}},
        dicts(lambda o: {"date": f"{o.t:%Y-%m-%d}", "intraperiod": False, "frequency": "daily", "open": o.o,
                         "high": o.h, "low": o.l, "close": o.c, "volume": int(o.v), "adj_open": o.o / 2,
                         "adj_high": o.h / 2, "adj_low": o.l / 2, "adj_close": o.c / 2, "adj_volume": int(o.v) * 2}))),
    Case(name="barchart answer", filename="k.json", symbol="ZCH24", zone="UTC", make=within(
        lambda rows: {"status": {"code": 200, "message": "Success."}, "results": rows},
        dicts(lambda o: {"symbol": "ZCH24", "timestamp": iso(o.t, "+00:00"), "tradingDay": f"{o.t:%Y-%m-%d}",
                         "open": o.o, "high": o.h, "low": o.l, "close": o.c, "volume": int(o.v),
                         "openInterest": 12_345}))),
    Case(name="robinhood", freq="1h", filename="k.json", make=within(
        lambda rows: {"symbol": "AAPL", "interval": "hour", "span": "week", "historicals": rows},
        dicts(lambda o: {"begins_at": iso(o.t), "open_price": f"{o.o:.6f}", "close_price": f"{o.c:.6f}",
                         "high_price": f"{o.h:.6f}", "low_price": f"{o.l:.6f}", "volume": int(o.v), "session": "reg",
                         "interpolated": False}))),
    Case(name="ig", freq="1h", filename="k.json", says="2 instruments", make=within(
        lambda rows: {"prices": rows, "instrumentType": "CURRENCIES"},
        dicts(lambda o: {"snapshotTime": f"{o.t:%Y/%m/%d %H:%M:%S}", "snapshotTimeUTC": iso(o.t, ""),
                         "openPrice": sides(o.o), "closePrice": sides(o.c), "highPrice": sides(o.h),
                         "lowPrice": sides(o.l), "lastTradedVolume": int(o.v)}))),
    Case(name="saxo", freq="1h", filename="k.json", volume=False, says="2 instruments", make=within(
        lambda rows: {"Data": rows, "DataVersion": 1},
        dicts(lambda o: {"CloseAsk": o.c, "CloseBid": o.c - 0.5, "HighAsk": o.h, "HighBid": o.h - 0.5, "LowAsk": o.l,
                         "LowBid": o.l - 0.5, "OpenAsk": o.o, "OpenBid": o.o - 0.5, "Time": iso(o.t, ".000000Z")}))),
    Case(name="tiingo crypto", freq="1h", filename="k.json", symbol="btcusd", amount=True, make=within(
        lambda rows: [{"ticker": "btcusd", "baseCurrency": "btc", "quoteCurrency": "usd", "priceData": rows}],
        dicts(lambda o: {"open": o.o, "high": o.h, "low": o.l, "close": o.c, "date": iso(o.t, "+00:00"),
                         "tradesDone": 12.0, "volume": o.v, "volumeNotional": o.a}))),
    Case(name="kite", freq="1h", filename="k.json", zone="Asia/Kolkata", start="2024-01-02 09:00", rows=7, make=within(
        lambda rows: {"status": "success", "data": {"candles": rows}},
        row_lists(lambda o: [iso(o.t, "+0530"), o.o, o.h, o.l, o.c, int(o.v)]))),
    Case(name="kite with open interest", freq="1h", filename="k.json", zone="Asia/Kolkata", start="2024-01-02 09:00",
         rows=7, make=within(lambda rows: {"status": "success", "data": {"candles": rows[::-1]}},
                             row_lists(lambda o: [iso(o.t, "+05:30"), o.o, o.h, o.l, o.c, int(o.v), 0]))),
    Case(name="breeze", freq="1h", filename="k.json", make=within(
        lambda rows: {"Success": rows, "Status": 200, "Error": None},
        dicts(lambda o: {"close": o.c, "datetime": str(o.t), "exchange_code": "NFO", "expiry_date": "25-JAN-2024",
                         "high": o.h, "low": o.l, "open": o.o, "open_interest": 4_500, "product_type": "Futures",
                         "right": "Others", "stock_code": "NIFTY", "strike_price": 0, "volume": int(o.v)}))),
    Case(name="korea investment", filename="k.json", amount=True, make=within(
        lambda rows: {"output1": {"prdy_vrss": "100", "stck_prpr": "1"}, "output2": rows[::-1], "rt_cd": "0"},
        dicts(lambda o: {"stck_bsop_date": f"{o.t:%Y%m%d}", "stck_clpr": str(o.c), "stck_oprc": str(o.o),
                         "stck_hgpr": str(o.h), "stck_lwpr": str(o.l), "acml_vol": str(o.v), "acml_tr_pbmn": str(o.a),
                         "flng_cls_code": "00", "prtt_rate": "0.00", "mod_yn": "N", "prdy_vrss_sign": "2",
                         "prdy_vrss": "100"}))),
    Case(name="units and nano", freq="1h", filename="k.json", make=within(
        lambda rows: {"candles": rows},
        dicts(lambda o: {"open": money(o.o), "high": money(o.h), "low": money(o.l), "close": money(o.c),
                         "volume": str(o.v), "time": iso(o.t), "isComplete": True}))),
    Case(name="raw and fmt", filename="k.json", make=within(
        lambda rows: {"attributes": {"symbol": "AAPL"}, "rows": rows},
        dicts(lambda o: {"date": {"raw": s(o.t), "fmt": f"{o.t:%Y-%m-%d}"}, "open": told(o.o), "high": told(o.h),
                         "low": told(o.l), "close": told(o.c), "volume": told(o.v)}))),
    Case(name="net dates", filename="k.json", make=within(
        lambda rows: {"d": rows},
        dicts(lambda o: {"Date": f"/Date({ms(o.t)})/", "Open": o.o, "High": o.h, "Low": o.l, "Close": o.c,
                         "Volume": int(o.v)}))),
    Case(name="seven digits of a second", freq="1h", filename="k.json", make=as_json(dicts(lambda o: {
        "Timestamp": iso(o.t, ".0000000"), "Open": o.o, "High": o.h, "Low": o.l, "Close": o.c, "Volume": int(o.v)}))),
    Case(name="a document as a text", freq="1h", filename="k.json", make=lambda f: json.dumps(
        json.dumps(record(f, time="s", open="o", high="h", low="l", close="c", volume="v"))).encode()),
    Case(name="years of the republic", filename="k.json", amount=True, make=within(
        lambda rows: {"stat": "OK", "date": "20240101", "title": "113年01月 2330 各日成交資訊",
                      "fields": ["日期", "成交股數", "成交金額", "開盤價", "最高價", "最低價", "收盤價", "漲跌價差",
                                 "成交筆數"], "data": rows, "notes": ["符號說明"]},
        row_lists(lambda o: [f"{o.t.year - 1911}/{o.t:%m/%d}", f"{o.v:,}", f"{o.a:,.0f}", str(o.o), str(o.h), str(o.l),
                             str(o.c), "+1.00", "12,345"]))),
]  # fmt: skip
