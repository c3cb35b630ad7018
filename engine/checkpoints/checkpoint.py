"""Checkpoints in the published format, ``config.json`` and ``model.safetensors`` in one folder: read, check, write.

A source is "bundled", the name of a published checkpoint (``engine.checkpoints.registry``), a local folder, or a hub id
("owner/name"). Tensors keep their published names here; ``engine.checkpoints.tensor_names`` maps them to ours.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from engine.checkpoints import hub
from engine.checkpoints import tensor_names as names
from engine.checkpoints.hub import Progress
from engine.checkpoints.resolve import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    Files,
    Place,
    PredictorSource,
    locate,
    predictor_source,
)
from engine.checkpoints.tensor_names import Kind
from engine.errors import CheckpointCorrupt, CheckpointError, CheckpointMismatch, ConfigError

__all__ = [
    "CONFIG_FILE",
    "WEIGHTS_FILE",
    "Checkpoint",
    "Kind",
    "PredictorSource",
    "Progress",
    "predictor_source",
    "read",
    "write",
    "write_whole",
]


@dataclass(frozen=True)
class Checkpoint:
    """One checkpoint, read and checked."""

    kind: Kind
    config: dict[str, Any]
    """The published keys, checked; ``TokenizerConfig.from_mapping`` and ``ModelConfig.from_mapping`` take them."""
    tensors: dict[str, Tensor]
    """Under published names, as stored; all finite."""
    source: str
    """Where it came from, for people."""
    digest: str
    """SHA-256 of the bytes of ``model.safetensors``."""

    def state(self) -> dict[str, Tensor]:
        """The tensors under our names, fused as our modules hold them; each is a copy.

        Raises:
            CheckpointMismatch: the tensors do not fit the configuration; lists every name at fault.
        """
        try:
            return names.from_published(self.kind, self.config, self.tensors)
        except CheckpointMismatch as error:
            raise CheckpointMismatch(f"{WEIGHTS_FILE} of {self.source}: {error}") from error


def read(
    source: str | Path,
    kind: Kind,
    *,
    subfolder: str | None = None,
    revision: str | None = None,
    cache_dir: str | Path | None = None,
    offline: bool | None = None,
    progress: Progress | None = None,
) -> Checkpoint:
    """Find a checkpoint, check it and read it.

    A folder or hub repository that keeps a tokenizer and a model together has them in ``tokenizer/`` and ``model/``;
    the right one is taken. A published model's name, asked for a tokenizer, gives the one it was trained with.

    Args:
        source: "bundled", a published name ("kronos-small", in any case), a folder, or a hub id ("owner/name").
        kind: which half is wanted.
        subfolder: where inside the folder or the hub repository, if not as above.
        revision: hub ids: commit, branch or tag; None = the newest.
        cache_dir: hub: instead of the client's own cache folder.
        offline: hub: never use the network; None = as ``HF_HUB_OFFLINE`` says.
        progress: hub: called with a file's name, the bytes so far and the bytes in all while it arrives.

    Raises:
        CheckpointNotFound: no such name, folder, file or repository.
        CheckpointCorrupt: a file is truncated, is not what it claims, or has the wrong hash.
        CheckpointMismatch: ``config.json`` does not describe a checkpoint of this kind.
        HubAccessDenied: the hub refuses.
        HubUnreachable: no network, or the hub does not answer.
        CheckpointError: a file cannot be read or stored (rights, space).
    """
    place = Place(subfolder=subfolder, revision=revision, cache_dir=cache_dir, offline=offline, progress=progress)
    try:
        files = locate(source, kind, place)
        config = names.parse_config(kind, files.config).to_dict()
        tensors = _read_tensors(files)
        digest = files.digest or hub.sha256_of(files.weights)
    except ConfigError as error:
        raise CheckpointMismatch(f"{CONFIG_FILE} of {files.source}: {error}") from error
    except OSError as error:
        raise CheckpointError(f"{source} could not be read: {error}. Check the rights of its files.") from error
    return Checkpoint(kind=kind, config=config, tensors=tensors, source=files.source, digest=digest)


def write(folder: str | Path, kind: Kind, config: Mapping[str, Any], state: Mapping[str, Tensor]) -> str:
    """Save in the published format. Each file appears whole or not at all; one of the same name is replaced.

    Args:
        folder: made if it is not there.
        kind: which half this is.
        config: the published keys.
        state: our state dict.

    Returns:
        SHA-256 of the bytes of ``model.safetensors``.

    Raises:
        ConfigError: the configuration is not one of this kind.
        CheckpointMismatch: the state does not fit the configuration; lists every name at fault.
    """
    text = config_text(kind, config)
    tensors = names.to_published(kind, config, state)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(
        folder / WEIGHTS_FILE, lambda path: safetensors.torch.save_file(tensors, path, metadata={"format": "pt"})
    )
    write_whole(folder / CONFIG_FILE, lambda path: path.write_bytes(text.encode()))
    return hub.sha256_of(folder / WEIGHTS_FILE)


def config_text(kind: Kind, config: Mapping[str, Any]) -> str:
    """``config.json`` as the published files have it, to the byte: sorted keys, two spaces, no last newline."""
    return json.dumps(names.parse_config(kind, config).to_dict(), sort_keys=True, indent=2)


def _read_tensors(files: Files) -> dict[str, Tensor]:
    try:
        tensors = safetensors.torch.load_file(files.weights)
    except (SafetensorError, ValueError, KeyError) as error:
        raise CheckpointCorrupt(
            f"{files.weights} is not a whole safetensors file ({error}): it was cut short, or is something else. "
            "Delete it and fetch or save the checkpoint again."
        ) from error
    broken = [name for name, tensor in tensors.items() if not _is_finite(tensor)]
    if broken:
        raise CheckpointCorrupt(
            f"{files.weights} holds values that are not finite, in {', '.join(broken)}. Training has diverged or the "
            "file is damaged; take an earlier checkpoint."
        )
    return tensors


def _is_finite(tensor: Tensor) -> bool:
    return not tensor.is_floating_point() or bool(tensor.isfinite().all())


def write_whole(path: Path, fill: Callable[[Path], Any]) -> None:
    """Have ``fill`` write beside ``path``, flush to the disk, then move into place: all of it or nothing.

    Raises:
        OSError: it cannot be written.
    """
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        fill(beside)
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
