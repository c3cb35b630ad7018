"""What was measured of the bands stands in every file and in the output of the command, and breaks none of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine import SamplingConfig
from kronos_dashboard import export
from kronos_dashboard.__main__ import main
from kronos_dashboard.evaluation.coverage_note import Measured, measured
from kronos_dashboard.evaluation.scorecard import SCORES_FILE, find_scores, weights_digest
from tests.kronos_dashboard.evaluation.test_scorecard import document, entry
from tests.kronos_dashboard.export.test_export import text_of
from tests.support import makers, ui_results


@pytest.fixture(scope="module")
def known() -> Measured:
    """The figures of the bundled checkpoint for currency pairs by the hour."""
    found = find_scores("bundled", weights_digest("bundled"))
    return measured(found, SamplingConfig(num_paths=100), market="fx", interval="1h", context=400, horizon=24)


@pytest.mark.parametrize("name", ["steps.csv", "paths.csv", "paths.parquet", "paths.json", "run.json", "report.html"])
@pytest.mark.parametrize("told", [True, False])
def test_every_file_tells_what_was_measured(known: Measured, name: str, told: bool) -> None:
    here, given = ui_results.result(), known if told else Measured(state="never")
    files = {
        "steps.csv": lambda: export.forecast_csv(here.window, here.forecast, here.record, given),
        "paths.csv": lambda: export.paths_csv(here.forecast, here.record, given),
        "paths.parquet": lambda: export.paths_parquet(here.forecast, here.record, given),
        "paths.json": lambda: export.paths_json(here.window, here.forecast, here.record, given),
        "run.json": lambda: export.run_json(here.window, here.forecast, here.record, given),
        "report.html": lambda: export.report_html(here.window, here.forecast, here.record, given),
    }
    data = files[name]()
    # a spreadsheet would take commas and semicolons apart, so a header has its own; words are compared
    said = "".join(letter for letter in text_of(name, data) if letter.isalnum())
    words = "".join(letter for letter in given.describe() if letter.isalnum())
    assert words.replace("x27", "") in said.replace("x27", "")
    if name.endswith(".json"):
        assert export.read_run(data).record == here.record
        assert json.loads(data)["measured"] == given.document()


def test_the_report_sets_the_measured_share_beside_each_band(known: Measured) -> None:
    here = ui_results.result()
    assert known.score is not None
    report = export.report_html(here.window, here.forecast, here.record, known).decode()
    for share in known.score.held.values():
        assert f"{share:.0%} in {known.score.windows} windows of old" in report
    plain = export.report_html(here.window, here.forecast, here.record).decode()
    assert plain.count("<td>not measured</td>") == 3


def test_the_command_says_what_was_measured_or_that_nothing_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, candles = makers.checkpoint(tmp_path / "mine"), tmp_path / "candles.csv"
    candles.write_text(makers.csv(200))
    command = ["forecast", str(candles), "--context", "60", "--horizon", "5", "--paths", "3", "--model", str(folder)]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "bands     The bands of this checkpoint have not been measured" in said
    assert "80% of paths end within" in said
    scores = document(entry(market="crypto"), digest=weights_digest(str(folder)))
    (folder / SCORES_FILE).write_text(json.dumps(scores))
    out = tmp_path / "run.json"
    assert main([*command, "--json-out", str(out)]) == 0
    assert "bands     Measured: in 40 windows of crypto, 24 steps ahead" in capsys.readouterr().out
    assert json.loads(out.read_text())["measured"]["score"]["market"] == "crypto"
    assert main(["forecast", "--from-record", str(out)]) == 0
