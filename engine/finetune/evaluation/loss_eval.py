"""What is measured between steps: the causal validation loss, and forecasts of a fixed probe set.

Every process measures its share of the windows; all get the same figures. Nothing here touches the network that is
trained: the states come into networks of their own, so that measuring does not change a later step.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from engine.finetune.config import RunConfig
from engine.finetune.data.mapped_candles import CandleStore
from engine.finetune.data.split import Split, choose
from engine.finetune.data.windows import Batch, place_batch
from engine.finetune.evaluation.forecast_eval import FIGURES, Probe, summary
from engine.finetune.training.loop import Evaluation
from engine.finetune.training.losses import ModelObjective, Objective, TokenizerObjective
from engine.network.model import Kronos
from engine.predictor import KronosPredictor

__all__ = ["MOST_CONTEXT", "make_evaluation"]

WINDOWS_AT_ONCE = 16
MOST_CONTEXT = 512
"""Tokens that a forecast sees, unless the context is longer."""


def make_evaluation(
    store: CandleStore,
    split: Split,
    config: RunConfig,
    objective: Objective,
    accelerator: Accelerator,
) -> Evaluation:
    """Measures a state of the network of ``objective``; all processes call it together and get the same figures."""
    data = config.data
    places = split.places(store, "validation", data.context, data.horizon)
    fixed = choose(store, places, config.probe.validation_windows, config.seed)
    plain = _plain(objective).to(accelerator.device).eval()
    probe = _probe(store, split, config)
    forecasts = _Forecasts(probe, plain, accelerator) if isinstance(plain, ModelObjective) and probe.places else None

    def evaluate(state: dict[str, Tensor]) -> dict[str, float]:
        plain.network.load_state_dict(state)
        sums: dict[str, Tensor] = {}
        for begin in range(0, len(fixed), WINDOWS_AT_ONCE):
            if begin // WINDOWS_AT_ONCE % accelerator.num_processes == accelerator.process_index:
                chosen = fixed[begin : begin + WINDOWS_AT_ONCE]
                batch = place_batch(store, chosen, data.context, data.window)
                for key, value in _figures(plain, batch, accelerator).items():
                    sums[key] = sums.get(key, 0.0) + value.double() * len(chosen)
        figures = _together(sums, plain, len(fixed), accelerator)
        return figures if forecasts is None else figures | forecasts.of(state)

    return evaluate


def _probe(store: CandleStore, split: Split, config: RunConfig) -> Probe:
    wanted, context = config.probe, config.data.context
    places = split.places(store, "validation", context, wanted.horizon) if wanted.windows else []
    return Probe(
        store=store,
        places=tuple(choose(store, places, wanted.windows, config.seed)),
        context=context,
        horizon=wanted.horizon,
        paths=wanted.paths,
        seed=config.seed,
        on_session_clock=config.data.session_clock_share > 0.5,
    )


def _plain(objective: Objective) -> Objective:
    """The same objective around a network of its own, without additions."""
    if isinstance(objective, ModelObjective):
        return ModelObjective(Kronos(objective.network.config), objective.tokenizer, objective.stage)
    assert isinstance(objective, TokenizerObjective)
    return TokenizerObjective(type(objective.network)(objective.network.config), objective.stage)


@torch.no_grad()
def _figures(plain: Objective, batch: Batch, accelerator: Accelerator) -> dict[str, Tensor]:
    batch = Batch(*(part.to(accelerator.device) for part in batch))
    with accelerator.autocast():
        loss, figures = plain(batch)
    if isinstance(plain, ModelObjective):
        loss = figures["coarse"] + figures["fine"]  # nats per candle
    return {"validation": loss, **{f"validation_{name}": value for name, value in figures.items()}}


def _together(sums: dict[str, Tensor], plain: Objective, count: int, accelerator: Accelerator) -> dict[str, float]:
    """Means over all windows of all processes."""
    names = ("validation", *(f"validation_{name}" for name in plain.figures))
    zero = torch.zeros((), dtype=torch.float64, device=accelerator.device)
    values = _added(torch.stack([sums.get(name, zero) for name in names]), accelerator)
    return dict(zip(names, (values / count).tolist(), strict=True))


def _added(values: Tensor, accelerator: Accelerator) -> Tensor:
    """The sum over all processes."""
    if accelerator.num_processes > 1:
        torch.distributed.all_reduce(values)
    return values


class _Forecasts:
    """Forecasts of the probe set by states of one model."""

    def __init__(self, probe: Probe, plain: ModelObjective, accelerator: Accelerator) -> None:
        self.probe, self.accelerator, self.config = probe, accelerator, plain.network.config
        # a predictor packs the weights, and packed ones round otherwise: training's own tokenizer stays as it is
        self.tokenizer = copy.deepcopy(plain.tokenizer)

    def of(self, state: dict[str, Tensor]) -> dict[str, float]:
        """Figures of one state, over all processes."""
        probe, accelerator = self.probe, self.accelerator
        model = Kronos(self.config)
        model.load_state_dict(state)
        most = max(MOST_CONTEXT, probe.context)
        predictor = KronosPredictor(model, self.tokenizer, accelerator.device, most)
        mine = range(accelerator.process_index, len(probe.places), accelerator.num_processes)
        figures = np.zeros((len(probe.places), len(FIGURES)))
        figures[list(mine)] = probe.forecast(predictor, mine)
        together = _added(torch.from_numpy(figures).to(accelerator.device), accelerator)
        return summary(probe, together.cpu().numpy())
