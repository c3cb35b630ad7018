"""Single files from the Hugging Face hub: from the local cache or downloaded, with one error class per failure.

``huggingface_hub`` does the transfer and owns the cache; its environment variables apply (``HF_HOME``,
``HF_HUB_CACHE``, ``HF_TOKEN``; ``HF_ENDPOINT`` and ``HF_HUB_OFFLINE`` are read at every call). This module adds three
things: it looks into the cache first; it sends one request before a download, because the client alone retries for more
than 20 seconds without a network; and it compares the SHA-256 of the downloaded file.
"""

from __future__ import annotations

import io
import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import httpx2
from huggingface_hub import constants, get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import (
    DisabledRepoError,
    EntryNotFoundError,
    FileMetadataError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from tqdm.std import tqdm

from engine.callbacks import DownloadCallback
from engine.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    CorruptCheckpointError,
    HubAccessDeniedError,
    HubUnreachableError,
)
from engine.files import sha256_of
from engine.messages import Message, msg

__all__ = ["HubFile", "download", "offline_mode"]

_PROBE_TIMEOUT_S = 5.0
"""The client waits 10 s by default, and a user at a screen should not."""
_MAX_BYTES = 16 * 10**9
"""Larger files are not weights of a Kronos model: the largest published one has 0.4 GB."""
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DEFAULT_REVISION = "main"
_TRUE = {"1", "ON", "YES", "TRUE"}

_TRANSFER_ERRORS = (httpx2.HTTPError, httpx2.InvalidURL, FileMetadataError, ConnectionError, TimeoutError, RuntimeError)
"""What the client raises for network failures; RuntimeError comes from its optional fast transfer."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HubFile:
    """A complete file in the local cache."""

    path: Path
    revision: str
    """Commit of the file."""
    sha256: str


@dataclass(frozen=True)
class _HubRequest:
    """One file of one repository; ``str`` gives its name for messages."""

    repo: str
    filename: str
    revision: str
    cache_dir: str | None
    endpoint: str | None

    @property
    def message(self) -> Message:
        """Its name for messages."""
        return msg(
            "{file} of {repo} at revision {revision}", file=self.filename, repo=self.repo, revision=self.revision[:12]
        )

    def __str__(self) -> str:
        return str(self.message)

    @property
    def host(self) -> str:
        """Base address of the hub."""
        return self.endpoint or constants.ENDPOINT


def offline_mode() -> bool:
    """Whether the environment forbids network access (``HF_HUB_OFFLINE``, read at every call)."""
    return constants.is_offline_mode() or os.environ.get("HF_HUB_OFFLINE", "").upper() in _TRUE


def download(
    repo: str,
    filename: str,
    *,
    revision: str | None = None,
    sha256: str | None = None,
    cache_dir: str | Path | None = None,
    offline: bool | None = None,
    progress: DownloadCallback | None = None,
) -> HubFile:
    """A file of a hub repository, from the local cache or the network.

    If ``revision`` is a commit, a cached file is used without asking the hub. For a branch, a tag or None (the newest)
    the hub is asked; if it cannot be reached, the cached file is used and a warning is logged.

    Args:
        repo: "owner/name".
        filename: path inside the repository.
        revision: commit, branch or tag; None = the newest.
        sha256: expected hash. Without it, large files are still compared with the hash that the hub reported.
        cache_dir: replaces the client's own cache folder.
        offline: never use the network; None = as ``HF_HUB_OFFLINE`` says.
        progress: called during the download.

    Raises:
        CheckpointNotFoundError: no such repository, revision or file.
        CorruptCheckpointError: the file has the wrong hash; it was removed, so that the next call downloads it again.
        HubAccessDeniedError: the hub refuses access.
        HubUnreachableError: no network, the hub does not answer, or offline and not in the cache.
    """
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or None
    request = _HubRequest(
        repo, filename, revision or _DEFAULT_REVISION, str(cache_dir) if cache_dir else None, endpoint
    )
    stay_offline = offline_mode() if offline is None else offline
    cached = _cached(request)
    if cached is not None and (stay_offline or _COMMIT.fullmatch(request.revision)):
        return _verify_hash(request, cached, sha256)
    if stay_offline:
        raise HubUnreachableError(
            msg(
                "{file} is not in the local cache, and offline mode is on. Turn offline mode off "
                "(HF_HUB_OFFLINE) to download it once, or specify a local folder with config.json and "
                "model.safetensors.",
                file=request.message,
            )
        )
    try:
        path = _fetch(request, progress)
    except HubUnreachableError as error:
        if cached is None:
            raise
        _log.warning("%s Using the copy in the local cache, which may not be the newest.", error)
        path = cached
    return _verify_hash(request, path, sha256)


def _cached(request: _HubRequest) -> Path | None:
    try:
        path = try_to_load_from_cache(
            request.repo, request.filename, cache_dir=request.cache_dir, revision=request.revision
        )
    except HFValidationError as error:
        _raise_engine_error(error, request)
    return Path(path) if isinstance(path, str) else None


def _fetch(request: _HubRequest, progress: DownloadCallback | None) -> Path:
    """Send one request, then download."""
    try:
        _probe(request)
        path = hf_hub_download(
            request.repo,
            request.filename,
            revision=request.revision,
            cache_dir=request.cache_dir,
            endpoint=request.endpoint,
            tqdm_class=_progress_bar_class(request.filename, progress),
        )
    except (*_TRANSFER_ERRORS, OSError, EntryNotFoundError, HFValidationError) as error:
        _raise_engine_error(error, request)
    return Path(path)


def _probe(request: _HubRequest) -> None:
    """Request the file's metadata once, without the client's retries, to fail early."""
    url = hf_hub_url(request.repo, request.filename, revision=request.revision, endpoint=request.endpoint)
    configured = constants.HF_HUB_ETAG_TIMEOUT  # from the environment, or the client's default
    timeout = _PROBE_TIMEOUT_S if configured == constants.DEFAULT_ETAG_TIMEOUT else configured
    head = get_hf_file_metadata(url, timeout=timeout, endpoint=request.endpoint)
    if head.commit_hash is None or head.etag is None:
        raise FileMetadataError("the answer lacks the headers of a hub")
    if head.size is not None and head.size > _MAX_BYTES:
        raise CorruptCheckpointError(
            msg(
                "{file} has {size:,} bytes; the limit is {limit:,}.",
                file=request.message,
                size=head.size,
                limit=_MAX_BYTES,
            )
        )


def _progress_bar_class(filename: str, progress: DownloadCallback | None) -> Any:
    """A silent progress bar class for the client, which reports to ``progress``."""
    max_bytes = 0

    class Bar(tqdm):
        """Reports without printing. The client may create two bars per file; the one that is ahead counts."""

        monitor_interval = 0

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{**options, "file": io.StringIO(), "disable": False})

        def update(self, n: float | None = 1) -> bool | None:
            nonlocal max_bytes
            is_displayed = super().update(n)
            if progress is not None and self.n > max_bytes:
                max_bytes = int(self.n if self.total is None else min(self.n, self.total))
                progress(filename, max_bytes, None if self.total is None else int(self.total))
            return is_displayed

    return Bar


def _verify_hash(request: _HubRequest, path: Path, expected: str | None) -> HubFile:
    """Compare the hash; remove a bad file from the cache, so that the next call downloads it again."""
    blob = path.resolve()
    expected = expected or (blob.name if _SHA256.fullmatch(blob.name) else None)  # large files are stored by hash
    actual = sha256_of(path)
    if expected is not None and actual != expected:
        path.unlink(missing_ok=True)
        blob.unlink(missing_ok=True)
        raise CorruptCheckpointError(
            msg(
                "the SHA-256 of {file} should be {expected}... but is {actual}...: the file was damaged or "
                "replaced on the way from {host}. It was removed from the cache. Try again; if that fails, use "
                "another mirror (HF_ENDPOINT).",
                file=request.message,
                expected=expected[:12],
                actual=actual[:12],
                host=request.host,
            )
        )
    snapshot = path.parents[request.filename.count("/")]  # the client's cache: .../snapshots/<commit>/<filename>
    return HubFile(path=path, revision=snapshot.name, sha256=actual)


def _raise_engine_error(error: Exception, request: _HubRequest) -> NoReturn:
    """Raise the engine's error for one of the client's."""
    cause = error.__cause__ if isinstance(error, LocalEntryNotFoundError) else None
    if isinstance(cause, Exception):  # the client wraps what went wrong
        error = cause
    status = error.response.status_code if isinstance(error, HfHubHTTPError) else None
    error_class, message = _classify_error(error, status, request)
    raise error_class(message) from error


def _classify_error(error: Exception, status: int | None, request: _HubRequest) -> tuple[type[CheckpointError], str]:
    """The engine's error class for an error of the client, and its message."""
    if isinstance(error, GatedRepoError | DisabledRepoError) or (
        status in (401, 403) and not isinstance(error, RepositoryNotFoundError)
    ):
        return HubAccessDeniedError, msg(
            "access to {repo} was denied by {host} (HTTP {status}). If the repository has terms, accept them "
            "on its page, and set HF_TOKEN to a valid token of an account with read access.",
            host=request.host,
            repo=request.repo,
            status=status,
        )
    if isinstance(error, RepositoryNotFoundError | HFValidationError):
        return CheckpointNotFoundError, msg(
            "there is no repository {repo} on {host}, or it is private. Check the spelling (owner/name); for a "
            "private repository, set HF_TOKEN.",
            host=request.host,
            repo=repr(request.repo),
        )
    if isinstance(error, RevisionNotFoundError | EntryNotFoundError) or status == 404:
        return CheckpointNotFoundError, msg(
            "there is no {file} on {host}. A Kronos checkpoint consists of config.json and model.safetensors "
            "(pickled weights such as pytorch_model.bin are not supported); check the repository, the revision "
            "and the subfolder.",
            file=request.message,
            host=request.host,
        )
    if isinstance(error, OfflineModeIsEnabled):
        return HubUnreachableError, msg(
            "{file} is not in the local cache, and offline mode is on (HF_HUB_OFFLINE).", file=request.message
        )
    if isinstance(error, _TRANSFER_ERRORS):
        reason = f"HTTP {status}" if status else str(error) or type(error).__name__
        return HubUnreachableError, msg(
            "{file} could not be downloaded from {host} ({reason}). Check the network and any proxy, set "
            "HF_ENDPOINT to a mirror, or specify a local folder with config.json and model.safetensors.",
            file=request.message,
            host=request.host,
            reason=reason,
        )
    if isinstance(error, OSError) and error.errno is None:  # the client's own check of the size
        return CorruptCheckpointError, msg(
            "{file} from {host} has the wrong size: {error} Try again.",
            file=request.message,
            host=request.host,
            error=error,
        )
    return CheckpointError, msg(
        "{file} could not be saved: {error}. Check the free disk space and the permissions of the cache.",
        file=request.message,
        error=error,
    )
