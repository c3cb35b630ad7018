"""Score a checkpoint on candles it never saw, against a block-bootstrap random walk; print a table for the model card.

    python scripts/score_bundled.py --model runs/bundled --candles CANDLES --windows 60

Forecast targets lie in ``CANDLES/validation``; contexts may reach back into ``CANDLES/train``. Scored is the log-return
of the close from the last close of the context, per step, with 400 candles of context. Legend: N paths, H steps.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from engine import KronosPredictor, SamplingConfig
from engine.features import candle_values, statistics
from kronos_dashboard.metrics import crps

CONTEXT = 400
BLOCK = 12
BASELINE_PATHS = 500
BREAKS = {"1d": pd.Timedelta(days=8)}
LONG_WEEKEND = pd.Timedelta(days=4, hours=12)


@dataclass(frozen=True)
class Case:
    """One window of a validation series."""

    group: str
    context: pd.DataFrame
    future: pd.DataFrame


def cases(candles: Path, horizon: int, most: int, seed: int) -> list[Case]:
    """Up to ``most`` windows per market and interval; their targets do not overlap within a series."""
    rng = np.random.default_rng(seed)
    found: list[Case] = []
    for path in sorted((candles / "validation").glob("*.parquet")):
        recent = pd.read_parquet(path)
        earlier_path = candles / "train" / path.name
        earlier = pd.read_parquet(earlier_path) if earlier_path.exists() else recent.iloc[:0]
        longest = BREAKS.get(path.stem.rsplit("_", 1)[1], LONG_WEEKEND)
        here: list[Case] = []
        for symbol, rows in recent.groupby("symbol"):
            before = earlier[earlier["symbol"] == symbol]
            series = (
                pd.concat([before, rows]).drop_duplicates("timestamp").sort_values("timestamp").set_index("timestamp")
            )
            first = max(CONTEXT, len(before))
            for cut in range(first, len(series) - horizon + 1, horizon):
                window = series.iloc[cut - CONTEXT : cut + horizon]
                if window.index.to_series().diff().max() <= longest:
                    here.append(Case(path.stem, *prepared(window)))
        chosen = rng.permutation(len(here))[:most]
        found += [here[i] for i in chosen]
    return found


def prepared(window: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Context and future with the columns that the engine reads."""
    kept = window[["open", "high", "low", "close", "volume"]].astype("float64")
    kept["volume"] = kept["volume"].fillna(0.0)
    return kept.iloc[:CONTEXT], kept.iloc[CONTEXT:]


def random_walk(closes: np.ndarray, horizon: int, paths: int, rng: np.random.Generator) -> np.ndarray:
    """Log-returns from the last close, [paths, horizon]: centred one-bar returns in stationary blocks.

    The stationary bootstrap of Politis and Romano (1994), blocks of BLOCK bars on average.
    """
    returns = np.diff(np.log(closes))
    returns = returns - returns.mean()
    position = rng.integers(len(returns), size=paths)
    drawn = np.empty((paths, horizon))
    for step in range(horizon):
        drawn[:, step] = returns[position]
        again = rng.random(paths) < 1 / BLOCK
        position = np.where(again, rng.integers(len(returns), size=paths), (position + 1) % len(returns))
    return drawn.cumsum(axis=1)


def inside(paths: np.ndarray, truth: np.ndarray, level: float) -> float:
    """Fraction of steps whose truth lies in the central band."""
    lower, upper = np.quantile(paths, ((1 - level) / 2, (1 + level) / 2), axis=0)
    return float(((truth >= lower) & (truth <= upper)).mean())


def scored(case: Case, closes: np.ndarray, rng: np.random.Generator) -> dict[str, float | str]:
    """Figures of one window; ``closes`` [N, H] are the model's, in price units."""
    last = float(case.context["close"].iloc[-1])
    truth = np.log(case.future["close"].to_numpy() / last)
    model = np.log(np.maximum(closes.astype(np.float64), 1e-9) / last)
    walk = random_walk(case.context["close"].to_numpy(), len(truth), BASELINE_PATHS, rng)
    scale = np.diff(np.log(case.context["close"].to_numpy())).std() + 1e-12
    figures: dict[str, float | str] = {"group": case.group, "market": case.group.rsplit("_", 1)[0]}
    for name, paths in (("model", model), ("walk", walk)):
        figures[f"crps_{name}"] = float(crps(paths, truth).mean() / scale)
        figures[f"raw_crps_{name}"] = float(crps(paths, truth).mean())
        for level in (0.5, 0.8, 0.95):
            figures[f"in{level:.0%}_{name}"] = inside(paths, truth, level)
    figures["mae_model"] = float(np.abs(np.median(model, axis=0) - truth).mean() / scale)
    figures["mae_still"] = float(np.abs(truth).mean() / scale)
    return figures


def noise_floor(predictor: KronosPredictor, chosen: list[Case]) -> float:
    """Median over windows of reconstruction RMSE of the close over the standard deviation of its one-bar change."""
    ratios = []
    for case in chosen:
        values = candle_values(case.context)
        normalised = statistics(values).normalise(values)
        with torch.inference_mode():
            back = predictor.tokenizer.decode(*predictor.tokenizer.encode(torch.from_numpy(normalised)[None]))[
                0
            ].numpy()
        step = np.diff(normalised[:, 3]).std()
        ratios.append(float(np.sqrt(np.square(back[:, 3] - normalised[:, 3]).mean()) / max(step, 1e-6)))
    return float(np.median(ratios))


def table(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """Pooled figures per ``by``; CRPS in units of each window's one-bar volatility, so that windows count alike."""
    mean = rows.groupby(by).mean(numeric_only=True)
    table = pd.DataFrame({"windows": rows.groupby(by).size()})
    table["CRPS / random walk"] = mean["crps_model"] / mean["crps_walk"]
    table["unscaled"] = mean["raw_crps_model"] / mean["raw_crps_walk"]
    table["MAE / persistence"] = mean["mae_model"] / mean["mae_still"]
    for level in ("50%", "80%", "95%"):
        table[f"in {level}"] = mean[f"in{level}_model"]
    table["walk in 80%"] = mean["in80%_walk"]
    return table.round(3)


def main() -> None:
    """Score and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="bundled")
    parser.add_argument("--candles", type=Path, required=True)
    parser.add_argument("--windows", type=int, default=60, help="most windows per market and interval")
    parser.add_argument("--paths", type=int, default=100)
    parser.add_argument("--horizons", type=int, nargs="+", default=[24, 120])
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--max-context", type=int, default=512)
    parser.add_argument("--policy", choices=("roll", "exact"), default="roll")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    predictor = KronosPredictor.from_pretrained(
        args.model, device="cpu", dtype=getattr(torch, args.dtype), max_context=args.max_context
    )
    sampling = SamplingConfig(num_paths=args.paths, temperature=args.temperature, seed=args.seed)
    for horizon in args.horizons:
        chosen = cases(args.candles, horizon, args.windows, args.seed)
        rng = np.random.default_rng(args.seed)
        start = time.perf_counter()
        forecasts = predictor.forecast_many(
            [case.context for case in chosen], [case.future.index for case in chosen], sampling, policy=args.policy
        )
        seconds = time.perf_counter() - start
        rows = pd.DataFrame(
            [scored(case, made.paths[:, :, 3], rng) for case, made in zip(chosen, forecasts, strict=True)]
        )
        print(f"\nhorizon {horizon}, {len(chosen)} windows, noise floor {noise_floor(predictor, chosen):.3f}")
        print(f"candles repaired: {np.mean([made.repaired for made in forecasts]):.1%}; {seconds:.1f} s to forecast")
        for by in ("market", "group"):
            print(table(rows, by).to_string())
        print(json.dumps({"horizon": horizon, "all": float(rows["crps_model"].mean() / rows["crps_walk"].mean())}))


if __name__ == "__main__":
    main()
