"""``python -m kronos_dashboard doctor``: findings, repairs by name, and what it writes."""

import json
from pathlib import Path

import pytest

from kronos_dashboard.__main__ import main
from kronos_dashboard.markets.importers import read_file
from tests.support import makers

NOW = "2030-01-01"


@pytest.fixture
def holed(tmp_path: Path) -> Path:
    """Hours of a coin with three of them left out and one wrong tick."""
    frame = makers.candles(200).frame.drop(columns="amount")
    frame.iloc[150, frame.columns.get_loc("high")] *= 3
    path = tmp_path / "BTCUSDT.csv"
    frame.drop(frame.index[100:103]).tz_localize(None).rename_axis("timestamp").to_csv(path)
    return path


def document(capsys: pytest.CaptureFixture[str]) -> dict:
    return json.loads(capsys.readouterr().out)


def test_findings_are_printed_with_the_repairs_that_may_be_asked_for(holed: Path, capsys) -> None:
    assert main(["doctor", str(holed), "--now", NOW]) == 0
    said = capsys.readouterr().out
    assert said.startswith("BTCUSDT: 197 candles of 1h, UTC")
    assert "--fix fill-gaps" in said
    assert "--fix clip-outliers" in said


def test_a_repair_is_told_and_written_and_leaves_nothing_to_repair(holed: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "repaired.csv"
    fixes = ["--fix", "fill-gaps", "--fix", "clip-outliers"]
    assert main(["doctor", str(holed), "--now", NOW, *fixes, "--out", str(out), "--json"]) == 0
    found = document(capsys)
    assert found["rows"] == 200
    assert len(found["done"]) == 2
    assert not {one["key"] for one in found["findings"]} & {"gaps", "outliers"}
    assert len(read_file(out).candles) == 200


def test_findings_as_json_name_their_rows_and_repairs(holed: Path, capsys) -> None:
    assert main(["doctor", str(holed), "--now", NOW, "--json"]) == 0
    found = document(capsys)
    assert (found["symbol"], found["interval"], found["session_tz"]) == ("BTCUSDT", "1h", "UTC")
    outlier = next(one for one in found["findings"] if "clip-outliers" in one["fixes"])
    assert outlier["rows"] == [148]


@pytest.mark.parametrize(
    ("options", "words"),
    [(["--now", "yesterday-ish"], "cannot be read"), (["--calendar", "MARS"], "calendar")],
)
def test_what_cannot_be_understood_is_an_error_in_words(holed: Path, options: list[str], words: str, capsys) -> None:
    assert main(["doctor", str(holed), *options]) == 1
    assert words in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_an_error_in_words(holed: Path, tmp_path: Path, capsys) -> None:
    assert main(["doctor", str(holed), "--out", str(tmp_path / "nowhere" / "a.csv")]) == 1
    assert "cannot be written" in capsys.readouterr().err
