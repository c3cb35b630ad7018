"""One file from the hub: from the local cache when it is there, else downloaded; each failure is its own error.

``huggingface_hub`` does the transfer and owns the cache (its environment variables hold: ``HF_HOME``, ``HF_HUB_CACHE``,
``HF_TOKEN``; ``HF_ENDPOINT`` and ``HF_HUB_OFFLINE`` are read at every call). Three things are added around it: the
cache is looked into first; the hub is asked once before a download, because the client by itself retries for more than
20 seconds when there is no network; and the SHA-256 of what arrived is compared.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import re
from collections.abc import Callable
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

from engine.errors import CheckpointCorrupt, CheckpointError, CheckpointNotFound, HubAccessDenied, HubUnreachable

__all__ = ["HubFile", "Progress", "download", "offline_mode", "sha256_of"]

Progress = Callable[[str, int, int | None], None]
"""Called while a file arrives: its name, bytes so far, bytes in all (None: not known)."""

_PROBE_TIMEOUT_S = 5.0
_MOST_BYTES = 16 * 10**9
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DEFAULT_REVISION = "main"
_TRUE = {"1", "ON", "YES", "TRUE"}

_TRANSFER_ERRORS = (httpx2.HTTPError, httpx2.InvalidURL, FileMetadataError, ConnectionError, TimeoutError, RuntimeError)
"""What the client lets through when the way is at fault; RuntimeError is what its optional fast transfer raises."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HubFile:
    """A file in the local cache, whole."""

    path: Path
    revision: str
    """The commit that it belongs to."""
    sha256: str


@dataclass(frozen=True)
class _Wanted:
    """One file at one place, as the messages name it."""

    repo: str
    filename: str
    revision: str
    cache_dir: str | None
    endpoint: str | None

    def __str__(self) -> str:
        return f"{self.filename} of {self.repo} at revision {self.revision[:12]}"

    @property
    def host(self) -> str:
        """Where it is asked for."""
        return self.endpoint or constants.ENDPOINT


def offline_mode() -> bool:
    """Whether the environment says to stay off the network (``HF_HUB_OFFLINE``, read now)."""
    return constants.is_offline_mode() or os.environ.get("HF_HUB_OFFLINE", "").upper() in _TRUE


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def download(
    repo: str,
    filename: str,
    *,
    revision: str | None = None,
    sha256: str | None = None,
    cache_dir: str | Path | None = None,
    offline: bool | None = None,
    progress: Progress | None = None,
) -> HubFile:
    """A file of a hub repository, from the local cache or the network.

    With ``revision`` a commit, a cached file is taken without a question to the hub. With a branch, a tag or None (the
    newest), the hub is asked; when it cannot be reached the last one seen is taken, with a warning in the log.

    Args:
        repo: "owner/name".
        filename: path inside the repository.
        revision: commit, branch or tag; None = the newest.
        sha256: what the bytes must hash to. Without it, large files are still held against the hash that the hub gave.
        cache_dir: instead of the client's own cache folder.
        offline: never use the network; None = as ``HF_HUB_OFFLINE`` says.
        progress: called while bytes arrive.

    Raises:
        CheckpointNotFound: no such repository, revision or file.
        CheckpointCorrupt: the bytes have the wrong hash; the bad file was removed, asking again downloads it anew.
        HubAccessDenied: the hub refuses.
        HubUnreachable: no network, the hub does not answer, or offline and not in the cache.
    """
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or None
    wanted = _Wanted(repo, filename, revision or _DEFAULT_REVISION, str(cache_dir) if cache_dir else None, endpoint)
    stay_offline = offline_mode() if offline is None else offline
    cached = _cached(wanted)
    if cached is not None and (stay_offline or _COMMIT.fullmatch(wanted.revision)):
        return _verified(wanted, cached, sha256)
    if stay_offline:
        raise HubUnreachable(
            f"{wanted} is not in the local cache, and offline mode is on. Switch it off (HF_HUB_OFFLINE) to download "
            "it once, or give a local folder that holds config.json and model.safetensors."
        )
    try:
        path = _fetch(wanted, progress)
    except HubUnreachable as error:
        if cached is None:
            raise
        _log.warning("%s Using the copy in the local cache, which may not be the newest.", error)
        path = cached
    return _verified(wanted, path, sha256)


def _cached(wanted: _Wanted) -> Path | None:
    try:
        found = try_to_load_from_cache(
            wanted.repo, wanted.filename, cache_dir=wanted.cache_dir, revision=wanted.revision
        )
    except HFValidationError as error:
        _explain(error, wanted)
    return Path(found) if isinstance(found, str) else None


def _fetch(wanted: _Wanted, progress: Progress | None) -> Path:
    """Ask once, then download."""
    try:
        _probe(wanted)
        path = hf_hub_download(
            wanted.repo,
            wanted.filename,
            revision=wanted.revision,
            cache_dir=wanted.cache_dir,
            endpoint=wanted.endpoint,
            tqdm_class=_bar_class(wanted.filename, progress),
        )
    except (*_TRANSFER_ERRORS, OSError, EntryNotFoundError, HFValidationError) as error:
        _explain(error, wanted)
    return Path(path)


def _probe(wanted: _Wanted) -> None:
    """Ask for the file's head once, without the client's retries, so that a failure comes at once."""
    url = hf_hub_url(wanted.repo, wanted.filename, revision=wanted.revision, endpoint=wanted.endpoint)
    chosen = constants.HF_HUB_ETAG_TIMEOUT  # from the environment, or the client's default
    timeout = _PROBE_TIMEOUT_S if chosen == constants.DEFAULT_ETAG_TIMEOUT else chosen
    head = get_hf_file_metadata(url, timeout=timeout, endpoint=wanted.endpoint)
    if head.commit_hash is None or head.etag is None:
        raise FileMetadataError("the answer lacks the headers of a hub")
    if head.size is not None and head.size > _MOST_BYTES:
        raise CheckpointCorrupt(f"{wanted} is {head.size:,} bytes; at most {_MOST_BYTES:,} are believed.")


def _bar_class(filename: str, progress: Progress | None) -> Any:
    """A progress bar class for the client that draws nothing and reports to ``progress``."""
    most = 0

    class Bar(tqdm):
        """Counts silently. The client may make two bars for one file: what counts is the one that is ahead."""

        monitor_interval = 0

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{**options, "file": io.StringIO(), "disable": False})

        def update(self, n: float | None = 1) -> bool | None:
            nonlocal most
            shown = super().update(n)
            if progress is not None and self.n > most:
                most = int(self.n if self.total is None else min(self.n, self.total))
                progress(filename, most, None if self.total is None else int(self.total))
            return shown

    return Bar


def _verified(wanted: _Wanted, path: Path, expected: str | None) -> HubFile:
    """Compare the hash; a bad file is removed from the cache, so that asking again downloads it anew."""
    blob = path.resolve()
    promised = expected or (blob.name if _SHA256.fullmatch(blob.name) else None)  # large files are stored by hash
    found = sha256_of(path)
    if promised is not None and found != promised:
        path.unlink(missing_ok=True)
        blob.unlink(missing_ok=True)
        raise CheckpointCorrupt(
            f"{wanted} should have SHA-256 {promised[:12]}... but has {found[:12]}...: it was damaged or replaced "
            f"on the way from {wanted.host}. The file was removed from the cache; try again, and if it comes back "
            "wrong try another mirror (HF_ENDPOINT)."
        )
    snapshot = path.parents[wanted.filename.count("/")]  # the client's cache: .../snapshots/<commit>/<filename>
    return HubFile(path=path, revision=snapshot.name, sha256=found)


def _explain(error: Exception, wanted: _Wanted) -> NoReturn:
    """Raise our own error for the client's, saying what to do."""
    cause = error.__cause__ if isinstance(error, LocalEntryNotFoundError) else None
    if isinstance(cause, Exception):  # the client wraps what went wrong
        error = cause
    status = error.response.status_code if isinstance(error, HfHubHTTPError) else None
    kind, what = _reading(error, status, wanted)
    raise kind(what) from error


def _reading(error: Exception, status: int | None, wanted: _Wanted) -> tuple[type[CheckpointError], str]:
    """Which of our errors this is, and its message."""
    if isinstance(error, GatedRepoError | DisabledRepoError) or (
        status in (401, 403) and not isinstance(error, RepositoryNotFoundError)
    ):
        return HubAccessDenied, (
            f"{wanted.host} refuses access to {wanted.repo} (HTTP {status}). Accept the repository's terms on its page "
            "if it has some, and set HF_TOKEN to a valid token of an account that may read it."
        )
    if isinstance(error, RepositoryNotFoundError | HFValidationError):
        return CheckpointNotFound, (
            f"{wanted.host} knows no repository {wanted.repo!r}, or it is private. Check the spelling (owner/name); "
            "for a private one set HF_TOKEN."
        )
    if isinstance(error, RevisionNotFoundError | EntryNotFoundError) or status == 404:
        return CheckpointNotFound, (
            f"there is no {wanted} on {wanted.host}. A Kronos checkpoint has config.json and model.safetensors "
            "(pickled weights such as pytorch_model.bin are not read); check the repository, the revision and the "
            "subfolder."
        )
    if isinstance(error, OfflineModeIsEnabled):
        return HubUnreachable, f"{wanted} is not in the local cache, and offline mode is on (HF_HUB_OFFLINE)."
    if isinstance(error, _TRANSFER_ERRORS):
        said = f"HTTP {status}" if status else str(error) or type(error).__name__
        return HubUnreachable, (
            f"{wanted} could not be had from {wanted.host} ({said}). Check the network and any proxy, set HF_ENDPOINT "
            "to a mirror, or give a local folder that holds config.json and model.safetensors."
        )
    if isinstance(error, OSError) and error.errno is None:  # the client's own check of the size
        return CheckpointCorrupt, f"{wanted} arrived with the wrong size from {wanted.host}: {error} Try again."
    return CheckpointError, f"{wanted} could not be stored: {error}. Check the free space and the rights of the cache."
