"""``predict`` and ``predict_batch`` with the arguments and results of the reference implementation.

For code that was written for it; ``KronosPredictor.forecast_many`` keeps the paths, and is what new code should use.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from tqdm.auto import tqdm

from engine.callbacks import RunHooks
from engine.config import SamplingConfig
from engine.errors import InvalidCandlesError
from engine.forecast import COLUMNS
from engine.generation.request import ContextOverflow
from engine.messages import msg
from engine.prepared_series import PreparedSeries

__all__ = ["UpstreamApi"]


class UpstreamApi(ABC):
    """Mixin for a predictor: the reference's two methods on top of three of the predictor's own."""

    @abstractmethod
    def resolve_sampling(self, sampling: SamplingConfig | None = None) -> SamplingConfig:
        """``sampling`` with the model's own values for the settings that are None."""

    @abstractmethod
    def _prepare(
        self, frames: Sequence[pd.DataFrame], futures: Sequence[pd.DatetimeIndex], *, reference_compat: bool
    ) -> list[PreparedSeries]:
        """Validated series."""

    @abstractmethod
    def _sample_paths(
        self,
        series: list[PreparedSeries],
        sampling: SamplingConfig,
        seeds: list[int],
        context_overflow: ContextOverflow,
        hooks: RunHooks,
    ) -> list[np.ndarray]:
        """Paths of each series in its own units, float64 [N, H, 6]."""

    def predict(
        self,
        df: pd.DataFrame,
        x_timestamp: pd.Series | pd.DatetimeIndex,
        y_timestamp: pd.Series | pd.DatetimeIndex,
        pred_len: int,
        T: float = 1.0,
        top_k: int = 0,
        top_p: float = 0.9,
        sample_count: int = 1,
        verbose: bool = True,
    ) -> pd.DataFrame:
        """The mean of ``sample_count`` paths, indexed by ``y_timestamp``.

        The mean of candles is not a candle: its high may lie below its close. The paths follow ``torch.manual_seed``.
        None is mirrored, whatever the model's ``config.json`` says.

        Args:
            df: candles.
            x_timestamp: their bar times.
            y_timestamp: bar times of the forecast.
            pred_len: the horizon, the length of ``y_timestamp``.
            T: temperature.
            top_k: 0 = off.
            top_p: 1 = off.
            sample_count: number of paths.
            verbose: show a progress bar.

        Raises:
            InvalidCandlesError: the candles or the times cannot be used.
            ConfigError: a setting is out of its range.
        """
        return self.predict_batch([df], [x_timestamp], [y_timestamp], pred_len, T, top_k, top_p, sample_count, verbose)[
            0
        ]

    def predict_batch(
        self,
        df_list: Sequence[pd.DataFrame],
        x_timestamp_list: Sequence[pd.Series | pd.DatetimeIndex],
        y_timestamp_list: Sequence[pd.Series | pd.DatetimeIndex],
        pred_len: int,
        T: float = 1.0,
        top_k: int = 0,
        top_p: float = 0.9,
        sample_count: int = 1,
        verbose: bool = True,
    ) -> list[pd.DataFrame]:
        """``predict`` for several series in one run; their lengths may differ."""
        if not len(df_list) == len(x_timestamp_list) == len(y_timestamp_list):
            raise InvalidCandlesError(
                msg(
                    "predict_batch needs one x_timestamp and one y_timestamp per frame; got {df_list} frames, "
                    "{x_timestamp_list} and {y_timestamp_list}.",
                    df_list=len(df_list),
                    x_timestamp_list=len(x_timestamp_list),
                    y_timestamp_list=len(y_timestamp_list),
                )
            )
        sampling = self.resolve_sampling(
            SamplingConfig(
                num_paths=sample_count,
                temperature=T,
                top_p=top_p,
                top_k=top_k or None,
                seed=_global_seed(),
                mirror_paths=False,
            )
        )
        frames = [_with_index(df, times) for df, times in zip(df_list, x_timestamp_list, strict=True)]
        futures = [_future_index(times, pred_len) for times in y_timestamp_list]
        series = self._prepare(frames, futures, reference_compat=True)
        seeds = [sampling.seed + i for i in range(len(series))]
        with tqdm(disable=not verbose, desc="decode steps") as bar:
            hooks = RunHooks(progress=lambda *_: bar.update())
            samples = self._sample_paths(series, sampling, seeds, "recompute", hooks)
        return [
            pd.DataFrame(paths.mean(axis=0), columns=list(COLUMNS), index=times)
            for paths, times in zip(samples, y_timestamp_list, strict=True)
        ]


def _with_index(df: pd.DataFrame, times: pd.Series | pd.DatetimeIndex) -> pd.DataFrame:
    """Candles and their bar times as one frame."""
    if not isinstance(df, pd.DataFrame):
        raise InvalidCandlesError(msg("df must be a DataFrame; got {type}.", type=type(df).__name__))
    if len(df) != len(times):
        raise InvalidCandlesError(
            msg(
                "df and x_timestamp must have the same length; got {df} rows and {times} times.",
                df=len(df),
                times=len(times),
            )
        )
    return df.set_axis(pd.DatetimeIndex(times), axis=0)


def _future_index(times: pd.Series | pd.DatetimeIndex, pred_len: int) -> pd.DatetimeIndex:
    if len(times) != pred_len:
        raise InvalidCandlesError(
            msg(
                "y_timestamp must have pred_len = {pred_len} times; got {count}.",
                pred_len=pred_len,
                count=len(times),
            )
        )
    return pd.DatetimeIndex(times)


def _global_seed() -> int:
    """A seed from torch's global generator, which the reference samples with."""
    return int(torch.randint(2**62, ()))
