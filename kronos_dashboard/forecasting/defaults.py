"""Default forecast settings, shared by the app and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from engine.config import SamplingConfig
from kronos_dashboard.settings import DEFAULT_CONTEXT, DEFAULT_HORIZON

__all__ = [
    "DEFAULT_CONTEXT",
    "DEFAULT_HORIZON",
    "DEFAULT_PRESET",
    "DEFAULT_SAMPLING",
    "PRESETS",
    "Preset",
    "PresetName",
]

DEFAULT_SAMPLING = SamplingConfig()
"""Number of paths, temperature, top-p, top-k and seed; min-p, anchoring and mirroring are left to the model."""

PresetName = Literal["point", "distribution"]


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Sampling settings that belong together."""

    temperature: float
    top_p: float
    top_k: int = 0
    """0: off."""


PRESETS: Mapping[PresetName, Preset] = {
    "point": Preset(temperature=0.6, top_p=0.9),
    "distribution": Preset(temperature=1.0, top_p=1.0),
}
"""``point`` keeps paths near the most likely one, so its bands are too narrow to use (the published examples sample
like this). ``distribution`` samples the model's own distribution."""
DEFAULT_PRESET: PresetName = "distribution"
