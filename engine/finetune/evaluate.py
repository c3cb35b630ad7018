"""What is measured between steps: the causal validation loss, and forecasts of a fixed probe set."""

from __future__ import annotations

import torch
from accelerate import Accelerator
from torch import Tensor

from engine.finetune.config import RunConfig
from engine.finetune.loop import Evaluation
from engine.finetune.losses import ModelObjective, Objective, TokenizerObjective
from engine.finetune.split import Split, choose
from engine.finetune.store import CandleStore
from engine.finetune.windows import Batch, place_batch

__all__ = ["make_evaluation"]

WINDOWS_AT_ONCE = 16


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

    def evaluate(state: dict[str, Tensor]) -> dict[str, float]:
        plain.network.load_state_dict(state)
        sums: dict[str, Tensor] = {}
        for begin in range(0, len(fixed), WINDOWS_AT_ONCE):
            if begin // WINDOWS_AT_ONCE % accelerator.num_processes == accelerator.process_index:
                chosen = fixed[begin : begin + WINDOWS_AT_ONCE]
                batch = place_batch(store, chosen, data.context, data.window)
                for key, value in _figures(plain, batch, accelerator).items():
                    sums[key] = sums.get(key, 0.0) + value.double() * len(chosen)
        return _together(sums, plain, len(fixed), accelerator)

    return evaluate


def _plain(objective: Objective) -> Objective:
    """The same objective around a network of its own, without additions."""
    network = type(objective.network)(objective.network.config)  # type: ignore[arg-type]
    if isinstance(objective, ModelObjective):
        return ModelObjective(network, objective.tokenizer, objective.stage)  # type: ignore[arg-type]
    assert isinstance(objective, TokenizerObjective)
    return TokenizerObjective(network, objective.stage)  # type: ignore[arg-type]


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
    inner = ("coarse", "fine") if isinstance(plain, ModelObjective) else ("mse", "floor")
    names = ("validation", *(f"validation_{name}" for name in inner))
    zero = torch.zeros((), dtype=torch.float64, device=accelerator.device)
    values = torch.stack([sums.get(name, zero) for name in names])
    if accelerator.num_processes > 1:
        torch.distributed.all_reduce(values)
    return dict(zip(names, (values / count).tolist(), strict=True))
