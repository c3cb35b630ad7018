"""A link that opens the same candles again: query parameters, and nothing in them is trusted.

``?sample=aapl_1d`` or ``?feed=ccxt&exchange=binance&symbol=BTC/USDT&interval=1h&count=1000``. A link names what to ask
of a known source; it never names a path or an address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

import pandas as pd

from kronos_dashboard.errors import DashboardError, FeedRefused
from kronos_dashboard.markets.feeds import FEEDS, FetchRequest
from kronos_dashboard.markets.samples import SAMPLES

__all__ = ["MOST_CANDLES", "PARAMETERS", "LinkRefused", "Selection", "from_parameters", "to_parameters"]

MOST_CANDLES = 50_000
"""Most candles that a page asks a feed for at once."""
PARAMETERS = ("sample", "feed", "exchange", "symbol", "interval", "count", "start", "end", "raw")
_MOST_LETTERS = 64


class LinkRefused(DashboardError, ValueError):
    """A link says something that cannot be opened."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A sample, or a request to a feed.

    Raises:
        LinkRefused: there is no such sample or feed, or too many candles are asked for.
    """

    sample: str = ""
    feed: str = ""
    request: FetchRequest | None = None

    def __post_init__(self) -> None:
        """Check that it is one of both, and within bounds."""
        if self.request is None:
            if self.sample not in {sample.key for sample in SAMPLES}:
                raise LinkRefused(f"there is no sample {self.sample!r}.", "Choose one of the samples on this page.")
            return
        if self.feed not in FEEDS:
            raise LinkRefused(f"there is no feed {self.feed!r}.", f"The feeds are {', '.join(FEEDS)}.")
        wanted = _candles_wanted(self.request)
        if wanted > MOST_CANDLES:
            raise LinkRefused(
                f"this page fetches at most {MOST_CANDLES:,} candles at once; up to {wanted:,} were asked for.",
                "Ask for fewer, for a shorter span or for a longer interval. The command fetch has no such limit.",
            )

    @property
    def key(self) -> str:
        """The same for the same selection, and fit for a name."""
        text = repr(sorted(to_parameters(self).items()))
        return self.sample or f"fetched_{sha256(text.encode()).hexdigest()[:16]}"


def to_parameters(selection: Selection) -> dict[str, str]:
    """The query parameters of a selection; what is usual is left out."""
    request = selection.request
    if request is None:
        return {"sample": selection.sample}
    found = {
        "feed": selection.feed,
        "exchange": request.exchange,
        "symbol": request.symbol,
        "interval": request.interval,
        "count": str(request.count or ""),
        "start": _text(request.start),
        "end": _text(request.end),
        "raw": "" if request.adjusted else "1",
    }
    return {name: value for name, value in found.items() if value}


def from_parameters(parameters: Mapping[str, str]) -> Selection | None:
    """What the parameters select; None when they select nothing.

    Raises:
        DashboardError: they cannot be understood, or are out of bounds.
    """
    given = {name: parameters[name] for name in PARAMETERS if parameters.get(name)}
    for name, value in given.items():
        if len(value) > _MOST_LETTERS or not value.isprintable():
            raise LinkRefused(f"the {name} in this link is no {name}.", "Choose the candles on this page instead.")
    if "sample" in given:
        return Selection(sample=given["sample"])
    if "feed" not in given:
        return None
    if "symbol" not in given:
        raise LinkRefused("this link names no symbol.", "Choose the candles on this page instead.")
    start = _time(given, "start")
    request = FetchRequest(
        symbol=given["symbol"],
        interval=given.get("interval", "1h"),
        start=start,
        end=_time(given, "end"),
        count=None if start is not None else _count(given.get("count", "1000")),
        adjusted=given.get("raw") != "1",
        exchange=given.get("exchange", ""),
    )
    return Selection(feed=given["feed"], request=request)


def _candles_wanted(request: FetchRequest) -> int:
    """Most candles that may come, if the market never closed."""
    if request.count is not None or request.start is None:
        return request.count or 0
    end = request.end if request.end is not None else pd.Timestamp.now("UTC")
    return max(0, int((end - request.start) / request.step))


def _text(time: pd.Timestamp | None) -> str:
    return "" if time is None else time.tz_convert("UTC").strftime("%Y-%m-%dT%H:%MZ")


def _time(given: Mapping[str, str], name: str) -> pd.Timestamp | None:
    if name not in given:
        return None
    try:
        time = pd.Timestamp(given[name])
    except ValueError as error:
        raise LinkRefused(f"the {name} in this link is not a time.", "Write it as in 2024-01-31T09:30Z.") from error
    if pd.isna(time):
        raise LinkRefused(f"the {name} in this link is not a time.", "Write it as in 2024-01-31T09:30Z.")
    return time.tz_localize("UTC") if time.tz is None else time.tz_convert("UTC")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 7):
        raise FeedRefused(f"the number of candles must be 1 to {MOST_CANDLES:,}.", "Write it in digits, as in 1000.")
    return int(text)
