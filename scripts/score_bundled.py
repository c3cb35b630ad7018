"""Score a checkpoint on candles it never saw, against a block-bootstrap random walk; print a table for the model card.

    python scripts/score_bundled.py --model runs/bundled --candles CANDLES --windows 60

Forecast targets lie in ``CANDLES/validation``; contexts may reach back into ``CANDLES/train``. Measures are those of
the training pipeline's evaluations (``engine.finetune.evaluation.forecast_eval``).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from engine import KronosPredictor, SamplingConfig
from engine.config import BEGINNINGS, LEANINGS
from engine.finetune.config import DataConfig, TokenizerStage
from engine.finetune.data.mapped_candles import CandleStore, make_store
from engine.finetune.data.split import choose, make_split
from engine.finetune.data.symbol_candles import from_paths
from engine.finetune.data.windows import fixed_batch
from engine.finetune.evaluation.forecast_eval import Probe
from engine.finetune.evaluation.scorecard import COLUMNS, entries, write_scores
from engine.finetune.training.losses import TokenizerObjective

CONTEXT = 400


def stored(candles: Path, cache: Path) -> tuple[CandleStore, DataConfig]:
    """Training and validation candles, one after the other."""
    config = DataConfig(context=CONTEXT, embargo=0, test_share=0.0, validation_path=(str(candles / "validation"),))
    sources = (from_paths([candles / "train"]), from_paths(config.validation_path))
    return make_store(*sources, config, cache), config


def probe_of(store: CandleStore, config: DataConfig, horizon: int, args: argparse.Namespace) -> Probe:
    """Up to ``args.windows`` windows per market and interval; their targets do not overlap within a series."""
    places = make_split(store, config).places(store, "validation", CONTEXT, horizon)
    groups = sorted({one.group for one in store.series})
    chosen = [
        place
        for group in groups
        for place in choose(
            store, [p for p in places if store.series[p.series].group == group], args.windows, args.seed
        )
    ]
    sampling = SamplingConfig(
        temperature=args.temperature,
        min_p=args.min_p,
        from_last_close=BEGINNINGS[args.begin],
        mirrored=LEANINGS[args.leaning],
    )
    return Probe(store, tuple(chosen), CONTEXT, horizon, args.paths, args.seed, sampling=sampling)


def noise_floor(predictor: KronosPredictor, probe: Probe) -> float:
    """Median over windows of the reconstruction's error of the close over its one-bar change."""
    first = np.array([place.first for place in probe.places])
    objective = TokenizerObjective(predictor.tokenizer, TokenizerStage())
    with torch.inference_mode():
        batch = fixed_batch(probe.store, first, probe.context, probe.context)
        return float(objective(batch)[1]["floor"])


HEADINGS = {
    "crps_ratio": "CRPS / random walk",
    "mae_ratio": "MAE / persistence",
    "coverage_50": "in 50%",
    "coverage_80": "in 80%",
    "coverage_95": "in 95%",
    "walk_coverage_80": "walk in 80%",
}


def table(found: list[dict]) -> str:
    """The entries for a reader."""
    names = [" ".join(filter(None, (one["market"], one["interval"]))) or "all" for one in found]
    return pd.DataFrame(found, index=names)[list(COLUMNS)].rename(columns=HEADINGS).to_string()


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="bundled")
    parser.add_argument("--candles", type=Path, required=True)
    parser.add_argument("--windows", type=int, default=60, help="most windows per market and interval")
    parser.add_argument("--paths", type=int, default=100)
    parser.add_argument("--horizons", type=int, nargs="+", default=[24, 120])
    parser.add_argument("--max-context", type=int, default=512)
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--begin",
        choices=tuple(BEGINNINGS),
        default="model",
        help="where paths begin: at the last close, where the model's tokens end, or as its config.json says",
    )
    parser.add_argument(
        "--leaning",
        choices=tuple(LEANINGS),
        default="model",
        help="none: every second path is mirrored at the last close; drawn: none is; or as its config.json says",
    )
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument(
        "--min-p",
        type=float,
        help="draw no token below this part of the likeliest's probability; 0 = off (default: as its config.json says)",
    )
    parser.add_argument(
        "--json", type=Path, help="write the figures here too: scores.json, beside the checkpoint's folders"
    )
    parser.add_argument("--cache", type=Path, help="keep the mapped candles here for the next time")
    return parser.parse_args()


def main() -> None:
    """Score and print."""
    args = parsed()
    predictor = KronosPredictor.from_pretrained(
        args.model, device="cpu", dtype=getattr(torch, args.dtype), max_context=args.max_context
    )
    measured = []
    with tempfile.TemporaryDirectory() as folder:
        store, config = stored(args.candles, args.cache or Path(folder))
        for horizon in args.horizons:
            probe = probe_of(store, config, horizon, args)
            start = time.perf_counter()
            figures = probe.forecast(predictor)
            seconds = time.perf_counter() - start
            floor = noise_floor(predictor, probe)
            drawn = predictor.settled(probe.sampling)
            level = "the last close" if drawn.from_last_close else "the model's own level"
            turned = ", every second mirrored" if drawn.mirrored else ""
            cut = f", min-p {drawn.min_p:g}" if drawn.min_p else ""
            print(f"\nhorizon {horizon}, {len(probe.places)} windows, noise floor {floor:.3f}, {seconds:.1f} s")
            print(f"{args.paths} paths from {level}{turned}{cut}")
            found = entries(probe, figures)
            measured += found
            print(table(found), flush=True)
    if args.json:
        write_scores(args.json, predictor, probe, measured)


if __name__ == "__main__":
    main()
