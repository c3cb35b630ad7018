"""Markets with named calendars, and guesses of the market from a symbol.

A guess only adds a market to the candidates; ``detection.py`` decides by the timestamps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kronos_dashboard.messages import msg

__all__ = ["ALWAYS", "FX", "LEARNED", "MARKETS", "Market", "find_market", "guess_market"]

ALWAYS, FX, LEARNED = "24/7", "fx", "learned"
"""Codes of the calendars that do not belong to an exchange."""


@dataclass(frozen=True)
class Market:
    """A calendar with a name."""

    code: str
    """As a user writes it: the ISO 10383 code of an exchange."""
    name: str
    zone: str
    hours: tuple[str, str] = ("00:00", "24:00")
    """Regular open and close in the market's timezone, to preselect candidates; sessions come from the calendar."""
    suffixes: tuple[str, ...] = ()
    """Suffixes of its symbols at data vendors."""


_NEW_YORK, _BERLIN, _PARIS = "America/New_York", "Europe/Berlin", "Europe/Paris"

MARKETS = (
    Market(ALWAYS, msg("around the clock, seven days a week"), "UTC"),
    Market(FX, msg("forex week (Sunday 17:00 to Friday 17:00, New York time)"), _NEW_YORK),
    Market(
        "XNYS", msg("New York Stock Exchange and Nasdaq"), _NEW_YORK, ("09:30", "16:00"), ("US", "O", "N", "NYSE", "OQ")
    ),
    Market(
        "XSHG", msg("Shanghai and Shenzhen"), "Asia/Shanghai", ("09:30", "15:00"), ("SS", "SZ", "SH", "XSHG", "XSHE")
    ),
    Market("XHKG", msg("Hong Kong"), "Asia/Hong_Kong", ("09:30", "16:00"), ("HK",)),
    Market("XTKS", msg("Tokyo"), "Asia/Tokyo", ("09:00", "15:30"), ("T", "TYO", "JP")),
    Market("XLON", msg("London"), "Europe/London", ("08:00", "16:30"), ("L", "LON", "UK")),
    Market("XETR", msg("Frankfurt (Xetra)"), _BERLIN, ("09:00", "17:30"), ("DE", "ETR", "F", "XETR")),
    Market("XPAR", msg("Paris"), _PARIS, ("09:00", "17:30"), ("PA", "FR")),
    Market("XBOM", msg("Mumbai (BSE and NSE)"), "Asia/Kolkata", ("09:15", "15:30"), ("NS", "BO", "NSE", "IN")),
    Market("CMES", msg("Chicago futures (CME)"), "America/Chicago", ("17:00", "17:00"), ("CME",)),
    Market("XEUR", msg("Eurex futures"), _BERLIN, ("07:30", "22:00"), ("EUX",)),
    Market("XTSE", msg("Toronto"), "America/Toronto", ("09:30", "16:00"), ("TO", "V", "TSX", "CA")),
    Market("XASX", msg("Sydney"), "Australia/Sydney", ("10:00", "16:00"), ("AX", "AU")),
    Market("XKRX", msg("Seoul"), "Asia/Seoul", ("09:00", "15:30"), ("KS", "KQ", "KR")),
    Market("XTAI", msg("Taipei"), "Asia/Taipei", ("09:00", "13:30"), ("TW", "TWO")),
    Market("XSES", msg("Singapore"), "Asia/Singapore", ("09:00", "17:00"), ("SI", "SG")),
    Market("BVMF", msg("São Paulo (B3)"), "America/Sao_Paulo", ("10:00", "18:00"), ("SA", "BR")),
    Market("XSWX", msg("Zurich"), "Europe/Zurich", ("09:00", "17:30"), ("SW", "CH")),
    Market("XAMS", msg("Amsterdam"), "Europe/Amsterdam", ("09:00", "17:30"), ("AS", "NL")),
    Market("XMIL", msg("Milan"), "Europe/Rome", ("09:00", "17:30"), ("MI", "IT")),
    Market("XMAD", msg("Madrid"), "Europe/Madrid", ("09:00", "17:30"), ("MC", "ES")),
    Market("XBRU", msg("Brussels"), "Europe/Brussels", ("09:00", "17:30"), ("BR",)),
    Market("XLIS", msg("Lisbon"), "Europe/Lisbon", ("08:00", "16:30"), ("LS",)),
    Market("XSTO", msg("Stockholm"), "Europe/Stockholm", ("09:00", "17:30"), ("ST",)),
    Market("XCSE", msg("Copenhagen"), "Europe/Copenhagen", ("09:00", "17:00"), ("CO",)),
    Market("XOSL", msg("Oslo"), "Europe/Oslo", ("09:00", "16:20"), ("OL",)),
    Market("XHEL", msg("Helsinki"), "Europe/Helsinki", ("10:00", "18:30"), ("HE",)),
    Market("XWBO", msg("Vienna"), "Europe/Vienna", ("09:00", "17:30"), ("VI",)),
    Market("XWAR", msg("Warsaw"), "Europe/Warsaw", ("09:00", "17:00"), ("WA", "PL")),
    Market("XIST", msg("Istanbul"), "Europe/Istanbul", ("10:00", "18:00"), ("IS",)),
    Market("XJSE", msg("Johannesburg"), "Africa/Johannesburg", ("09:00", "17:00"), ("JO",)),
    Market("XKLS", msg("Kuala Lumpur"), "Asia/Kuala_Lumpur", ("09:00", "17:00"), ("KL",)),
    Market("XIDX", msg("Jakarta"), "Asia/Jakarta", ("09:00", "15:50"), ("JK",)),
    Market("XBKK", msg("Bangkok"), "Asia/Bangkok", ("10:00", "16:30"), ("BK",)),
    Market("XNZE", msg("Wellington"), "Pacific/Auckland", ("10:00", "16:45"), ("NZ",)),
    Market("XMEX", msg("Mexico City"), "America/Mexico_City", ("08:30", "15:00"), ("MX",)),
)
"""In the order in which they are tried without a hint: the most used first."""

_CURRENCIES = frozenset(
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
_A_SHARE_PATTERN = re.compile(r"^(?:S[HZ][._-]?)?[03689]\d{5}$")


def find_market(code: str) -> Market | None:
    """The market with this code (case does not matter); None if there is none."""
    return next((market for market in MARKETS if market.code.lower() == code.strip().lower()), None)


def guess_market(symbol: str) -> Market | None:
    """The market that a symbol such as ``600977.SH``, ``BTC/USDT``, ``EURUSD=X`` or ``7203.T`` suggests, if any."""
    name = symbol.strip().upper().removesuffix("=X").removesuffix(".FX")
    plain = re.sub(r"[^A-Z0-9]", "", re.split(r"[:@ ,]", name)[0])
    if len(plain) == 6 and plain[:3] in _CURRENCIES and plain[3:] in _CURRENCIES:
        return find_market(FX)
    paired = re.fullmatch(r"([A-Z0-9]{2,10}?)[/_-]?(USDT|USDC|BUSD|FDUSD|TUSD|USD|EUR|BTC|ETH)(?:PERP)?", plain)
    if paired and (paired[1] in _COINS or paired[2] in _COIN_QUOTES):
        return find_market(ALWAYS)
    if _A_SHARE_PATTERN.match(name):
        return find_market("XSHG")
    ending = name.rpartition(".")[2] if "." in name else ""
    return next((market for market in MARKETS if ending and ending in market.suffixes), None)
