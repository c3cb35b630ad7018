"""Evaluations between steps: the causal validation loss, and forecasts of fixed windows.

Each process evaluates its share of the windows; all processes get the same metrics. The states are loaded into separate
networks, so that an evaluation does not affect later training steps.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from engine.checkpoints.registry import DEFAULT_MAX_CONTEXT
from engine.finetune.config import EvaluationConfig, RunConfig
from engine.finetune.data.mapped_candles import MappedCandles
from engine.finetune.data.split import Split, WindowRef, sample_windows
from engine.finetune.data.windows import Batch, evaluation_batch
from engine.finetune.evaluation.forecast_eval import METRICS, EvalWindows, summarize
from engine.finetune.training.loop import Evaluation
from engine.finetune.training.losses import ModelObjective, Objective, TokenizerObjective
from engine.network.model import Kronos
from engine.predictor import KronosPredictor

__all__ = ["make_evaluation", "make_windows", "max_context_for"]

EVAL_BATCH_SIZE = 16


def max_context_for(context: int) -> int:
    """Tokens that the predictor sees: the default, unless the context is longer."""
    return max(DEFAULT_MAX_CONTEXT, context)


def make_windows(
    candles: MappedCandles, windows: list[WindowRef], max_windows: int, config: RunConfig, settings: EvaluationConfig
) -> EvalWindows:
    """At most ``max_windows`` of some windows, to be forecast with the settings of a run."""
    return EvalWindows(
        candles=candles,
        windows=tuple(sample_windows(candles, windows, max_windows, config.seed)),
        context=config.data.context,
        horizon=settings.horizon,
        num_paths=settings.num_paths,
        seed=config.seed,
        in_session_time=config.data.session_timezone_prob > 0.5,
    )


def make_evaluation(
    candles: MappedCandles,
    split: Split,
    config: RunConfig,
    objective: Objective,
    accelerator: Accelerator,
) -> Evaluation:
    """The evaluation of a state of ``objective``'s network. All processes call it together."""
    data, settings = config.data, config.evaluation
    loss_windows = split.windows(candles, "validation", data.context, data.horizon)
    loss_windows = sample_windows(candles, loss_windows, settings.loss_windows, config.seed)
    plain = _inference_objective(objective).to(accelerator.device).eval()
    forecasts = None
    if isinstance(plain, ModelObjective) and settings.forecast_windows:
        windows = split.windows(candles, "validation", data.context, settings.horizon)
        forecast_windows = make_windows(candles, windows, settings.forecast_windows, config, settings)
        forecasts = _ForecastEvaluator(forecast_windows, plain, accelerator) if windows else None

    def evaluate(state: dict[str, Tensor]) -> dict[str, float]:
        plain.network.load_state_dict(state)
        sums: dict[str, Tensor] = {}
        for start in range(0, len(loss_windows), EVAL_BATCH_SIZE):
            if start // EVAL_BATCH_SIZE % accelerator.num_processes == accelerator.process_index:
                chunk = loss_windows[start : start + EVAL_BATCH_SIZE]
                batch = evaluation_batch(candles, chunk, data.context, data.window_length)
                for name, value in _batch_metrics(plain, batch, accelerator).items():
                    sums[name] = sums.get(name, 0.0) + value.double() * len(chunk)
        metrics = _mean_over_processes(sums, plain, len(loss_windows), accelerator)
        return metrics if forecasts is None else metrics | forecasts.evaluate(state)

    return evaluate


def _inference_objective(objective: Objective) -> Objective:
    """The same objective around a new network without LoRA adapters."""
    if isinstance(objective, ModelObjective):
        return ModelObjective(Kronos(objective.network.config), objective.tokenizer, objective.stage)
    assert isinstance(objective, TokenizerObjective)
    return TokenizerObjective(type(objective.network)(objective.network.config), objective.stage)


@torch.no_grad()
def _batch_metrics(plain: Objective, batch: Batch, accelerator: Accelerator) -> dict[str, Tensor]:
    batch = Batch(*(tensor.to(accelerator.device) for tensor in batch))
    with accelerator.autocast():
        loss, metrics = plain(batch)
    if isinstance(plain, ModelObjective):
        loss = metrics["coarse"] + metrics["fine"]  # nats per candle
    return {"validation_loss": loss, **{f"validation_{name}": value for name, value in metrics.items()}}


def _mean_over_processes(
    sums: dict[str, Tensor], plain: Objective, count: int, accelerator: Accelerator
) -> dict[str, float]:
    """Means over all windows; ``sums`` is empty in a process without windows."""
    names = ("validation_loss", *(f"validation_{name}" for name in plain.metric_names))
    zero = torch.zeros((), dtype=torch.float64, device=accelerator.device)
    values = _all_reduce(torch.stack([sums.get(name, zero) for name in names]), accelerator)
    return dict(zip(names, (values / count).tolist(), strict=True))


def _all_reduce(values: Tensor, accelerator: Accelerator) -> Tensor:
    """The sum over all processes."""
    if accelerator.num_processes > 1:
        torch.distributed.all_reduce(values)
    return values


class _ForecastEvaluator:
    """Forecasts of fixed windows by states of one model."""

    def __init__(self, windows: EvalWindows, plain: ModelObjective, accelerator: Accelerator) -> None:
        self.windows, self.accelerator, self.config = windows, accelerator, plain.network.config
        # a predictor packs the weights, and packed ones round differently: the tokenizer of training must not be packed
        self.tokenizer = copy.deepcopy(plain.tokenizer)

    def evaluate(self, state: dict[str, Tensor]) -> dict[str, float]:
        """Metrics of one state, over all processes."""
        windows, accelerator = self.windows, self.accelerator
        model = Kronos(self.config)
        model.load_state_dict(state)
        predictor = KronosPredictor(model, self.tokenizer, accelerator.device, max_context_for(windows.context))
        local = range(accelerator.process_index, len(windows.windows), accelerator.num_processes)
        metrics = np.zeros((len(windows.windows), len(METRICS)))  # [M, F]
        metrics[list(local)] = windows.score(predictor, local)
        total = _all_reduce(torch.from_numpy(metrics).to(accelerator.device), accelerator)
        return summarize(windows, total.cpu().numpy())
