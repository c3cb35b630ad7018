"""Files of forecasts that were made before a record told where paths begin: they are read as they stand."""

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
from kronos_dashboard.export.metadata import LEFT_OPEN, facts, limits
from kronos_dashboard.export.open import open_exported
from kronos_dashboard.forecasting.record import RunRecord
from tests.support import makers
from tests.support.paths import DATA

OLDER = DATA / "older_runs"
"""All of one run, written by the program as it was then."""
LEFT = {"from_last_close": True, "mirrored": True, "min_p": 0.2}
"""What a model may ask for, and these files do not tell; each not as they were drawn."""
FILES = pytest.mark.parametrize("name", sorted(path.name for path in OLDER.iterdir()))
DRAWN = SamplingConfig(num_paths=2, seed=7, **ModelConfig.usual())


def older_checksum(record: dict) -> str:
    """As it was worked out then: over all fields of the record but itself and the version."""
    told = {name: value for name, value in record.items() if name not in ("record_version", "checksum")}
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@FILES
def test_every_older_file_is_read_and_was_drawn_from_the_models_own_level(name: str) -> None:
    data = (OLDER / name).read_bytes()
    record = export.read_exported(data).record
    assert set(LEFT).isdisjoint(record.sampling)
    assert record.sampling_config == DRAWN
    assert "2 paths from the model's own level; " in dict(facts(record))["sampling"]
    assert "min-p off" in dict(facts(record))["sampling"]
    assert LEFT_OPEN not in limits(record)
    assert open_exported(data, name, lambda _: None, most_bytes=10**6).record == record


def test_an_older_record_is_written_as_it_was_read() -> None:
    document = json.loads((OLDER / "record.json").read_text())
    record = RunRecord.from_document(document)
    assert record.document() == document
    assert record.checksum == document["checksum"] == older_checksum(document)
    assert RunRecord.from_json(record.to_json()) == record


@pytest.mark.parametrize("name", LEFT)
@pytest.mark.parametrize("values", [LEFT, ModelConfig.usual()])
def test_an_older_record_that_is_made_to_tell_it_was_changed(name: str, values: dict) -> None:
    document = json.loads((OLDER / "record.json").read_text())
    document["sampling"][name] = values[name]
    with pytest.raises(RecordError, match="changed after it was written"):
        RunRecord.from_document(document)


@pytest.mark.parametrize("asks", [LEFT, {}])
def test_an_older_run_is_made_again_also_with_a_model_that_now_asks_otherwise(
    tmp_path: Path, asks: dict, capsys: pytest.CaptureFixture
) -> None:
    folder, path = makers.checkpoint(tmp_path / "model", **asks), tmp_path / "run.json"
    (tmp_path / "candles.csv").write_text(makers.csv(120))
    window = ["--context", "60", "--horizon", "4", "--paths", "3", "--model", str(folder), "--device", "cpu"]
    as_ever = ["--begin", "tokens", "--leaning", "drawn", "--min-p", "0", "--json-out", str(path)]
    assert main(["forecast", str(tmp_path / "candles.csv"), *window, *as_ever]) == 0
    document = json.loads(path.read_text())
    for name in ModelConfig.added:
        del document["record"]["sampling"][name]
    document["record"]["checksum"] = older_checksum(document["record"])
    path.write_text(json.dumps(document))
    capsys.readouterr()
    assert main(["forecast", "--from-record", str(path), "--record", str(tmp_path / "again.json")]) == 0
    assert "the same numbers" in capsys.readouterr().out
    assert json.loads((tmp_path / "again.json").read_text()) == document["record"]


@pytest.mark.parametrize("name", LEFT)
def test_two_records_that_differ_in_it_alone_have_other_checksums(name: str) -> None:
    record = export.read_exported((OLDER / "run.json").read_bytes()).record
    told = [replace(record, sampling={**record.sampling, name: values[name]}) for values in (LEFT, ModelConfig.usual())]
    assert len({one.checksum for one in (record, *told)}) == 3
