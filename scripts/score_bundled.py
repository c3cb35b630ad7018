"""Evaluate a checkpoint on candles it was not trained on, against a block-bootstrap random walk; print a table.

    python scripts/score_bundled.py --model runs/bundled --candles CANDLES --windows 60

Forecast targets lie in ``CANDLES/validation``; contexts may reach back into ``CANDLES/train``. The metrics are those of
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
from engine.finetune.config import DataConfig, TokenizerStage
from engine.finetune.data.mapped_candles import MappedCandles, map_candles
from engine.finetune.data.readers import source_from_paths
from engine.finetune.data.split import make_split, sample_windows
from engine.finetune.data.windows import fixed_batch
from engine.finetune.evaluation.forecast_eval import EvalWindows
from engine.finetune.evaluation.scorecard import SCORECARD_METRICS, scorecard_rows, write_scorecard
from engine.finetune.training.losses import TokenizerObjective

CONTEXT = 400


def load_candles(candles: Path, cache_dir: Path) -> tuple[MappedCandles, DataConfig]:
    """Training candles, followed by validation candles."""
    config = DataConfig(context=CONTEXT, embargo=0, test_fraction=0.0, validation=(str(candles / "validation"),))
    sources = (source_from_paths([candles / "train"]), source_from_paths(config.validation))
    return map_candles(*sources, config, cache_dir), config


def select_windows(candles: MappedCandles, config: DataConfig, horizon: int, args: argparse.Namespace) -> EvalWindows:
    """Up to ``args.windows`` windows per market and interval; their targets do not overlap within a series."""
    windows = make_split(candles, config).windows(candles, "validation", CONTEXT, horizon)
    chosen = []
    for group in sorted({series.group for series in candles.series}):
        of_group = [window for window in windows if candles.series[window.series_index].group == group]
        chosen += sample_windows(candles, of_group, args.windows, args.seed)
    sampling = SamplingConfig(
        temperature=args.temperature,
        min_p=args.min_p,
        anchor_to_last_close=args.anchor_to_last_close,
        mirror_paths=args.mirror_paths,
    )
    return EvalWindows(candles, tuple(chosen), CONTEXT, horizon, args.paths, args.seed, sampling=sampling)


def noise_floor(predictor: KronosPredictor, windows: EvalWindows) -> float:
    """Reconstruction error of the close relative to its one-bar change, median over windows."""
    first_rows = np.array([window.first_row for window in windows.windows])
    objective = TokenizerObjective(predictor.tokenizer, TokenizerStage())
    with torch.inference_mode():
        batch = fixed_batch(windows.candles, first_rows, windows.context, windows.context)
        return float(objective(batch)[1]["floor"])


HEADINGS = {
    "crps_ratio": "CRPS / random walk",
    "mae_ratio": "MAE / persistence",
    "coverage_50": "50% coverage",
    "coverage_80": "80% coverage",
    "coverage_95": "95% coverage",
    "walk_coverage_80": "walk 80% coverage",
    "repaired_fraction": "repaired",
}


def format_table(rows: list[dict]) -> str:
    """The rows of a scorecard as text."""
    names = [" ".join(filter(None, (row["market"], row["interval"]))) or "all" for row in rows]
    return pd.DataFrame(rows, index=names)[list(SCORECARD_METRICS)].rename(columns=HEADINGS).to_string()


def describe_sampling(sampling: SamplingConfig) -> str:
    """How paths are sampled, as text."""
    level = "the last close" if sampling.anchor_to_last_close else "the model's own level"
    mirrored = ", in antithetic pairs" if sampling.mirror_paths else ""
    cutoff = f", min-p {sampling.min_p:g}" if sampling.min_p else ""
    return f"from {level}{mirrored}{cutoff}"


def parse_arguments() -> argparse.Namespace:
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
    boolean = argparse.BooleanOptionalAction
    help_text = "start paths at the last close (default: as in config.json)"
    parser.add_argument("--anchor-to-last-close", action=boolean, default=None, help=help_text)
    help_text = "antithetic pairs: each path and its mirror image (default: as in config.json)"
    parser.add_argument("--mirror-paths", action=boolean, default=None, help=help_text)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument(
        "--min-p",
        type=float,
        help="drop tokens below this fraction of the likeliest's probability; 0 = off (default: as in config.json)",
    )
    parser.add_argument("--json", type=Path, help="write the scorecard, usually scorecard.json in the model's folder")
    parser.add_argument("--cache", type=Path, help="keep the mapped candles in this folder")
    return parser.parse_args()


def main() -> None:
    """Evaluate and print."""
    args = parse_arguments()
    predictor = KronosPredictor.from_pretrained(
        args.model, device="cpu", dtype=getattr(torch, args.dtype), max_context=args.max_context
    )
    all_rows = []
    with tempfile.TemporaryDirectory() as folder:
        candles, config = load_candles(args.candles, args.cache or Path(folder))
        for horizon in args.horizons:
            windows = select_windows(candles, config, horizon, args)
            started_at = time.perf_counter()
            metrics = windows.score(predictor)
            seconds = time.perf_counter() - started_at
            floor = noise_floor(predictor, windows)
            sampling = describe_sampling(predictor.resolve_sampling(windows.sampling))
            print(f"\nhorizon {horizon}, {len(windows.windows)} windows, noise floor {floor:.3f}, {seconds:.1f} s")
            print(f"{args.paths} paths {sampling}")
            rows = scorecard_rows(windows, metrics)
            all_rows += rows
            print(format_table(rows), flush=True)
    if args.json:
        write_scorecard(args.json, predictor, windows, all_rows)


if __name__ == "__main__":
    main()
