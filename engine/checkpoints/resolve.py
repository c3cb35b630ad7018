"""Resolves a checkpoint's name to local files: bundled, published, a local folder, or a hub repository."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.callbacks import DownloadCallback
from engine.checkpoints import hub, registry
from engine.checkpoints.registry import PublishedCheckpoint
from engine.checkpoints.tensor_names import KINDS, Kind
from engine.errors import CheckpointError, CheckpointMismatchError, CheckpointNotFoundError, CorruptCheckpointError
from engine.messages import Message, msg, sentences

__all__ = [
    "CONFIG_FILE",
    "WEIGHTS_FILE",
    "CheckpointFiles",
    "LookupOptions",
    "PredictorSources",
    "locate_files",
    "resolve_predictor",
]

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"

_BUNDLED_FOLDER = Path(__file__).parents[1] / "bundled"
_MAX_CONFIG_BYTES = 100_000
"""A hundred times the size of a real one; more is not parsed."""
_HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")
_PICKLED = {".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack"}
_KIND_NAMES: Mapping[Kind, Message] = {"model": msg("model"), "tokenizer": msg("tokenizer")}
_KIND_MARKER: dict[Kind, str] = {"tokenizer": "n_enc_layers", "model": "n_layers"}
"""A key that only the config.json of this kind has."""


@dataclass(frozen=True)
class CheckpointFiles:
    """Local files of a checkpoint."""

    config: dict[str, Any]
    """Parsed ``config.json``; its keys are not validated yet."""
    weights: Path
    source: str
    """Origin, for display."""
    weights_sha256: str | None = None
    """SHA-256 of the weights, if already known."""


@dataclass(frozen=True, kw_only=True)
class LookupOptions:
    """How to look for a checkpoint; see the arguments of ``engine.checkpoints.checkpoint.read_checkpoint``."""

    subfolder: str | None = None
    revision: str | None = None
    cache_dir: str | Path | None = None
    offline: bool | None = None
    progress: DownloadCallback | None = None


@dataclass(frozen=True)
class PredictorSources:
    """Sources of a predictor's model and tokenizer, and how many tokens the model sees."""

    model: str | Path
    tokenizer: str | Path
    max_context: int
    name: str
    """Name for display and records."""
    is_bundled: bool = False


def resolve_predictor(name: str | Path, tokenizer: str | Path | None = None) -> PredictorSources:
    """Model and tokenizer of a predictor; nothing is read or downloaded.

    Args:
        name: "bundled", a published model's name, a folder, or a hub id.
        tokenizer: the same for the tokenizer; None = the one that the model was trained with (published), or the one
            next to it (a folder or repository with ``tokenizer/`` and ``model/``).

    Raises:
        CheckpointNotFoundError: a folder has no tokenizer beside its model, and none was given.
        CheckpointMismatchError: the name is that of a tokenizer.
    """
    if _is_bundled(name):
        display_name = msg("bundled (small, not the published model)")
        return PredictorSources(name, tokenizer or name, registry.DEFAULT_MAX_CONTEXT, display_name, is_bundled=True)
    published = None if isinstance(name, Path) else registry.find_checkpoint(name)
    if published is not None:
        model = _of_kind(published, "model")
        return PredictorSources(model.name, tokenizer or model.tokenizer or model.name, model.max_context, model.name)
    folder = Path(name).expanduser()
    if tokenizer is None and folder.is_dir() and not (folder / "tokenizer" / CONFIG_FILE).is_file():
        raise CheckpointNotFoundError(
            msg(
                "{folder} has no tokenizer/config.json next to its model. Pass tokenizer= "
                '("kronos-tokenizer-base" or "kronos-tokenizer-2k" for models of the published '
                "architecture), or put both in tokenizer/ and model/.",
                folder=folder,
            )
        )
    return PredictorSources(name, tokenizer or name, registry.DEFAULT_MAX_CONTEXT, str(name))


def locate_files(source: str | Path, kind: Kind, options: LookupOptions) -> CheckpointFiles:
    """Local files of a checkpoint, downloaded if necessary; pinned hashes are verified.

    Raises:
        CheckpointError: a subclass, as listed for ``engine.checkpoints.checkpoint.read_checkpoint``.
    """
    if _is_bundled(source):
        return _folder_files(_BUNDLED_FOLDER, kind, options, label=registry.BUNDLED)
    published = None if isinstance(source, Path) else registry.find_checkpoint(source)
    if published is not None:
        entry = _of_kind(published, kind)
        return _published_files(entry, options) if options.revision is None else _hub_files(entry.repo, kind, options)
    folder = Path(source).expanduser()
    if folder.is_dir():
        return _folder_files(folder, kind, options, label=str(folder))
    if isinstance(source, str) and _HUB_ID.fullmatch(source) and not folder.exists():
        return _hub_files(source, kind, options)
    raise CheckpointNotFoundError(_not_found_message(source, kind))


def _is_bundled(source: str | Path) -> bool:
    return isinstance(source, str) and source.lower() == registry.BUNDLED


def _not_found_message(source: str | Path, kind: Kind) -> str:
    if Path(source).is_file():
        return msg("{source} is a file; specify the folder that contains it and its config.json.", source=source)
    known = registry.known_names(kind)
    close = difflib.get_close_matches(str(source).lower(), known, n=1)
    if close:
        return msg(
            'there is no {kind} or folder "{source}". Did you mean "{near}"? Known names: {names}. You can also '
            'specify a folder with config.json and model.safetensors, or a Hub ID ("owner/name").',
            kind=_KIND_NAMES[kind],
            source=source,
            near=close[0],
            names=", ".join(known),
        )
    return msg(
        'there is no {kind} or folder "{source}". Known names: {names}. You can also specify a folder with '
        'config.json and model.safetensors, or a Hub ID ("owner/name").',
        kind=_KIND_NAMES[kind],
        source=source,
        names=", ".join(known),
    )


def _of_kind(published: PublishedCheckpoint, kind: Kind) -> PublishedCheckpoint:
    """The published checkpoint itself, or the tokenizer of a published model."""
    entry = registry.find_checkpoint(published.tokenizer) if kind == "tokenizer" and published.tokenizer else published
    if entry is None or entry.kind != kind:
        raise CheckpointMismatchError(
            msg(
                'expected a {kind}, but "{name}" is a {actual}. Published {kind}s: {names}.',
                name=published.name,
                actual=_KIND_NAMES[published.kind],
                kind=_KIND_NAMES[kind],
                names=", ".join(registry.known_names(kind)[1:]),
            )
        )
    return entry


def _published_files(entry: PublishedCheckpoint, options: LookupOptions) -> CheckpointFiles:
    def get(filename: str, sha256: str) -> hub.HubFile:
        return hub.download(
            entry.repo,
            filename,
            revision=entry.revision,
            sha256=sha256,
            cache_dir=options.cache_dir,
            offline=options.offline,
            progress=options.progress,
        )

    source = f"{entry.name} ({entry.repo} at {entry.revision[:8]})"
    config = _parse_config(get(CONFIG_FILE, entry.config_sha256).path)
    weights = get(WEIGHTS_FILE, entry.weights_sha256)
    return CheckpointFiles(config, weights.path, source, weights.sha256)


def _hub_files(repo: str, kind: Kind, options: LookupOptions) -> CheckpointFiles:
    def get(filename: str, revision: str | None) -> hub.HubFile:
        return hub.download(
            repo,
            filename,
            revision=revision,
            cache_dir=options.cache_dir,
            offline=options.offline,
            progress=options.progress,
        )

    commits: dict[str, str] = {}

    def find(prefix: str) -> Path:
        config = get(f"{prefix}{CONFIG_FILE}", options.revision)
        commits[prefix] = config.revision
        return config.path

    prefix, config = _find_config(kind, repo, options, find)
    weights = get(f"{prefix}{WEIGHTS_FILE}", commits[prefix])  # same commit, even if the branch has moved on
    return CheckpointFiles(config, weights.path, f"{repo} at {weights.revision[:8]}", weights.sha256)


def _folder_files(folder: Path, kind: Kind, options: LookupOptions, label: str) -> CheckpointFiles:
    def find(prefix: str) -> Path:
        return _require_file(folder / prefix / CONFIG_FILE)

    prefix, config = _find_config(kind, label, options, find)
    return CheckpointFiles(config, _require_file(folder / prefix / WEIGHTS_FILE), label)


def _require_file(path: Path) -> Path:
    """``path``, if it is a file."""
    if path.is_file():
        return path
    folder = path.parent
    pickled = sorted(file.name for file in folder.iterdir() if file.suffix in _PICKLED) if folder.is_dir() else []
    hint = (
        msg(
            "It contains {names}, which is not supported (such files can run code). Convert it to safetensors.",
            names=", ".join(pickled),
        )
        if pickled
        else msg("A checkpoint is a folder with config.json and model.safetensors (only safetensors is supported).")
    )
    raise CheckpointNotFoundError(sentences(msg("{folder} has no {name}.", folder=folder, name=path.name), hint))


def _find_config(
    kind: Kind, source: str, options: LookupOptions, find: Callable[[str], Path]
) -> tuple[str, dict[str, Any]]:
    """Prefix ("" or "sub/") of a config.json of this kind, and its content.

    Looks in ``options.subfolder`` if given, else at the top and then in the subfolder named like the kind.
    """
    problem: CheckpointError | None = None
    prefixes = ["", f"{kind}/"] if options.subfolder is None else [f"{options.subfolder.strip('/')}/"]
    for prefix in prefixes:
        try:
            config = _parse_config(find(prefix))
        except CheckpointNotFoundError as error:
            problem = problem or error
            continue
        actual_kind = next((k for k in KINDS if _KIND_MARKER[k] in config), kind)
        if actual_kind == kind:
            return prefix, config
        names = {
            "file": f"{prefix}{CONFIG_FILE}",
            "source": source,
            "actual": _KIND_NAMES[actual_kind],
            "kind": _KIND_NAMES[kind],
        }
        problem = CheckpointMismatchError(
            msg(
                "expected a {kind}, but {file} of {source} describes a {actual}. Specify the {kind} separately "
                "(tokenizer=).",
                **names,
            )
            if kind == "tokenizer"
            else msg(
                "expected a {kind}, but {file} of {source} describes a {actual}. Specify the {kind} separately.",
                **names,
            )
        )
    assert problem is not None, "no prefix was tried"
    raise problem


def _parse_config(path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    if size > _MAX_CONFIG_BYTES:
        raise CorruptCheckpointError(
            msg(
                "{path} has {size:,} bytes; the limit for a config.json is {limit:,}.",
                path=path,
                size=size,
                limit=_MAX_CONFIG_BYTES,
            )
        )
    try:
        config = json.loads(path.read_bytes())
    except ValueError as error:  # of the encoding or of the syntax
        raise CorruptCheckpointError(
            msg("{path} is not valid JSON ({error}). Download or save the checkpoint again.", path=path, error=error)
        ) from error
    if not isinstance(config, dict):
        raise CorruptCheckpointError(
            msg(
                "{path} must contain an object with the configuration; got {type}.",
                path=path,
                type=type(config).__name__,
            )
        )
    return config
