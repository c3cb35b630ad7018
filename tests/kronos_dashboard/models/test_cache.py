from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine import CheckpointNotFoundError
from kronos_dashboard.errors import SettingsError
from kronos_dashboard.models.cache import ModelCache
from kronos_dashboard.models.catalog import devices, model_options


def test_a_model_is_loaded_once_also_when_many_ask_at_once(checkpoint: Path) -> None:
    shelf = ModelCache()
    assert shelf.get_if_loaded(str(checkpoint), "cpu") is None
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: id(shelf.get(str(checkpoint), "cpu")), range(8)))
    assert len(found) == 1
    assert shelf.get_if_loaded(str(checkpoint), "cpu") is shelf.get(str(checkpoint), "cpu")


def test_a_model_that_cannot_be_had_is_tried_again(tmp_path: Path, checkpoint: Path) -> None:
    shelf, folder = ModelCache(), tmp_path / "later"
    with pytest.raises(CheckpointNotFoundError):
        shelf.get(str(folder), "cpu")
    folder.symlink_to(checkpoint)
    assert shelf.get(str(folder), "cpu").max_context > 0


def test_types_of_numbers_are_models_of_their_own(checkpoint: Path) -> None:
    shelf = ModelCache()
    single, short = (shelf.get(str(checkpoint), "cpu", dtype) for dtype in ("float32", "bfloat16"))
    assert (str(single.dtype), str(short.dtype)) == ("torch.float32", "torch.bfloat16")
    with pytest.raises(SettingsError, match="float32, bfloat16; got 'float8'"):
        shelf.get(str(checkpoint), "cpu", "float8")
    with pytest.raises(SettingsError, match="not available on this machine"):
        shelf.get(str(checkpoint), "cuda:77")


def test_a_shelf_holds_so_many_and_lets_go_what_was_not_asked_for(checkpoint: Path, tmp_path: Path) -> None:
    shelf, names = ModelCache(max_models=2), [str(checkpoint), str(tmp_path / "b"), str(tmp_path / "c")]
    for name in names[1:]:
        Path(name).symlink_to(checkpoint)
    first = shelf.get(names[0], "cpu")
    shelf.get(names[1], "cpu")
    assert shelf.get(names[0], "cpu") is first
    shelf.get(names[2], "cpu")
    assert shelf.get_if_loaded(names[1], "cpu") is None
    assert shelf.get_if_loaded(names[0], "cpu") is first


def test_the_configured_model_comes_first_and_no_other_path_is_offered() -> None:
    assert [choice.name for choice in model_options("bundled")] == [
        "bundled",
        "kronos-mini",
        "kronos-small",
        "kronos-base",
    ]
    assert next(choice.name for choice in model_options("Kronos-Mini")) == "kronos-mini"
    assert [choice.name for choice in model_options("/some/folder")][:2] == ["/some/folder", "bundled"]
    by_name = {choice.name: choice for choice in model_options("bundled")}
    assert by_name["kronos-mini"].max_context == 2048
    assert (
        by_name["bundled"].relative_cost
        == 1.0
        < by_name["kronos-small"].relative_cost
        < by_name["kronos-base"].relative_cost
    )
    assert by_name["kronos-base"].download_mb > 400


def test_there_is_always_the_processor() -> None:
    assert devices()[-1] == "cpu"
