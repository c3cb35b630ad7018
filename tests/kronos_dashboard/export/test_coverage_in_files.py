"""What was measured of the bands stands in every file and in the output of the command, and breaks none of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine import SamplingConfig
from kronos_dashboard import export
from kronos_dashboard.__main__ import main
from kronos_dashboard.evaluation.coverage_note import CoverageNote, build_coverage_note
from kronos_dashboard.evaluation.scorecard import SCORECARD_FILE, find_scorecard, find_weights_sha256
from tests.kronos_dashboard.evaluation.test_scorecard import document, entry
from tests.kronos_dashboard.export.test_export import text_of
from tests.support import makers, ui_results


@pytest.fixture(scope="module")
def known() -> CoverageNote:
    """The figures of the bundled checkpoint for currency pairs by the hour."""
    found = find_scorecard("bundled", find_weights_sha256("bundled"))
    return build_coverage_note(
        found, SamplingConfig(num_paths=100), market="fx", interval="1h", context=400, horizon=24
    )


@pytest.mark.parametrize("name", ["steps.csv", "paths.csv", "paths.parquet", "paths.json", "run.json", "report.html"])
@pytest.mark.parametrize("told", [True, False])
def test_every_file_states_the_measured_coverage(known: CoverageNote, name: str, told: bool) -> None:
    here, given = ui_results.result(), known if told else CoverageNote(state="missing")
    files = {
        "steps.csv": lambda: export.write_forecast_csv(here.window, here.forecast, here.record, given),
        "paths.csv": lambda: export.write_paths_csv(here.forecast, here.record, given),
        "paths.parquet": lambda: export.write_paths_parquet(here.forecast, here.record, given),
        "paths.json": lambda: export.write_paths_json(here.window, here.forecast, here.record, given),
        "run.json": lambda: export.write_bundle(here.window, here.forecast, here.record, given),
        "report.html": lambda: export.write_report(here.window, here.forecast, here.record, given),
    }
    data = files[name]()
    # a spreadsheet would take commas and semicolons apart, so a header has its own; words are compared
    said = "".join(letter for letter in text_of(name, data) if letter.isalnum())
    words = "".join(letter for letter in given.describe() if letter.isalnum())
    assert words.replace("x27", "") in said.replace("x27", "")
    if name.endswith(".json"):
        assert export.read_bundle(data).record == here.record
        assert json.loads(data)["measured"] == given.to_dict()


def test_the_report_sets_the_measured_share_beside_each_band(known: CoverageNote) -> None:
    here = ui_results.result()
    assert known.score is not None
    report = export.write_report(here.window, here.forecast, here.record, known).decode()
    for share in known.score.coverages.values():
        assert f"measured coverage {share:.0%} in {known.score.windows} past windows" in report
    plain = export.write_report(here.window, here.forecast, here.record).decode()
    assert plain.count("<td>coverage not measured</td>") == 3


def test_the_command_prints_the_measured_coverage_or_that_there_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, candles = makers.checkpoint(tmp_path / "mine"), tmp_path / "candles.csv"
    candles.write_text(makers.csv(200))
    command = ["forecast", str(candles), "--context", "60", "--horizon", "5", "--paths", "3", "--model", str(folder)]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "bands     The coverage of this checkpoint's bands has not been measured" in said
    assert "80% of paths end between" in said
    scores = document(entry(market="crypto"), digest=find_weights_sha256(str(folder)))
    (folder / SCORECARD_FILE).write_text(json.dumps(scores))
    out = tmp_path / "run.json"
    assert main([*command, "--bundle-output", str(out)]) == 0
    assert "bands     Measured in 40 windows of crypto, 24 bars ahead" in capsys.readouterr().out
    assert json.loads(out.read_text())["measured"]["score"]["market"] == "crypto"
    assert main(["forecast", "--reproduce", str(out)]) == 0
