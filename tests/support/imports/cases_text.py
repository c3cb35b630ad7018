"""Further layouts that the importer tests run through: text of brokers, sites and libraries from many countries."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd

from tests.support.imports.makers import DT, Case, comma, day, ms, s, text

__all__ = ["TEXTS"]


def shape(header: str, row: str, **options: object):
    """A maker of text from a pattern with the candle's t, o, h, l, c, v and a."""
    return text(header, lambda o: row.format(**{n: o[n] for n in "tohlcva"}, ms=ms(o.t), s=s(o.t)), **options)


def investing(header: str, date: str = "%d.%m.%Y", points: bool = False, name: str = "") -> Case:
    """One site in its many languages: quoted cells, the close first, newest first."""
    number = (lambda x: f"{x:,.2f}") if points else (lambda x: comma(x, 2, "."))
    volume = (lambda v: f"{v / 1000:.3f}K") if points else (lambda v: f"{v / 1000:.3f}K".replace(".", ","))
    return Case(name=name, scale=40.0, make=text(
        ",".join(f'"{n}"' for n in header.split(",")),
        lambda o: ",".join(f'"{cell}"' for cell in (
            day(o, date), number(o.c), number(o.o), number(o.h), number(o.l), volume(o.v),
            "0.52%" if points else "0,52%")),
        newest_first=True, before="\ufeff"))  # fmt: skip


def framed(f: pd.DataFrame, name: str = "Date") -> pd.DataFrame:
    """The candles as most libraries name them."""
    return f.rename(columns={"t": name, "o": "Open", "h": "High", "l": "Low", "c": "Close", "v": "Volume"}).drop(
        columns="a"
    )


def two_tickers(f: pd.DataFrame) -> bytes:
    """What a download of two tickers gives: three lines of header."""
    fields = {"Close": "c", "High": "h", "Low": "l", "Open": "o", "Volume": "v"}
    wide = pd.DataFrame({(n, k): f[c] * (1 if k == "AAPL" else 2) for n, c in fields.items() for k in ("AAPL", "MSFT")})
    wide.columns = pd.MultiIndex.from_tuples(wide.columns, names=["Price", "Ticker"])
    wide.index = pd.DatetimeIndex(f.t, name="Date")
    return wide.to_csv().encode()


def parquet(make, **options: object):
    """A maker of Parquet from what ``make`` gives."""

    def made(f: pd.DataFrame) -> bytes:
        out = io.BytesIO()
        make(f).to_parquet(out, **options)
        return out.getvalue()

    return made


def tuples_as_names(f: pd.DataFrame) -> pd.DataFrame:
    """Columns of two levels, written as texts."""
    named = framed(f).set_index("Date")
    named.columns = [str((name, "AAPL")) for name in named.columns]
    return named


ROC_HEADER = '"日期","成交股數","成交金額","開盤價","最高價","最低價","收盤價","漲跌價差","成交筆數",'

TEXTS = [
    investing("Datum,Zuletzt,Eröffn.,Hoch,Tief,Vol.,+/- %", name="one site in German"),
    investing("Date,Dernier,Ouv., Plus Haut,Plus Bas,Vol.,Variation %", "%d/%m/%Y", name="one site in French"),
    investing("Data,Ultimo,Apertura,Massimo,Minimo,Vol.,Var. %", name="one site in Italian"),
    investing("Datum,Laatste,Open,Hoog,Laag,Vol.,% verandering", "%d-%m-%Y", name="one site in Dutch"),
    investing("Datum,Senaste,Öppen,Högst,Lägst,Vol.,+/- %", "%Y-%m-%d", name="one site in Swedish"),
    investing("Data,Ostatnio,Otwarcie,Max.,Min.,Wol.,Zmiana%", name="one site in Polish"),
    investing("Dato,Seneste,Åben,Høj,Lav,Vol.,+/- %", name="one site in Danish"),
    investing("Päivä,Viimeisin,Avaus,Ylin,Alin,Vol.,Muutos %", name="one site in Finnish"),
    investing("日付け,終値,始値,高値,安値,出来高,変化率 %", "%Y年%m月%d日", points=True, name="one site in Japanese"),
    investing("날짜,종가,시가,고가,저가,거래량,변동 %", "%Y- %m- %d", points=True, name="one site in Korean"),
    investing("日期,收盘,开盘,高,低,交易量,涨跌幅", "%Y-%m-%d", points=True, name="one site in Chinese"),
    investing("日期,收市,開市,高,低,成交量,更改%", "%Y年%m月%d日", points=True, name="one site in Hong Kong"),
    investing("תאריך,שער,פתיחה,גבוה,נמוך,נפח,% שינוי", points=True, name="one site in Hebrew"),
    investing("التاريخ,الأخير,الافتتاح,الأعلى,الأدنى,الحجم,% التغير", "%d/%m/%Y", points=True,
              name="one site in Arabic"),
    investing("Ημερομηνία,Τελευταία,Άνοιγμα,Υψηλό,Χαμηλό,Όγκ.,Μεταβολή %", name="one site in Greek"),
    investing("Tanggal,Terakhir,Pembukaan,Tertinggi,Terendah,Vol.,Perubahan%", "%d/%m/%Y",
              name="one site in Indonesian"),
    investing("วันเดือนปี,ล่าสุด,เปิด,สูงสุด,ต่ำสุด,ปริมาณ,% เปลี่ยน", "%d/%m/%Y", points=True, name="one site in Thai"),
    investing("Ngày,Lần cuối,Mở,Cao,Thấp,KL,% Thay đổi", "%d/%m/%Y", name="one site in Vietnamese"),
    investing("Дата,Ост.,Відкр.,Макс.,Мін.,Об'єм,Змін. %", name="one site in Ukrainian"),
    Case(name="taiwan exchange in big5", amount=True, filename="STOCK_DAY_2330_202401.csv", make=text(
        ROC_HEADER, lambda o: (f'"{o.t.year - 1911}/{o.t:%m/%d}","{o.v:,}","{o.a:,.0f}","{o.o}","{o.h}","{o.l}",'
                               f'"{o.c}","+1.00","12,345",'),
        before='"113年01月 2330 台積電           各日成交資訊"\n', after='"說明:"\n"符號說明:+/-/X表示漲/跌/不比價"\n',
        encoding="big5", end="\r\n")),
    Case(name="thai years", make=text("Date,Open,High,Low,Close,Volume", lambda o: [
        f"{o.t:%d/%m}/{o.t.year + 543}", o.o, o.h, o.l, o.c, o.v])),
    Case(name="digits without noughts", freq="1m", make=text("date,open,high,low,close,volume", lambda o: [
        f"{o.t.year}-{o.t.month}-{o.t.day} {o.t.hour}:{o.t.minute}:{o.t.second}", o.o, o.h, o.l, o.c, o.v])),
    Case(name="millisecond clock beside a day", freq="1m", start="2016-11-08 09:31", amount=True, make=text(
        "MDEntryTime,CalendarDate,OpeningPx,HighPx,LowPx,ClosingPx,OpenInterest,TotalVolumeTraded,TotalTurnover,"
        "LowLimitPx,HighLimitPx,RefrencePx,BasisSpread",
        lambda o: [int(f"{o.t:%H%M%S}000"), f"{o.t:%Y%m%d}", o.o, o.h, o.l, o.c, 537, o.v, o.a, 60.1, 140.2,
                   99.0, -1])),
    Case(name="academic chinese", amount=True, symbol="000001", make=shape(
        "Stkcd,Trddt,Opnprc,Hiprc,Loprc,Clsprc,Dnshrtrd,Dnvaltrd,Markettype",
        "000001,{t:%Y-%m-%d},{o},{h},{l},{c},{v},{a},4")),
    Case(name="academic american", make=shape(
        "PERMNO,date,TICKER,BIDLO,ASKHI,PRC,VOL,OPENPRC", "14593,{t:%Y%m%d},AAPL,{l},{h},{c},{v},{o}")),
    Case(name="academic american, another table", make=shape(
        "gvkey,datadate,tic,cshtrd,prccd,prchd,prcld,prcod", "001690,{t:%Y-%m-%d},AAPL,{v},{c},{h},{l},{o}")),
    Case(name="trade prices of bars", freq="1m", symbol="AAPL", start="2024-01-02 09:30", make=shape(
        "Date,Ticker,TimeBarStart,FirstTradePrice,HighTradePrice,LowTradePrice,LastTradePrice,VolumeWeightPrice,Volume,"
        "TotalTrades", "{t:%Y%m%d},AAPL,{t:%H:%M},{o},{h},{l},{c},{c},{v},17")),
    Case(name="sharadar", symbol="AAPL", make=shape(
        "ticker,date,open,high,low,close,volume,closeadj,closeunadj,lastupdated",
        "AAPL,{t:%Y-%m-%d},{o},{h},{l},{c},{v},{c},{c},2024-06-10", newest_first=True)),
    Case(name="simfin", symbol="AAPL", make=shape(
        "Ticker;SimFinId;Date;Open;High;Low;Close;Adj. Close;Dividend;Volume;Shares Outstanding",
        "AAPL;111052;{t:%Y-%m-%d};{o};{h};{l};{c};{l};;{v};15550061000")),
    Case(name="norgate", amount=True, make=shape(
        "Date,Open,High,Low,Close,Volume,Turnover,Unadjusted Close,Dividend",
        "{t:%Y%m%d},{o},{h},{l},{c},{v},{a},{h},0")),
    Case(name="continuous future", make=shape(
        "Date,Open,High,Low,Last,Change,Settle,Volume,Previous Day Open Interest",
        "{t:%Y-%m-%d},{o},{h},{l},{c},,{l},{v},2300")),
    Case(name="exchange date and net", amount=True, make=shape(
        "Exchange Date,Close,Net,%Chg,Open,Low,High,Volume,Turnover - USD,Flow",
        "{t:%d-%b-%Y},{c},0.4,0.2%,{o},{l},{h},{v},{a},12", newest_first=True,
        before="Apple Inc (AAPL.O) | Price History\nHistory,,,,,,,,,\nInterval,Daily,,,,,,,,\n\n")),
    Case(name="macrotrends", make=shape(
        "date,open,high,low,close,volume", "{t:%Y-%m-%d},{o},{h},{l},{c},{v}",
        before="Macrotrends Data Download\n\nAAPL - Historical Price and Volume Data\n\n\nDISCLAIMER AND TERMS OF USE: "
        "HISTORICAL STOCK DATA IS PROVIDED \"AS IS\", SOLELY FOR INFORMATION, NOT FOR TRADING PURPOSES OR ADVICE.\n"
        "NEITHER MACROTRENDS LLC NOR ANY OF ITS PARTNERS WILL BE LIABLE FOR DAMAGES, LOSSES, OR ERRORS.\n\n\n"
        "ATTRIBUTION: Proper attribution requires clear indication of the data source.\n\n\n")),
    Case(name="vix history", volume=False, make=shape(
        "DATE,OPEN,HIGH,LOW,CLOSE", "{t:%m/%d/%Y},{o:.6f},{h:.6f},{l:.6f},{c:.6f}")),
    Case(name="evenings of a sheet", stamps="24h", make=shape(
        "Date,Open,High,Low,Close,Volume", "{t:%m/%d/%Y %H:%M:%S},{o},{h},{l},{c},{v}"), start="2024-01-20 16:00"),
    Case(name="charting library", make=shape(
        "Date,AAPL.Open,AAPL.High,AAPL.Low,AAPL.Close,AAPL.Volume,AAPL.Adjusted,dn,mavg,up,direction",
        "{t:%Y-%m-%d},{o},{h},{l},{c},{v},{l},95.1,100.2,110.3,Increasing")),
    Case(name="one coin by its number", freq="1m", says="2 instruments", make=text(
        "timestamp,Asset_ID,Count,Open,High,Low,Close,Volume,VWAP,Target", lambda o: "\n".join(
            f"{s(o.t)},{i},12,{o.o * k:.2f},{o.h * k:.2f},{o.l * k:.2f},{o.c * k:.2f},{o.v},{o.c * k:.2f},-0.0042"
            for i, k in ((2, 1), (0, 3))))),
    Case(name="securities by code", says="2 instruments", make=text(
        "RowId,Date,SecuritiesCode,Open,High,Low,Close,Volume,AdjustmentFactor,ExpectedDividend,SupervisionFlag,Target",
        lambda o: "\n".join(
            f"{o.t:%Y%m%d}_{i},{o.t:%Y-%m-%d},{i},{o.o * k:.2f},{o.h * k:.2f},{o.l * k:.2f},{o.c * k:.2f},{o.v},1.0,,"
            "False,0.0007" for i, k in ((1301, 1), (1332, 3))))),
    Case(name="numbered days of one coin", amount=False, symbol="DOGE", make=shape(
        "SNo,Name,Symbol,Date,High,Low,Open,Close,Volume,Marketcap",
        "{s},Dogecoin,DOGE,{t:%Y-%m-%d} 00:00:00,{h},{l},{o},{c},{v},298890.5")),
    Case(name="quarter and stock", freq="1w", says="2 instruments", make=text(
        "quarter,stock,date,open,high,low,close,volume,percent_change_price,percent_change_volume_over_last_wk",
        lambda o: "\n".join(
            f"1,{i},{o.t.month}/{o.t.day}/{o.t.year},${o.o * k:.2f},${o.h * k:.2f},${o.l * k:.2f},${o.c * k:.2f},{o.v},"
            "3.79267," for i, k in (("AA", 1), ("AXP", 3))))),
    Case(name="two tickers in three lines", says="2 instruments", make=two_tickers),
    Case(name="tuples as names", filename="p.parquet", make=parquet(tuples_as_names)),
    Case(name="numbers of numpy", freq="1h", filename="a.txt", make=lambda f: _numpy(f)),
    Case(name="printed by pandas", filename="a.txt", make=lambda f: framed(f).set_index("Date").to_string().encode()),
    Case(name="a table in markdown", filename="a.md", make=shape(
        "| Date | Open | High | Low | Close | Volume |\n|------|-----:|-----:|----:|------:|-------:|",
        "| {t:%Y-%m-%d} | {o} | {h} | {l} | {c} | {v} |")),
    Case(name="a table of a database", filename="a.txt", freq="1h", make=shape(
        "         ts          |  open  |  high  |  low   | close  | volume\n"
        "---------------------+--------+--------+--------+--------+--------",
        " {t} | {o} | {h} | {l} | {c} | {v}", after="(40 rows)\n")),
    Case(name="a table with a frame", filename="a.txt", freq="1h", make=shape(
        "+---------------------+--------+--------+--------+--------+--------+\n"
        "| ts | open | high | low | close | volume |\n"
        "+---------------------+--------+--------+--------+--------+--------+",
        "| {t} | {o} | {h} | {l} | {c} | {v} |",
        after="+---------------------+--------+--------+--------+--------+--------+\n40 rows in set (0.00 sec)\n")),
    Case(name="an identifier before the time", freq="1m", filename="bars.csv", make=shape(
        "", "e6123145-9665-43e0-8413-cd61b8aa9b13;{t:%Y-%m-%dT%H:%M:%SZ};{o};{c};{h};{l};{v};")),
    Case(name="moscow candles", freq="1h", amount=True, filename="candles.csv", make=shape(
        "open;close;high;low;value;volume;begin;end", "{o};{c};{h};{l};{a};{v};{t};{t:%Y-%m-%d %H}:59:59",
        before="candles\n\n", encoding="cp1251")),
    Case(name="moscow history", amount=True, symbol="SBER", filename="history.csv", make=shape(
        "BOARDID;TRADEDATE;SHORTNAME;SECID;NUMTRADES;VALUE;OPEN;LOW;HIGH;LEGALCLOSEPRICE;WAPRICE;CLOSE;VOLUME;"
        "MARKETPRICE2;MARKETPRICE3;ADMITTEDQUOTE;MP2VALTRD;TRADINGSESSION",
        "TQBR;{t:%Y-%m-%d};Сбербанк;SBER;81234;{a};{o};{l};{h};{c};{c};{c};{v};{c};{c};{c};{a};3",
        before="history\n\n", encoding="cp1251")),
    Case(name="netfonds", amount=True, make=shape(
        "quote_date,paper,exch,open,high,low,close,volume,value",
        "{t:%Y%m%d},EQNR,Oslo Bors,{o},{h},{l},{c},{v},{a}", newest_first=True)),
    Case(name="profit chart", freq="5m", start="2024-01-20", amount=True, symbol="PETR4", make=text(
        "Ativo;Data;Hora;Abertura;Máximo;Mínimo;Fechamento;Volume;Quantidade", lambda o: [
            "PETR4", day(o, "%d/%m/%Y"), day(o, "%H:%M:%S"), comma(o.o), comma(o.h), comma(o.l), comma(o.c),
            comma(o.a, 2, "."), o.v], sep=";", newest_first=True, encoding="cp1252")),
    Case(name="wenhua", freq="5m", filename="rb.csv", make=text(
        "日期,时间,开盘,最高,最低,收盘,成交量,持仓量,结算价", lambda o: [
            day(o, "%Y/%m/%d"), day(o, "%H:%M"), o.o, o.h, o.l, o.c, o.v, 123_456, o.l], encoding="gbk")),
    Case(name="database of a trading platform", freq="1m", symbol="rb2405", amount=True, make=shape(
        "id,symbol,exchange,datetime,interval,volume,turnover,open_interest,open_price,high_price,low_price,close_price",
        "{s},rb2405,SHFE,{t},1m,{v},{a},120.0,{o},{h},{l},{c}")),
    Case(name="tushare of old", make=shape(
        "date,open,high,close,low,volume,price_change,p_change,ma5,ma10,ma20,v_ma5,v_ma10,v_ma20,turnover",
        "{t:%Y-%m-%d},{o},{h},{c},{l},{v},0.1,0.2,100.1,100.2,100.3,5000.1,5000.2,5000.3,0.35", newest_first=True)),
    Case(name="software of brokers as xls", amount=True, filename="Table.xls", make=text(
        "时间\t开盘\t最高\t最低\t收盘\t涨幅\t振幅\t总手\t金额\t换手%\t成交次数",
        lambda o: [f"{o.t:%Y-%m-%d},二" if False else f"{o.t:%Y-%m-%d}", o.o, o.h, o.l, o.c, "+0.35%", "1.2%",
                   f"{o.v:,}", f"{o.a:,.0f}", "0.35", "--"], sep="\t", encoding="gbk", before="")),
    Case(name="time names its zone", freq="1h", make=shape(
        "Time (UTC),Open,High,Low,Close,Volume", "{t:%Y.%m.%d %H:%M:%S},{o},{h},{l},{c},{v} ")),
    Case(name="local times with their offset", freq="1h", zone="UTC", make=shape(
        "Local time,Open,High,Low,Close,Volume", "{t:%d.%m.%Y %H:%M:%S}.000 GMT+0000,{o},{h},{l},{c},{v}")),
    Case(name="times of java", freq="1h", start="2024-01-02 09:00", rows=7, zone="America/New_York", make=shape(
        "time,open,high,low,close,volume", "{t:%Y-%m-%dT%H:%M:%S}-05:00[America/New_York],{o},{h},{l},{c},{v}")),
    Case(name="epoch floats", freq="1h", make=shape(
        "time,open,high,low,close,volume", "{s}.0,{o},{h},{l},{c},{v}")),
    Case(name="epochs with an exponent", freq="1h", make=text("time,open,high,low,close,volume", lambda o: [
        f"{s(o.t):.9e}", o.o, o.h, o.l, o.c, o.v])),
    Case(name="weeks by number", freq="1w", start="2024-01-01", stamps="W-MON", make=text(
        "Week,Open,High,Low,Close,Volume", lambda o: [f"{o.t:%G-W%V}", o.o, o.h, o.l, o.c, o.v])),
    Case(name="months by name", freq="1M", make=shape(
        "Month,Open,High,Low,Close,Volume", "{t:%b %Y},{o},{h},{l},{c},{v}"), start="2020-01-01"),
    Case(name="months as digits", freq="1M", make=shape(
        "Month,Open,High,Low,Close,Volume", "{t:%Y%m},{o},{h},{l},{c},{v}"), start="2020-01-01"),
    Case(name="blank and hyphen", make=text("Date,Open,High,Low,Close,Volume,Dividend", lambda o: [
        day(o), o.o, o.h, o.l, o.c, o.v, "-" if o.v % 2 else "N/A"])),
    Case(name="running volume beside the volume", freq="1m", start="2024-01-02 09:31", make=lambda f: "\n".join(
        f"{o.t:{DT}},{o.h},{o.l},{o.o},{o.c},{total},{o.v},0" for o, total in zip(
            (one for _, one in f.iterrows()), np.cumsum(f.v), strict=True))),
    Case(name="nanoseconds and a record type", freq="1m", symbol="ESH4", make=shape(
        "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol",
        "{t:%Y-%m-%dT%H:%M:%S}.000000000Z,33,1,17077,{o:.9f},{h:.9f},{l:.9f},{c:.9f},{v},ESH4")),
    Case(name="an index of trades", symbol="AAPL", make=shape(
        "symbol,timestamp,open,high,low,close,volume,trade_count,vwap",
        "AAPL,{t:%Y-%m-%d %H:%M:%S}+00:00,{o},{h},{l},{c},{v}.0,1200.0,{c}")),
    Case(name="first and last beside open and close", filename="S_IKCO.csv", symbol="S_IKCO", amount=True,
         says="'FIRST' was taken for the open", make=text(
        "<TICKER>,<DTYYYYMMDD>,<FIRST>,<HIGH>,<LOW>,<CLOSE>,<VALUE>,<VOL>,<OPENINT>,<PER>,<OPEN>,<LAST>", lambda o: [
            "S_IKCO", day(o, "%Y%m%d"), o.o, o.h, o.l, o.c, o.a, o.v, 900, "D", round(o.h * 1.04, 2), o.c],
        newest_first=True)),
    Case(name="saved with row names", filename="a.txt", make=text(
        '"Open" "High" "Low" "Close" "Volume"', lambda o: f'"{o.t:%Y-%m-%d}" {o.o} {o.h} {o.l} {o.c} {o.v}')),
    Case(name="year, month and day apart", freq="5m", make=shape(
        "Year,Month,Day,Hour,Minute,Open,High,Low,Close,Volume",
        "{t.year},{t.month},{t.day},{t.hour},{t.minute},{o},{h},{l},{c},{v}")),
    Case(name="years of two digits", freq="5m", start="2024-01-02 09:30", says="years of two digits", make=shape(
        "Date,Time,Open,High,Low,Close,Volume", "{t:%y%m%d},{t:%H%M},{o},{h},{l},{c},{v}")),
    Case(name="a century in front", says="years of two digits", make=shape(
        "Date,Open,High,Low,Close,Volume", "1{t:%y%m%d},{o},{h},{l},{c},{v}")),
    Case(name="days of a language without months first", freq="5m", says="day first was assumed", make=text(
        "Data;Hora;Abertura;Máximo;Mínimo;Fechamento;Volume", lambda o: [
            day(o, "%d/%m/%Y"), day(o, "%H:%M"), comma(o.o), comma(o.h), comma(o.l), comma(o.c), o.v], sep=";")),
    Case(name="parts of a billionth", freq="1m", scale=4e8, digits=0, says="above a billion", make=shape(
        "ts_event,open,high,low,close,volume", "{ms}000000,{o:.0f},{h:.0f},{l:.0f},{c:.0f},{v}")),
]  # fmt: skip


def _numpy(f: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    np.savetxt(out, np.column_stack([[s(t) for t in f.t], f.o, f.h, f.l, f.c, f.v]))
    return out.getvalue()
