"""Whatever a server sends: checked candles or one of our errors, never anything else."""

import copy
import math
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kronos_dashboard.errors import FeedError
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.markets.feeds import CcxtFeed, FetchRequest, YahooFeed
from tests.support.feeds.loopback import Loopback
from tests.support.feeds.markets import NOW, Binance, Kraken, Okx
from tests.support.feeds.yahoo_market import NOW as YAHOO_NOW
from tests.support.feeds.yahoo_market import Yahoo

ODD: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        5,
        10**20,
        -(10**20),
        1_717_200_000_000,
        0.5,
        -0.5,
        1e-300,
        1e300,
        math.inf,
        math.nan,
    ),
    *("", "x", "-1", "NaN", "1e99", "0", "1717200000000", "30000"),
    *([], {}, [[]], {"error": "x"}, ["EGeneral:Internal error"], [1, 2, 3]),
)
MILD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    5,
    0.5,
    -0.5,
    "",
    "x",
    "-1",
    "NaN",
    "0",
    [],
    {},
    [[]],
    {"error": "x"},
)
"""For lists of markets: ccxt makes as many digits as a precision says, and large numbers would fill the memory."""
FEW = settings(max_examples=50, deadline=None)
SEEDS = st.integers(0, 2**32)


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """Where something can be replaced: every key and index, at most the first few of a list."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key in value:
            found += places(value[key], (*path, key))
    if isinstance(value, list):
        for index in (*range(min(3, len(value))), *([len(value) - 1] if len(value) > 3 else [])):
            found += places(value[index], (*path, index))
    return found


def mutated(value: Any, seed: int, odd: tuple[Any, ...]) -> Any:
    """A copy with up to four places replaced."""
    draw, copied = random.Random(seed), copy.deepcopy(value)
    for _ in range(draw.randint(1, 4)):
        spots = places(copied)
        if not spots:
            return draw.choice(odd)
        *way, last = draw.choice(spots)
        target = copied
        for step in way:
            target = target[step]
        target[last] = copy.deepcopy(draw.choice(odd))
    return copied


class Mutant:
    """A market whose answers on ``match`` are replaced."""

    def __init__(self, market: Any, match: str, odd: tuple[Any, ...] = ODD) -> None:
        self.market, self.match, self.odd = market, match, odd
        self.seed: int | None = None
        self.changed = 0

    def __call__(self, path: str, query: dict[str, str]) -> Any:
        answer = self.market(path, query)
        if self.seed is not None and self.match in path and answer is not None:
            self.changed += 1
            return mutated(answer, self.seed, self.odd)
        return answer


def check(fetch: Any) -> None:
    """Candles or an error in words."""
    told = ""
    try:
        candles = fetch().candles
    except FeedError as error:
        told = error.message
    if told:
        assert len(told) > 10
        return
    assert isinstance(candles, CandleFrame)
    assert len(candles) > 0


MARKETS = [("binance", Binance, "klines"), ("kraken", Kraken, "OHLC"), ("okx", Okx, "candles")]


@pytest.mark.parametrize(("exchange", "market", "match"), MARKETS, ids=[entry[0] for entry in MARKETS])
def test_mutated_candles_of_an_exchange(exchange: str, market: Any, match: str) -> None:
    mutant = Mutant(market(), match)
    symbol = "BTC/USD" if exchange == "kraken" else "BTC/USDT"
    with Loopback(mutant, NOW) as server:
        feed = CcxtFeed(server.transport(max_attempts=2))
        feed.search("btc", exchange=exchange)

        @FEW
        @given(SEEDS)
        def fetch(seed: int) -> None:
            mutant.seed = seed
            request = FetchRequest(symbol=symbol, limit=8, exchange=exchange)
            check(lambda: feed.fetch(request, now=NOW))

        fetch()
        assert mutant.changed >= 45


def test_mutated_lists_of_markets() -> None:
    mutant = Mutant(Binance(), "exchangeInfo", MILD)
    with Loopback(mutant, NOW) as server:

        @FEW
        @given(SEEDS)
        def fetch(seed: int) -> None:
            mutant.seed = seed
            feed = CcxtFeed(server.transport(max_attempts=2))
            check(lambda: feed.fetch(FetchRequest(symbol="BTC/USDT", limit=8, exchange="binance"), now=NOW))

        fetch()
        assert mutant.changed >= 45


def test_mutated_charts_of_yahoo() -> None:
    mutant = Mutant(Yahoo(now=YAHOO_NOW), "v8/finance/chart")
    with Loopback(mutant, YAHOO_NOW) as server:
        feed = YahooFeed(server.transport(max_attempts=2))

        @FEW
        @given(SEEDS, st.sampled_from(["1d", "1h"]))
        def fetch(seed: int, interval: str) -> None:
            mutant.seed = seed
            check(lambda: feed.fetch(FetchRequest(symbol="AAPL", interval=interval, limit=8), now=YAHOO_NOW))

        fetch()
        assert mutant.changed >= 45
