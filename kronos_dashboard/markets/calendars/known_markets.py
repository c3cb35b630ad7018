"""The markets whose calendars are known by name, and what in a symbol or a clock hints at one of them.

Nothing here decides: a hint only puts a market on the list of candidates (``detection.py`` measures which one fits).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["ALWAYS", "FX", "LEARNED", "MARKETS", "Market", "by_code", "hinted"]

ALWAYS, FX, LEARNED = "24/7", "fx", "learned"
"""Codes of the calendars that are no exchange's."""


@dataclass(frozen=True)
class Market:
    """One calendar by name."""

    code: str
    """As a user writes it; for exchanges the ISO 10383 code."""
    name: str
    zone: str
    hours: tuple[str, str] = ("00:00", "24:00")
    """Usual open and close on the market's clock, for a first look only; the sessions come from the calendar."""
    suffixes: tuple[str, ...] = ()
    """Endings that data vendors give to its symbols."""


_NEW_YORK, _BERLIN, _PARIS = "America/New_York", "Europe/Berlin", "Europe/Paris"

MARKETS = (
    Market(ALWAYS, "around the clock, seven days a week", "UTC"),
    Market(FX, "currency week (Sunday 17:00 to Friday 17:00 in New York)", _NEW_YORK),
    Market("XNYS", "New York Stock Exchange and Nasdaq", _NEW_YORK, ("09:30", "16:00"), ("US", "O", "N", "NYSE", "OQ")),
    Market("XSHG", "Shanghai and Shenzhen", "Asia/Shanghai", ("09:30", "15:00"), ("SS", "SZ", "SH", "XSHG", "XSHE")),
    Market("XHKG", "Hong Kong", "Asia/Hong_Kong", ("09:30", "16:00"), ("HK",)),
    Market("XTKS", "Tokyo", "Asia/Tokyo", ("09:00", "15:30"), ("T", "TYO", "JP")),
    Market("XLON", "London", "Europe/London", ("08:00", "16:30"), ("L", "LON", "UK")),
    Market("XETR", "Frankfurt (Xetra)", _BERLIN, ("09:00", "17:30"), ("DE", "ETR", "F", "XETR")),
    Market("XPAR", "Paris", _PARIS, ("09:00", "17:30"), ("PA", "FR")),
    Market("XBOM", "Mumbai (BSE and NSE)", "Asia/Kolkata", ("09:15", "15:30"), ("NS", "BO", "NSE", "IN")),
    Market("CMES", "Chicago futures (CME)", "America/Chicago", ("17:00", "17:00"), ("CME",)),
    Market("XEUR", "Eurex futures", _BERLIN, ("07:30", "22:00"), ("EUX",)),
    Market("XTSE", "Toronto", "America/Toronto", ("09:30", "16:00"), ("TO", "V", "TSX", "CA")),
    Market("XASX", "Sydney", "Australia/Sydney", ("10:00", "16:00"), ("AX", "AU")),
    Market("XKRX", "Seoul", "Asia/Seoul", ("09:00", "15:30"), ("KS", "KQ", "KR")),
    Market("XTAI", "Taipei", "Asia/Taipei", ("09:00", "13:30"), ("TW", "TWO")),
    Market("XSES", "Singapore", "Asia/Singapore", ("09:00", "17:00"), ("SI", "SG")),
    Market("BVMF", "São Paulo (B3)", "America/Sao_Paulo", ("10:00", "18:00"), ("SA", "BR")),
    Market("XSWX", "Zurich", "Europe/Zurich", ("09:00", "17:30"), ("SW", "CH")),
    Market("XAMS", "Amsterdam", "Europe/Amsterdam", ("09:00", "17:30"), ("AS", "NL")),
    Market("XMIL", "Milan", "Europe/Rome", ("09:00", "17:30"), ("MI", "IT")),
    Market("XMAD", "Madrid", "Europe/Madrid", ("09:00", "17:30"), ("MC", "ES")),
    Market("XBRU", "Brussels", "Europe/Brussels", ("09:00", "17:30"), ("BR",)),
    Market("XLIS", "Lisbon", "Europe/Lisbon", ("08:00", "16:30"), ("LS",)),
    Market("XSTO", "Stockholm", "Europe/Stockholm", ("09:00", "17:30"), ("ST",)),
    Market("XCSE", "Copenhagen", "Europe/Copenhagen", ("09:00", "17:00"), ("CO",)),
    Market("XOSL", "Oslo", "Europe/Oslo", ("09:00", "16:20"), ("OL",)),
    Market("XHEL", "Helsinki", "Europe/Helsinki", ("10:00", "18:30"), ("HE",)),
    Market("XWBO", "Vienna", "Europe/Vienna", ("09:00", "17:30"), ("VI",)),
    Market("XWAR", "Warsaw", "Europe/Warsaw", ("09:00", "17:00"), ("WA", "PL")),
    Market("XIST", "Istanbul", "Europe/Istanbul", ("10:00", "18:00"), ("IS",)),
    Market("XJSE", "Johannesburg", "Africa/Johannesburg", ("09:00", "17:00"), ("JO",)),
    Market("XKLS", "Kuala Lumpur", "Asia/Kuala_Lumpur", ("09:00", "17:00"), ("KL",)),
    Market("XIDX", "Jakarta", "Asia/Jakarta", ("09:00", "15:50"), ("JK",)),
    Market("XBKK", "Bangkok", "Asia/Bangkok", ("10:00", "16:30"), ("BK",)),
    Market("XNZE", "Wellington", "Pacific/Auckland", ("10:00", "16:45"), ("NZ",)),
    Market("XMEX", "Mexico City", "America/Mexico_City", ("08:30", "15:00"), ("MX",)),
)
"""In the order in which they are tried when nothing hints at one: the most used first."""

_MONEY = frozenset(
    (
        *("USD", "EUR", "GBP", "JPY", "CHF", "AUD", "NZD", "CAD", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "TRY"),
        *("ZAR", "MXN", "SGD", "HKD", "CNH", "CNY", "INR", "KRW", "BRL", "RUB", "ILS", "THB"),
        *("XAU", "XAG", "XPT", "XPD"),
    )
)
_COINS = frozenset(
    (
        *("BTC", "XBT", "ETH", "SOL", "XRP", "ADA", "DOGE", "LTC", "BCH", "BNB", "DOT", "AVAX", "LINK", "TRX"),
        *("SHIB", "UNI", "XLM", "ATOM", "ETC", "FIL"),
    )
)
_COIN_QUOTES = ("USDT", "USDC", "BUSD", "FDUSD", "TUSD", "BTC", "ETH")
_A_SHARE = re.compile(r"^(?:S[HZ][._-]?)?[03689]\d{5}$")


def by_code(code: str) -> Market | None:
    """The market of that code, in capitals or not."""
    return next((market for market in MARKETS if market.code.lower() == code.strip().lower()), None)


def hinted(symbol: str) -> Market | None:
    """The market that a symbol such as ``600977.SH``, ``BTC/USDT``, ``EURUSD=X`` or ``7203.T`` points at, if any."""
    name = symbol.strip().upper().removesuffix("=X").removesuffix(".FX")
    plain = re.sub(r"[^A-Z0-9]", "", re.split(r"[:@ ,]", name)[0])
    if len(plain) == 6 and plain[:3] in _MONEY and plain[3:] in _MONEY:
        return by_code(FX)
    paired = re.fullmatch(r"([A-Z0-9]{2,10}?)[/_-]?(USDT|USDC|BUSD|FDUSD|TUSD|USD|EUR|BTC|ETH)(?:PERP)?", plain)
    if paired and (paired[1] in _COINS or paired[2] in _COIN_QUOTES):
        return by_code(ALWAYS)
    if _A_SHARE.match(name):
        return by_code("XSHG")
    ending = name.rpartition(".")[2] if "." in name else ""
    return next((market for market in MARKETS if ending and ending in market.suffixes), None)
