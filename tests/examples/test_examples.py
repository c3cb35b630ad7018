"""The scripts in docs/examples run offline, as a reader would run them, and print what they promise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

SCRIPTS = sorted((ROOT / "docs" / "examples").glob("*.py"))
BUNDLED = ROOT / "engine" / "bundled" / "model" / "model.safetensors"

PRINTED = {
    "one_series": ["EURUSD", "(30, 48, 6)", "random walk CRPS"],
    "many_series": ["EURUSD", "AAPL", "GOOGL", "paths higher"],
    "without_volume": ["median without volume", "medoid path"],
}


def test_every_script_is_run_here() -> None:
    assert {path.stem for path in SCRIPTS} == set(PRINTED)


@pytest.mark.skipif(not BUNDLED.exists(), reason="the bundled checkpoint is not in this clone")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_an_example_runs_offline_and_prints(script: Path, tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    for words in PRINTED[script.stem]:
        assert words in finished.stdout
