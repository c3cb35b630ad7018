"""``KronosPredictor``: candles in, every sampled path out.

A predictor is made once and not changed by any call, so threads may share it. ``forecast_many`` is the main entry;
``predict`` and ``predict_batch`` (``engine.upstream_api``) take and return what the reference implementation's do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from engine.callbacks import CancelToken, DownloadCallback, PreviewCallback, ProgressCallback, RunHooks
from engine.checkpoints.checkpoint import read_checkpoint
from engine.checkpoints.resolve import resolve_predictor
from engine.config import SamplingConfig
from engine.errors import CancelledError, ConfigError, InvalidCandlesError
from engine.features import ZSCORE_CLIP
from engine.forecast import Forecast
from engine.generation.generate import decode_steps, generate
from engine.generation.request import ContextOverflow, GenerationRequest
from engine.messages import msg
from engine.network.linear import pack_weights
from engine.network.model import Kronos
from engine.network.tokenizer import KronosTokenizer
from engine.prepared_series import PreparedSeries
from engine.upstream_api import UpstreamApi

__all__ = ["DEFAULT_CONTEXT_OVERFLOW", "KronosPredictor", "choose_device"]

DEFAULT_CONTEXT_OVERFLOW: ContextOverflow = "evict"
"""How ``forecast_many`` exceeds ``max_context``; docs/design/0002-passing-the-context-limit.md compares both ways."""


def choose_device() -> torch.device:
    """CUDA if available, else Apple's MPS, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


class KronosPredictor(UpstreamApi):
    """A model and its tokenizer, ready to forecast. Both are moved to the device and put into evaluation mode.

    Args:
        model: the model.
        tokenizer: the tokenizer that the model was trained with.
        device: "cpu", "cuda", "mps", ...; None = the best available (``choose_device``).
        max_context: most tokens that the model sees at once.
        clip: z-scores are clipped to +-clip; the published weights were trained with 5.
        dtype: of the model's matrix products; bfloat16 is faster where the hardware supports it, and less precise.
        name: of the model, for display and records.
        weights_sha256: SHA-256 of the model's weights file, for records.

    Raises:
        ConfigError: model and tokenizer do not match, or a setting is out of its range.
    """

    def __init__(
        self,
        model: Kronos,
        tokenizer: KronosTokenizer,
        device: str | torch.device | None = None,
        max_context: int = 512,
        clip: float = ZSCORE_CLIP,
        *,
        dtype: torch.dtype = torch.float32,
        name: str = msg("a model loaded in Python"),
        weights_sha256: str = "",
    ) -> None:
        bits = model.config.s1_bits, model.config.s2_bits
        tokenizer_bits = tokenizer.config.s1_bits, tokenizer.config.s2_bits
        if bits != tokenizer_bits:
            raise ConfigError(
                msg(
                    "the model expects tokens of {model_bits} + {model_fine} bits, but the tokenizer produces "
                    "{tokenizer_bits} + {tokenizer_fine}. Use the tokenizer that the model was trained with.",
                    model_bits=bits[0],
                    model_fine=bits[1],
                    tokenizer_bits=tokenizer_bits[0],
                    tokenizer_fine=tokenizer_bits[1],
                )
            )
        if max_context < 2:
            raise ConfigError(msg("max_context must be at least 2; got {max_context}.", max_context=max_context))
        if dtype not in (torch.float32, torch.bfloat16):
            raise ConfigError(msg("dtype must be torch.float32 or torch.bfloat16; got {dtype}.", dtype=dtype))
        self.device = choose_device() if device is None else torch.device(device)
        self.model = model.to(self.device, dtype).eval().requires_grad_(False)
        self.tokenizer = tokenizer.to(self.device).eval().requires_grad_(False)
        self.max_context, self.clip, self.dtype = max_context, clip, dtype
        self.name, self.weights_sha256 = name, weights_sha256
        pack_weights(self.model)
        pack_weights(self.tokenizer)

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        tokenizer: str | Path | None = None,
        device: str | torch.device | None = None,
        dtype: torch.dtype = torch.float32,
        max_context: int | None = None,
        progress: DownloadCallback | None = None,
    ) -> Self:
        """Load "bundled", a published model's name, a folder, or a hub id.

        Args:
            source: the model.
            tokenizer: the tokenizer, if not the one that belongs to ``source``.
            device: see the class.
            dtype: see the class.
            max_context: see the class; None = the published model's own, or 512.
            progress: called during a download with a file's name, the bytes so far and the total.

        Raises:
            CheckpointError: a checkpoint cannot be found, downloaded or read.
            ConfigError: model and tokenizer do not match.
        """
        sources = resolve_predictor(source, tokenizer)
        model_checkpoint = read_checkpoint(sources.model, "model", progress=progress)
        tokenizer_checkpoint = read_checkpoint(sources.tokenizer, "tokenizer", progress=progress)
        return cls(
            Kronos.from_checkpoint(model_checkpoint),
            KronosTokenizer.from_checkpoint(tokenizer_checkpoint),
            device,
            sources.max_context if max_context is None else max_context,
            dtype=dtype,
            name=sources.name,
            weights_sha256=model_checkpoint.weights_sha256,
        )

    def forecast_many(
        self,
        frames: Sequence[pd.DataFrame],
        futures: Sequence[pd.DatetimeIndex],
        sampling: SamplingConfig | None = None,
        *,
        seeds: Sequence[int] | None = None,
        context_overflow: ContextOverflow = DEFAULT_CONTEXT_OVERFLOW,
        progress: ProgressCallback | None = None,
        cancel: CancelToken | None = None,
        on_preview: PreviewCallback | None = None,
    ) -> list[Forecast]:
        """Sample the futures of many series. A series gives the same paths alone or in a batch.

        Args:
            frames: one frame per series, indexed by bar time (strictly increasing), with the columns open high low
                close [volume [amount]]. Time features are read off the index as it is, in its own time zone if it has
                one. Lengths may differ. Statistics come from the last ``max_context`` rows, all that the model sees.
            futures: one index of H bar times per frame, after the frame's last.
            sampling: how paths are sampled; None = the defaults.
            seeds: one seed per series instead of ``sampling.seed`` for all. With the same seed, path i of every series
                uses the same uniform numbers.
            context_overflow: what happens when T + H exceeds ``max_context`` (``ContextOverflow``).
            progress: called after each decode step with the steps done and the total.
            cancel: checked after each decode step.
            on_preview: called every few decode steps with the candles so far; changes no number.

        Returns:
            One forecast per frame, in order, with all paths and the resolved sampling.

        Raises:
            InvalidCandlesError: a frame or a future cannot be used.
            ConfigError: ``seeds`` do not match the frames, or ``context_overflow`` is unknown.
            CancelledError: ``cancel`` was set.
        """
        sampling = self.resolve_sampling(sampling)
        if context_overflow not in ("recompute", "evict"):
            raise ConfigError(
                msg(
                    'context_overflow must be "recompute" or "evict"; got {context_overflow}.',
                    context_overflow=repr(context_overflow),
                )
            )
        series = self._prepare(frames, futures, reference_compat=False)
        series_seeds = _series_seeds(seeds, sampling, len(series))
        hooks = RunHooks(progress=progress, cancel=cancel, on_preview=on_preview)
        samples = self._sample_paths(series, sampling, series_seeds, context_overflow, hooks)
        return [
            item.to_forecast(paths, self.clip, replace(sampling, seed=seed))
            for item, paths, seed in zip(series, samples, series_seeds, strict=True)
        ]

    def resolve_sampling(self, sampling: SamplingConfig | None = None) -> SamplingConfig:
        """``sampling`` (None = the defaults) with the model's own values for the settings that are None."""
        sampling = SamplingConfig() if sampling is None else sampling
        config = self.model.config
        defaults = {name: getattr(config, name) for name in config.extension_keys if getattr(sampling, name) is None}
        return replace(sampling, **defaults)

    def _prepare(
        self, frames: Sequence[pd.DataFrame], futures: Sequence[pd.DatetimeIndex], *, reference_compat: bool
    ) -> list[PreparedSeries]:
        if len(frames) != len(futures):
            raise InvalidCandlesError(
                msg(
                    "every frame needs its future bar times; got {frames} frames and {futures} futures.",
                    frames=len(frames),
                    futures=len(futures),
                )
            )
        return [
            PreparedSeries.from_frame(
                frame, future, max_context=self.max_context, reference_compat=reference_compat, name=f"frames[{i}]"
            )
            for i, (frame, future) in enumerate(zip(frames, futures, strict=True))
        ]

    def _sample_paths(
        self,
        series: list[PreparedSeries],
        sampling: SamplingConfig,
        seeds: list[int],
        context_overflow: ContextOverflow,
        hooks: RunHooks,
    ) -> list[np.ndarray]:
        """The decoded paths of each series in its own units, float64 [M, H, 6]."""
        if self.model.training or self.tokenizer.training:
            raise ConfigError(msg("model and tokenizer must be in evaluation mode to forecast; call .eval() first."))
        groups: dict[tuple[int, int], list[int]] = {}  # (T, H) -> positions of the series of this shape
        for position, item in enumerate(series):
            groups.setdefault(item.shape, []).append(position)
        decoded = replace(sampling, num_paths=sampling.num_decoded_paths, mirror_paths=False)
        total = sum(
            decode_steps(self.model, len(members), decoded.num_paths, horizon)
            for (_, horizon), members in groups.items()
        )
        counter = _StepCounter(total, hooks)
        samples: list[np.ndarray] = [np.empty(0)] * len(series)
        for members in groups.values():
            on_preview = None
            if hooks.on_preview is not None:
                on_preview = _preview_adapter([(i, series[i]) for i in members], hooks.on_preview, sampling)
            zscores = generate(
                self.model,
                self.tokenizer,
                self._request([series[i] for i in members], [seeds[i] for i in members], sampling),
                decoded,
                max_context=self.max_context,
                context_overflow=context_overflow,
                on_step=counter.on_step,
                on_preview=on_preview,
            ).numpy()  # [B, N, H, 6]
            for i, paths in zip(members, zscores, strict=True):
                samples[i] = series[i].statistics.denormalize(paths)
        return samples

    def _request(self, series: list[PreparedSeries], seeds: list[int], sampling: SamplingConfig) -> GenerationRequest:
        """Series of equal shape on the device."""
        candles = np.stack([item.statistics.normalize(item.values, self.clip) for item in series])  # [B, T, 6]
        times = np.stack([item.times for item in series])  # [B, T + H, 5]
        last_close = None
        if sampling.anchor_to_last_close:
            last_close = torch.tensor([item.last_close for item in series], device=self.device)  # [B]
        return GenerationRequest(
            torch.from_numpy(candles).to(self.device),
            torch.from_numpy(times).to(self.device),
            seeds,
            last_close,
        )


def _preview_adapter(
    members: list[tuple[int, PreparedSeries]], on_preview: PreviewCallback, sampling: SamplingConfig
) -> Callable[[int, Tensor], None]:
    """Convert previews from z-scores of a group's i-th series to candles of its position in the call."""

    def report(number: int, zscores: Tensor) -> None:
        position, series = members[number]
        samples = series.statistics.denormalize(zscores.numpy())  # [M, t, 6]
        on_preview(position, series.to_candles(samples, sampling)[0])

    return report


class _StepCounter:
    """Counts the decode steps of a run, reports them, and stops the run once it is cancelled."""

    def __init__(self, total: int, hooks: RunHooks) -> None:
        self.total, self.hooks = total, hooks
        self.done = 0

    def on_step(self) -> None:
        self.done += 1
        if self.hooks.progress is not None:
            self.hooks.progress(self.done, self.total)
        if self.hooks.cancel is not None and self.hooks.cancel.is_set():
            raise CancelledError(
                msg(
                    "stopped on request after {done} of {total} decode steps; no result was kept.",
                    done=self.done,
                    total=self.total,
                )
            )


def _series_seeds(seeds: Sequence[int] | None, sampling: SamplingConfig, count: int) -> list[int]:
    if seeds is None:
        return [sampling.seed] * count
    if len(seeds) != count:
        raise ConfigError(
            msg(
                "seeds must have one number for each of the {count} frames; got {seeds}.",
                count=count,
                seeds=len(seeds),
            )
        )
    return [replace(sampling, seed=seed).seed for seed in seeds]
