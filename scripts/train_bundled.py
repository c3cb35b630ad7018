"""Train the checkpoint that ships in ``engine/bundled``: first the tokenizer, then the model.

    torchrun --nproc_per_node=2 scripts/train_bundled.py tokenizer --candles CANDLES --out runs/bundled --minutes 30
    torchrun --nproc_per_node=2 scripts/train_bundled.py model     --candles CANDLES --out runs/bundled --minutes 70

``CANDLES`` holds ``train/<market>_<interval>.parquet`` with the columns symbol, timestamp (UTC), open, high, low,
close, volume, amount. A run that is stopped goes on from its last state when the same command is given again. With
OMP_NUM_THREADS=1 two processes use two cores better than one process with two threads.

Legend: B windows per step and process, T tokens per window, cut = length of the part that a window is normalised by.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.distributed as dist
from torch import Tensor, nn

from engine.config import ModelConfig, TokenizerConfig
from engine.features import CLIP, EPSILON, candle_values, time_features
from engine.model import Kronos
from engine.tokenizer import KronosTokenizer

WINDOW = 520
SAVE_EVERY_S = 240.0
TOKENIZER = TokenizerConfig(
    d_model=128, n_heads=2, ff_dim=256, n_enc_layers=4, n_dec_layers=4, s1_bits=10, s2_bits=10, group_size=5
)
MODEL = ModelConfig(s1_bits=10, s2_bits=10, n_layers=4, d_model=160, n_heads=4, ff_dim=320, resid_dropout_p=0.02)
LONGEST_BREAK = {"1d": pd.Timedelta(days=8)}
"""A longer gap starts a new stretch; elsewhere a long weekend is the longest break."""
LONG_WEEKEND = pd.Timedelta(days=4, hours=12)
LOCAL_CLOCK = {"us_equity": "America/New_York"}
LOCAL_CLOCK_SHARE = 0.4
DROP_VOLUME_SHARE = 0.08
INVERT_SHARE = 0.4


@dataclass(frozen=True)
class Stretch:
    """A gapless run of candles of one symbol: rows ``first`` .. ``first + length - 1`` of the pool."""

    first: int
    length: int
    group: str


class CandlePool:
    """All training candles in a few arrays, and which windows may be drawn from them."""

    def __init__(self, folder: Path) -> None:
        values, utc, local = [], [], []
        self.stretches: list[Stretch] = []
        rows = 0
        for path in sorted(folder.glob("*.parquet")):
            market, interval = path.stem.rsplit("_", 1)
            for _, frame in pd.read_parquet(path).groupby("symbol", sort=True):
                candles = frame.sort_values("timestamp").drop_duplicates("timestamp").reset_index(drop=True)
                index = pd.DatetimeIndex(candles["timestamp"])
                candles["volume"] = candles["volume"].fillna(0.0)
                candles["amount"] = candles["volume"] * candles[["open", "high", "low", "close"]].mean(axis=1)
                values.append(candle_values(candles).astype(np.float32))
                utc.append(time_features(index).astype(np.int8))
                zone = LOCAL_CLOCK.get(market) if interval != "1d" else None
                local.append(
                    time_features(index.tz_localize("UTC").tz_convert(zone)).astype(np.int8) if zone else utc[-1]
                )
                breaks = np.flatnonzero(np.diff(index) > LONGEST_BREAK.get(interval, LONG_WEEKEND)) + 1
                for first, end in zip([0, *breaks], [*breaks, len(index)], strict=True):
                    if end - first >= WINDOW:
                        self.stretches.append(Stretch(rows + first, end - first, path.stem))
                rows += len(candles)
        self.values, self.utc, self.local = np.concatenate(values), np.concatenate(utc), np.concatenate(local)
        self._weigh()

    def _weigh(self) -> None:
        """Draw a group by the square root of its candles, a stretch within it by its length."""
        lengths = np.array([stretch.length for stretch in self.stretches], dtype=np.float64)
        groups = pd.Series(lengths).groupby([stretch.group for stretch in self.stretches]).transform("sum").to_numpy()
        chances = lengths / np.sqrt(groups)
        self._chances = chances / chances.sum()
        self._first = np.array([stretch.first for stretch in self.stretches])
        self._room = np.array([stretch.length - WINDOW + 1 for stretch in self.stretches])

    def draw(self, rng: np.random.Generator, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Normalised windows float32 [size, WINDOW, 6], time features int64 [size, WINDOW, 5] and cuts int64 [size]."""
        chosen = rng.choice(len(self._first), size, p=self._chances)
        rows = (self._first[chosen] + rng.integers(0, self._room[chosen]))[:, None] + np.arange(WINDOW)
        cuts = np.where(rng.random(size) < 0.5, rng.integers(360, 441, size), rng.integers(48, 401, size))
        windows = self.values[rows].astype(np.float64)
        windows = np.where((rng.random(size) < INVERT_SHARE)[:, None, None], inverted(windows), windows)
        windows[rng.random(size) < DROP_VOLUME_SHARE, :, 4:] = 0.0
        clock = np.where((rng.random(size) < LOCAL_CLOCK_SHARE)[:, None, None], self.local[rows], self.utc[rows])
        return (
            torch.from_numpy(normalised(windows, cuts)),
            torch.from_numpy(clock.astype(np.int64)),
            torch.from_numpy(cuts),
        )


def inverted(windows: np.ndarray) -> np.ndarray:
    """The same candles quoted the other way round (1 / price, at the first close's level): no market always rises."""
    mirrored = windows.copy()
    mirrored[..., :4] = windows[:, :1, 3:4] ** 2 / np.maximum(windows[..., [0, 2, 1, 3]], 1e-12)
    return mirrored


def normalised(windows: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Z-scores by the statistics of the first ``cuts`` candles of each window, clipped, float32."""
    inside = (np.arange(windows.shape[1]) < cuts[:, None])[..., None]
    mean = (windows * inside).sum(1) / cuts[:, None]
    std = np.sqrt((((windows - mean[:, None]) ** 2) * inside).sum(1) / cuts[:, None])
    return np.clip((windows - mean[:, None]) / (std[:, None] + EPSILON), -CLIP, CLIP).astype(np.float32)


def tokenizer_loss(tokenizer: KronosTokenizer, candles: Tensor) -> tuple[Tensor, dict[str, float]]:
    """Reconstruction relative to each window's one-bar change (what a forecast must resolve), volume counted less."""
    coarse, full, quantization = tokenizer(candles)
    step = candles[..., 3].diff(dim=1).std(dim=1).clamp(0.03, 0.5)
    weight = (0.1 / step).square()[:, None, None] * torch.tensor([1.0, 1.0, 1.0, 1.5, 0.1, 0.1])
    full_error, coarse_error = (full.float() - candles).square(), (coarse.float() - candles).square()
    loss = (full_error * weight).mean() + 0.3 * (coarse_error * weight).mean() + 0.5 * quantization
    floor = full_error.detach()[..., 3].mean(1).sqrt() / step
    return loss, {"mse": float(full_error.detach().mean()), "floor": float(floor.median())}


def model_loss(
    model: Kronos, tokenizer: KronosTokenizer, batch: tuple[Tensor, Tensor, Tensor]
) -> tuple[Tensor, dict[str, float]]:
    """Next-token cross-entropy after each window's cut, the next coarse token given."""
    candles, clock, cuts = batch
    with torch.no_grad():
        coarse, fine = tokenizer.encode(candles)
    counted = torch.arange(1, candles.shape[1]) >= cuts[:, None]
    loss = model.loss(coarse, fine, clock, counted=counted)
    return loss.total, {"coarse": float(loss.coarse.detach()), "fine": float(loss.fine.detach())}


class Averaged:
    """Exponential moving average of a module's parameters."""

    def __init__(self, module: nn.Module, decay: float = 0.999) -> None:
        self.decay = decay
        self.state = {name: value.detach().clone() for name, value in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Move towards the module's present parameters, faster in the first steps."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, value in module.state_dict().items():
            self.state[name].lerp_(value, 1 - decay)


def parameter_groups(module: nn.Module, decay: float) -> list[dict[str, object]]:
    """Weight decay on matrices of projections only."""
    decayed = [p for name, p in module.named_parameters() if p.ndim == 2 and "embedding" not in name]
    others = [p for name, p in module.named_parameters() if p.ndim != 2 or "embedding" in name]
    return [{"params": decayed, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def share_gradients(module: nn.Module) -> None:
    """Average gradients over processes."""
    if not dist.is_initialized():
        return
    gradients = [p.grad for p in module.parameters() if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in gradients])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def agreed(value: float) -> float:
    """Process 0's value, in every process."""
    if not dist.is_initialized():
        return value
    shared = torch.tensor([value], dtype=torch.float64)
    dist.broadcast(shared, 0)
    return float(shared)


def rate(progress: float, peak: float) -> float:
    """Warm-up over the first 2 %, then a cosine to 2 % of the peak."""
    return peak * (progress / 0.02 if progress < 0.02 else 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))


def batches(pool: CandlePool, seed: int, size: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Endless batches."""
    rng = np.random.default_rng(seed)
    while True:
        yield pool.draw(rng, size)


def train(
    module: nn.Module,
    loss_of: Callable[[tuple[Tensor, Tensor, Tensor]], tuple[Tensor, dict[str, float]]],
    pool: CandlePool,
    args: argparse.Namespace,
) -> dict[str, Tensor]:
    """Train for ``args.minutes`` of computing time; returns the averaged parameters."""
    rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    state_file = args.out / f"{args.stage}-state.pt"
    optimizer = torch.optim.AdamW(parameter_groups(module, args.decay), lr=args.rate, betas=(0.9, 0.95), fused=True)
    averaged, step, spent, tokens = Averaged(module), 0, 0.0, 0
    if state_file.exists():
        saved = torch.load(state_file, weights_only=True)
        module.load_state_dict(saved["module"])
        optimizer.load_state_dict(saved["optimizer"])
        averaged.state, step, spent, tokens = saved["averaged"], saved["step"], saved["spent"], saved["tokens"]
    stream = batches(pool, 1_000_003 * (step + 1) + rank, args.batch)
    budget, last_save = args.minutes * 60, spent
    shown: dict[str, float] = {}
    clock = time.monotonic()
    while spent < budget:
        learning_rate = rate(spent / budget, args.rate)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate
        batch = next(stream)
        with torch.autocast("cpu", torch.bfloat16):
            loss, figures = loss_of(batch)
        loss.backward()
        share_gradients(module)
        norm = nn.utils.clip_grad_norm_(module.parameters(), 2.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        averaged.update(module, step)
        tokens += world * batch[0].shape[0] * batch[0].shape[1]
        now = time.monotonic()
        spent, clock = agreed(spent + min(now - clock, 10.0)), now  # a paused process is not charged for the pause
        for name, value in {"loss": float(loss.detach()), "norm": float(norm), **figures}.items():
            shown[name] = 0.98 * shown.get(name, value) + 0.02 * value
        if rank == 0 and step % 50 == 0:
            line = {"step": step, "spent": round(spent), "rate": learning_rate, "tokens": tokens, **shown}
            with (args.out / f"{args.stage}-metrics.jsonl").open("a") as log:
                log.write(json.dumps({k: float(f"{v:.5g}") for k, v in line.items()}) + "\n")
        if spent - last_save > SAVE_EVERY_S or spent >= budget:
            last_save = spent
            if rank == 0:
                state = {"module": module.state_dict(), "optimizer": optimizer.state_dict(), "averaged": averaged.state}
                torch.save({**state, "step": step, "spent": spent, "tokens": tokens}, state_file.with_suffix(".tmp"))
                state_file.with_suffix(".tmp").replace(state_file)
    return averaged.state


def main() -> None:
    """Parse the command line and train one stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=("tokenizer", "model"))
    parser.add_argument("--candles", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/bundled"))
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--batch", type=int, default=16, help="windows per step and process")
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate")
    parser.add_argument("--decay", type=float, default=0.05, help="weight decay")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if "RANK" in os.environ:
        dist.init_process_group("gloo")
    torch.manual_seed(0)
    pool = CandlePool(args.candles / "train")
    trained: KronosTokenizer | Kronos
    if args.stage == "tokenizer":
        trained = tokenizer = KronosTokenizer(TOKENIZER)
        averaged = train(tokenizer, lambda batch: tokenizer_loss(tokenizer, batch[0]), pool, args)
    else:
        frozen = KronosTokenizer.from_pretrained(args.out / "tokenizer")
        trained = model = Kronos(MODEL)
        averaged = train(model, lambda batch: model_loss(model, frozen, batch), pool, args)
    trained.load_state_dict(averaged)
    if not dist.is_initialized() or dist.get_rank() == 0:
        trained.save_pretrained(args.out / args.stage)


if __name__ == "__main__":
    main()
