"""Reading, validating and writing of checkpoints: ``config.json`` and ``model.safetensors`` in one folder.

A source is "bundled", the name of a published checkpoint (``engine.checkpoints.registry``), a local folder, or a hub id
("owner/name"). Tensors have their published names here; ``engine.checkpoints.tensor_names`` maps them to this engine's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from engine.callbacks import DownloadCallback
from engine.checkpoints import tensor_names as names
from engine.checkpoints.resolve import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    CheckpointFiles,
    LookupOptions,
    PredictorSources,
    locate_files,
    resolve_predictor,
)
from engine.checkpoints.tensor_names import Kind
from engine.errors import CheckpointError, CheckpointMismatchError, ConfigError, CorruptCheckpointError
from engine.files import atomic_write, sha256_of
from engine.messages import msg

__all__ = [
    "CONFIG_FILE",
    "WEIGHTS_FILE",
    "Checkpoint",
    "Kind",
    "PredictorSources",
    "read_checkpoint",
    "resolve_predictor",
    "write_checkpoint",
]


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was read and validated."""

    kind: Kind
    config: dict[str, Any]
    """Validated keys, as ``TokenizerConfig.from_mapping`` and ``ModelConfig.from_mapping`` take them."""
    tensors: dict[str, Tensor]
    """By published name, in the stored dtype; all finite."""
    source: str
    """Origin, for display."""
    weights_sha256: str
    """SHA-256 of the bytes of ``model.safetensors``."""

    def state(self) -> dict[str, Tensor]:
        """State dict of this engine's module: renamed, fused copies of the tensors.

        Raises:
            CheckpointMismatchError: the tensors do not fit the configuration; lists every name at fault.
        """
        try:
            return names.from_published(self.kind, self.config, self.tensors)
        except CheckpointMismatchError as error:
            raise CheckpointMismatchError(
                msg("{file} of {source}: {error}", file=WEIGHTS_FILE, source=self.source, error=error)
            ) from error


def read_checkpoint(
    source: str | Path,
    kind: Kind,
    *,
    subfolder: str | None = None,
    revision: str | None = None,
    cache_dir: str | Path | None = None,
    offline: bool | None = None,
    progress: DownloadCallback | None = None,
) -> Checkpoint:
    """Locate, read and validate a checkpoint.

    A folder or hub repository with both a tokenizer and a model has them in ``tokenizer/`` and ``model/``; ``kind``
    selects one. For a published model's name, ``kind="tokenizer"`` gives the tokenizer it was trained with.

    Args:
        source: "bundled", a published name ("kronos-small", in any case), a folder, or a hub id ("owner/name").
        kind: "tokenizer" or "model".
        subfolder: inside the folder or the hub repository, if not as above.
        revision: hub ids: commit, branch or tag; None = the newest.
        cache_dir: hub: replaces the client's own cache folder.
        offline: hub: never use the network; None = as ``HF_HUB_OFFLINE`` says.
        progress: hub: called during a download.

    Raises:
        CheckpointNotFoundError: no such name, folder, file or repository.
        CorruptCheckpointError: a file is truncated, of another format, or has the wrong hash.
        CheckpointMismatchError: ``config.json`` does not describe a checkpoint of this kind.
        HubAccessDeniedError: the hub refuses access.
        HubUnreachableError: no network, or the hub does not answer.
        CheckpointError: a file cannot be read or stored (permissions, disk space).
    """
    options = LookupOptions(
        subfolder=subfolder, revision=revision, cache_dir=cache_dir, offline=offline, progress=progress
    )
    try:
        files = locate_files(source, kind, options)
        config = names.parse_config(kind, files.config).to_dict()
        tensors = _read_tensors(files)
        weights_sha256 = files.weights_sha256 or sha256_of(files.weights)
    except ConfigError as error:
        raise CheckpointMismatchError(
            msg("{file} of {source}: {error}", file=CONFIG_FILE, source=files.source, error=error)
        ) from error
    except OSError as error:
        raise CheckpointError(
            msg("{source} could not be read: {error}. Check the file permissions.", source=source, error=error)
        ) from error
    return Checkpoint(kind=kind, config=config, tensors=tensors, source=files.source, weights_sha256=weights_sha256)


def write_checkpoint(folder: str | Path, kind: Kind, config: Mapping[str, Any], state: Mapping[str, Tensor]) -> str:
    """Save in the published format, each file atomically; existing files are replaced.

    Args:
        folder: created if missing.
        kind: "tokenizer" or "model".
        config: keys of ``config.json``.
        state: state dict of this engine's module.

    Returns:
        SHA-256 of the bytes of ``model.safetensors``.

    Raises:
        ConfigError: the configuration is not of this kind.
        CheckpointMismatchError: the state does not fit the configuration; lists every name at fault.
    """
    text = render_config(kind, config)
    tensors = names.to_published(kind, config, state)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    atomic_write(
        folder / WEIGHTS_FILE, lambda path: safetensors.torch.save_file(tensors, path, metadata={"format": "pt"})
    )
    atomic_write(folder / CONFIG_FILE, text.encode())
    return sha256_of(folder / WEIGHTS_FILE)


def render_config(kind: Kind, config: Mapping[str, Any]) -> str:
    """Text of ``config.json`` in the published style: sorted keys, indented by two spaces, no final newline."""
    return json.dumps(names.parse_config(kind, config).to_dict(), sort_keys=True, indent=2)


def _read_tensors(files: CheckpointFiles) -> dict[str, Tensor]:
    try:
        tensors = safetensors.torch.load_file(files.weights)
    except (SafetensorError, ValueError, KeyError) as error:
        raise CorruptCheckpointError(
            msg(
                "{file} is not a complete safetensors file ({error}): it is truncated or has another format. "
                "Delete it and download or save the checkpoint again.",
                file=files.weights,
                error=error,
            )
        ) from error
    broken = [name for name, tensor in tensors.items() if not _is_finite(tensor)]
    if broken:
        raise CorruptCheckpointError(
            msg(
                "{file} contains non-finite values in {tensors}. Training diverged or the file is damaged; use "
                "an earlier checkpoint.",
                file=files.weights,
                tensors=", ".join(broken),
            )
        )
    return tensors


def _is_finite(tensor: Tensor) -> bool:
    return not tensor.is_floating_point() or bool(tensor.isfinite().all())
