import hashlib
import time
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
from huggingface_hub import constants, file_download

from engine.checkpoints import checkpoint, hub, registry
from engine.checkpoints import resolve as sources
from engine.checkpoints.registry import PublishedCheckpoint
from engine.errors import (
    CheckpointMismatchError,
    CheckpointNotFoundError,
    CorruptCheckpointError,
    HubAccessDeniedError,
    HubUnreachableError,
)
from tests.support.hub_server import COMMIT, Hub, running

PLAIN = Path("tests/data/parity/plain")
REPO = "somebody/kronos-tiny"
QUICK_S = 5.0


@pytest.fixture
def server(monkeypatch, tmp_path):
    for name in ("HF_HUB_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "own cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with running(Hub()) as hub_:
        hub_.serve_folder(REPO, PLAIN / "model")
        monkeypatch.setenv("HF_ENDPOINT", hub_.url)
        yield hub_
        huggingface_hub.close_session()


@pytest.fixture
def gone(monkeypatch, server):
    """The address of a server that no longer listens."""
    with running(Hub()) as closed:
        url = closed.url
    monkeypatch.setenv("HF_ENDPOINT", url)
    return url


@pytest.fixture
def pinned(monkeypatch, server):
    """A published model and its tokenizer in the registry, as the server has them."""

    def entry(name, kind, **more):
        files = {file: (PLAIN / kind / file).read_bytes() for file in ("config.json", "model.safetensors")}
        config, weights = (hashlib.sha256(content).hexdigest() for content in files.values())
        server.serve_folder(f"maker/{name}", PLAIN / kind)
        return PublishedCheckpoint(
            name=name, kind=kind, repo=f"maker/{name}", revision=COMMIT, config_sha256=config, weights_sha256=weights,
            parameters=1, download_mb=0.2, **more,
        )  # fmt: skip

    model = entry("kronos-pinned", "model", tokenizer="kronos-pinned-tokenizer", max_context=128)
    monkeypatch.setattr(registry, "_PUBLISHED", (model, entry("kronos-pinned-tokenizer", "tokenizer")))
    return model


def weights_blob(tmp_path: Path) -> Path:
    return next(tmp_path.glob("**/snapshots/*/model.safetensors")).resolve()


def test_a_hub_checkpoint_is_downloaded_and_read(server, tmp_path):
    seen = []
    read = checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path, progress=lambda *step: seen.append(step))
    assert read.weights_sha256 == hashlib.sha256((PLAIN / "model/model.safetensors").read_bytes()).hexdigest()
    assert read.source == f"{REPO} at {COMMIT[:8]}"
    assert read.state().keys() == checkpoint.read_checkpoint(PLAIN, "model").state().keys()
    size = (PLAIN / "model/model.safetensors").stat().st_size
    assert ("model.safetensors", size, size) in seen
    assert [step[1] for step in seen if step[0] == "model.safetensors"] == sorted(
        step[1] for step in seen if step[0] == "model.safetensors"
    )


def test_nothing_is_printed_while_a_file_arrives(server, tmp_path, capfd):
    checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path)
    assert capfd.readouterr() == ("", "")


def test_a_pinned_revision_in_the_cache_needs_no_request(server, tmp_path):
    checkpoint.read_checkpoint(REPO, "model", revision=COMMIT, cache_dir=tmp_path)
    before = len(server.requests)
    checkpoint.read_checkpoint(REPO, "model", revision=COMMIT, cache_dir=tmp_path)
    assert len(server.requests) == before


def test_a_published_name_needs_no_request_once_it_is_cached(pinned, server, tmp_path):
    first = checkpoint.read_checkpoint("Kronos-Pinned", "model", cache_dir=tmp_path)
    before = len(server.requests)
    assert (
        checkpoint.read_checkpoint("maker/kronos-pinned", "model", cache_dir=tmp_path).weights_sha256
        == first.weights_sha256
    )
    assert len(server.requests) == before
    assert f"/maker/kronos-pinned/resolve/{COMMIT}/" in server.requests[0].path


def test_a_published_model_asked_for_a_tokenizer_gives_its_own(pinned, tmp_path):
    tokenizer = checkpoint.read_checkpoint("kronos-pinned", "tokenizer", cache_dir=tmp_path)
    assert "n_enc_layers" in tokenizer.config
    with pytest.raises(CheckpointMismatchError, match=r"expected a model, but .* is a tokenizer"):
        checkpoint.read_checkpoint("kronos-pinned-tokenizer", "model", cache_dir=tmp_path)


def test_a_dropped_connection_is_resumed_where_it_broke(server, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 10_000)  # the client keeps whole chunks, of 10 MB by itself
    server.cut_after.extend([50_000, 20_000])
    seen = []
    read = checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path, progress=lambda *step: seen.append(step))
    assert read.weights_sha256 == hashlib.sha256((PLAIN / "model/model.safetensors").read_bytes()).hexdigest()
    assert [r.range for r in server.asked("GET") if r.range] == ["bytes=50000-", "bytes=70000-"]
    done = [step[1] for step in seen if step[0] == "model.safetensors"]
    assert done == sorted(done)
    assert done[-1] == (PLAIN / "model/model.safetensors").stat().st_size


@pytest.mark.parametrize("filename", ["config.json", "model.safetensors"])
def test_wrong_bytes_under_a_published_name_are_refused_and_fetched_anew(pinned, server, tmp_path, filename):
    right = server.files[f"maker/kronos-pinned/{filename}"]
    server.files[f"maker/kronos-pinned/{filename}"] = right[:-2] + b"!!"
    with pytest.raises(CorruptCheckpointError, match=f"(?s)SHA-256 of {filename} of maker/kronos-pinned.*Try again"):
        checkpoint.read_checkpoint("kronos-pinned", "model", cache_dir=tmp_path)
    server.files[f"maker/kronos-pinned/{filename}"] = right
    checkpoint.read_checkpoint("kronos-pinned", "model", cache_dir=tmp_path)


def test_a_file_damaged_in_the_cache_is_noticed_and_fetched_anew(pinned, server, tmp_path):
    checkpoint.read_checkpoint("kronos-pinned", "model", cache_dir=tmp_path)
    blob = weights_blob(tmp_path)
    blob.write_bytes(blob.read_bytes()[:-1] + b"!")
    with pytest.raises(CorruptCheckpointError, match="removed from the cache"):
        checkpoint.read_checkpoint("kronos-pinned", "model", cache_dir=tmp_path)
    checkpoint.read_checkpoint("kronos-pinned", "model", cache_dir=tmp_path)


def test_a_large_file_that_is_not_pinned_is_held_against_the_hubs_own_hash(server, tmp_path):
    checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path)
    blob = weights_blob(tmp_path)
    blob.write_bytes(blob.read_bytes()[:-1] + b"!")
    with pytest.raises(CorruptCheckpointError, match="SHA-256"):
        checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path)


def test_the_newest_revision_is_asked_for_and_both_files_come_from_it(server, tmp_path):
    checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path)
    server.commit = "f" * 40
    assert checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path).source.endswith("at ffffffff")
    assert any(f"/resolve/{'f' * 40}/model.safetensors" in r.path for r in server.requests)


def test_a_missing_file_is_named(server, tmp_path):
    del server.files[f"{REPO}/model.safetensors"]
    with pytest.raises(
        CheckpointNotFoundError, match=r"no model\.safetensors of somebody.*pytorch_model\.bin are not supported"
    ):
        checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path)


def test_an_unknown_repository_is_named(server, tmp_path):
    with pytest.raises(CheckpointNotFoundError, match="no repository 'somebody/else'"):
        checkpoint.read_checkpoint("somebody/else", "model", cache_dir=tmp_path)


def test_an_unknown_revision_is_named(server, tmp_path):
    with pytest.raises(CheckpointNotFoundError, match="at revision v9"):
        checkpoint.read_checkpoint(REPO, "model", revision="v9", cache_dir=tmp_path)


@pytest.mark.parametrize("bad", ["some--body/x", "a..b/c"])
def test_an_impossible_hub_id_is_not_found(server, tmp_path, bad):
    with pytest.raises(CheckpointNotFoundError, match="Check the spelling"):
        checkpoint.read_checkpoint(bad, "model", cache_dir=tmp_path)


@pytest.mark.parametrize(("status", "code"), [(401, "GatedRepo"), (403, "GatedRepo"), (403, None), (401, None)])
def test_refused_access_says_what_to_do(server, tmp_path, status, code):
    server.status, server.error_code = status, code
    with pytest.raises(HubAccessDeniedError, match=rf"HTTP {status}.*HF_TOKEN"):
        checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path)


def test_a_repository_that_the_hub_hides_may_be_private(server, tmp_path):
    server.status, server.error_code = 401, "RepoNotFound"  # the hub's answer for missing and for private ones
    with pytest.raises(CheckpointNotFoundError, match=r"or it is private.*HF_TOKEN"):
        checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path)


def test_the_token_is_sent(server, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path)
    assert {request.authorization for request in server.requests} == {"Bearer hf_test"}


def took(call) -> float:
    start = time.monotonic()
    call()
    return time.monotonic() - start


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_hub_that_fails_is_unreachable_at_once(server, tmp_path, status):
    server.status = status

    def call():
        with pytest.raises(HubUnreachableError, match=f"HTTP {status}.*HF_ENDPOINT"):
            checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path)

    assert took(call) < QUICK_S


def test_no_network_is_said_at_once(gone, tmp_path):
    def call():
        with pytest.raises(HubUnreachableError, match="Check the network"):
            checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path)

    assert took(call) < QUICK_S


def test_a_hub_that_is_silent_is_not_waited_for(server, tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "_PROBE_TIMEOUT_S", 0.1)
    server.delay_s = 0.5
    with pytest.raises(HubUnreachableError, match="Check the network"):
        checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path)
    assert len(server.requests) == 1


def test_a_connection_that_drops_for_good_is_unreachable_and_the_next_try_starts_anew(server, tmp_path, monkeypatch):
    monkeypatch.setattr(file_download, "time", SimpleNamespace(sleep=lambda _: None))
    server.cut_after.extend([100, 0, 0, 0, 0, 0, 0, 0])
    with pytest.raises(HubUnreachableError, match=r"model\.safetensors of somebody"):
        checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path)
    server.cut_after.clear()
    checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path)
    assert not list(tmp_path.glob("**/*.incomplete"))


def test_a_connection_that_is_reset_is_unreachable_and_the_next_try_succeeds(server, tmp_path):
    server.reset = True
    server.cut_after.append(20_000)
    with pytest.raises(HubUnreachableError, match=r"model\.safetensors of somebody.*Check the network"):
        checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path)
    checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path)


def test_no_network_takes_the_last_seen_copy_with_a_warning(server, tmp_path, monkeypatch, caplog):
    checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path)
    server.status = 503
    checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path)
    assert "may not be the newest" in caplog.text


def test_an_answer_that_is_not_a_hubs_is_unreachable(server, tmp_path):
    server.plain = True
    with pytest.raises(HubUnreachableError, match="lacks the headers of a hub"):
        checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path)


@pytest.mark.parametrize("endpoint", ["http://[bad", "ftp://127.0.0.1/"])
def test_an_endpoint_that_is_no_address_is_unreachable(server, tmp_path, monkeypatch, endpoint):
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    with pytest.raises(HubUnreachableError, match="HF_ENDPOINT"):
        checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path)


@pytest.mark.parametrize("way", ["argument", "environment"])
def test_offline_mode_reads_the_cache_and_never_asks(server, tmp_path, monkeypatch, way):
    offline = True if way == "argument" else None
    if way == "environment":
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(HubUnreachableError, match="offline mode is on"):
        checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path, offline=offline)
    assert server.requests == []
    checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path, offline=False)
    before = len(server.requests)
    checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path, offline=offline)
    assert len(server.requests) == before


def test_a_repository_with_both_halves_gives_each(server, tmp_path):
    for kind in ("tokenizer", "model"):
        server.serve_folder("somebody/both", PLAIN / kind, prefix=f"{kind}/")
    source = checkpoint.resolve_predictor("somebody/both")
    assert "n_layers" in checkpoint.read_checkpoint(source.model, "model", cache_dir=tmp_path).config
    assert "n_enc_layers" in checkpoint.read_checkpoint(source.tokenizer, "tokenizer", cache_dir=tmp_path).config


def test_a_model_repository_is_no_tokenizer(server, tmp_path):
    with pytest.raises(CheckpointMismatchError, match=r"expected a tokenizer.*tokenizer="):
        checkpoint.read_checkpoint(REPO, "tokenizer", cache_dir=tmp_path)


def test_a_subfolder_can_be_named(server, tmp_path):
    server.serve_folder("somebody/many", PLAIN / "model", prefix="runs/7/")
    read = checkpoint.read_checkpoint("somebody/many", "model", subfolder="runs/7", cache_dir=tmp_path / "snapshots")
    assert read.source == f"somebody/many at {COMMIT[:8]}"


def test_a_revision_of_a_published_repository_is_not_pinned_by_hash(pinned, server, tmp_path):
    name = "maker/kronos-pinned/model.safetensors"
    server.files[name] = (PLAIN.parent / "no_volume/model/model.safetensors").read_bytes()
    checkpoint.read_checkpoint("kronos-pinned", "model", revision="main", cache_dir=tmp_path)


def test_a_file_beyond_belief_is_not_downloaded(server, tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "_MAX_BYTES", 1_000)
    with pytest.raises(CorruptCheckpointError, match="the limit is 1,000"):
        checkpoint.read_checkpoint(REPO, "model", cache_dir=tmp_path)
    assert not [r for r in server.asked("GET") if r.path.endswith("safetensors")]
    assert sources.WEIGHTS_FILE == "model.safetensors"
