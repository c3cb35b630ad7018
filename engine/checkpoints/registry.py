"""Registry of the published checkpoints.

A name pins the hub repository, the revision and the SHA-256 of both files, so that it always means the same
weights, from any mirror.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.checkpoints.tensor_names import Kind  # imported for typing only: it loads torch

__all__ = [
    "BUNDLED",
    "DEFAULT_MAX_CONTEXT",
    "SCORECARD_FILE",
    "PublishedCheckpoint",
    "find_checkpoint",
    "known_names",
    "published_models",
]

BUNDLED = "bundled"
"""Name of the small checkpoint in ``engine/bundled``."""

SCORECARD_FILE = "scorecard.json"
"""Scorecard of a checkpoint, next to its ``model/`` and ``tokenizer/``."""

DEFAULT_MAX_CONTEXT = 512
"""Tokens that a model sees by default (config.json has no key for it); that of all published models but mini."""


@dataclass(frozen=True, kw_only=True)
class PublishedCheckpoint:
    """A checkpoint on the hub, pinned to a revision and hashes."""

    name: str
    kind: Kind
    repo: str
    revision: str
    config_sha256: str
    weights_sha256: str
    parameters: int
    download_mb: float
    """Size of ``model.safetensors``, in millions of bytes."""
    tokenizer: str | None = None
    """Models: name of the tokenizer that the model was trained with."""
    max_context: int = DEFAULT_MAX_CONTEXT
    """Models: most tokens that the model sees at once."""


_PUBLISHED = (
    PublishedCheckpoint(
        name="kronos-mini",
        kind="model",
        repo="NeoQuasar/Kronos-mini",
        revision="f4e68697d9d5aed55cef5c96aabc3376bcad9f81",
        config_sha256="70daca2cb11e3a979dd6b8ac12ee08e2aace877acf28f5b8dfb4fe5609736201",
        weights_sha256="a7d5f37e2e9fbd9891f7d7d4f72574512dd1f704fee14223e0a8cd0fbf54197c",
        parameters=4_108_032,
        download_mb=16.4,
        tokenizer="kronos-tokenizer-2k",
        max_context=2048,
    ),
    PublishedCheckpoint(
        name="kronos-small",
        kind="model",
        repo="NeoQuasar/Kronos-small",
        revision="901c26c1332695a2a8f243eb2f37243a37bea320",
        config_sha256="5e0f6a605d5f81b5c9b559fe5cf716a1acb041c744e6f41bd05b097b7a685396",
        weights_sha256="b082dfcbd8e8c142a725c8bbb99781802f38fec81210e13479effb32b3c3e020",
        parameters=24_741_376,
        download_mb=99.0,
        tokenizer="kronos-tokenizer-base",
    ),
    PublishedCheckpoint(
        name="kronos-base",
        kind="model",
        repo="NeoQuasar/Kronos-base",
        revision="2b554741eca47781b64468546e77fef3e85130e6",
        config_sha256="77ebc3038b647709b92be002f801d72e1a385f4c8c2c5aa1cc6cf21fcfe44eb2",
        weights_sha256="abff193acab6db1a0368e9773e75799d11403b6d054ee6d5f0a11aeabc5f4b83",
        parameters=102_310_592,
        download_mb=409.3,
        tokenizer="kronos-tokenizer-base",
    ),
    PublishedCheckpoint(
        name="kronos-tokenizer-base",
        kind="tokenizer",
        repo="NeoQuasar/Kronos-Tokenizer-base",
        revision="0e0117387f39004a9016484a186a908917e22426",
        config_sha256="2366e7ccfec76cbc19cf3c4c1b9c5d901be336ca1e83f2d2292c9bff381b77a2",
        weights_sha256="59d85f6af76a2c3b8240ea06cb21db4213b4eeca053f246b23e29cf832fc6bee",
        parameters=3_958_042,
        download_mb=15.8,
    ),
    PublishedCheckpoint(
        name="kronos-tokenizer-2k",
        kind="tokenizer",
        repo="NeoQuasar/Kronos-Tokenizer-2k",
        revision="26966d0035065a0cae0ebad7af8ece35bc1fb51c",
        config_sha256="0b30a443affb03e05a876a083857de9164f899feb7b4d261da02c485c9a3e3b6",
        weights_sha256="b97ec46b3b72160509e289183eaf7bdf5f0dac5bb9b49522f6d46638a99a8717",
        parameters=3_958_042,
        download_mb=15.8,
    ),
)


def find_checkpoint(name: str) -> PublishedCheckpoint | None:
    """The published checkpoint of this name or hub id, ignoring case, or None."""
    key = name.lower()
    return next((entry for entry in _PUBLISHED if key in (entry.name, entry.repo.lower())), None)


def published_models() -> Iterator[PublishedCheckpoint]:
    """The published models, smallest first."""
    return (entry for entry in _PUBLISHED if entry.kind == "model")


def known_names(kind: Kind) -> list[str]:
    """Names that ``read_checkpoint`` accepts for this kind: "bundled", then the published ones."""
    return [BUNDLED, *(entry.name for entry in _PUBLISHED if entry.kind == kind)]
