from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine import CheckpointNotFound
from kronos_dashboard.models import ModelShelf


def test_a_model_is_loaded_once_also_when_many_ask_at_once(checkpoint: Path) -> None:
    shelf = ModelShelf()
    assert shelf.peek(str(checkpoint), "cpu") is None
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: id(shelf.get(str(checkpoint), "cpu")), range(8)))
    assert len(found) == 1
    assert shelf.peek(str(checkpoint), "cpu") is shelf.get(str(checkpoint), "cpu")


def test_a_model_that_cannot_be_had_is_tried_again(tmp_path: Path, checkpoint: Path) -> None:
    shelf, folder = ModelShelf(), tmp_path / "later"
    with pytest.raises(CheckpointNotFound):
        shelf.get(str(folder), "cpu")
    folder.symlink_to(checkpoint)
    assert shelf.get(str(folder), "cpu").max_context > 0
