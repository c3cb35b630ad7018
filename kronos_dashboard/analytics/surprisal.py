"""Surprisal of the last candles under the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kronos_dashboard.analytics.result import AnalyticsResult, Sentence, Value

if TYPE_CHECKING:
    from engine.surprisal import LikelihoodModel, Surprisal

__all__ = ["OUTLIER_Z", "RecentSurprisal", "recent_surprisal", "recent_surprisal_many"]

OUTLIER_Z = 3.0
"""Standard deviations of the surprisal, under the model, from which a candle counts as an outlier."""


@dataclass(frozen=True, eq=False, kw_only=True)
class RecentSurprisal(AnalyticsResult):
    """Surprisal of the last k candles. Nothing in it is sampled: there is no sampling error."""

    surprisal: Surprisal
    """Negative log-likelihoods per candle, in nats, and the statistics that follow from them."""
    is_outlier: np.ndarray
    """bool [k]: the z-score is at least ``OUTLIER_Z``."""

    @property
    def max_index(self) -> int:
        """Index, from 0, of the candle with the highest z-score."""
        return int(self.surprisal.zscore.argmax())

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The number of outliers and the largest one; the mean surprisal; the clipped candles, if any."""
        surprisal, largest = self.surprisal, self.max_index
        count, num_clipped = int(self.is_outlier.sum()), int(surprisal.clipped.sum())
        number: dict[str, Value] = {"odd": count, "candles": len(self.is_outlier)}
        maximum: dict[str, Value] = {
            "time": f"{surprisal.index[largest]:%Y-%m-%d %H:%M}",
            "deviation": float(surprisal.zscore[largest]),
            "percentile": float(surprisal.percentile[largest]),
        }
        mean: dict[str, Value] = {"nll": float(surprisal.nll.mean()), "entropy": float(surprisal.entropy.mean())}
        clipped = (Sentence(key="surprise.clipped", values={"candles": num_clipped}),) * (num_clipped > 0)
        return (
            Sentence(key="surprise.some" if count else "surprise.none", values=number),
            Sentence(key="surprise.most", values=maximum),
            Sentence(key="surprise.mean", values=mean),
            *clipped,
        )


def recent_surprisal(model: LikelihoodModel, frame: pd.DataFrame, *, last: int = 50) -> RecentSurprisal:
    """Score the last candles of one series; see ``recent_surprisal_many``."""
    return recent_surprisal_many(model, [frame], last=last)[0]


def recent_surprisal_many(
    model: LikelihoodModel, frames: Sequence[pd.DataFrame], *, last: int = 50
) -> list[RecentSurprisal]:
    """Score the last candles of many series.

    Args:
        model: a ``KronosPredictor``.
        frames: ``forecasting.run.model_frame`` of each series' candles; the model sees the last ``max_context``.
        last: k, the number of candles that are scored, given those before the first of them.

    Raises:
        EngineError: there are too few candles before the scored ones.
    """
    from engine.surprisal import score_surprisal  # here, not above: torch takes seconds

    scored = score_surprisal(model, frames, num_candles=last)
    return [RecentSurprisal(surprisal=one, is_outlier=one.zscore >= OUTLIER_Z) for one in scored]
