r"""Run every check: lint, format, types, import contracts and tests. Installs what they need first.

    python3 scripts/check.py                        (Windows: py scripts\check.py)
    python3 scripts/check.py --only pytest -- -k hub

What follows "--" goes to pytest. Browser tests need chromium or chrome: without one they are skipped, unless CI=true or
``--require-browser`` say that this is a failure.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import time
from pathlib import Path

from _environment import ROOT, fail, prepare, require_python

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_BROWSER_PATHS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
_NO_TESTS_COLLECTED = 5
"""Exit code of pytest. A selection such as ``-k hub`` may leave a step without tests."""


def main() -> int:
    """Run all steps in order; returns 1 if any failed."""
    require_python()
    arguments = _parse_arguments()
    browser = _find_browser()
    if browser is None and (arguments.require_browser or os.environ.get("CI", "").lower() == "true"):
        fail("No chromium or chrome was found, and the browser tests are required. Install chromium, or unset CI.")
    python = prepare(["requirements-dev.txt"], without_dependencies=("requirements-reference.txt",))
    steps = _steps(python, browser, arguments.pytest)
    selected = {name: command for name, command in steps.items() if arguments.only in (None, name)}
    passing = (0, _NO_TESTS_COLLECTED) if arguments.pytest else (0,)
    failed = [name for name, command in selected.items() if _run_step(name, command, browser) not in passing]
    if browser is None:
        print("\nThe browser tests were skipped: no chromium or chrome was found.")
    print(f"\nFailed: {', '.join(failed)}." if failed else "\nEverything passed.", flush=True)
    return 1 if failed else 0


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run every check.")
    parser.add_argument(
        "--only", choices=["ruff", "format", "mypy", "imports", "pytest", "browser"], help="run this step alone"
    )
    parser.add_argument("--require-browser", action="store_true", help="fail when there is no browser to test with")
    parser.add_argument("pytest", nargs="*", help='arguments for pytest, after "--"')
    return parser.parse_args()


def _find_browser() -> str | None:
    """The path of a browser for the tests: ``BROWSER_PATH``, or the first that is installed."""
    on_path = (shutil.which(name) for name in _BROWSERS)
    elsewhere = (path for path in _BROWSER_PATHS if Path(path).is_file())
    return os.environ.get("BROWSER_PATH") or next(filter(None, on_path), None) or next(elsewhere, None)


def _steps(python: Path, browser: str | None, extra: list[str]) -> dict[str, list[str]]:
    """Step -> its command."""
    run = [str(python), "-m"]
    # A busy machine can delay a real browser beyond what a test waits for: a failure counts if it happens twice.
    browser_command = [*run, "pytest", "-m", "browser", "--reruns", "1", "-rR", "--durations", "15", *extra]
    browser_tests = {"browser": browser_command} if browser else {}
    return {
        "ruff": [*run, "ruff", "check", "."],
        "format": [*run, "ruff", "format", "--check", "."],
        "mypy": [*run, "mypy"],
        "imports": [str(python), "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        # one worker a core; "worksteal" keeps the tests of a file together until a worker has nothing left to do
        "pytest": [*run, "pytest", "-n", "auto", "--dist", "worksteal", "-m", "not browser", *extra],
        # one after another: a server and its browsers already use several cores
        **browser_tests,
    }


def _run_step(name: str, command: list[str], browser: str | None) -> int:
    """Run one step; returns its exit code."""
    print(f"\n== {name} ==", flush=True)
    environment = {**os.environ, **({"BROWSER_PATH": browser} if browser else {})}
    start = time.monotonic()
    code = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, cwd=ROOT, env=environment).returncode
    print(f"{name}: {'passed' if code == 0 else f'FAILED (exit code {code})'} in {time.monotonic() - start:.0f} s")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
