"""Decoding speed: ours against the reference implementation and against what this machine can do at all.

    python benchmarks/decode.py                  # kronos-small geometry, random weights, N = 1, 10, 30, 100
    python benchmarks/decode.py --paths 1 30     # fewer

Both get the same weights, context and settings, with as many threads, one after the other in one process. Run it on an
idle machine. The reference takes most of an hour at N = 100, so above N = 1 its time is extrapolated: the cost of a
step is measured at both ends of the decode (context 392 and 509), where it grows with the window, and averaged.

The machine's limit is what the same arithmetic and memory traffic would take at the measured rate of a large matrix
product and of reading memory: for each of the three parts of a step (projections, attention to the shared context,
attention to a path's own tokens), which wait for one another, whichever of the two takes longer. Weights and the shared
context are read once per step, each path's own keys and values once, nothing else.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from kronos_finance._vendor import kronos_model as reference

from engine import Kronos, KronosPredictor, KronosTokenizer, ModelConfig, SamplingConfig, TokenizerConfig
from engine.checkpoints.tensor_names import to_published

MODEL = ModelConfig(
    s1_bits=10,
    s2_bits=10,
    n_layers=8,
    d_model=512,
    n_heads=8,
    ff_dim=1024,
    ffn_dropout_p=0.25,
    attn_dropout_p=0.1,
    resid_dropout_p=0.25,
    token_dropout_p=0.1,
)
TOKENIZER = TokenizerConfig(
    d_model=256, n_heads=4, ff_dim=512, n_enc_layers=4, n_dec_layers=4, s1_bits=10, s2_bits=10, group_size=4
)
CONTEXT, HORIZON, MAX_CONTEXT = 392, 120, 512


@dataclass(frozen=True)
class Machine:
    """What this machine does at best."""

    flops: float
    """float32 operations per second in a large matrix product"""
    bytes: float
    """bytes read from memory per second"""


def best_of(action: Callable[[], Any], times: int) -> float:
    """Shortest of ``times`` runs, in seconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        taken.append(time.perf_counter() - start)
    return min(taken)


def measure_machine() -> Machine:
    """Measure a 2048-cubed product and a sum over 512 MB."""
    left, right = torch.randn(2048, 2048), torch.randn(2048, 2048)
    out = torch.empty(2048, 2048)
    memory = torch.zeros(128 * 1024 * 1024)
    product = best_of(lambda: torch.mm(left, right, out=out), 12)
    return Machine(flops=2 * 2048**3 / product, bytes=memory.numel() * 4 / best_of(memory.sum, 6))


def limit(machine: Machine, paths: int) -> float:
    """Seconds that the arithmetic and the memory traffic of one forecast need on ``machine``."""
    width, layers, inner = MODEL.d_model, MODEL.n_layers, MODEL.ff_dim
    vocabularies = 2**MODEL.s1_bits + 2**MODEL.s2_bits
    block = 4 * width * width + 3 * width * inner
    weights = (
        layers * block + 2 * width * width + 4 * width * width + width * vocabularies
    )  # + fusion, dependency, heads
    coder = TOKENIZER.d_model * (4 * TOKENIZER.d_model + 3 * TOKENIZER.ff_dim) * (TOKENIZER.n_dec_layers - 1)
    seconds = 2 * CONTEXT * (weights + 2 * coder) / machine.flops  # prefill of the model; encoder and decoder
    seconds += 2 * paths * HORIZON * coder / machine.flops
    cached = 2 * width * (layers + 1)  # numbers that one token keeps, keys and values
    for step in range(HORIZON):
        for per_path, read in (
            (weights, weights),
            (cached * CONTEXT, cached * CONTEXT),
            (cached * step, paths * cached * step),
        ):
            seconds += max(2 * paths * per_path / machine.flops, 4 * read / machine.bytes)
    return seconds


def candles() -> tuple[pd.DataFrame, pd.DatetimeIndex]:
    """A context of random-walk candles up to CONTEXT + HORIZON long, and its bar times."""
    rng = np.random.default_rng(0)
    length = CONTEXT + HORIZON
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, length)))
    opens = np.roll(close, 1)
    frame = pd.DataFrame(
        {"open": opens, "high": np.maximum(opens, close) * 1.002, "low": np.minimum(opens, close) * 0.998}
    )
    frame["close"], frame["volume"] = close, rng.lognormal(5, 1, length)
    index = pd.date_range("2024-01-01", periods=length + HORIZON, freq="h")
    return frame.set_index(index[:length]), index


def make_both() -> tuple[KronosPredictor, Any, KronosPredictor]:
    """Ours in float32, the reference, and ours in bfloat16, with the same random weights."""
    torch.manual_seed(0)
    model, tokenizer = Kronos(MODEL).eval(), KronosTokenizer(TOKENIZER).eval()
    theirs = reference.Kronos(**MODEL.to_dict()).eval()
    theirs.load_state_dict(to_published("model", MODEL.to_dict(), model.state_dict()))
    their_tokenizer = reference.KronosTokenizer(**TOKENIZER.to_dict()).eval()
    their_tokenizer.load_state_dict(to_published("tokenizer", TOKENIZER.to_dict(), tokenizer.state_dict()))
    half, half_tokenizer = Kronos(MODEL), KronosTokenizer(TOKENIZER)
    half.load_state_dict(model.state_dict())
    half_tokenizer.load_state_dict(tokenizer.state_dict())
    return (
        KronosPredictor(model, tokenizer, "cpu", MAX_CONTEXT),
        reference.KronosPredictor(theirs, their_tokenizer, device="cpu", max_context=MAX_CONTEXT),
        KronosPredictor(half, half_tokenizer, "cpu", MAX_CONTEXT, dtype=torch.bfloat16),
    )


def our_seconds(predictor: KronosPredictor, paths: int, top_p: float, times: int) -> float:
    """Seconds of one forecast with all paths."""
    frame, index = candles()
    sampling = SamplingConfig(num_paths=paths, top_p=top_p, seed=1)
    future = [index[CONTEXT : CONTEXT + HORIZON]]
    return best_of(lambda: predictor.forecast_many([frame[:CONTEXT]], future, sampling), times)


def reference_seconds(predictor: Any, paths: int, top_p: float, *, whole: bool) -> float:
    """Seconds of the reference's forecast, whole or extrapolated from a few steps."""
    frame, index = candles()
    stamps = pd.Series(index)
    bare = frame.reset_index(drop=True)

    def seconds(context: int, horizon: int) -> float:
        start = time.perf_counter()
        predictor.predict(
            bare[:context],
            stamps[:context],
            stamps[context : context + horizon],
            horizon,
            T=1.0,
            top_k=0,
            top_p=top_p,
            sample_count=paths,
            verbose=False,
        )
        return time.perf_counter() - start

    seconds(64, 1)
    if whole:
        return seconds(CONTEXT, HORIZON)
    once = seconds(CONTEXT, 1)
    early = (seconds(CONTEXT, 3) - once) / 2
    late = (seconds(CONTEXT + HORIZON - 3, 3) - seconds(CONTEXT + HORIZON - 3, 1)) / 2
    return once + (HORIZON - 1) * (early + late) / 2


def main() -> None:
    """Measure and print one line per number of paths."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paths", type=int, nargs="+", default=[1, 10, 30, 100])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--top-p", type=float, default=0.9)
    parser.add_argument("--times", type=int, default=3, help="runs of ours per figure; the shortest counts")
    parser.add_argument("--no-reference", action="store_true", help="only ours and the limit")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    machine = measure_machine()
    speed = f"{machine.flops / 1e9:.0f} GFLOP/s float32, {machine.bytes / 1e9:.0f} GB/s"
    print(f"{args.threads} threads, {speed}, torch {torch.__version__}")
    print(f"kronos-small geometry, context {CONTEXT}, horizon {HORIZON}, top_p {args.top_p}")
    ours, theirs, half = make_both()
    our_seconds(ours, 2, args.top_p, 1)
    our_seconds(half, 2, args.top_p, 1)
    print("   N      ours     limit ours/limit  bfloat16 f32/bf16   reference   ratio")
    for paths in args.paths:
        mine, least = our_seconds(ours, paths, args.top_p, args.times), limit(machine, paths)
        halved = our_seconds(half, paths, args.top_p, args.times)
        line = f"{paths:>4} {mine:>8.2f}s {least:>8.2f}s {mine / least:>10.2f} {halved:>8.2f}s {mine / halved:>8.2f}"
        if not args.no_reference:
            whole = paths == 1
            other = reference_seconds(theirs, paths, args.top_p, whole=whole)
            line += f" {other:>10.1f}s {other / mine:>6.0f}x" + (
                "" if whole else "  (reference extrapolated from 4 steps)"
            )
        print(line, flush=True)


if __name__ == "__main__":
    main()
