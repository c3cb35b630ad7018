"""``KronosPredictor``: candles in, every sampled path out.

``forecast_many`` is the one way in; ``predict`` and ``predict_batch`` are thin layers that accept and return what the
reference implementation's do. A predictor is made once and never changed by a call, so any number of threads may share
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import torch
from tqdm.auto import tqdm

from engine.callbacks import CancelToken, Partial, Progress
from engine.checkpoints import checkpoint
from engine.config import SamplingConfig
from engine.errors import Cancelled, CandlesError, ConfigError
from engine.features import CLIP
from engine.forecast import COLUMNS, Forecast
from engine.generation.generate import Glimpse, Question, WindowPolicy, decode_steps, generate
from engine.network.linear import pack
from engine.network.model import Kronos
from engine.network.tokenizer import KronosTokenizer
from engine.prepared_series import Series

__all__ = ["DEFAULT_POLICY", "CancelToken", "KronosPredictor", "Progress", "choose_device"]

DEFAULT_POLICY: WindowPolicy = "roll"
"""How ``forecast_many`` passes ``max_context``; see docs/design/0002-passing-the-context-limit.md for the figures."""


def choose_device() -> torch.device:
    """CUDA where there is one, then Apple's MPS, then the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


class KronosPredictor:
    """A model and its tokenizer, ready to forecast. Both are put in evaluation mode and on the device.

    Args:
        model: the model.
        tokenizer: the tokenizer that the model was trained with.
        device: "cpu", "cuda", "mps", ...; None = the best there is.
        max_context: most tokens the model sees at once.
        clip: normalised values are cut to +-clip; the published weights want 5.
        dtype: type of the model's matrix products; bfloat16 is faster where the hardware has it, and less exact.
        label: what to call the model on screen.
        digest: SHA-256 of the model's weights file, for records.

    Raises:
        ConfigError: model and tokenizer do not belong together, or a setting is out of its range.
    """

    def __init__(
        self,
        model: Kronos,
        tokenizer: KronosTokenizer,
        device: str | torch.device | None = None,
        max_context: int = 512,
        clip: float = CLIP,
        *,
        dtype: torch.dtype = torch.float32,
        label: str = "a model given in Python",
        digest: str = "",
    ) -> None:
        bits, wanted = (
            (model.config.s1_bits, model.config.s2_bits),
            (tokenizer.config.s1_bits, tokenizer.config.s2_bits),
        )
        if bits != wanted:
            raise ConfigError(
                f"the model reads tokens of {bits[0]} + {bits[1]} bits and the tokenizer makes tokens of {wanted[0]} + "
                f"{wanted[1]}. Take the tokenizer that the model was trained with."
            )
        if max_context < 2:
            raise ConfigError(f"max_context must be at least 2; got {max_context}.")
        if dtype not in (torch.float32, torch.bfloat16):
            raise ConfigError(f"dtype must be torch.float32 or torch.bfloat16; got {dtype}.")
        self.device = choose_device() if device is None else torch.device(device)
        self.model = model.to(self.device, dtype).eval().requires_grad_(False)
        self.tokenizer = tokenizer.to(self.device).eval().requires_grad_(False)
        self.max_context, self.clip, self.dtype, self.label, self.digest = max_context, clip, dtype, label, digest
        pack(self.model)
        pack(self.tokenizer)

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        tokenizer: str | Path | None = None,
        device: str | torch.device | None = None,
        dtype: torch.dtype = torch.float32,
        max_context: int | None = None,
        progress: checkpoint.Progress | None = None,
    ) -> Self:
        """Load "bundled", a published model's name, a folder, or a hub id.

        Args:
            source: which model.
            tokenizer: which tokenizer, where it is not the one that belongs to ``source``.
            device: as in the class.
            dtype: as in the class.
            max_context: as in the class; None = the published model's own, or 512.
            progress: called with a file's name, the bytes so far and the bytes in all while it is downloaded.

        Raises:
            CheckpointError: it cannot be had; the message says what to do.
            ConfigError: model and tokenizer do not belong together.
        """
        place = checkpoint.predictor_source(source, tokenizer)
        halves = checkpoint.read(place.model, "model", progress=progress)
        coder = checkpoint.read(place.tokenizer, "tokenizer", progress=progress)
        return cls(
            Kronos.from_checkpoint(halves),
            KronosTokenizer.from_checkpoint(coder),
            device,
            place.max_context if max_context is None else max_context,
            dtype=dtype,
            label=place.label,
            digest=halves.digest,
        )

    def forecast_many(
        self,
        frames: Sequence[pd.DataFrame],
        futures: Sequence[pd.DatetimeIndex],
        sampling: SamplingConfig | None = None,
        *,
        seeds: Sequence[int] | None = None,
        policy: WindowPolicy = DEFAULT_POLICY,
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
        partial: Partial | None = None,
    ) -> list[Forecast]:
        """Sample the futures of many series. Each comes out as it would alone.

        Args:
            frames: one frame per series, indexed by bar time (strictly increasing), columns open high low close [volume
                [amount]]. Time features are read off the index as it stands, in its own zone if it has one. Lengths may
                differ. Statistics come from the last ``max_context`` rows, which are all that the model sees.
            futures: one index of H bar times per frame, after the frame's last.
            sampling: how paths are drawn; None = the defaults.
            seeds: one seed per series instead of ``sampling.seed`` for all. With the same seed, path i of every series
                is drawn with the same uniform numbers.
            policy: what happens when context and horizon pass ``max_context`` (``engine.generation.generate``).
            progress: called with the decode steps done and all decode steps.
            cancel: checked after every decode step.
            partial: shown the candles so far every few decode steps (``engine.callbacks.Partial``); changes nothing.

        Returns:
            One forecast per frame, in order, with all paths.

        Raises:
            CandlesError: a frame or a future cannot be used.
            ConfigError: ``seeds`` do not fit the frames, or the policy is unknown.
            Cancelled: ``cancel`` was set.
        """
        sampling = self.settled(sampling)
        if policy not in ("exact", "roll"):
            raise ConfigError(f'policy must be "exact" or "roll"; got {policy!r}.')
        series = self._checked(frames, futures, as_published=False)
        paths = self._paths(series, sampling, seeds, policy=policy, progress=progress, cancel=cancel, partial=partial)
        return [
            one.forecast(
                drawn, self.clip, from_last_close=bool(sampling.from_last_close), mirrored=bool(sampling.mirrored)
            )
            for one, drawn in zip(series, paths, strict=True)
        ]

    def settled(self, sampling: SamplingConfig | None = None) -> SamplingConfig:
        """``sampling`` (None = the defaults) with what it leaves to the model as the model's ``config.json`` has it."""
        sampling = SamplingConfig() if sampling is None else sampling
        own = self.model.config
        left = {name: getattr(own, name) for name in own.added if getattr(sampling, name) is None}
        return replace(sampling, **left)

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
        """The mean of ``sample_count`` paths, as the reference's ``predict`` gives it, indexed by ``y_timestamp``.

        For code written for the reference; ``forecast_many`` keeps the paths. The mean of candles is no candle: its
        high may lie below its close. Draws follow ``torch.manual_seed``. No path is mirrored.

        Raises:
            CandlesError: the candles or the times cannot be used.
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
        """``predict`` of several series in one run; their lengths may differ."""
        if not len(df_list) == len(x_timestamp_list) == len(y_timestamp_list):
            raise CandlesError(
                "predict_batch wants as many x_timestamp and y_timestamp as frames; got "
                f"{len(df_list)} frames, {len(x_timestamp_list)} and {len(y_timestamp_list)}."
            )
        sampling = self.settled(
            SamplingConfig(num_paths=sample_count, temperature=T, top_p=top_p, top_k=top_k or None, seed=_global_seed())
        )
        frames = [_stamped(df, stamps) for df, stamps in zip(df_list, x_timestamp_list, strict=True)]
        futures = [_future(stamps, pred_len) for stamps in y_timestamp_list]
        series = self._checked(frames, futures, as_published=True)
        seeds = [sampling.seed + i for i in range(len(series))]
        with tqdm(disable=not verbose, desc="decode steps") as bar:
            paths = self._paths(series, sampling, seeds, policy="exact", progress=lambda *_: bar.update())
        return [
            pd.DataFrame(drawn.mean(axis=0), columns=list(COLUMNS), index=stamps)
            for drawn, stamps in zip(paths, y_timestamp_list, strict=True)
        ]

    def _checked(
        self, frames: Sequence[pd.DataFrame], futures: Sequence[pd.DatetimeIndex], *, as_published: bool
    ) -> list[Series]:
        if len(frames) != len(futures):
            raise CandlesError(
                f"every frame needs its future bar times; got {len(frames)} frames, {len(futures)} futures."
            )
        return [
            Series.checked(frame, future, max_context=self.max_context, as_published=as_published, name=f"frames[{i}]")
            for i, (frame, future) in enumerate(zip(frames, futures, strict=True))
        ]

    def _paths(
        self,
        series: list[Series],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None,
        *,
        policy: WindowPolicy,
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
        partial: Partial | None = None,
    ) -> list[np.ndarray]:
        """Paths float64 [N, H, 6] of each series in its own units, as the model gives them."""
        if self.model.training or self.tokenizer.training:
            raise ConfigError("model and tokenizer must be in evaluation mode to forecast; call .eval() on them first.")
        chosen = _seeds(seeds, sampling, len(series))
        groups: dict[tuple[int, int], list[int]] = {}
        for i, one in enumerate(series):
            groups.setdefault(one.shape, []).append(i)
        steps = sum(
            decode_steps(self.model, len(members), sampling.num_paths, shape[1]) for shape, members in groups.items()
        )
        counter = _StepCounter(steps, progress, cancel)
        paths: list[np.ndarray] = [np.empty(0)] * len(series)
        for members in groups.values():
            drawn = generate(
                self.model,
                self.tokenizer,
                self._question([series[i] for i in members], [chosen[i] for i in members], sampling),
                sampling,
                max_context=self.max_context,
                policy=policy,
                step_done=counter.step_done,
                glimpse=None if partial is None else _shown([(i, series[i]) for i in members], partial, sampling),
            ).numpy()
            for i, normalised in zip(members, drawn, strict=True):
                paths[i] = series[i].statistics.denormalise(normalised)
        return paths

    def _question(self, series: list[Series], seeds: list[int], sampling: SamplingConfig) -> Question:
        candles = np.stack([one.statistics.normalise(one.values, self.clip) for one in series])
        times = np.stack([one.times for one in series])
        level = None
        if sampling.from_last_close:
            level = torch.tensor([one.last_close for one in series], device=self.device)
        return Question(
            torch.from_numpy(candles).to(self.device),
            torch.from_numpy(times).to(self.device),
            seeds,
            level,
        )


def _shown(members: list[tuple[int, Series]], partial: Partial, sampling: SamplingConfig) -> Glimpse:
    """Show the candles so far of the series of one shape, each by its place in the call, in its own units."""

    def show(number: int, normalised: torch.Tensor) -> None:
        place, series = members[number]
        drawn = series.statistics.denormalise(normalised.numpy())
        partial(place, series.candles(drawn, mirrored=bool(sampling.mirrored))[0])

    return show


class _StepCounter:
    """Counts the decode steps of one run, tells who asked, and stops when told to."""

    def __init__(self, total: int, progress: Progress | None, cancel: CancelToken | None) -> None:
        self.total, self.progress, self.cancel = total, progress, cancel
        self.done = 0

    def step_done(self) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, self.total)
        if self.cancel is not None and self.cancel.is_set():
            raise Cancelled(f"stopped as asked after {self.done} of {self.total} decode steps; nothing was kept.")


def _stamped(df: pd.DataFrame, stamps: pd.Series | pd.DatetimeIndex) -> pd.DataFrame:
    """The reference's arguments as one frame."""
    if not isinstance(df, pd.DataFrame):
        raise CandlesError(f"df must be a DataFrame; got {type(df).__name__}.")
    if len(df) != len(stamps):
        raise CandlesError(f"df and x_timestamp must be of one length; got {len(df)} rows and {len(stamps)} times.")
    return df.set_axis(pd.DatetimeIndex(stamps), axis=0)


def _future(stamps: pd.Series | pd.DatetimeIndex, pred_len: int) -> pd.DatetimeIndex:
    if len(stamps) != pred_len:
        raise CandlesError(f"y_timestamp must hold pred_len = {pred_len} times; got {len(stamps)}.")
    return pd.DatetimeIndex(stamps)


def _global_seed() -> int:
    """A seed from torch's global generator: what draws the reference's paths."""
    return int(torch.randint(2**62, ()))


def _seeds(seeds: Sequence[int] | None, sampling: SamplingConfig, count: int) -> list[int]:
    if seeds is None:
        return [sampling.seed] * count
    if len(seeds) != count:
        raise ConfigError(f"seeds must hold one number for each of the {count} frames; got {len(seeds)}.")
    return [replace(sampling, seed=seed).seed for seed in seeds]
