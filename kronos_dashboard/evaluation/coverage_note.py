"""Measured coverage of a checkpoint's bands, for one forecast: the nearest metrics, and how its settings differ.

A band is labeled by the fraction of the *paths* inside it. Wherever bands are shown or exported, a sentence of this
module says which fraction of the actual closes they covered, or that this is unknown.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from engine.config import SamplingConfig
from kronos_dashboard.errors import WindowError
from kronos_dashboard.evaluation.scorecard import GroupScore, Scorecard, ScorecardLookup, find_scorecard
from kronos_dashboard.forecasting.record import RunRecord
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.markets.calendars import detect_calendar
from kronos_dashboard.markets.calendars.known_markets import ALWAYS, FX, find_market, guess_market
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.messages import Message, join_messages, msg, sentences, term

__all__ = [
    "CoverageNote",
    "SettingDifference",
    "build_coverage_note",
    "build_coverage_note_for_record",
    "detect_market",
]

SIMILAR_FACTOR = 1.5
"""Lengths and numbers of paths within this factor of the measured ones count as equal: within it coverage moves less
than between markets."""
_MARKETS = {ALWAYS: "crypto", FX: "fx", "XNYS": "us_equity"}
"""Calendar -> market of the scorecards, where the calendar determines it."""
_METALS = ("XAU", "XAG", "XPT", "XPD")
"""Codes of precious metals: they trade on the calendar of currencies, and are scored as commodities."""
_PATH_OPTIONS = ("anchor_to_last_close", "mirror_paths")
"""Options of a forecast; what it leaves to the model was measured the same way."""
_SAMPLING_SETTINGS = ("temperature", "top_p", "min_p", "top_k", *_PATH_OPTIONS)

_STATE_TEXTS = {
    "missing": msg("The coverage of this checkpoint's bands has not been measured."),
    "stale": msg(
        "The coverage of this checkpoint's bands has not been measured; its scores.json belongs to other weights."
    ),
    "unreadable": msg(
        "The measured coverage of this checkpoint (scores.json) could not be read, so the coverage of its "
        "bands is unknown."
    ),
    "too_few_windows": msg("This checkpoint's bands have been measured on too few windows to state their coverage."),
}
_EFFECT_TEXTS = {
    "narrower": msg("With these settings the bands are narrower than measured; their coverage is unknown."),
    "wider": msg("With these settings the bands are wider than measured; their coverage is unknown."),
    "unknown": msg("With these settings the coverage of the bands is unknown."),
}
_MARKET_NAMES = {
    "crypto": msg("crypto"),
    "fx": msg("currency pairs"),
    "us_equity": msg("US stocks"),
    "index": msg("stock indices"),
    "index_cfd": msg("index CFDs"),
    "commodity_cfd": msg("commodity CFDs"),
}
_OFF_TEXTS = {
    "min_p": msg("no min-p"),
    "top_k": msg("no top-k"),
    "anchor_to_last_close": msg("paths starting at the decoded level"),
    "mirror_paths": msg("no antithetic pairs"),
}


@dataclass(frozen=True, kw_only=True)
class SettingDifference:
    """A setting in which a forecast differs from the measurement."""

    name: str
    """``temperature``, ``top_p``, ``min_p``, ``top_k``, ``anchor_to_last_close``, ``mirror_paths``, ``paths``,
    ``context`` or ``horizon``."""
    measured: float | None
    """In the measurement; None, or a ``min_p`` of 0: off. A bool for the two path options."""
    current: float
    """In the forecast."""

    @property
    def narrows(self) -> bool:
        """Whether it narrows the bands instead of widening them; for temperature, top-p, min-p and top-k only."""
        measured = self.measured or 0.0
        return self.name == "top_k" or (self.current > measured if self.name == "min_p" else self.current < measured)


@dataclass(frozen=True, kw_only=True)
class CoverageNote:
    """What is known about the coverage of one forecast's bands."""

    state: Literal["measured", "missing", "stale", "unreadable", "too_few_windows"]
    """``measured``: ``score`` is there. Else the reason: see ``scorecard.ScorecardLookup``."""
    score: GroupScore | None = None
    differences: tuple[SettingDifference, ...] = ()

    @property
    def width_effect(self) -> Literal["similar", "narrower", "wider", "unknown"]:
        """Width of the bands relative to the measured ones, by the sampling settings that differ."""
        settings = [difference for difference in self.differences if difference.name in _SAMPLING_SETTINGS]
        if any(difference.name in _PATH_OPTIONS for difference in settings):
            return "unknown"
        effects = {difference.narrows for difference in settings}
        if len(effects) > 1:
            return "unknown"
        return "similar" if not effects else "narrower" if effects.pop() else "wider"

    def sentences(self) -> tuple[Message, ...]:
        """The measured coverage, the differences, and their effect."""
        if self.score is None:
            return (_STATE_TEXTS[self.state],)
        score = self.score
        inner, middle, outer = (100 * coverage for coverage in score.coverages.values())
        coverage = msg(
            "Measured in {windows:,} windows of {group}, {horizon} bars ahead: the 50/80/95% bands covered "
            "{inner:.0f}/{middle:.0f}/{outer:.0f}% of closes; CRPS ratio vs. random walk: {crps:.2f}.",
            windows=score.windows,
            group=_group_text(score),
            horizon=score.horizon,
            inner=inner,
            middle=middle,
            outer=outer,
            crps=score.crps_ratio,
        )
        if not self.differences:
            return (coverage,)
        if [difference.name for difference in self.differences] == ["paths"]:
            [paths] = self.differences
            rougher = msg(
                "Measured with {there:,} paths; with {here:,} the band edges are rougher.",
                there=paths.measured,
                here=paths.current,
            )
            return (coverage, rougher)
        measured, current = (
            join_messages([_setting_text(one.name, getattr(one, side)) for one in self.differences])
            for side in ("measured", "current")
        )
        differs = msg("Measured with {there}; this forecast uses {here}.", there=measured, here=current)
        return (coverage, differs, _EFFECT_TEXTS["unknown" if self.width_effect == "similar" else self.width_effect])

    def describe(self) -> Message:
        """The sentences as one text."""
        return sentences(*self.sentences())

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values, for JSON."""
        score = None if self.score is None else asdict(self.score)
        differences = [asdict(difference) for difference in self.differences]
        return {"text": self.describe(), "state": self.state, "score": score, "differences": differences}


def build_coverage_note_for_record(window: Window, record: RunRecord, *, market: str | None) -> CoverageNote:
    """The coverage note of a forecast that was made.

    Args:
        window: what was forecast.
        record: how it was made.
        market: as ``detect_market`` names it.
    """
    return build_coverage_note(
        find_scorecard(record.model_name, record.weights_sha256),
        record.sampling,
        market=market,
        interval=record.interval,
        context=min(window.context_length, record.max_context),
        horizon=window.horizon,
    )


def build_coverage_note(
    lookup: ScorecardLookup, sampling: SamplingConfig, *, market: str | None, interval: str, context: int, horizon: int
) -> CoverageNote:
    """The measurement nearest to a forecast, and the settings in which the forecast differs from it.

    Args:
        lookup: the scorecard of the checkpoint.
        sampling: settings of the forecast; those left to the model count as measured.
        market: as ``detect_market`` names it; None = unknown.
        interval: label, such as ``1h``.
        context: T.
        horizon: H.
    """
    scorecard = lookup.scorecard
    if scorecard is None:
        return CoverageNote(state=lookup.state)
    score = scorecard.nearest(horizon, market, interval)
    if score is None:
        return CoverageNote(state="too_few_windows")
    differences = _differences(scorecard, score, sampling, context, horizon)
    return CoverageNote(state="measured", score=score, differences=differences)


def detect_market(candles: CandleFrame) -> str | None:
    """The market of a series as scorecards name it, by its symbol or else its timestamps; None if none matches.

    Takes tenths of a second if the symbol does not determine it.
    """
    market = guess_market(candles.symbol)
    if market is None:
        try:
            market = find_market(detect_calendar(candles).code)
        except WindowError:
            return None
    if market is not None and market.code == FX and candles.symbol.strip().upper().startswith(_METALS):
        return "commodity_cfd"
    return None if market is None else _MARKETS.get(market.code)


def _differences(
    scorecard: Scorecard, score: GroupScore, sampling: SamplingConfig, context: int, horizon: int
) -> tuple[SettingDifference, ...]:
    differences: list[tuple[str, float | None, float]] = []
    settings = [
        ("temperature", scorecard.temperature, sampling.temperature),
        ("top_p", scorecard.top_p, sampling.nucleus),
        ("min_p", scorecard.min_p, scorecard.min_p if sampling.min_p is None else sampling.min_p),
    ]
    differences += [setting for setting in settings if not math.isclose(*setting[1:])]
    if sampling.top_k is not None:
        differences.append(("top_k", None, sampling.top_k))
    for name in _PATH_OPTIONS:
        measured, current = getattr(scorecard, name), getattr(sampling, name)
        if name == "mirror_paths" and sampling.num_paths == 1:  # a single path is never mirrored
            continue
        if current is not None and current != measured:
            differences.append((name, measured, current))
    if sampling.num_paths * SIMILAR_FACTOR < scorecard.num_paths:
        differences.append(("paths", scorecard.num_paths, sampling.num_paths))
    for name, length, current in (("context", scorecard.context, context), ("horizon", score.horizon, horizon)):
        if not 1 / SIMILAR_FACTOR <= length / current <= SIMILAR_FACTOR:
            differences.append((name, length, current))
    return tuple(
        SettingDifference(name=name, measured=measured, current=current) for name, measured, current in differences
    )


def _group_text(score: GroupScore) -> Message:
    if score.market is None:
        return msg("all markets")
    market = _MARKET_NAMES.get(score.market, term(score.market))
    return market if score.interval is None else msg("{market} at {interval}", market=market, interval=score.interval)


def _setting_text(name: str, value: float | None) -> Message:
    if not value and name in _OFF_TEXTS:
        return _OFF_TEXTS[name]
    texts = {
        "temperature": msg("temperature {value:g}", value=value),
        "top_p": msg("top-p {value:g}", value=value),
        "min_p": msg("min-p {value:g}", value=value),
        "top_k": msg("top-k {value:g}", value=value),
        "anchor_to_last_close": msg("paths starting at the last close"),
        "mirror_paths": msg("antithetic pairs"),
        "paths": msg("{value:,.0f} paths", value=value),
        "context": msg("context {value:,.0f}", value=value),
        "horizon": msg("{value:,.0f} bars ahead", value=value),
    }
    return texts[name]
