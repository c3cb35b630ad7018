"""The published checkpoints: where they are, and how to know that they arrived whole.

A name pins the hub repository, the revision and the SHA-256 of both files, so that a name means the same weights today
and in a year, whoever serves them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.checkpoints.tensor_names import Kind  # it loads torch, which a list of names does without

__all__ = ["BUNDLED", "DEFAULT_MAX_CONTEXT", "SCORES_FILE", "Published", "find", "known_names", "published_models"]

BUNDLED = "bundled"
"""The name of the small checkpoint that ships in ``engine/bundled``."""

SCORES_FILE = "scores.json"
"""What was measured of a checkpoint, beside its folders."""

DEFAULT_MAX_CONTEXT = 512
"""Tokens a model sees when nothing says otherwise (a config.json does not): what the published models but mini take."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """One checkpoint on the hub, pinned."""

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
    """Models: the name of the tokenizer that they were trained with."""
    max_context: int = DEFAULT_MAX_CONTEXT
    """Models: most tokens they see at once."""


_PUBLISHED = (
    Published(
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
    Published(
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
    Published(
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
    Published(
        name="kronos-tokenizer-base",
        kind="tokenizer",
        repo="NeoQuasar/Kronos-Tokenizer-base",
        revision="0e0117387f39004a9016484a186a908917e22426",
        config_sha256="2366e7ccfec76cbc19cf3c4c1b9c5d901be336ca1e83f2d2292c9bff381b77a2",
        weights_sha256="59d85f6af76a2c3b8240ea06cb21db4213b4eeca053f246b23e29cf832fc6bee",
        parameters=3_958_042,
        download_mb=15.8,
    ),
    Published(
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


def find(name: str) -> Published | None:
    """The checkpoint of this name or hub id, in any case; None when there is none."""
    wanted = name.lower()
    return next((entry for entry in _PUBLISHED if wanted in (entry.name, entry.repo.lower())), None)


def published_models() -> Iterator[Published]:
    """The published models, smallest first."""
    return (entry for entry in _PUBLISHED if entry.kind == "model")


def known_names(kind: Kind) -> list[str]:
    """What can be asked for by name: "bundled", then the published ones of this kind."""
    return [BUNDLED, *(entry.name for entry in _PUBLISHED if entry.kind == kind)]
