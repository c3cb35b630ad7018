"""Candles and models for the tests: small, made from a seed, real in every other way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from engine import Kronos, KronosTokenizer, ModelConfig, TokenizerConfig
from kronos_dashboard.markets.candles import CandleFrame, infer_interval

MODEL = ModelConfig(s1_bits=3, s2_bits=3, n_layers=1, d_model=16, n_heads=2, ff_dim=32)
TOKENIZER = TokenizerConfig(
    d_model=16, n_heads=2, ff_dim=32, n_enc_layers=2, n_dec_layers=2, s1_bits=3, s2_bits=3, group_size=3
)


def values(n: int, seed: int = 0, start: float = 100.0) -> pd.DataFrame:
    """n possible candles with six columns; the index counts from 0."""
    generator = np.random.default_rng(seed)
    close = start * np.exp(np.cumsum(generator.normal(0, 0.01, n)))
    opens = np.r_[start, close[:-1]]
    high = np.maximum(opens, close) * (1 + generator.uniform(0, 0.005, n))
    low = np.minimum(opens, close) * (1 - generator.uniform(0, 0.005, n))
    volume = generator.uniform(100, 1000, n).round()
    return pd.DataFrame(
        {"open": opens, "high": high, "low": low, "close": close, "volume": volume, "amount": volume * close}
    )


def candles(n: int = 200, freq: str = "1h", start: str = "2024-01-01", seed: int = 0, **fields: object) -> CandleFrame:
    """n candles at regular bar times, around the clock."""
    frame = values(n, seed)
    frame.index = pd.date_range(start, periods=n, freq=freq, tz="UTC")
    return on(frame, **fields)


def on(frame: pd.DataFrame, **fields: object) -> CandleFrame:
    """A ``CandleFrame`` over a frame that has its bar times."""
    given = {"symbol": "TEST", "interval": infer_interval(pd.DatetimeIndex(frame.index)), "has_amount": True, **fields}
    return CandleFrame(frame=frame, **given)  # type: ignore[arg-type]


def at(times: pd.DatetimeIndex, zone: str = "UTC") -> CandleFrame:
    """Candles at these bar times, which stand on the clock of ``zone``."""
    local = times.tz_localize(zone) if times.tz is None else times
    frame = values(len(times))
    frame.index = local.tz_convert("UTC")
    return on(frame, session_tz=zone)


def csv(n: int = 200, freq: str = "1h", **columns: object) -> str:
    """The text of a CSV file with n candles; ``columns`` replace or add some."""
    frame = values(n).drop(columns="amount").round(6)
    frame["high"] = frame[["open", "high", "close"]].max(axis=1)
    frame["low"] = frame[["open", "low", "close"]].min(axis=1)
    frame.insert(0, "timestamp", pd.date_range("2024-01-01", periods=n, freq=freq).strftime("%Y-%m-%d %H:%M:%S"))
    return frame.assign(**columns).to_csv(index=False)  # type: ignore[arg-type]


def checkpoint(folder: Path, **changes: object) -> Path:
    """A tiny model and its tokenizer from a seed, saved in the published format; ``changes`` are of its config."""
    torch.manual_seed(0)
    Kronos(replace(MODEL, **changes)).save_pretrained(folder / "model")
    KronosTokenizer(TOKENIZER).save_pretrained(folder / "tokenizer")
    return folder
