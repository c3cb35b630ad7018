"""Small real models from a seed, and candles to feed them. The halves of a code are unequal on purpose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from engine import Kronos, KronosPredictor, KronosTokenizer, ModelConfig, TokenizerConfig

S1_BITS, S2_BITS = 4, 3
MAX_CONTEXT = 32

BITS = {"s1_bits": S1_BITS, "s2_bits": S2_BITS}
TOKENIZER: dict[str, Any] = {
    "d_model": 16,
    "n_heads": 2,
    "ff_dim": 24,
    "n_enc_layers": 3,
    "n_dec_layers": 2,
    "group_size": 7,
    **BITS,
}
MODEL: dict[str, Any] = {"d_model": 32, "n_layers": 2, "n_heads": 2, "ff_dim": 48, **BITS}


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def perturb_parameters(module: nn.Module, seed: int) -> None:
    """Move every trained number, so that no zero bias and no norm weight of one hides a mistake."""
    generator = seeded(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.15)


def tokenizer(seed: int = 0, **changes: Any) -> KronosTokenizer:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = KronosTokenizer(TokenizerConfig(**(TOKENIZER | changes)))
    perturb_parameters(made, seed + 1)
    return made.eval()


def model(seed: int = 0, **changes: Any) -> Kronos:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = Kronos(ModelConfig(**(MODEL | changes)))
    perturb_parameters(made, seed + 2)
    return made.eval()


def predictor(seed: int = 0, max_context: int = MAX_CONTEXT, dtype: torch.dtype = torch.float32) -> KronosPredictor:
    return KronosPredictor(model(seed), tokenizer(seed), "cpu", max_context, dtype=dtype)


def ids(series: int, length: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Coarse and fine ids [B, T], and time features [B, T, 5]."""
    generator = seeded(seed)
    coarse = torch.randint(2**S1_BITS, (series, length), generator=generator)
    fine = torch.randint(2**S2_BITS, (series, length), generator=generator)
    sizes = torch.tensor([60, 24, 7, 32, 13])
    times = (torch.rand(series, length, 5, generator=generator) * sizes).long()
    return coarse, fine, times


def zscores(series: int, length: int, seed: int = 0) -> Tensor:
    """Normalised candles [B, T, 6]."""
    return torch.randn(series, length, 6, generator=seeded(seed)).clamp(-5, 5)


def candles(length: int, seed: int = 0, *, level: float = 100.0, freq: str = "5min", tz: str | None = None) -> Any:
    """A random walk as a frame of six columns, float64, indexed by bar time."""
    rng = np.random.default_rng(seed)
    close = level * np.exp(np.cumsum(rng.normal(0, 0.01, length)))
    opened = np.concatenate(([level], close[:-1])) * (1 + rng.normal(0, 0.002, length))
    top, bottom = np.maximum(opened, close), np.minimum(opened, close)
    volume = rng.lognormal(8, 0.5, length)
    return pd.DataFrame(
        {
            "open": opened,
            "high": top * (1 + rng.uniform(0, 0.004, length)),
            "low": bottom * (1 - rng.uniform(0, 0.004, length)),
            "close": close,
            "volume": volume,
            "amount": volume * close,
        },
        index=pd.date_range("2024-03-04 09:35", periods=length, freq=freq, tz=tz),
    )


def future(frame: pd.DataFrame, horizon: int, freq: str = "5min") -> pd.DatetimeIndex:
    """The next ``horizon`` bar times."""
    return pd.date_range(frame.index[-1], periods=horizon + 1, freq=freq)[1:]
