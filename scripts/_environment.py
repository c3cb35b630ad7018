"""The virtual environment of start.py and check.py: created once, updated when a requirement changes.

Standard library only: this runs before anything is installed.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

__all__ = ["ROOT", "fail", "prepare", "require_python"]

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".venv"
MIN_PYTHON = (3, 11)

_WINDOWS = os.name == "nt"
_PYTHON = FOLDER / ("Scripts/python.exe" if _WINDOWS else "bin/python")


def fail(message: str) -> None:
    """Print ``message`` to stderr and exit with status 1."""
    print(message, file=sys.stderr, flush=True)
    raise SystemExit(1)


def require_python() -> None:
    """Exit with a message if this Python is too old."""
    if sys.version_info < MIN_PYTHON:
        fail(f"Python {MIN_PYTHON[0]}.{MIN_PYTHON[1]} or newer is needed; this is {sys.version.split()[0]}.")


def prepare(requirements: list[str], *, without_dependencies: tuple[str, ...] = ()) -> Path:
    """Create ``.venv`` if it is missing and install the requirement files into it; returns its interpreter.

    A stamp with the hash of the files is stored there, so that nothing is installed the next time.
    """
    files = [ROOT / name for name in (*requirements, *without_dependencies)]
    stamp = FOLDER / f"installed-{requirements[0].removesuffix('.txt')}"
    fingerprint = _fingerprint(files)
    if not _is_usable(_PYTHON):
        print("Making the environment .venv ...", flush=True)
        _create()
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != fingerprint:
        print("Installing what is needed (once; one to three minutes, about 2 GB on disk) ...", flush=True)
        for name in requirements:
            _install("-r", str(ROOT / name))
        for name in without_dependencies:
            _install("--no-deps", "-r", str(ROOT / name))
        _install("--no-deps", "--editable", str(ROOT))  # so that scripts, benchmarks and examples find the packages
        stamp.write_text(fingerprint, encoding="utf-8")
    return _PYTHON


def _fingerprint(files: list[Path]) -> str:
    """SHA-256 of the requirement files, those that they include, and the version of Python."""
    inputs = sorted({*files, ROOT / "requirements.txt"})
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for file in inputs:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _is_usable(python: Path) -> bool:
    """Whether the interpreter starts; it does not in an environment that was moved or only partly created."""
    if not python.exists():
        return False
    try:
        return (
            subprocess.run([python, "-c", "import pip"], check=False, capture_output=True, timeout=60).returncode == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def _create() -> None:
    try:
        venv.create(FOLDER, with_pip=True, clear=True)
    except (OSError, subprocess.CalledProcessError) as error:
        fail(f"The environment could not be made ({error}). On Debian and Ubuntu install python3-venv first.")


def _install(*arguments: str) -> None:
    command = [str(_PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    if subprocess.run(command, check=False, stdin=subprocess.DEVNULL, cwd=ROOT).returncode != 0:
        fail(f"Installing failed: {' '.join(command)}\nCheck the network and the free space, then run this again.")
