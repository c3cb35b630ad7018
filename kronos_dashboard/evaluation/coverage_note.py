"""What was measured of the bands of a checkpoint, beside one forecast: the nearest figures, and how it differs.

A band is called by its share of the *paths*. How much of what comes it holds is told in these sentences, or that nobody
knows; wherever bands are shown or written down, one of them stands beside.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from engine.config import SamplingConfig
from kronos_dashboard.errors import WindowError
from kronos_dashboard.evaluation.scorecard import Found, Score, Scores, find_scores
from kronos_dashboard.forecasting.record import RunRecord
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.markets.calendars import detect
from kronos_dashboard.markets.calendars.known_markets import ALWAYS, FX, by_code, hinted
from kronos_dashboard.markets.candles import CandleFrame

__all__ = ["CHINESE", "ENGLISH", "Difference", "Measured", "market_of", "measured", "measured_of"]

ALIKE = 1.5
"""Lengths and numbers of paths within this factor of the measured ones count as the same."""
_MARKETS = {ALWAYS: "crypto", FX: "fx", "XNYS": "us_equity"}
"""Calendar -> market of the scores, where one follows from the other."""
_METALS = ("XAU", "XAG", "XPT", "XPD")
_LEFT = ("from_last_close", "mirrored")
"""What is done to paths, or not; where a forecast leaves it to the model, it is as it was measured."""
_DRAWING = ("temperature", "top_p", "min_p", "top_k", *_LEFT)

ENGLISH: Mapping[str, str] = {
    "measured": "Measured: in {windows:,} windows of {group}, {horizon} steps ahead, the 50/80/95% bands held "
    "{inner:.0f}/{middle:.0f}/{outer:.0f}% of the closes; CRPS {crps:.2f} times a random walk's.",
    "never": "The bands of this checkpoint have not been measured: how much of what comes they hold is not known.",
    "other": "The bands of this checkpoint have not been measured; scores.json beside it is of other weights.",
    "broken": "The measured figures beside this checkpoint (scores.json) cannot be read, so nobody knows its bands.",
    "sparse": "The bands of this checkpoint have been measured on too few windows to say what they hold.",
    "differs": "That was with {there}; here: {here}.",
    "narrower": "With these settings the bands come out narrower, and nobody has measured what they hold.",
    "wider": "With these settings the bands come out wider, and nobody has measured what they hold.",
    "unlike": "What bands hold with these settings, nobody has measured.",
    "rough": "With {here:,} in place of {there:,} paths their edges are rougher.",
    "group.all": "all markets",
    "group.market": "{market}",
    "group.interval": "{market} at {interval}",
    "market.crypto": "crypto",
    "market.fx": "currency pairs",
    "market.us_equity": "US shares",
    "market.index": "share indices",
    "market.index_cfd": "index CFDs",
    "market.commodity_cfd": "commodity CFDs",
    "temperature": "temperature {value:g}",
    "top_p": "top-p {value:g}",
    "min_p": "min-p {value:g}",
    "min_p.off": "no min-p",
    "top_k": "top-k {value:g}",
    "top_k.off": "no top-k",
    "from_last_close": "paths from the last close",
    "from_last_close.off": "paths from the model's own level",
    "mirrored": "every second path mirrored",
    "mirrored.off": "no path mirrored",
    "paths": "{value:,.0f} paths",
    "context": "a context of {value:,.0f}",
    "horizon": "{value:,.0f} steps",
    "and": ", ",
}
"""One template per key, filled with ``str.format``; another language has the same keys and names in braces."""
CHINESE: Mapping[str, str] = {
    "measured": "实测：在 {group} 的 {windows:,} 个窗口中，预测 {horizon} 步，50/80/95% 区间包含了 "
    "{inner:.0f}/{middle:.0f}/{outer:.0f}% 的收盘价；CRPS 为随机游走的 {crps:.2f} 倍。",
    "never": "此检查点的区间未经实测：它们能包含多少实际走势，不得而知。",
    "other": "此检查点的区间未经实测；旁边的 scores.json 属于另一套权重。",
    "broken": "此检查点旁边的实测数据（scores.json）无法读取，其区间如何不得而知。",
    "sparse": "此检查点只在太少的窗口上实测过，说不出区间能包含多少实际走势。",
    "differs": "实测时：{there}；此处：{here}。",
    "narrower": "在当前设置下区间更窄，没有人实测过它们能包含多少。",
    "wider": "在当前设置下区间更宽，没有人实测过它们能包含多少。",
    "unlike": "在当前设置下区间能包含多少，没有人实测过。",
    "rough": "此处以 {here:,} 条路径代替 {there:,} 条，边缘会更粗糙。",
    "group.all": "所有市场",
    "group.market": "{market}",
    "group.interval": "{market} {interval}",
    "market.crypto": "加密货币",
    "market.fx": "货币对",
    "market.us_equity": "美股",
    "market.index": "股指",
    "market.index_cfd": "指数差价合约",
    "market.commodity_cfd": "商品差价合约",
    "temperature": "温度 {value:g}",
    "top_p": "top-p {value:g}",
    "min_p": "min-p {value:g}",
    "min_p.off": "不设 min-p",
    "top_k": "top-k {value:g}",
    "top_k.off": "不设 top-k",
    "from_last_close": "路径从最新收盘价开始",
    "from_last_close.off": "路径从模型自身的价位开始",
    "mirrored": "每隔一条路径作镜像",
    "mirrored.off": "路径不作镜像",
    "paths": "{value:,.0f} 条路径",
    "context": "上下文 {value:,.0f} 根",
    "horizon": "{value:,.0f} 步",
    "and": "、",
}


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A setting in which a forecast is unlike what was measured."""

    name: str
    """``temperature``, ``top_p``, ``min_p``, ``top_k``, ``from_last_close``, ``mirrored``, ``paths``, ``context`` or
    ``horizon``."""
    there: float | None
    """As it was measured; None, or a ``min_p`` of 0: off. Of ``from_last_close`` and ``mirrored`` whether it is so."""
    here: float

    @property
    def narrows(self) -> bool:
        """Whether bands come out narrower by it, or else wider; of ``temperature`` and what cuts tokens away alone."""
        there = self.there or 0.0
        return self.name == "top_k" or (self.here > there if self.name == "min_p" else self.here < there)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What is known of how well the bands of one forecast hold."""

    state: Literal["measured", "never", "other", "broken", "sparse"]
    """Whether there is a figure; else why not: see ``track_record.Found``, and *sparse*: of too few windows."""
    score: Score | None = None
    differences: tuple[Difference, ...] = ()

    @property
    def spread(self) -> Literal["alike", "narrower", "wider", "unlike"]:
        """How the bands come out beside the measured ones, by the way in which paths are drawn."""
        if any(one.name in _LEFT for one in self._drawing):
            return "unlike"
        narrow = {one.narrows for one in self._drawing}
        return "alike" if not narrow else "unlike" if len(narrow) > 1 else "narrower" if narrow.pop() else "wider"

    @property
    def _drawing(self) -> list[Difference]:
        return [one for one in self.differences if one.name in _DRAWING]

    def sentences(self, texts: Mapping[str, str] = ENGLISH) -> tuple[str, ...]:
        """What is known, how the forecast differs, and what that means; in the ``texts`` of a language."""
        if self.score is None:
            return (texts[self.state],)
        score = self.score
        inner, middle, outer = (100 * share for share in score.held.values())
        known = texts["measured"].format(
            windows=score.windows,
            group=_group(score, texts),
            horizon=score.horizon,
            inner=inner,
            middle=middle,
            outer=outer,
            crps=score.crps_ratio,
        )
        if not self.differences:
            return (known,)
        if [one.name for one in self.differences] == ["paths"]:
            [paths] = self.differences
            return (known, texts["rough"].format(there=paths.there, here=paths.here))
        there, here = (
            texts["and"].join(_setting(one.name, getattr(one, side), texts) for one in self.differences)
            for side in ("there", "here")
        )
        meaning = texts["unlike" if self.spread == "alike" else self.spread]
        return (known, texts["differs"].format(there=there, here=here), meaning)

    def describe(self, texts: Mapping[str, str] = ENGLISH) -> str:
        """The sentences as one text."""
        return ("" if texts is CHINESE else " ").join(self.sentences(texts))

    def document(self) -> dict[str, Any]:
        """All of it as plain values, for JSON."""
        score = None if self.score is None else asdict(self.score)
        differences = [asdict(one) for one in self.differences]
        return {"text": self.describe(), "state": self.state, "score": score, "differences": differences}


def measured_of(window: Window, record: RunRecord, *, market: str | None) -> Measured:
    """What was measured nearest to a forecast that was made, by its record.

    Args:
        window: what was forecast.
        record: how.
        market: as ``market_of`` names it.
    """
    return measured(
        find_scores(record.model_name, record.checkpoint_digest),
        record.sampling_config,
        market=market,
        interval=record.interval,
        context=min(window.context_length, record.max_context),
        horizon=window.horizon,
    )


def measured(
    found: Found, sampling: SamplingConfig, *, market: str | None, interval: str, context: int, horizon: int
) -> Measured:
    """What was measured nearest to a forecast, and in what the forecast is unlike it.

    Args:
        found: the figures of its checkpoint.
        sampling: how its paths are drawn; what it leaves to the model is as it was measured.
        market: as ``market_of`` names it; None = not known.
        interval: label, such as ``1h``.
        context: T.
        horizon: H.
    """
    scores = found.scores
    if scores is None:
        return Measured(state=found.state)
    score = scores.nearest(horizon, market, interval)
    if score is None:
        return Measured(state="sparse")
    differences = _differences(scores, score, sampling, context, horizon)
    return Measured(state="measured", score=score, differences=differences)


def market_of(candles: CandleFrame) -> str | None:
    """The market of a series in the words of the scores, by its symbol or its bar times; None where it is no such one.

    Takes tenths of a second where the symbol tells nothing.
    """
    market = hinted(candles.symbol)
    if market is None:
        try:
            market = by_code(detect(candles).code)
        except WindowError:
            return None
    if market is not None and market.code == FX and candles.symbol.strip().upper().startswith(_METALS):
        return "commodity_cfd"
    return None if market is None else _MARKETS.get(market.code)


def _differences(
    scores: Scores, score: Score, sampling: SamplingConfig, context: int, horizon: int
) -> tuple[Difference, ...]:
    drawn = {"temperature": (scores.temperature, sampling.temperature), "top_p": (scores.top_p, sampling.nucleus)}
    if sampling.min_p is not None:
        drawn["min_p"] = (scores.min_p, sampling.min_p)
    found: list[tuple[str, float | None, float]] = [
        (name, there, here) for name, (there, here) in drawn.items() if not math.isclose(there, here)
    ]
    if sampling.top_k is not None:
        found.append(("top_k", None, sampling.top_k))
    for name in _LEFT:
        there, here = getattr(scores, name), getattr(sampling, name)
        nothing = name == "mirrored" and sampling.num_paths == 1  # of one path no second is mirrored, or is not
        if here is not None and here != there and not nothing:
            found.append((name, there, here))
    if sampling.num_paths * ALIKE < scores.paths:
        found.append(("paths", scores.paths, sampling.num_paths))
    lengths = {"context": (scores.context, context), "horizon": (score.horizon, horizon)}
    found += [(name, there, here) for name, (there, here) in lengths.items() if not 1 / ALIKE <= there / here <= ALIKE]
    return tuple(Difference(name=name, there=there, here=here) for name, there, here in found)


def _group(score: Score, texts: Mapping[str, str]) -> str:
    market = texts.get(f"market.{score.market}", score.market)
    key = "group.all" if score.market is None else "group.market" if score.interval is None else "group.interval"
    return texts[key].format(market=market, interval=score.interval)


def _setting(name: str, value: float | None, texts: Mapping[str, str]) -> str:
    off = texts.get(f"{name}.off")
    return off if off and not value else texts[name].format(value=value)
