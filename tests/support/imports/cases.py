"""The layouts that the importer tests run through: exchanges, brokers, data sites and libraries from many countries."""

from __future__ import annotations

import json

import pandas as pd

from tests.support.imports.makers import DT, Case, as_json, comma, day, ms, record, s, suffixed, text

MONTHS = ["jan", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"]


def american(t: pd.Timestamp) -> str:
    return f"{t.month}/{t.day}/{t.year}"


def lines(*records: dict) -> str:
    return "\n".join(json.dumps(one) for one in records)


ENGLISH = [
    Case(
        name="bitfinex headerless", freq="1h", amount=False, make=text("", lambda o: [ms(o.t), o.o, o.c, o.h, o.l, o.v])
    ),
    Case(
        name="bitstamp cdd",
        freq="1h",
        filename="Bitstamp_BTCUSD_1h.csv",
        symbol="BTC/USD",
        amount=True,
        make=text(
            "unix,date,symbol,open,high,low,close,Volume BTC,Volume USD",
            lambda o: [s(o.t), o.t, "BTC/USD", o.o, o.h, o.l, o.c, o.v, o.a],
            newest_first=True,
            before="https://www.CryptoDataDownload.com\n",
        ),
    ),
    Case(
        name="cdd old am pm",
        freq="1h",
        amount=True,
        symbol="BTCUSD",
        make=text(
            "Date,Symbol,Open,High,Low,Close,Volume BTC,Volume USD",
            lambda o: [o.t.strftime("%Y-%m-%d %I-%p"), "BTCUSD", o.o, o.h, o.l, o.c, o.v, o.a],
            newest_first=True,
        ),
    ),
    Case(
        name="coinbase candles",
        freq="1h",
        make=as_json(lambda f: [[s(o.t), o.l, o.h, o.o, o.c, o.v] for _, o in f[::-1].iterrows()]),
        filename="candles.json",
    ),
    Case(name="coinbase csv headerless", freq="1h", make=text("", lambda o: [s(o.t), o.l, o.h, o.o, o.c, o.v])),
    Case(
        name="kucoin",
        freq="1h",
        filename="k.json",
        amount=True,
        make=as_json(
            lambda f: {
                "code": "200000",
                "data": [
                    [str(s(o.t)), str(o.o), str(o.c), str(o.h), str(o.l), str(o.v), str(o.a)]
                    for _, o in f[::-1].iterrows()
                ],
            }
        ),
    ),
    Case(
        name="gate spot",
        freq="1h",
        filename="k.json",
        amount=True,
        make=as_json(
            lambda f: [
                [str(s(o.t)), str(o.a), str(o.c), str(o.h), str(o.l), str(o.o), str(o.v), "true"]
                for _, o in f.iterrows()
            ]
        ),
    ),
    Case(
        name="huobi",
        freq="1h",
        filename="k.json",
        amount=True,
        make=as_json(
            lambda f: {
                "ch": "market.btcusdt.kline",
                "status": "ok",
                "data": record(f, id="s", open="o", close="c", low="l", high="h", amount="v", vol="a"),
            }
        ),
    ),
    Case(
        name="okx",
        freq="1h",
        filename="k.json",
        amount=True,
        make=as_json(
            lambda f: {
                "code": "0",
                "msg": "",
                "data": [
                    [str(ms(o.t)), str(o.o), str(o.h), str(o.l), str(o.c), str(o.v), str(o.a), str(o.a), "1"]
                    for _, o in f[::-1].iterrows()
                ],
            }
        ),
    ),
    Case(
        name="okx csv",
        freq="1h",
        amount=True,
        make=text(
            "ts,open,high,low,close,vol,volCcy,volCcyQuote,confirm",
            lambda o: [ms(o.t), o.o, o.h, o.l, o.c, o.v, o.v, o.a, 1],
        ),
    ),
    Case(
        name="bybit api",
        freq="1h",
        filename="k.json",
        symbol="BTCUSDT",
        amount=True,
        make=as_json(
            lambda f: {
                "retCode": 0,
                "result": {
                    "symbol": "BTCUSDT",
                    "category": "spot",
                    "list": [
                        [str(ms(o.t)), str(o.o), str(o.h), str(o.l), str(o.c), str(o.v), str(o.a)]
                        for _, o in f[::-1].iterrows()
                    ],
                },
            }
        ),
    ),
    Case(
        name="bybit csv",
        freq="1h",
        amount=True,
        symbol="BTCUSD",
        make=text(
            "symbol,interval,start_at,open,high,low,close,volume,turnover",
            lambda o: ["BTCUSD", 60, s(o.t), o.o, o.h, o.l, o.c, o.v, o.a],
        ),
    ),
    Case(
        name="kraken api",
        freq="1h",
        filename="k.json",
        make=as_json(
            lambda f: {
                "error": [],
                "result": {
                    "XXBTZUSD": [
                        [s(o.t), str(o.o), str(o.h), str(o.l), str(o.c), str(o.c), str(o.v), 12]
                        for _, o in f.iterrows()
                    ],
                    "last": 1,
                },
            }
        ),
    ),
    Case(
        name="cryptocompare",
        freq="1h",
        filename="k.json",
        amount=True,
        make=as_json(
            lambda f: {
                "Response": "Success",
                "Data": {
                    "Aggregated": False,
                    "Data": record(f, time="s", high="h", low="l", open="o", volumefrom="v", volumeto="a", close="c"),
                },
            }
        ),
    ),
    Case(
        name="kaggle bitcoin",
        freq="1m",
        amount=True,
        make=text(
            "Timestamp,Open,High,Low,Close,Volume_(BTC),Volume_(Currency),Weighted_Price",
            lambda o: [s(o.t), o.o, o.h, o.l, o.c, o.v, o.a, o.c],
        ),
    ),
    Case(
        name="coingecko ohlc",
        freq="4h",
        filename="ohlc.json",
        volume=False,
        make=as_json(lambda f: [[ms(o.t), o.o, o.h, o.l, o.c] for _, o in f.iterrows()]),
    ),
    Case(
        name="coinmarketcap",
        amount=False,
        make=text(
            "timeOpen;timeClose;timeHigh;timeLow;name;open;high;low;close;volume;marketCap;timestamp",
            lambda o: [
                f'"{day(o)}T00:00:00.000Z"',
                f'"{day(o)}T23:59:59.999Z"',
                f'"{day(o)}T10:00:00.000Z"',
                f'"{day(o)}T11:00:00.000Z"',
                '"2781"',
                o.o,
                o.h,
                o.l,
                o.c,
                o.v,
                o.a,
                f'"{day(o)}T23:59:59.999Z"',
            ],
            sep=";",
            newest_first=True,
        ),
    ),
    Case(
        name="binance microseconds",
        freq="1h",
        amount=True,
        make=text(
            "",
            lambda o: [
                ms(o.t) * 1000,
                o.o,
                o.h,
                o.l,
                o.c,
                o.v,
                ms(o.t) * 1000 + 3_599_999_999,
                o.a,
                12,
                o.v / 2,
                o.a / 2,
                0,
            ],
        ),
    ),
    Case(
        name="binance headed",
        freq="1h",
        amount=True,
        make=text(
            "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
            "taker_buy_quote_volume,ignore",
            lambda o: [ms(o.t), o.o, o.h, o.l, o.c, o.v, ms(o.t) + 3_599_999, o.a, 12, o.v / 2, o.a / 2, 0],
        ),
    ),
    Case(
        name="ccxt with time column",
        freq="1h",
        make=text(",timestamp,open,high,low,close,volume", lambda o: [0, ms(o.t), o.o, o.h, o.l, o.c, o.v]),
    ),
    Case(
        name="polygon",
        freq="1h",
        filename="p.json",
        symbol="AAPL",
        make=as_json(
            lambda f: {
                "ticker": "AAPL",
                "status": "OK",
                "results": [
                    {**one, "vw": one["c"], "n": 3} for one in record(f, v="v", o="o", c="c", h="h", l="l", t="ms")
                ],
            }
        ),
    ),
    Case(
        name="polygon flat file",
        freq="1h",
        symbol="AAPL",
        make=text(
            "ticker,volume,open,close,high,low,window_start,transactions",
            lambda o: ["AAPL", o.v, o.o, o.c, o.h, o.l, ms(o.t) * 1_000_000, 12],
        ),
    ),
    Case(
        name="alpaca",
        freq="1h",
        filename="a.json",
        symbol="AAPL",
        make=as_json(
            lambda f: {
                "bars": [
                    {
                        "t": o.t.strftime("%Y-%m-%dT%H:%M:%SZ"),
                        "o": o.o,
                        "h": o.h,
                        "l": o.l,
                        "c": o.c,
                        "v": o.v,
                        "n": 4,
                        "vw": o.c,
                    }
                    for _, o in f.iterrows()
                ],
                "symbol": "AAPL",
                "next_page_token": None,
            }
        ),
    ),
    Case(
        name="iex",
        filename="iex.json",
        make=as_json(
            lambda f: [
                {
                    "date": day(o),
                    "open": o.o,
                    "close": o.c,
                    "high": o.h,
                    "low": o.l,
                    "volume": o.v,
                    "change": 0.1,
                    "changePercent": 0.2,
                    "label": "Jan 2",
                    "changeOverTime": 0,
                }
                for _, o in f.iterrows()
            ]
        ),
    ),
    Case(
        name="tiingo",
        make=text(
            "date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash,splitFactor",
            lambda o: [
                f"{day(o)}T00:00:00.000Z",
                o.c,
                o.h,
                o.l,
                o.o,
                o.v,
                o.c / 2,
                o.h / 2,
                o.l / 2,
                o.o / 2,
                o.v * 2,
                0.0,
                1.0,
            ],
        ),
    ),
    Case(
        name="eodhd",
        make=text(
            "Date,Open,High,Low,Close,Adjusted_close,Volume", lambda o: [day(o), o.o, o.h, o.l, o.c, o.c / 2, o.v]
        ),
    ),
    Case(
        name="quandl wiki",
        make=text(
            "Date,Open,High,Low,Close,Volume,Ex-Dividend,Split Ratio,"
            "Adj. Open,Adj. High,Adj. Low,Adj. Close,Adj. Volume",
            lambda o: [day(o), o.o, o.h, o.l, o.c, o.v, 0, 1, o.o / 2, o.h / 2, o.l / 2, o.c / 2, o.v],
            newest_first=True,
        ),
    ),
    Case(
        name="quandl nse",
        make=text(
            "Date,Open,High,Low,Last,Close,Total Trade Quantity,Turnover (Lacs)",
            lambda o: [day(o), o.o, o.h, o.l, o.l, o.c, o.v, o.a / 1e5],
        ),
        amount=True,
    ),
    Case(
        name="quandl json",
        filename="q.json",
        symbol="AAPL",
        make=as_json(
            lambda f: {
                "dataset": {
                    "dataset_code": "AAPL",
                    "column_names": ["Date", "Open", "High", "Low", "Close", "Volume"],
                    "data": [[day(o), o.o, o.h, o.l, o.c, o.v] for _, o in f.iterrows()],
                }
            }
        ),
    ),
    Case(
        name="alpha vantage json",
        filename="a.json",
        make=as_json(
            lambda f: {
                "Meta Data": {"1. Information": "Daily Prices", "2. Symbol": "IBM"},
                "Time Series (Daily)": {
                    day(o): {
                        "1. open": str(o.o),
                        "2. high": str(o.h),
                        "3. low": str(o.l),
                        "4. close": str(o.c),
                        "5. volume": str(o.v),
                    }
                    for _, o in f[::-1].iterrows()
                },
            }
        ),
    ),
    Case(
        name="twelve data",
        freq="1h",
        filename="t.json",
        symbol="AAPL",
        make=as_json(
            lambda f: {
                "meta": {"symbol": "AAPL", "interval": "1h"},
                "status": "ok",
                "values": [
                    {
                        "datetime": str(o.t),
                        "open": str(o.o),
                        "high": str(o.h),
                        "low": str(o.l),
                        "close": str(o.c),
                        "volume": str(o.v),
                    }
                    for _, o in f[::-1].iterrows()
                ],
            }
        ),
    ),
    Case(
        name="twelve data csv",
        freq="1h",
        make=text("datetime;open;high;low;close;volume", lambda o: [o.t, o.o, o.h, o.l, o.c, o.v], sep=";"),
    ),
    Case(
        name="finnhub",
        filename="f.json",
        make=as_json(
            lambda f: {
                "c": f.c.tolist(),
                "h": f.h.tolist(),
                "l": f.l.tolist(),
                "o": f.o.tolist(),
                "s": "ok",
                "t": [s(t) for t in f.t],
                "v": f.v.tolist(),
            }
        ),
    ),
    Case(
        name="yahoo chart",
        filename="y.json",
        symbol="AAPL",
        make=as_json(
            lambda f: {
                "chart": {
                    "result": [
                        {
                            "meta": {"currency": "USD", "symbol": "AAPL", "validRanges": ["1d", "5d"]},
                            "timestamp": [s(t) for t in f.t],
                            "indicators": {
                                "quote": [
                                    {
                                        "open": f.o.tolist(),
                                        "close": f.c.tolist(),
                                        "high": f.h.tolist(),
                                        "low": f.l.tolist(),
                                        "volume": f.v.tolist(),
                                    }
                                ],
                                "adjclose": [{"adjclose": (f.c / 2).tolist()}],
                            },
                        }
                    ],
                    "error": None,
                }
            }
        ),
    ),
    Case(
        name="yahoo page",
        make=text(
            "Date\tOpen\tHigh\tLow\tClose*\tAdj Close**\tVolume",
            lambda o: "\t".join(map(str, [o.t.strftime("%b %d, %Y"), o.o, o.h, o.l, o.c, o.c / 2, f"{o.v:,}"])),
            newest_first=True,
        ),
    ),
    Case(
        name="yfinance intraday",
        freq="1h",
        start="2024-01-02 09:30",
        rows=6,
        zone="America/New_York",
        make=text(
            "Datetime,Open,High,Low,Close,Volume,Dividends,Stock Splits",
            lambda o: [f"{o.t}-05:00", o.o, o.h, o.l, o.c, o.v, 0.0, 0.0],
        ),
    ),
    Case(
        name="yfinance daily with offset",
        zone="America/New_York",
        start="2024-02-20",
        make=text(
            "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits",
            lambda o: [
                f"{o.t}-0{4 if o.t >= pd.Timestamp('2024-03-10 03:00') else 5}:00",
                o.o,
                o.h,
                o.l,
                o.c,
                o.v,
                0.0,
                0.0,
            ],
        ),
    ),
    Case(
        name="yfinance flattened",
        symbol="AAPL",
        make=text(
            "Date,\"('Close', 'AAPL')\",\"('High', 'AAPL')\","
            "\"('Low', 'AAPL')\",\"('Open', 'AAPL')\",\"('Volume', 'AAPL')\"",
            lambda o: [day(o), o.c, o.h, o.l, o.o, o.v],
        ),
    ),
    Case(
        name="quantmod",
        symbol="SPY",
        make=text(
            '"Index","SPY.Open","SPY.High","SPY.Low","SPY.Close","SPY.Volume","SPY.Adjusted"',
            lambda o: [f'"{day(o)}"', o.o, o.h, o.l, o.c, o.v, o.c / 2],
        ),
    ),
    Case(
        name="stooq intraday",
        freq="5m",
        start="2024-01-02 09:00",
        symbol="AAPL.US",
        make=text(
            "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
            lambda o: ["AAPL.US", 5, day(o, "%Y%m%d"), day(o, "%H%M%S"), o.o, o.h, o.l, o.c, o.v, 0],
        ),
    ),
    Case(
        name="finam",
        freq="1h",
        symbol="GAZP",
        filename="GAZP_190103_190331.txt",
        make=text(
            "<TICKER>;<PER>;<DATE>;<TIME>;<OPEN>;<HIGH>;<LOW>;<CLOSE>;<VOL>",
            lambda o: ["GAZP", 60, day(o, "%Y%m%d"), day(o, "%H%M%S"), o.o, o.h, o.l, o.c, o.v],
            sep=";",
        ),
    ),
    Case(
        name="finam day month year",
        freq="1h",
        symbol="GAZP",
        make=text(
            "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>",
            lambda o: ["GAZP", 60, day(o, "%d/%m/%y"), day(o, "%H:%M"), o.o, o.h, o.l, o.c, o.v],
        ),
        rows=700,
    ),
    Case(
        name="finam headerless",
        freq="1h",
        symbol="GAZP",
        make=text("", lambda o: ["GAZP", 60, day(o, "%Y%m%d"), day(o, "%H%M%S"), o.o, o.h, o.l, o.c, o.v]),
    ),
    Case(
        name="ninjatrader",
        freq="1m",
        filename="ES 03-24.Last.txt",
        make=text("", lambda o: ";".join(map(str, [day(o, "%Y%m%d %H%M%S"), o.o, o.h, o.l, o.c, o.v]))),
    ),
    Case(
        name="metastock",
        symbol="IBM",
        make=text(
            "<TICKER>,<PER>,<DTYYYYMMDD>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
            lambda o: ["IBM", "D", day(o, "%Y%m%d"), "000000", o.o, o.h, o.l, o.c, o.v, 0],
        ),
    ),
    Case(
        name="metastock headerless",
        symbol="IBM",
        make=text("", lambda o: ["IBM", day(o, "%Y%m%d"), o.o, o.h, o.l, o.c, o.v]),
    ),
    Case(
        name="amibroker",
        symbol="IBM",
        make=text(
            "Ticker,Date/Time,Open,High,Low,Close,Volume", lambda o: ["IBM", american(o.t), o.o, o.h, o.l, o.c, o.v]
        ),
    ),
    Case(
        name="sierra chart",
        freq="1m",
        make=text(
            "Date, Time, Open, High, Low, Last, Volume, NumberOfTrades, BidVolume, AskVolume",
            lambda o: ", ".join(
                map(
                    str,
                    [
                        f"{o.t.year}/{o.t.month}/{o.t.day}",
                        o.t.strftime("%H:%M:%S.%f"),
                        o.o,
                        o.h,
                        o.l,
                        o.c,
                        o.v,
                        12,
                        o.v // 2,
                        o.v - o.v // 2,
                    ],
                )
            ),
        ),
    ),
    Case(
        name="ctrader",
        freq="1m",
        make=text(
            "Time;Open;High;Low;Close;Volume",
            lambda o: [o.t.strftime("%d.%m.%Y %H:%M:%S"), o.o, o.h, o.l, o.c, o.v],
            sep=";",
        ),
        start="2024-01-12",
    ),
    Case(
        name="interactive brokers",
        freq="5m",
        make=text(
            "date,open,high,low,close,volume,average,barCount",
            lambda o: [o.t.strftime("%Y%m%d  %H:%M:%S"), o.o, o.h, o.l, o.c, o.v, o.c, 12],
        ),
    ),
    Case(
        name="interactive brokers with zone",
        freq="1h",
        start="2024-01-02 10:00",
        rows=6,
        zone="US/Eastern",
        make=text(
            "date,open,high,low,close,volume",
            lambda o: [o.t.strftime("%Y%m%d %H:%M:%S US/Eastern"), o.o, o.h, o.l, o.c, o.v],
        ),
    ),
    Case(
        name="firstrate", freq="1m", start="2024-01-02 04:00", make=text("", lambda o: [o.t, o.o, o.h, o.l, o.c, o.v])
    ),
    Case(
        name="kibot",
        freq="1m",
        start="2024-01-31 09:30",
        make=text("", lambda o: [day(o, "%m/%d/%Y"), day(o, "%H:%M"), o.o, o.h, o.l, o.c, o.v]),
    ),
    Case(
        name="barchart",
        freq="1h",
        make=text(
            "Time,Open,High,Low,Last,Change,%Chg,Volume",
            lambda o: [f'"{o.t:%Y-%m-%d %H:%M}"', o.o, o.h, o.l, o.c, 0.5, "+0.12%", o.v],
            newest_first=True,
            after='"Downloaded from Barchart.com as of 01-02-2024 05:43am CST"\n',
        ),
    ),
    Case(
        name="marketwatch",
        make=text(
            "Date,Open,High,Low,Close,Volume",
            lambda o: [
                day(o, "%m/%d/%Y"),
                f'"{o.o:,.2f}"',
                f'"{o.h:,.2f}"',
                f'"{o.l:,.2f}"',
                f'"{o.c:,.2f}"',
                f'"{o.v:,}"',
            ],
            newest_first=True,
        ),
        scale=40.0,
    ),
    Case(
        name="wsj",
        make=text(
            "Date, Open, High, Low, Close, Volume",
            lambda o: ", ".join(map(str, [day(o, "%m/%d/%y"), o.o, o.h, o.l, o.c, o.v])),
            newest_first=True,
        ),
    ),
    Case(
        name="fxcm",
        freq="1h",
        digits=5,
        scale=0.01,
        volume=False,
        says="instruments",
        symbol="Bid",
        make=text(
            "DateTime,BidOpen,BidHigh,BidLow,BidClose,AskOpen,AskHigh,AskLow,AskClose",
            lambda o: [
                o.t.strftime("%m/%d/%Y %H:%M:%S.000"),
                o.o,
                o.h,
                o.l,
                o.c,
                o.o + 1e-4,
                o.h + 1e-4,
                o.l + 1e-4,
                o.c + 1e-4,
            ],
        ),
        start="2024-01-20",
    ),
    Case(
        name="oanda",
        freq="1h",
        filename="o.json",
        digits=5,
        scale=0.01,
        symbol="EUR_USD",
        make=as_json(
            lambda f: {
                "instrument": "EUR_USD",
                "granularity": "H1",
                "candles": [
                    {
                        "complete": True,
                        "volume": o.v,
                        "time": o.t.strftime("%Y-%m-%dT%H:%M:%S.000000000Z"),
                        "mid": {"o": str(o.o), "h": str(o.h), "l": str(o.l), "c": str(o.c)},
                    }
                    for _, o in f.iterrows()
                ],
            }
        ),
    ),
    Case(
        name="histdata metatrader",
        freq="1m",
        digits=5,
        scale=0.01,
        volume=False,
        make=text("", lambda o: [day(o, "%Y.%m.%d"), day(o, "%H:%M"), o.o, o.h, o.l, o.c, 0]),
    ),
    Case(
        name="forextester",
        freq="1m",
        digits=5,
        scale=0.01,
        symbol="EURUSD",
        make=text(
            "<TICKER>,<DTYYYYMMDD>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>",
            lambda o: ["EURUSD", day(o, "%Y%m%d"), day(o, "%H%M%S").lstrip("0") or "0", o.o, o.h, o.l, o.c, o.v],
        ),
    ),
    Case(
        name="tradestation",
        freq="5m",
        start="2024-01-31 09:35",
        make=text(
            '"Date","Time","Open","High","Low","Close","Up","Down"',
            lambda o: [day(o, "%m/%d/%Y"), day(o, "%H:%M"), o.o, o.h, o.l, o.c, 12, 14],
        ),
        volume=False,
    ),
    Case(
        name="multicharts hhmm",
        freq="5m",
        start="2024-01-02 09:35",
        make=text(
            "Date,Time,Open,High,Low,Close,Volume",
            lambda o: [day(o, "%Y%m%d"), int(day(o, "%H%M")), o.o, o.h, o.l, o.c, o.v],
        ),
    ),
    Case(
        name="pandas index",
        freq="1h",
        make=lambda f: (
            f.set_index("t")
            .rename_axis(None)
            .rename(columns={"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"})
            .drop(columns="a")
            .to_csv()
        ),
    ),
    Case(
        name="pandas columns json",
        freq="1h",
        filename="p.json",
        make=lambda f: (
            f.assign(t=f.t.map(ms))
            .rename(columns={"t": "date", "o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"})
            .drop(columns="a")
            .to_json()
        ),
    ),
    Case(
        name="pandas indexed columns json",
        freq="1h",
        filename="p.json",
        make=lambda f: (
            f.assign(t=f.t.map(ms))
            .set_index("t")
            .rename(columns={"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"})
            .drop(columns="a")
            .to_json()
        ),
    ),
    Case(
        name="pandas split json",
        freq="1h",
        filename="p.json",
        make=lambda f: (
            f.assign(t=f.t.map(ms))
            .set_index("t")
            .rename(columns={"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"})
            .drop(columns="a")
            .to_json(orient="split")
        ),
    ),
    Case(
        name="pandas index json",
        freq="1h",
        filename="p.json",
        make=lambda f: (
            f.assign(t=f.t.map(ms))
            .set_index("t")
            .rename(columns={"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"})
            .drop(columns="a")
            .to_json(orient="index")
        ),
    ),
    Case(
        name="pandas table json",
        freq="1h",
        filename="p.json",
        make=lambda f: (
            f.assign(t=f.t.map(ms))
            .rename(columns={"t": "date", "o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"})
            .drop(columns="a")
            .to_json(orient="records", lines=True)
        ),
    ),
    Case(
        name="json lines",
        freq="1h",
        filename="p.jsonl",
        make=lambda f: lines(*record(f, time="s", open="o", high="h", low="l", close="c", volume="v")),
    ),
    Case(
        name="whitespace",
        freq="1h",
        filename="p.dat",
        make=text(
            "date time open high low close volume",
            lambda o: f"{o.t:%Y-%m-%d} {o.t:%H:%M}   {o.o:9.2f} {o.h:9.2f}  {o.l:9.2f} {o.c:9.2f} {o.v:>10}",
        ),
    ),
    Case(
        name="pipes", make=text("date|open|high|low|close|volume", lambda o: [day(o), o.o, o.h, o.l, o.c, o.v], sep="|")
    ),
    Case(
        name="comments and a hash header",
        make=text(
            "#date,open,high,low,close,volume",
            lambda o: [day(o), o.o, o.h, o.l, o.c, o.v],
            before="# symbol: ABC\n# source: somewhere, 2024\n\n",
        ),
    ),
    Case(
        name="excel separator line",
        make=text(
            "Date;Open;High;Low;Close;Volume",
            lambda o: [day(o), comma(o.o), comma(o.h), comma(o.l), comma(o.c), o.v],
            sep=";",
            before="sep=;\r\n",
            end="\r\n",
        ),
    ),
    Case(
        name="microsoft two o'clock",
        freq="1h",
        make=text(
            "Date,Open,High,Low,Close,Volume",
            lambda o: [f"{american(o.t)} {int(o.t.strftime('%I'))}:{o.t:%M:%S} {o.t:%p}", o.o, o.h, o.l, o.c, o.v],
        ),
        start="2024-01-30",
    ),
    Case(
        name="two digit years and month names",
        make=text(
            "Date,Open,High,Low,Close,Volume",
            lambda o: [f"{o.t.day}-{o.t:%b-%y}", o.o, o.h, o.l, o.c, o.v],
            newest_first=True,
        ),
        start="2010-11-15",
    ),
    Case(
        name="abupy",
        make=text(
            ",close,high,low,p_change,open,pre_close,volume,date,date_week,key,atr21,atr14",
            lambda o: [day(o), o.c, o.h, o.l, 0.5, o.o, o.c, o.v, day(o, "%Y%m%d"), o.t.weekday(), 3, 1.5, 1.6],
        ),
    ),
    Case(
        name="javascript dates",
        freq="1h",
        make=text(
            "time,open,high,low,close,volume",
            lambda o: [
                o.t.strftime("%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)"),
                o.o,
                o.h,
                o.l,
                o.c,
                o.v,
            ],
        ),
    ),
    Case(
        name="monthly",
        freq="1M",
        make=text("Date,Open,High,Low,Close,Volume", lambda o: [o.t.strftime("%b %Y"), o.o, o.h, o.l, o.c, o.v]),
    ),
    Case(
        name="weekly",
        freq="1w",
        make=text("Date,Open,High,Low,Close,Volume", lambda o: [day(o), o.o, o.h, o.l, o.c, o.v]),
    ),
    Case(
        name="upbit",
        freq="1h",
        filename="u.json",
        symbol="KRW-BTC",
        amount=True,
        make=as_json(
            lambda f: [
                {
                    "market": "KRW-BTC",
                    "candle_date_time_utc": o.t.isoformat(),
                    "candle_date_time_kst": (o.t + pd.Timedelta(hours=9)).isoformat(),
                    "opening_price": o.o,
                    "high_price": o.h,
                    "low_price": o.l,
                    "trade_price": o.c,
                    "timestamp": ms(o.t) + 3_599_000,
                    "candle_acc_trade_price": o.a,
                    "candle_acc_trade_volume": o.v,
                    "unit": 60,
                }
                for _, o in f[::-1].iterrows()
            ]
        ),
    ),
    Case(
        name="mongo",
        filename="m.json",
        make=as_json(
            lambda f: [
                {
                    "_id": {"$oid": "5f"},
                    "date": {"$date": f"{day(o)}T00:00:00Z"},
                    "open": {"$numberDecimal": str(o.o)},
                    "high": o.h,
                    "low": o.l,
                    "close": o.c,
                    "volume": {"$numberLong": str(o.v)},
                }
                for _, o in f.iterrows()
            ]
        ),
    ),
    Case(
        name="rows as lines of text",
        filename="k.json",
        amount=True,
        make=as_json(
            lambda f: {
                "data": {
                    "code": "600000",
                    "klines": [f"{day(o)},{o.o},{o.c},{o.h},{o.l},{o.v},{o.a},1.2,0.5" for _, o in f.iterrows()],
                }
            }
        ),
    ),
    Case(
        name="rows with an object at the end",
        filename="k.json",
        make=as_json(
            lambda f: {
                "code": 0,
                "data": {"x": {"day": [[day(o), o.o, o.c, o.h, o.l, o.v, {"nd": "2023"}] for _, o in f.iterrows()]}},
            }
        ),
    ),
    Case(
        name="ends of months",
        freq="1M",
        start="2019-01-31",
        make=text("Date,Open,High,Low,Close,Volume", lambda o: [day(o), o.o, o.h, o.l, o.c, o.v]),
        stamps="BME",
    ),
    Case(
        name="moex iss",
        freq="1h",
        filename="m.json",
        amount=True,
        make=as_json(
            lambda f: {
                "candles": {
                    "metadata": {"open": {"type": "double"}},
                    "columns": ["open", "close", "high", "low", "value", "volume", "begin", "end"],
                    "data": [
                        [o.o, o.c, o.h, o.l, o.a, o.v, str(o.t), str(o.t + pd.Timedelta("59min59s"))]
                        for _, o in f.iterrows()
                    ],
                }
            }
        ),
    ),
    Case(
        name="seven names over eight fields",
        make=text("Date,Open,High,Low,Close,Volume,OpenInt", lambda o: [day(o), o.o, o.h, o.l, o.c, o.v, 0, ""]),
    ),
    Case(
        name="index without a name in the header",
        make=text("Date,Open,High,Low,Close,Volume", lambda o: [o.name, day(o), o.o, o.h, o.l, o.c, o.v]),
    ),
]

WORLD = [
    Case(
        name="german ariva",
        make=text(
            "Datum;Erster;Hoch;Tief;Schlusskurs;Stuecke;Volumen",
            lambda o: [day(o), comma(o.o), comma(o.h), comma(o.l), comma(o.c), comma(o.v, 0, "."), comma(o.a, 0, ".")],
            sep=";",
            newest_first=True,
        ),
        amount=True,
    ),
    Case(
        name="german onvista",
        make=text(
            "Datum;Eröffnung;Hoch;Tief;Schluss;Volumen",
            lambda o: [
                day(o, "%d.%m.%Y"),
                comma(o.o, 2, "."),
                comma(o.h, 2, "."),
                comma(o.l, 2, "."),
                comma(o.c, 2, "."),
                comma(o.v, 0, "."),
            ],
            sep=";",
            encoding="cp1252",
        ),
        scale=40.0,
    ),
    Case(
        name="german boerse frankfurt",
        make=text(
            "Datum\tEröffnung\tSchluss\tTageshoch\tTagestief\tUmsatz in Stück",
            lambda o: "\t".join(
                [day(o, "%d.%m.%y"), comma(o.o), comma(o.c), comma(o.h), comma(o.l), comma(o.v, 0, ".")]
            ),
            newest_first=True,
        ),
    ),
    Case(
        name="french boursorama",
        make=text(
            "date\touv\thaut\tbas\tclot\tvol\tdevise",
            lambda o: "\t".join([day(o, "%d/%m/%Y 00:00"), str(o.o), str(o.h), str(o.l), str(o.c), str(o.v), "EUR"]),
            encoding="cp1252",
        ),
    ),
    Case(
        name="french euronext",
        make=text(
            "Date;Ouverture;Plus haut;Plus bas;Clôture;Nombre de titres;Capitaux",
            lambda o: [
                day(o, "%d/%m/%Y"),
                comma(o.o),
                comma(o.h),
                comma(o.l),
                comma(o.c),
                comma(o.v, 0, " "),
                comma(o.a, 0, " "),
            ],
            sep=";",
        ),
        amount=True,
    ),
    Case(
        name="spanish investing",
        make=text(
            '"Fecha","Último","Apertura","Máximo","Mínimo","Vol.","% var."',
            lambda o: ",".join(
                f'"{c}"'
                for c in [
                    day(o, "%d.%m.%Y"),
                    comma(o.c, 2, "."),
                    comma(o.o, 2, "."),
                    comma(o.h, 2, "."),
                    comma(o.l, 2, "."),
                    suffixed(o.v, ","),
                    "0,46%",
                ]
            ),
            newest_first=True,
            encoding="utf-8-sig",
        ),
        scale=40.0,
    ),
    Case(
        name="spanish month names",
        make=text(
            "Fecha;Apertura;Máximo;Mínimo;Cierre;Volumen",
            lambda o: [
                f"{o.t.day} {MONTHS[o.t.month - 1]} {o.t.year}",
                comma(o.o),
                comma(o.h),
                comma(o.l),
                comma(o.c),
                o.v,
            ],
            sep=";",
        ),
    ),
    Case(
        name="portuguese investing",
        digits=0,
        scale=1300.0,
        make=text(
            '"Data","Último","Abertura","Máxima","Mínima","Vol.","Var%"',
            lambda o: ",".join(
                f'"{c}"'
                for c in [
                    day(o, "%d.%m.%Y"),
                    comma(o.c, 0, "."),
                    comma(o.o, 0, "."),
                    comma(o.h, 0, "."),
                    comma(o.l, 0, "."),
                    suffixed(o.v, ","),
                    "-0,46%",
                ]
            ),
            newest_first=True,
        ),
    ),
    Case(
        name="russian investing",
        make=text(
            '"Дата","Цена","Откр.","Макс.","Мин.","Объём","Изм. %"',
            lambda o: ",".join(
                f'"{c}"'
                for c in [
                    day(o, "%d.%m.%Y"),
                    comma(o.c, 2, "."),
                    comma(o.o, 2, "."),
                    comma(o.h, 2, "."),
                    comma(o.l, 2, "."),
                    suffixed(o.v, ","),
                    "0,46%",
                ]
            ),
            newest_first=True,
        ),
    ),
    Case(
        name="russian words in cp1251",
        make=text(
            "Дата;Открытие;Максимум;Минимум;Закрытие;Объем",
            lambda o: [day(o, "%d.%m.%Y"), comma(o.o), comma(o.h), comma(o.l), comma(o.c), o.v],
            sep=";",
            encoding="cp1251",
        ),
    ),
    Case(
        name="polish",
        make=text(
            "Data;Kurs otwarcia;Kurs maksymalny;Kurs minimalny;Kurs zamknięcia;Wolumen",
            lambda o: [day(o), comma(o.o), comma(o.h), comma(o.l), comma(o.c), o.v],
            sep=";",
        ),
    ),
    Case(
        name="italian",
        make=text(
            "Data;Apertura;Massimo;Minimo;Chiusura;Volume",
            lambda o: [day(o, "%d/%m/%Y"), comma(o.o), comma(o.h), comma(o.l), comma(o.c), comma(o.v, 0, ".")],
            sep=";",
        ),
    ),
    Case(
        name="turkish investing",
        make=text(
            '"Tarih","Şimdi","Açılış","Yüksek","Düşük","Hac.","Fark %"',
            lambda o: ",".join(
                f'"{c}"'
                for c in [
                    day(o, "%d.%m.%Y"),
                    comma(o.c),
                    comma(o.o),
                    comma(o.h),
                    comma(o.l),
                    suffixed(o.v, ","),
                    "%0,46",
                ]
            ),
            newest_first=True,
        ),
        says="",
    ),
    Case(
        name="korean krx",
        digits=0,
        scale=700.0,
        make=text(
            '"일자","종가","대비","등락률","시가","고가","저가","거래량","거래대금"',
            lambda o: [
                f'"{day(o, "%Y/%m/%d")}"',
                f'"{o.c:.0f}"',
                '"100"',
                '"0.15"',
                f'"{o.o:.0f}"',
                f'"{o.h:.0f}"',
                f'"{o.l:.0f}"',
                f'"{o.v}"',
                f'"{o.a:.0f}"',
            ],
            newest_first=True,
            encoding="cp949",
        ),
        amount=True,
    ),
    Case(
        name="japanese kabu",
        digits=0,
        scale=20.0,
        make=text(
            "日付,始値,高値,安値,終値,出来高",
            lambda o: [day(o, "%Y/%m/%d"), f"{o.o:.0f}", f"{o.h:.0f}", f"{o.l:.0f}", f"{o.c:.0f}", o.v],
            encoding="cp932",
            newest_first=True,
            before="1301 東証PRM (株)極洋\n",
        ),
    ),
    Case(
        name="japanese weekday",
        make=text(
            "日付,始値,高値,安値,終値,出来高",
            lambda o: [f"{o.t.year}年{o.t.month}月{o.t.day}日", o.o, o.h, o.l, o.c, o.v],
        ),
    ),
    Case(
        name="tonghuashun",
        make=text(
            "时间\t开盘\t最高\t最低\t收盘\t涨幅\t总手\t金额",
            lambda o: "\t".join(
                map(
                    str,
                    [f"{day(o)},{'一二三四五六日'[o.t.weekday()]}", o.o, o.h, o.l, o.c, "1.2%", f"{o.v:,}", f"{o.a:,}"],
                )
            ),
            encoding="gbk",
        ),
        amount=True,
    ),
    Case(
        name="tongdaxin five minutes",
        freq="5m",
        start="2024-01-02 09:35",
        make=text(
            "      日期\t    时间\t    开盘\t    最高\t    最低\t    收盘\t    成交量\t    成交额",
            lambda o: "\t".join(map(str, [day(o, "%Y/%m/%d"), day(o, "%H%M"), o.o, o.h, o.l, o.c, o.v, o.a])),
            encoding="gbk",
            end="\r\n",
            before="600000 浦发银行 5分钟线 不复权\r\n",
            after="数据来源:通达信\r\n",
        ),
        amount=True,
    ),
    Case(
        name="weekday in a column of dates",
        freq="1h",
        start="2019-07-31",
        make=text(
            "日期,时间,开盘,最高,最低,收盘,成交量",
            lambda o: [
                f"{o.t.year}/{o.t.month}/{o.t.day} 星期{'一二三四五六日'[o.t.weekday()]}",
                day(o, "%H:%M"),
                o.o,
                o.h,
                o.l,
                o.c,
                o.v,
            ],
        ),
    ),
    Case(
        name="baostock",
        symbol="sh.600000",
        amount=True,
        make=text(
            "date,code,open,high,low,close,preclose,volume,amount,adjustflag,turn,tradestatus,pctChg,isST",
            lambda o: [day(o), "sh.600000", o.o, o.h, o.l, o.c, o.c, o.v, o.a, 3, 0.5, 1, 0.6, 0],
        ),
    ),
    Case(
        name="baostock five minutes",
        freq="5m",
        symbol="sh.600000",
        amount=True,
        start="2024-01-02 09:35",
        make=text(
            "date,time,code,open,high,low,close,volume,amount,adjustflag",
            lambda o: [day(o), day(o, "%Y%m%d%H%M%S000"), "sh.600000", o.o, o.h, o.l, o.c, o.v, o.a, 3],
        ),
    ),
    Case(
        name="joinquant",
        freq="1m",
        amount=True,
        start="2024-01-02 09:31",
        make=text(",open,close,high,low,volume,money", lambda o: [o.t, o.o, o.c, o.h, o.l, o.v, o.a]),
    ),
    Case(
        name="rqdata",
        amount=True,
        symbol="000001.XSHE",
        make=text(
            "order_book_id,date,open,close,high,low,limit_up,limit_down,total_turnover,volume,num_trades,prev_close",
            lambda o: ["000001.XSHE", day(o), o.o, o.c, o.h, o.l, o.c * 1.1, o.c * 0.9, o.a, o.v, 9, o.c],
        ),
    ),
    Case(
        name="netease",
        amount=True,
        symbol="'600000",
        make=text(
            "日期,股票代码,名称,收盘价,最高价,最低价,开盘价,前收盘,涨跌额,涨跌幅,换手率,成交量,成交金额,总市值,流通市值",
            lambda o: [
                day(o),
                "'600000",
                "浦发银行",
                o.c,
                o.h,
                o.l,
                o.o,
                o.c,
                0.1,
                0.2,
                0.3,
                o.v,
                o.a,
                o.a * 9,
                o.a * 8,
            ],
            encoding="gbk",
            newest_first=True,
        ),
    ),
    Case(
        name="wind",
        amount=True,
        symbol="600000.SH",
        make=text(
            "证券代码,简称,日期,前收盘价(元),开盘价(元),最高价(元),最低价(元),收盘价(元),成交量(股),成交金额(元)",
            lambda o: ["600000.SH", "浦发银行", day(o), o.c, o.o, o.h, o.l, o.c, f'"{o.v:,}"', f'"{o.a:,}"'],
            after="\n数据来源：Wind\n",
        ),
    ),
    Case(
        name="wan and yi",
        make=text("日期,开盘,最高,最低,收盘,成交量", lambda o: [day(o), o.o, o.h, o.l, o.c, f"{o.v / 10_000:.4f}万"]),
    ),
    Case(
        name="chinese chart api",
        filename="k.json",
        make=as_json(
            lambda f: [
                {
                    "day": str(o.t),
                    "open": str(o.o),
                    "high": str(o.h),
                    "low": str(o.l),
                    "close": str(o.c),
                    "volume": str(o.v),
                }
                for _, o in f.iterrows()
            ]
        ),
        freq="5m",
    ),
    Case(
        name="indian nse",
        amount=True,
        symbol="RELIANCE",
        make=text(
            '"Symbol","Series","Date","Prev Close","Open Price","High Price","Low Price","Last Price","Close Price",'
            '"Average Price","Total Traded Quantity","Turnover in Lacs","No. of Trades"',
            lambda o: ",".join(
                f'"{c}"'
                for c in [
                    "RELIANCE",
                    "EQ",
                    day(o, "%d-%b-%Y"),
                    o.c,
                    f"{o.o:,}",
                    f"{o.h:,}",
                    f"{o.l:,}",
                    o.l,
                    f"{o.c:,}",
                    o.c,
                    f"{o.v:,}",
                    o.a / 1e5,
                    12,
                ]
            ),
        ),
    ),
    Case(
        name="indian nse new",
        amount=True,
        make=text(
            '"Date ","series ","OPEN ","HIGH ","LOW ","PREV. CLOSE ",'
            '"ltp ","close ","vwap ","52W H ","52W L ","VOLUME ","VALUE ",'
            '"No of trades "',
            lambda o: ",".join(
                f'"{c}"'
                for c in [
                    day(o, "%d-%b-%Y"),
                    "EQ",
                    f"{o.o:,}",
                    f"{o.h:,}",
                    f"{o.l:,}",
                    f"{o.c:,}",
                    f"{o.c:,}",
                    f"{o.c:,}",
                    o.c,
                    o.h * 2,
                    o.l / 2,
                    f"{o.v:,}",
                    f"{o.a:,}",
                    12,
                ]
            ),
            newest_first=True,
            encoding="utf-8-sig",
        ),
        symbol="EQ",
    ),
    Case(
        name="indian bse",
        make=text(
            "Date,Open Price,High Price,Low Price,Close Price,WAP,No.of Shares,No. of Trades,Total Turnover (Rs.),"
            "Deliverable Quantity,% Deli. Qty to Traded Qty,Spread High-Low,Spread Close-Open",
            lambda o: [
                f"{o.t.day}-{o.t:%B-%Y}",
                o.o,
                o.h,
                o.l,
                o.c,
                o.c,
                o.v,
                12,
                o.a,
                o.v // 2,
                50.0,
                o.h - o.l,
                o.c - o.o,
                "",
            ],
            newest_first=True,
        ),
        amount=True,
    ),
    Case(
        name="swedish nasdaq nordic",
        make=text(
            "Date;Bid;Ask;Opening price;High price;Low price;Closing price;Average price;Total volume;Turnover;Trades;",
            lambda o: ";".join(
                [
                    day(o),
                    comma(o.c),
                    comma(o.c),
                    comma(o.o),
                    comma(o.h),
                    comma(o.l),
                    comma(o.c),
                    comma(o.c),
                    str(o.v),
                    comma(o.a),
                    "12",
                    "",
                ]
            ),
            before="sep=;\n",
            newest_first=True,
        ),
        amount=True,
    ),
    Case(
        name="swiss apostrophes",
        scale=40.0,
        make=text(
            "Date;Open;High;Low;Close;Volume",
            lambda o: [
                day(o, "%d.%m.%Y"),
                *(f"{x:,.2f}".replace(",", "'") for x in (o.o, o.h, o.l, o.c)),
                f"{o.v:,}".replace(",", "'"),
            ],
            sep=";",
        ),
    ),
    Case(
        name="arabic hours in spanish",
        freq="1h",
        make=text(
            "Fecha;Hora;Apertura;Máximo;Mínimo;Cierre;Volumen",
            lambda o: [day(o, "%d/%m/%Y"), day(o, "%H:%M"), comma(o.o), comma(o.h), comma(o.l), comma(o.c), o.v],
            sep=";",
        ),
        start="2024-01-20",
    ),
]

CASES = [*ENGLISH, *WORLD]
__all__ = ["CASES", "DT"]
