"""Names used in files that were written by older versions, mapped to the current ones.

Readers of settings (TOML, ``run.json``), training states, ``metrics.jsonl`` and mapped candles pass what they read
through the functions below; writers use the current names only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.config import ModelConfig

__all__ = [
    "OLDER_SETTINGS",
    "OLDER_TABLES",
    "upgrade_description",
    "upgrade_metrics",
    "upgrade_progress",
    "upgrade_series",
    "upgrade_settings",
]

_STAGE = {
    "start": "init_from",
    "geometry": "architecture",
    "parts": "trainable",
    "last_layers": "num_trainable_layers",
    "steps": "max_steps",
    "minutes": "max_minutes",
    "batch": "batch_size",
    "micro_batch": "micro_batch_size",
    "rate": "learning_rate",
    "warmup": "warmup_fraction",
    "final_rate": "min_lr_ratio",
    "decay": "weight_decay",
    "clip": "max_grad_norm",
    "muon_rate": "muon_learning_rate",
    "ema": "ema_decay",
    "evaluate_every": "eval_every_steps",
    "patience": "early_stopping_patience",
}
OLDER_SETTINGS: Mapping[str, str] = {
    "out": "output_dir",
    "processes": "num_processes",
    "log_every": "log_every_steps",
    "save_minutes": "checkpoint_every_minutes",
    "data.path": "data.train",
    "data.validation_path": "data.validation",
    "data.shortest_cut": "data.min_context",
    "data.validation_share": "data.validation_fraction",
    "data.test_share": "data.test_fraction",
    "data.validation_from": "data.validation_start",
    "data.test_from": "data.test_start",
    "data.held_out_symbols": "data.holdout_symbols",
    "data.longest_break_hours": "data.max_gap_hours",
    "data.session_clocks": "data.session_timezones",
    "data.session_clock_share": "data.session_timezone_prob",
    "data.volume_dropout": "data.volume_dropout_prob",
    "data.inversion": "data.inversion_prob",
    "data.reflection": "data.reflection_prob",
    "data.mirrored_targets": "data.mirror_targets",
    "data.group_power": "data.group_sampling_exponent",
    "data.epoch_windows": "data.windows_per_epoch",
    "data.pretokenise": "data.pretokenize",
    "data.workers": "data.num_workers",
    "data.cache": "data.cache_dir",
    "probe.validation_windows": "evaluation.loss_windows",
    "probe.windows": "evaluation.forecast_windows",
    "probe.paths": "evaluation.num_paths",
    "probe.horizon": "evaluation.horizon",
    "probe.compare_windows": "evaluation.test_windows",
    **{f"{stage}.{old}": f"{stage}.{new}" for stage in ("tokenizer", "model") for old, new in _STAGE.items()},
}
"""Older dotted name of a setting to its current name."""
OLDER_TABLES = ("probe",)
"""Tables that no longer exist under this name."""

_LOSSES = {"weighed": "scaled_mse", "published": "mse", "guided": "supervised"}
_DEFAULT_LORA_RANK = 8

_DATA = {"last": "last_bar_times", "held_out": "holdout_symbols"}
_BOUNDS = {
    "train_until": "train_end",
    "validate_from": "validation_start",
    "validate_until": "validation_end",
    "test_from": "test_start",
}
_PROGRESS = {
    "spent_s": "training_s",
    "best": "best_loss",
    "start": "initial_loss",
    "evaluated": "last_eval_step",
    "stale": "evals_since_best",
    "sums": "metric_sums",
    "summed": "num_summed",
    "why": "stop_reason",
}
_METRICS = {
    "validation": "validation_loss",
    "best": "best_validation_loss",
    "rate": "learning_rate",
    "norm": "grad_norm",
    "repaired": "repaired_fraction",
    "spent_s": "training_s",
}
_SERIES = {"first": "first_row", "length": "num_rows", "later_from": "validation_start", "zone": "timezone"}


def _rename(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The same values by their current names; a current name wins over an older one."""
    renamed = {names[key]: value for key, value in values.items() if key in names}
    return {**renamed, **{key: value for key, value in values.items() if key not in names}}


def upgrade_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by dotted name, with current names and values."""
    settings = _rename(values, OLDER_SETTINGS)
    for stage in ("tokenizer", "model"):
        scale = settings.pop(f"{stage}.lora_scale", None)
        if scale is not None:
            rank = settings.get(f"{stage}.lora_rank", _DEFAULT_LORA_RANK)
            settings.setdefault(f"{stage}.lora_alpha", scale * rank)
        architecture = settings.get(f"{stage}.architecture")
        if isinstance(architecture, Mapping):
            settings[f"{stage}.architecture"] = _rename(architecture, ModelConfig.old_keys)
    loss = settings.get("tokenizer.loss")
    if isinstance(loss, str):
        settings["tokenizer.loss"] = _LOSSES.get(loss, loss)
    return settings


def upgrade_progress(values: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of a training state."""
    return _rename(values, _PROGRESS)


def upgrade_metrics(line: Mapping[str, Any]) -> dict[str, Any]:
    """One line of ``metrics.jsonl``."""
    return _rename(line, _METRICS)


def upgrade_series(values: Mapping[str, Any]) -> dict[str, Any]:
    """The description of one series of mapped candles."""
    return _rename(values, _SERIES)


def upgrade_description(values: Mapping[str, Any]) -> dict[str, Any]:
    """``run.json``, except its settings, which ``options`` reads."""
    description = dict(values)
    if "data" in description:
        data = description["data"] = _rename(description["data"], _DATA)
        data["bounds"] = {group: _rename(bounds, _BOUNDS) for group, bounds in data.get("bounds", {}).items()}
    if "stages" in description:
        description["stages"] = {name: upgrade_progress(stage) for name, stage in description["stages"].items()}
    return description
