from __future__ import annotations

from pathlib import Path

import pytest

from engine import KronosPredictor
from tests.support import makers


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny real model."""
    return makers.checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="session")
def predictor(checkpoint: Path) -> KronosPredictor:
    """The tiny model, loaded."""
    return KronosPredictor.from_pretrained(checkpoint, device="cpu")
