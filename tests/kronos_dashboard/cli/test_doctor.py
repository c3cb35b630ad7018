"""The command ``doctor``: findings, fixes by name, and the file it writes."""

import json
from pathlib import Path

import pytest

from kronos_dashboard.__main__ import main
from kronos_dashboard.markets.importers import read_file
from tests.support import makers

NOW = "2030-01-01"


@pytest.fixture
def file_with_gap(tmp_path: Path) -> Path:
    """Hours of a coin with three of them left out and one wrong tick."""
    frame = makers.candles(200).frame.drop(columns="amount")
    frame.iloc[150, frame.columns.get_loc("high")] *= 3
    path = tmp_path / "BTCUSDT.csv"
    frame.drop(frame.index[100:103]).tz_localize(None).rename_axis("timestamp").to_csv(path)
    return path


def document(capsys: pytest.CaptureFixture[str]) -> dict:
    return json.loads(capsys.readouterr().out)


def test_findings_are_printed_with_their_fixes(file_with_gap: Path, capsys) -> None:
    assert main(["doctor", str(file_with_gap), "--now", NOW]) == 0
    output = capsys.readouterr().out
    assert output.startswith("BTCUSDT: 197 candles of 1h, UTC")
    assert "--fix fill-gaps" in output
    assert "--fix clip-outliers" in output


def test_fixes_are_reported_and_written_and_leave_nothing_to_fix(file_with_gap: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "repaired.csv"
    fixes = ["--fix", "fill-gaps", "--fix", "clip-outliers"]
    assert main(["doctor", str(file_with_gap), "--now", NOW, *fixes, "--out", str(out), "--json"]) == 0
    report = document(capsys)
    assert report["rows"] == 200
    assert len(report["done"]) == 2
    assert not {item["key"] for item in report["findings"]} & {"gaps", "outliers"}
    assert len(read_file(out).candles) == 200


def test_findings_as_json_have_rows_and_fixes(file_with_gap: Path, capsys) -> None:
    assert main(["doctor", str(file_with_gap), "--now", NOW, "--json"]) == 0
    report = document(capsys)
    assert (report["symbol"], report["interval"], report["session_tz"]) == ("BTCUSDT", "1h", "UTC")
    outlier = next(item for item in report["findings"] if "clip-outliers" in item["fixes"])
    assert outlier["rows"] == [148]


@pytest.mark.parametrize(
    ("options", "words"),
    [(["--now", "yesterday-ish"], "cannot be read"), (["--calendar", "MARS"], "calendar")],
)
def test_an_invalid_option_is_an_error_message(file_with_gap: Path, options: list[str], words: str, capsys) -> None:
    assert main(["doctor", str(file_with_gap), *options]) == 1
    assert words in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_an_error_message(file_with_gap: Path, tmp_path: Path, capsys) -> None:
    assert main(["doctor", str(file_with_gap), "--out", str(tmp_path / "nowhere" / "a.csv")]) == 1
    assert "cannot be written" in capsys.readouterr().err
