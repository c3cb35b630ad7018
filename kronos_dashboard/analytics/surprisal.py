"""Which recent candles the model did not expect, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kronos_dashboard.analytics.answers import Answer, Sentence, Value

if TYPE_CHECKING:
    from engine.surprisal import Judge, Surprise

__all__ = ["ODD", "RecentSurprise", "recent_surprise", "recent_surprises"]

ODD = 3.0
"""Standard deviations, under the model, from which a candle counts as an anomaly."""


@dataclass(frozen=True, eq=False, kw_only=True)
class RecentSurprise(Answer):
    """How the last candles looked to the model. Nothing here is sampled: there is no sampling error."""

    figures: Surprise
    """Likelihoods per candle, in nats, and all that follows from them."""
    odd: np.ndarray
    """bool [k]: ``ODD`` or more standard deviations more surprising than the model's own candles."""

    @property
    def most(self) -> int:
        """Which of the k candles, from 0, stands out most."""
        return int(self.figures.deviation.argmax())

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """How many stand out, and which most; how well the model knows this market; what it could not see."""
        figures, most = self.figures, self.most
        count, clipped = int(self.odd.sum()), int(figures.clipped.sum())
        worst: dict[str, Value] = {
            "time": f"{figures.index[most]:%Y-%m-%d %H:%M}",
            "deviation": float(figures.deviation[most]),
            "percentile": float(figures.percentile[most]),
        }
        mean: dict[str, Value] = {"nll": float(figures.nll.mean()), "entropy": float(figures.entropy.mean())}
        cut = (Sentence(key="surprise.clipped", values={"candles": clipped}),) * (clipped > 0)
        return (
            Sentence(
                key="surprise.some" if count else "surprise.none", values={"odd": count, "candles": len(self.odd)}
            ),
            Sentence(key="surprise.most", values=worst),
            Sentence(key="surprise.mean", values=mean),
            *cut,
        )


def recent_surprise(judge: Judge, frame: pd.DataFrame, *, last: int = 50) -> RecentSurprise:
    """Judge the last candles of one series; see ``recent_surprises``."""
    return recent_surprises(judge, [frame], last=last)[0]


def recent_surprises(judge: Judge, frames: Sequence[pd.DataFrame], *, last: int = 50) -> list[RecentSurprise]:
    """Judge the last candles of many series.

    Args:
        judge: a ``KronosPredictor``.
        frames: ``forecasting.model_frame`` of each series' candles; the model sees the last ``max_context`` of them.
        last: k, how many candles are judged, by what is known before the first of them.

    Raises:
        EngineError: there are too few candles before those that are judged.
    """
    from engine.surprisal import surprise  # here, not above: torch takes seconds

    found = surprise(judge, frames, last=last)
    return [RecentSurprise(figures=figures, odd=figures.deviation >= ODD) for figures in found]
