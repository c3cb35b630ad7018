"""Files of earlier versions: 2, from before a record had all sampling settings, and 3, from before antithetic pairs.

They are read, and written in the present version.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine import ModelConfig, SamplingConfig
from kronos_dashboard import export
from kronos_dashboard.__main__ import main
from kronos_dashboard.errors import RecordError
from kronos_dashboard.export.metadata import NEUTRAL_NOTE, disclaimers, run_facts
from kronos_dashboard.export.open import open_export
from kronos_dashboard.forecasting.record import OLD_MIRRORING_NOTE, OLD_NAMES, OLD_OVERFLOWS, RunRecord
from tests.support import makers
from tests.support.paths import DATA

OLDER = DATA / "older_runs"
"""All of one run, written by the program as it was then."""
LEFT = {"anchor_to_last_close": True, "mirror_paths": True, "min_p": 0.2}
"""Settings that a checkpoint may choose, and these files lack; each unlike the value that they were sampled with."""
FILES = pytest.mark.parametrize("name", sorted(path.name for path in OLDER.iterdir()))
DRAWN = SamplingConfig(num_paths=2, seed=7, **ModelConfig.extension_defaults())


def older_checksum(record: dict) -> str:
    """As version 2 computed it: over all fields of the record but itself and the version."""
    told = {name: value for name, value in record.items() if name not in ("record_version", "checksum")}
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def in_version_2(record: dict) -> dict:
    """A current record as the first program of version 2 would have written it."""
    old = {new: name for name, new in OLD_NAMES.items()}
    older = {old.get(name, name): value for name, value in record.items()}
    kept = {name: value for name, value in record["sampling"].items() if name not in ModelConfig.extension_keys}
    overflow = {new: value for value, new in OLD_OVERFLOWS.items()}[record["context_overflow"]]
    older |= {"record_version": 2, "sampling": kept, "policy": overflow}
    return older | {"checksum": older_checksum(older)}


@FILES
def test_every_older_file_is_read_and_was_drawn_from_the_models_own_level(name: str) -> None:
    data = (OLDER / name).read_bytes()
    record = export.read_export(data).record
    assert record.sampling == DRAWN
    assert "2 paths starting at the decoded level; " in dict(run_facts(record))["sampling"]
    assert "min-p off" in dict(run_facts(record))["sampling"]
    assert NEUTRAL_NOTE not in disclaimers(record)
    assert open_export(data, name, lambda _: None, max_bytes=10**6).record == record


def test_an_older_record_is_verified_by_its_own_checksum_and_written_in_the_current_version() -> None:
    document = json.loads((OLDER / "record.json").read_text())
    assert document["checksum"] == older_checksum(document)
    record = RunRecord.from_dict(document)
    written = record.to_dict()
    assert (written["record_version"], written["checksum"]) == (4, record.checksum)
    assert RunRecord.from_json(record.to_json()) == record


def test_every_field_of_an_older_record_has_its_value_under_the_new_name() -> None:
    document = json.loads((OLDER / "record.json").read_text())
    written = RunRecord.from_dict(document).to_dict()
    for name, value in document.items():
        if name not in ("record_version", "checksum", "sampling", "policy"):
            assert written[OLD_NAMES.get(name, name)] == value, name
    assert written["context_overflow"] == "evict", "what version 2 called roll"
    assert written["sampling"] == ModelConfig.extension_defaults() | document["sampling"]


def test_the_old_names_of_sampling_settings_are_read() -> None:
    document = json.loads((OLDER / "record.json").read_text())
    document["sampling"] |= {"from_last_close": True, "mirrored": False, "min_p": 0.1}
    document["checksum"] = older_checksum(document)
    sampling = RunRecord.from_dict(document).sampling
    assert (sampling.anchor_to_last_close, sampling.mirror_paths, sampling.min_p) == (True, False, 0.1)


@pytest.mark.parametrize("num_paths", [1, 2])
def test_paths_that_an_older_release_mirrored_are_read_as_paths_without_pairs(num_paths: int) -> None:
    document = json.loads((OLDER / "record.json").read_text())
    document["sampling"] |= {"from_last_close": True, "mirrored": True, "min_p": 0.1, "num_paths": num_paths}
    document["checksum"] = older_checksum(document)
    record = RunRecord.from_dict(document)
    assert record.sampling.mirror_paths is (num_paths == 1)
    assert (OLD_MIRRORING_NOTE in record.notes) is (num_paths > 1)
    assert RunRecord.from_json(record.to_json()) == record


def test_paths_that_an_older_release_mirrored_cannot_be_reproduced(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    document = json.loads((OLDER / "run.json").read_text())
    document["record"]["sampling"] |= {"from_last_close": False, "mirrored": True, "min_p": 0.0}
    document["record"]["checksum"] = older_checksum(document["record"])
    (tmp_path / "run.json").write_text(json.dumps(document))
    assert main(["forecast", "--reproduce", str(tmp_path / "run.json")]) == 1
    assert "mirrored every other path instead of pairing" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("name", LEFT)
@pytest.mark.parametrize("values", [LEFT, ModelConfig.extension_defaults()])
def test_an_older_record_with_an_added_setting_was_changed(name: str, values: dict) -> None:
    document = json.loads((OLDER / "record.json").read_text())
    document["sampling"][name] = values[name]
    with pytest.raises(RecordError, match="changed after it was saved"):
        RunRecord.from_dict(document)


@pytest.mark.parametrize("asks", [LEFT, {}])
def test_an_older_run_is_made_again_also_with_a_model_that_now_asks_otherwise(
    tmp_path: Path, asks: dict, capsys: pytest.CaptureFixture
) -> None:
    folder, path = makers.checkpoint(tmp_path / "model", **asks), tmp_path / "run.json"
    (tmp_path / "candles.csv").write_text(makers.csv(120))
    window = ["--context", "60", "--horizon", "4", "--paths", "3", "--model", str(folder), "--device", "cpu"]
    as_ever = ["--no-anchor-to-last-close", "--no-mirror-paths", "--min-p", "0", "--bundle-output", str(path)]
    assert main(["forecast", str(tmp_path / "candles.csv"), *window, *as_ever]) == 0
    document = json.loads(path.read_text())
    record = document["record"]
    document["record"] = in_version_2(record)
    path.write_text(json.dumps(document))
    capsys.readouterr()
    assert main(["forecast", "--reproduce", str(path), "--record-output", str(tmp_path / "again.json")]) == 0
    assert "the same numbers" in capsys.readouterr().out
    assert json.loads((tmp_path / "again.json").read_text()) == record


@pytest.mark.parametrize("name", LEFT)
def test_two_records_that_differ_in_it_alone_have_other_checksums(name: str) -> None:
    record = export.read_export((OLDER / "run.json").read_bytes()).record
    samplings = [
        replace(record.sampling, **{name: values[name]}) for values in (LEFT, ModelConfig.extension_defaults())
    ]
    changed, same = (replace(record, sampling=sampling) for sampling in samplings)
    assert changed.checksum != record.checksum == same.checksum
