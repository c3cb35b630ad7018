"""Layouts seen in files that people keep in public places, beyond those of exchanges and data sites."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pandas as pd

from tests.support.imports.cases_text import shape
from tests.support.imports.makers import Case, as_json, comma, day, ms, s, suffixed, text


def days_since(start: str, shift: float = 0.0) -> object:
    """Maker of a count of days (with fractions) since a day."""
    return lambda o: (o.t - pd.Timestamp(start)) / pd.Timedelta(days=1) + shift


def counted(head: str, per: int) -> object:
    """Times as seconds on the first row of each day, and as offsets on the others."""

    def make(f: pd.DataFrame) -> bytes:
        lines, base, last = [head] if head else [], 0, None
        for _, o in f.iterrows():
            if o.t.date() != last:
                base, last = s(o.t), o.t.date()
            offset = (s(o.t) - base) // per
            lines.append(f"{offset if offset else f'a{base}'},{o.c},{o.h},{o.l},{o.o},{o.v}")
        return "\n".join(lines).encode()

    return make


def fixed(f: pd.DataFrame) -> bytes:
    """Lines of fixed width: kind, day, ticker and the rest at their places."""
    lines = ["00COTAHIST.2024BOVESPA 20241231".ljust(245)]
    for _, o in f.iterrows():
        for ticker, market, k in (("PETR4", "010", 1), ("VALE3", "010", 2)):
            prices = [round(x * k * 100) for x in (o.o, o.h, o.l, o.c, o.c, o.c, o.c)]
            line = f"01{o.t:%Y%m%d}02{ticker:<12}{market}{ticker:<12}{'PN':<10}{'':3}{'R$':<4}"
            line += "".join(f"{p:013d}" for p in prices) + f"{123:05d}{o.v:018d}{round(o.a * k * 100):018d}"
            lines.append(line.ljust(245))
    return "\n".join([*lines, f"99COTAHIST.2024BOVESPA 20241231{len(lines) + 1:011d}".ljust(245)]).encode("latin-1")


def ods(f: pd.DataFrame) -> bytes:
    """A sheet as office programs save it: typed cells, repeated blanks, a sheet of notes before it."""
    cell = '<table:table-cell office:value-type="{}" office:{}="{}"><text:p>{}</text:p></table:table-cell>'
    word = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    blank = '<table:table-cell table:number-columns-repeated="1015"/>'
    rows = ["".join(word.format(name) for name in ("Date", "Open", "High", "Low", "Close", "Volume")) + blank]
    for _, o in f.iterrows():
        told = [("date", "date-value", f"{o.t:%Y-%m-%d}", f"{o.t:%d.%m.%y}")]
        told += [("float", "value", x, f"{x:.2f}".replace(".", ",")) for x in (o.o, o.h, o.l, o.c, o.v)]
        rows.append("".join(cell.format(*one) for one in told) + blank)
    spaces = {"office": "office", "table": "table", "text": "text"}
    names = " ".join(f'xmlns:{k}="urn:oasis:names:tc:opendocument:xmlns:{v}:1.0"' for k, v in spaces.items())
    lines = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    lines += f'<table:table-row table:number-rows-repeated="1048000">{blank}</table:table-row>'
    notes = f"<table:table-row>{word.format('nothing to see')}</table:table-row>"
    content = (
        f"<?xml version='1.0'?><office:document-content {names}><office:body><office:spreadsheet>"
        f'<table:table table:name="Notes">{notes}</table:table><table:table table:name="Prices">{lines}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
    return out.getvalue()


def beside(f: pd.DataFrame) -> bytes:
    """A sheet with a second, shorter table beside the first, behind a blank column."""
    book = openpyxl.Workbook()
    head = ["date", "open", "high", "low", "close", "volume"]
    book.active.append(["index", *head, None, *head])
    for at, (_, o) in enumerate(f.iterrows()):
        row = [at, o.t.to_pydatetime(), o.o, o.h, o.l, o.c, int(o.v)]
        book.active.append([*row, None, f"  {o.t:%m/%d/%Y}", 1.5, 2.5, 0.5, 1.5, 7] if at % 5 == 0 and at < 15 else row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


MORE = [
    Case(name="names without the lines below them", make=text(
        "Price,Close,High,Low,Open,Volume", lambda o: [day(o), o.c, o.h, o.l, o.o, o.v])),
    Case(name="dividends and stock splits", zone="America/New_York", symbol="file", make=shape(
        "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits",
        "{t:%Y-%m-%d} 00:00:00-05:00,{o},{h},{l},{c},{v},0.0,{v:.1f}")),
    Case(name="an answer with its state", symbol="file", make=shape(
        "Date,Close,Open,High,Low,Volume,vo,s", "{t:%Y-%m-%d},{c},{o},{h},{l},{v},0,ok")),
    Case(name="names of days", volume=False, symbol="000100", make=shape(
        "Date,Order,DayName,Code,Name,Open,High,Low,Close", "{t:%Y-%m-%d},{v},{t:%A},000100,Yuhan,{o},{h},{l},{c}")),
    Case(name="no close but an adjusted one", make=shape(
        "date,adjclose,open,high,low,volume,other", "{s},{c},{o},{h},{l},{v},ok")),
    Case(name="year last, without marks", make=shape(
        "Date,DelPerc,OPEN_PRICE,HIGH_PRICE,LOW_PRICE,CLOSE_PRICE,VOLUME",
        "{t.day}{t:%m%Y},64.1,{o},{h},{l},{c},{v}")),
    Case(name="milliseconds from before 1970", freq="1w", start="1964-01-03", rows=600, filename="h.json", make=as_json(
        lambda f: {"ohlc": [{"endTime": ms(o.t), "openPrice": o.o, "highPrice": o.h, "lowPrice": o.l, "closePrice": o.c,
                             "volume": int(o.v)} for _, o in f.iterrows()]})),
    Case(name="days as spreadsheets count", says="spreadsheets count", make=text(
        "Date,Open,High,Low,Close,Volume", lambda o: [int(days_since("1899-12-30")(o)), o.o, o.h, o.l, o.c, o.v])),
    Case(name="days as matlab counts", freq="5m", start="2024-01-02 09:30", says="MATLAB", make=text(
        "datenum,open,high,low,close,volume", lambda o: [
            f"{days_since('1970-01-01', 719_529)(o):.10f}", o.o, o.h, o.l, o.c, o.v])),
    Case(name="days as matlab counts, without names", says="MATLAB", make=text("", lambda o: [
        f"{days_since('1970-01-01', 719_529)(o):.0f}", o.o, o.h, o.l, o.c, o.v])),
    Case(name="julian days", says="Julian days", make=text("jd,open,high,low,close,volume", lambda o: [
        days_since("1970-01-01", 2_440_587.5)(o), o.o, o.h, o.l, o.c, o.v])),
    Case(name="whole julian days", says="Julian days", make=text("date,open,high,low,close,volume", lambda o: [
        int(days_since("1970-01-01", 2_440_588)(o)), o.o, o.h, o.l, o.c, o.v])),
    Case(name="days since 1970", says="1 January 1970", make=text("date,open,high,low,close,volume", lambda o: [
        int(days_since("1970-01-01")(o)), o.o, o.h, o.l, o.c, o.v])),
    Case(name="offsets in minutes", freq="1m", start="2024-01-02 14:30", filename="a.txt", make=counted(
        "EXCHANGE%3DNASDAQ\nMARKET_OPEN_MINUTE=570\nMARKET_CLOSE_MINUTE=960\nINTERVAL=60\n"
        "COLUMNS=DATE,CLOSE,HIGH,LOW,OPEN,VOLUME\nDATA=\nTIMEZONE_OFFSET=-300", 60)),
    Case(name="offsets in hours over days", freq="1h", filename="a.txt", make=counted(
        "EXCHANGE%3DNYSE\nINTERVAL=3600\nCOLUMNS=DATE,CLOSE,HIGH,LOW,OPEN,VOLUME\nDATA=\nTIMEZONE_OFFSET=-240", 3_600)),
    Case(name="offsets alone", freq="1m", start="2024-01-02 14:30", filename="a.txt", says="a minute each was assumed",
         make=counted("", 60)),
    Case(name="lines of fixed width", filename="COTAHIST_A2024.TXT", symbol="PETR4", amount=True, says="2 instruments",
         make=fixed),
    Case(name="an opendocument sheet", filename="prices.ods", make=ods),
    Case(name="a table beside the table", filename="book.xlsx", make=beside),
    Case(name="cents in ten thousandths", freq="1m", start="2014-06-09 09:30", scale=0.01, rows=60,
         filename="20140609_aapl_minute_trade.csv", says="ten thousandths", make=text("", lambda o: [
             (o.t - o.t.normalize()) // pd.Timedelta(milliseconds=1),
             *(f"{round(x * 10_000)}" for x in (o.o, o.h, o.l, o.c)), o.v])),
    Case(name="bid and ask, the ask closer", says="two sets of four prices", volume=False, make=text("", lambda o: [
        f"{o.t:%Y%m%d %H:%M}", o.o, o.h, o.l, o.c, 0, o.o + 0.01, max(o.o, o.c) + 0.02, min(o.o, o.c), o.c + 0.01, 0])),
    Case(name="one site in Turkish of old", make=text("Tarih,Şimdi,Açılış,Yüksek,Düşük,Hac.,Fark %", lambda o: [
        f'"{o.t:%d.%m.%Y}"', *(f'"{comma(x)}"' for x in (o.c, o.o, o.h, o.l)), f'"{suffixed(o.v, ",")}"', '"0,5%"'],
        newest_first=True)),
    Case(name="an unknown name over shortened numbers", says="its numbers are shortened", make=text(
        "Date,Price,Open,High,Low,Quxx,Chg%", lambda o: [day(o), o.c, o.o, o.h, o.l, suffixed(o.v), "0.5%"])),
    Case(name="years 99 to 101 of the republic", start="2010-11-01", rows=320, amount=True, make=text("", lambda o: [
        f"{o.t.year - 1911}/{o.t:%m/%d}", o.v, o.a, o.o, o.h, o.l, o.c, "X0.00", 2292])),
    Case(name="years of two digits in front", start="1997-03-12", says="was read as 1997", make=text("", lambda o: [
        f"{o.t:%y/%m/%d}", o.o, o.h, o.l, o.c, o.v])),
]  # fmt: skip
