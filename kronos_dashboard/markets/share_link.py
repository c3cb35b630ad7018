"""Links that open the same candles again: a codec of query parameters, none of which is trusted.

``?sample=aapl_1d`` or ``?feed=ccxt&exchange=binance&symbol=BTC/USDT&interval=1h&count=1000``. A link names what to
request from a known source, never a path or an address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

import pandas as pd

from kronos_dashboard.errors import DashboardError, InvalidFeedRequestError
from kronos_dashboard.markets.feeds import FEEDS, FetchRequest
from kronos_dashboard.markets.samples import SAMPLES
from kronos_dashboard.messages import msg

__all__ = [
    "LINK_PARAMETERS",
    "MAX_CANDLES",
    "InvalidLinkError",
    "Selection",
    "selection_from_parameters",
    "selection_to_parameters",
]

MAX_CANDLES = 50_000
"""Candles that one request of a page may fetch: more would keep the page and the source busy for minutes."""
LINK_PARAMETERS = ("sample", "feed", "exchange", "symbol", "interval", "count", "start", "end", "raw")
_MAX_VALUE_LENGTH = 64
"""Letters of one parameter; no symbol or time is longer."""


class InvalidLinkError(DashboardError, ValueError):
    """A link that cannot be opened."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A sample, or a request to a feed.

    Raises:
        InvalidLinkError: unknown sample or feed, or more than ``MAX_CANDLES`` requested.
    """

    sample: str = ""
    feed: str = ""
    request: FetchRequest | None = None

    def __post_init__(self) -> None:
        """Check that sample or feed exist, and the size of the request."""
        if self.request is None:
            if self.sample not in {sample.key for sample in SAMPLES}:
                raise InvalidLinkError(
                    msg("unknown sample {sample}.", sample=repr(self.sample)),
                    msg("Choose one of the samples on this page."),
                )
            return
        if self.feed not in FEEDS:
            raise InvalidLinkError(
                msg("unknown source {feed}.", feed=repr(self.feed)),
                msg("Available sources: {feeds}.", feeds=", ".join(FEEDS)),
            )
        requested = _max_candles_requested(self.request)
        if requested > MAX_CANDLES:
            raise InvalidLinkError(
                msg(
                    "this page fetches at most {limit:,} candles at once; up to {expected:,} were requested.",
                    limit=MAX_CANDLES,
                    expected=requested,
                ),
                msg(
                    "Request fewer candles, a shorter range or a longer interval. The command fetch has no such limit."
                ),
            )

    @property
    def key(self) -> str:
        """Identifier without special characters; equal selections have equal keys."""
        text = repr(sorted(selection_to_parameters(self).items()))
        return self.sample or f"fetched_{sha256(text.encode()).hexdigest()[:16]}"


def selection_to_parameters(selection: Selection) -> dict[str, str]:
    """Return the query parameters of a selection, without defaults."""
    request = selection.request
    if request is None:
        return {"sample": selection.sample}
    parameters = {
        "feed": selection.feed,
        "exchange": request.exchange,
        "symbol": request.symbol,
        "interval": request.interval,
        "count": str(request.limit or ""),
        "start": _format_time(request.start),
        "end": _format_time(request.end),
        "raw": "" if request.adjusted else "1",
    }
    return {name: value for name, value in parameters.items() if value}


def selection_from_parameters(parameters: Mapping[str, str]) -> Selection | None:
    """Return what the parameters select; None if they select nothing.

    Raises:
        DashboardError: invalid or out of bounds.
    """
    given = {name: parameters[name] for name in LINK_PARAMETERS if parameters.get(name)}
    for name, value in given.items():
        if len(value) > _MAX_VALUE_LENGTH or not value.isprintable():
            raise InvalidLinkError(
                msg("the {name} in this link is not valid.", name=name), msg("Choose the candles on this page instead.")
            )
    if "sample" in given:
        return Selection(sample=given["sample"])
    if "feed" not in given:
        return None
    if "symbol" not in given:
        raise InvalidLinkError(msg("this link has no symbol."), msg("Choose the candles on this page instead."))
    start = _parse_time(given, "start")
    request = FetchRequest(
        symbol=given["symbol"],
        interval=given.get("interval", "1h"),
        start=start,
        end=_parse_time(given, "end"),
        limit=None if start is not None else _parse_count(given.get("count", "1000")),
        adjusted=given.get("raw") != "1",
        exchange=given.get("exchange", ""),
    )
    return Selection(feed=given["feed"], request=request)


def _max_candles_requested(request: FetchRequest) -> int:
    """Upper bound of the number of candles: as if the market never closed."""
    if request.limit is not None or request.start is None:
        return request.limit or 0
    end = request.end if request.end is not None else pd.Timestamp.now("UTC")
    return max(0, int((end - request.start) / request.interval_length))


def _format_time(time: pd.Timestamp | None) -> str:
    return "" if time is None else time.tz_convert("UTC").strftime("%Y-%m-%dT%H:%MZ")


def _parse_time(given: Mapping[str, str], name: str) -> pd.Timestamp | None:
    if name not in given:
        return None
    try:
        time = pd.Timestamp(given[name])
    except ValueError as error:
        raise InvalidLinkError(
            msg("the {name} in this link is not a time.", name=name), msg("Write it as in 2024-01-31T09:30Z.")
        ) from error
    if pd.isna(time):
        raise InvalidLinkError(
            msg("the {name} in this link is not a time.", name=name), msg("Write it as in 2024-01-31T09:30Z.")
        )
    return time.tz_localize("UTC") if time.tz is None else time.tz_convert("UTC")


def _parse_count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 7):
        raise InvalidFeedRequestError(
            msg("the number of candles must be 1 to {limit:,}.", limit=MAX_CANDLES),
            msg("Write it in digits, for example 1000."),
        )
    return int(text)
