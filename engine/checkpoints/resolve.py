"""From what a caller names to two files on this machine: bundled, published, a local folder, or the hub."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.checkpoints import hub, registry
from engine.checkpoints.registry import Published
from engine.checkpoints.tensor_names import KINDS, Kind
from engine.errors import CheckpointCorrupt, CheckpointError, CheckpointMismatch, CheckpointNotFound

__all__ = ["CONFIG_FILE", "WEIGHTS_FILE", "Files", "Place", "PredictorSource", "locate", "predictor_source"]

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"

_BUNDLED_FOLDER = Path(__file__).parents[1] / "bundled"
_MOST_CONFIG_BYTES = 100_000
_HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")
_PICKLED = {".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack"}
_TELLING_KEY: dict[Kind, str] = {"tokenizer": "n_enc_layers", "model": "n_layers"}


@dataclass(frozen=True)
class Files:
    """The two halves of a checkpoint, on this machine."""

    config: dict[str, Any]
    """``config.json``, parsed; its keys are not checked yet."""
    weights: Path
    source: str
    """Where they came from, for people."""
    digest: str | None = None
    """SHA-256 of the weights where it is known already."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """How to look for a checkpoint; the fields are arguments of ``engine.checkpoints.checkpoint.read``."""

    subfolder: str | None = None
    revision: str | None = None
    cache_dir: str | Path | None = None
    offline: bool | None = None
    progress: hub.Progress | None = None


@dataclass(frozen=True)
class PredictorSource:
    """Where the two halves of a predictor come from, and how much the model sees."""

    model: str | Path
    tokenizer: str | Path
    max_context: int
    label: str
    """What to call it on screen and in records."""
    is_bundled: bool = False


def predictor_source(name: str | Path, tokenizer: str | Path | None = None) -> PredictorSource:
    """Which model and which tokenizer a predictor of this name is made of; nothing is read or downloaded.

    Args:
        name: "bundled", a published model's name, a folder, or a hub id.
        tokenizer: the same, for the tokenizer; None = the one that the model was trained with (published), or the one
            beside it (a folder or repository with ``tokenizer/`` and ``model/``).

    Raises:
        CheckpointNotFound: a folder has no tokenizer beside its model, and none was given.
        CheckpointMismatch: the name is that of a tokenizer.
    """
    if _is_bundled(name):
        label = "bundled (small, not the published model)"
        return PredictorSource(name, tokenizer or name, registry.DEFAULT_MAX_CONTEXT, label, is_bundled=True)
    published = None if isinstance(name, Path) else registry.find(name)
    if published is not None:
        model = _of_kind(published, "model")
        return PredictorSource(model.name, tokenizer or model.tokenizer or model.name, model.max_context, model.name)
    folder = Path(name).expanduser()
    if tokenizer is None and folder.is_dir() and not (folder / "tokenizer" / CONFIG_FILE).is_file():
        raise CheckpointNotFound(
            f"{folder} has no tokenizer/{CONFIG_FILE} beside its model. Pass tokenizer= (models of the published "
            'geometry take "kronos-tokenizer-base" or "kronos-tokenizer-2k"), or put both in tokenizer/ and model/.'
        )
    return PredictorSource(name, tokenizer or name, registry.DEFAULT_MAX_CONTEXT, str(name))


def locate(source: str | Path, kind: Kind, place: Place) -> Files:
    """The files of a checkpoint, downloaded if need be, with their hashes checked where they are pinned.

    Raises:
        CheckpointError: one of its kinds, as ``engine.checkpoints.checkpoint.read`` lists them.
    """
    if _is_bundled(source):
        return _in_folder(_BUNDLED_FOLDER, kind, place, label=registry.BUNDLED)
    published = None if isinstance(source, Path) else registry.find(source)
    if published is not None:
        entry = _of_kind(published, kind)
        return _published(entry, place) if place.revision is None else _on_hub(entry.repo, kind, place)
    folder = Path(source).expanduser()
    if folder.is_dir():
        return _in_folder(folder, kind, place, label=str(folder))
    if isinstance(source, str) and _HUB_ID.fullmatch(source) and not folder.exists():
        return _on_hub(source, kind, place)
    raise CheckpointNotFound(_nothing_called(source, kind))


def _is_bundled(source: str | Path) -> bool:
    return isinstance(source, str) and source.lower() == registry.BUNDLED


def _nothing_called(source: str | Path, kind: Kind) -> str:
    if Path(source).is_file():
        return f"{source} is a file; give the folder that holds it and its {CONFIG_FILE}."
    known = registry.known_names(kind)
    close = difflib.get_close_matches(str(source).lower(), known, n=1)
    meant = f' Did you mean "{close[0]}"?' if close else ""
    return (
        f'there is no {kind} called "{source}", and no such folder.{meant} Known names: {", ".join(known)}; or give a '
        'folder that holds config.json and model.safetensors, or a hub id ("owner/name").'
    )


def _of_kind(published: Published, kind: Kind) -> Published:
    """The published checkpoint itself, or the tokenizer of a published model."""
    found = registry.find(published.tokenizer) if kind == "tokenizer" and published.tokenizer else published
    if found is None or found.kind != kind:
        raise CheckpointMismatch(
            f'"{published.name}" is a {published.kind}, and a {kind} is wanted. Published {kind}s: '
            f"{', '.join(registry.known_names(kind)[1:])}."
        )
    return found


def _published(entry: Published, place: Place) -> Files:
    def get(filename: str, sha256: str) -> hub.HubFile:
        return hub.download(
            entry.repo,
            filename,
            revision=entry.revision,
            sha256=sha256,
            cache_dir=place.cache_dir,
            offline=place.offline,
            progress=place.progress,
        )

    source = f"{entry.name} ({entry.repo} at {entry.revision[:8]})"
    config = _parse(get(CONFIG_FILE, entry.config_sha256).path)
    weights = get(WEIGHTS_FILE, entry.weights_sha256)
    return Files(config, weights.path, source, weights.sha256)


def _on_hub(repo: str, kind: Kind, place: Place) -> Files:
    def get(filename: str, revision: str | None) -> hub.HubFile:
        return hub.download(
            repo,
            filename,
            revision=revision,
            cache_dir=place.cache_dir,
            offline=place.offline,
            progress=place.progress,
        )

    commits: dict[str, str] = {}

    def find(prefix: str) -> Path:
        config = get(f"{prefix}{CONFIG_FILE}", place.revision)
        commits[prefix] = config.revision
        return config.path

    prefix, config = _first_of_kind(kind, repo, place, find)
    weights = get(f"{prefix}{WEIGHTS_FILE}", commits[prefix])  # of the same commit, whatever happens meanwhile
    return Files(config, weights.path, f"{repo} at {weights.revision[:8]}", weights.sha256)


def _in_folder(folder: Path, kind: Kind, place: Place, label: str) -> Files:
    def find(prefix: str) -> Path:
        return _existing(folder / prefix / CONFIG_FILE)

    prefix, config = _first_of_kind(kind, label, place, find)
    return Files(config, _existing(folder / prefix / WEIGHTS_FILE), label)


def _existing(path: Path) -> Path:
    """``path`` itself, if there is a file."""
    if path.is_file():
        return path
    folder = path.parent
    pickled = sorted(file.name for file in folder.iterdir() if file.suffix in _PICKLED) if folder.is_dir() else []
    hint = (
        f" It holds {', '.join(pickled)}, which is not read (such files can run code). Convert it to safetensors."
        if pickled
        else f" A checkpoint is a folder with {CONFIG_FILE} and {WEIGHTS_FILE} (safetensors only)."
    )
    raise CheckpointNotFound(f"{folder} has no {path.name}.{hint}")


def _first_of_kind(kind: Kind, source: str, place: Place, find: Callable[[str], Path]) -> tuple[str, dict[str, Any]]:
    """The prefix ("" or "sub/") under which a config.json of this kind lies, and what is in it.

    Looks where ``place.subfolder`` says; else at the top, then in the subfolder named like the kind.
    """
    problem: CheckpointError | None = None
    prefixes = ["", f"{kind}/"] if place.subfolder is None else [f"{place.subfolder.strip('/')}/"]
    for prefix in prefixes:
        try:
            config = _parse(find(prefix))
        except CheckpointNotFound as error:
            problem = problem or error
            continue
        found = next((k for k in KINDS if _TELLING_KEY[k] in config), kind)
        if found == kind:
            return prefix, config
        problem = CheckpointMismatch(
            f"{prefix}{CONFIG_FILE} of {source} is that of a {found}, and a {kind} is wanted. Give the {kind} by itself"
            + (" (tokenizer=)." if kind == "tokenizer" else ".")
        )
    assert problem is not None, "no prefix was tried"
    raise problem


def _parse(path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    if size > _MOST_CONFIG_BYTES:
        raise CheckpointCorrupt(f"{path} is {size:,} bytes; a {CONFIG_FILE} has at most {_MOST_CONFIG_BYTES:,}.")
    try:
        config = json.loads(path.read_bytes())
    except ValueError as error:  # of the encoding or of the syntax
        raise CheckpointCorrupt(f"{path} is not JSON ({error}). Fetch or save the checkpoint again.") from error
    if not isinstance(config, dict):
        raise CheckpointCorrupt(f"{path} should hold an object with the settings, not a {type(config).__name__}.")
    return config
