"""Files are written atomically and hashed."""

import hashlib
import os

import pytest

from engine.files import atomic_write, sha256_of


def test_bytes_are_written_and_replace_an_existing_file(tmp_path):
    path = tmp_path / "a.bin"
    for content in (b"first", b"", b"second"):
        atomic_write(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_function_writes_to_the_path_that_it_gets(tmp_path):
    path = tmp_path / "a.txt"
    atomic_write(path, lambda temporary: temporary.write_text("text", encoding="utf-8"))
    assert path.read_text(encoding="utf-8") == "text"


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file_and_no_temporary_one(tmp_path, monkeypatch, call):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="No space"):
        atomic_write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_function_that_raises_leaves_no_file(tmp_path):
    def fail(temporary):
        temporary.write_bytes(b"half")
        raise KeyError("stop")

    with pytest.raises(KeyError):
        atomic_write(tmp_path / "a.bin", fail)
    assert list(tmp_path.iterdir()) == []


def test_a_long_name_still_fits_the_file_system(tmp_path):
    path = tmp_path / ("x" * 250)
    atomic_write(path, b"data")
    assert path.read_bytes() == b"data"


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        atomic_write(tmp_path / "none" / "a.bin", b"data")


def test_the_hash_is_that_of_the_bytes(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"data" * 100_000)
    assert sha256_of(path) == hashlib.sha256(path.read_bytes()).hexdigest()
