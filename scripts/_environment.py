"""The virtual environment that start.py and check.py share: made once, installed again only when a requirement changed.

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
OLDEST = (3, 11)

_WINDOWS = os.name == "nt"
_PYTHON = FOLDER / ("Scripts/python.exe" if _WINDOWS else "bin/python")


def fail(message: str) -> None:
    """Say what is wrong and end with a failure."""
    print(message, file=sys.stderr, flush=True)
    raise SystemExit(1)


def require_python() -> None:
    """End here on a Python that is too old, in words."""
    if sys.version_info < OLDEST:
        fail(f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed; this is {sys.version.split()[0]}.")


def prepare(requirements: list[str], *, without_dependencies: tuple[str, ...] = ()) -> Path:
    """Make ``.venv`` if it is missing and install the requirement files into it; returns its python.

    A stamp with the files' hash is left behind, so that nothing is installed the next time.
    """
    files = [ROOT / name for name in (*requirements, *without_dependencies)]
    stamp = FOLDER / f"installed-{requirements[0].removesuffix('.txt')}"
    wanted = _fingerprint(files)
    if not _works(_PYTHON):
        print("Making the environment .venv ...", flush=True)
        _make()
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        print("Installing what is needed (once; one to three minutes, about 2 GB on disk) ...", flush=True)
        for name in requirements:
            _install("-r", str(ROOT / name))
        for name in without_dependencies:
            _install("--no-deps", "-r", str(ROOT / name))
        stamp.write_text(wanted, encoding="utf-8")
    return _PYTHON


def _fingerprint(files: list[Path]) -> str:
    """One hash over the requirement files, those that they include, and the version of Python."""
    everything = sorted({*files, ROOT / "requirements.txt"})
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for file in everything:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _works(python: Path) -> bool:
    """Whether the environment's python starts (a folder that was moved or half made has one that does not)."""
    if not python.exists():
        return False
    try:
        return (
            subprocess.run([python, "-c", "import pip"], check=False, capture_output=True, timeout=60).returncode == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def _make() -> None:
    try:
        venv.create(FOLDER, with_pip=True, clear=True)
    except (OSError, subprocess.CalledProcessError) as error:
        fail(f"The environment could not be made ({error}). On Debian and Ubuntu install python3-venv first.")


def _install(*arguments: str) -> None:
    command = [str(_PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    if subprocess.run(command, check=False, stdin=subprocess.DEVNULL, cwd=ROOT).returncode != 0:
        fail(f"Installing failed: {' '.join(command)}\nCheck the network and the free space, then run this again.")
