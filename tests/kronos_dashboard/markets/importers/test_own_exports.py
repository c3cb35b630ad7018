"""What happens to forecasts of this app in the importer."""

import gzip
import io
import zipfile

import pandas as pd
import pytest

from kronos_dashboard import export
from kronos_dashboard.markets.importers import ExportedForecast, read
from tests.support import makers, ui_results

KINDS = {
    "steps.csv": "its steps",
    "paths.csv": "all its paths",
    "paths.parquet": "all its paths",
    "run.json": "its settings and candles",
    "paths.json": "its settings and candles",
    "record.json": "its settings",
    "report.html": "a report",
}


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    made = ui_results.result()
    window, forecast, record = made.window, made.forecast, made.record
    return {
        "steps.csv": export.forecast_csv(window, forecast, record),
        "paths.csv": export.paths_csv(forecast, record),
        "paths.parquet": export.paths_parquet(forecast, record),
        "run.json": export.run_json(window, forecast, record),
        "paths.json": export.paths_json(window, forecast, record),
        "record.json": export.record_json(record),
        "report.html": export.report_html(window, forecast, record),
    }


@pytest.mark.parametrize("name", KINDS)
def test_every_exported_file_is_told_from_candles_with_the_place_and_the_command_that_open_it(
    files: dict[str, bytes], name: str
) -> None:
    with pytest.raises(ExportedForecast) as caught:
        read(files[name], name)
    assert f"({KINDS[name]})" in caught.value.message
    assert "Forecast page, under Files" in caught.value.hint
    assert f"--from-record {name}" in caught.value.hint
    assert ("--candles FILE" in caught.value.hint) == ("candles" not in KINDS[name])
    assert caught.value.data == files[name]
    assert export.read_exported(files[name]).record == ui_results.result().record


def saved_by_a_spreadsheet(data: bytes) -> bytes:
    """Lines of comment in quotes, with empty cells behind."""
    lines = data.decode().splitlines()
    quoted = ['"{}",,,'.format(line.replace('"', '""')) if line.startswith("#") else line for line in lines]
    return "\r\n".join(quoted).encode("utf-8-sig")


@pytest.mark.parametrize("name", ["steps.csv", "paths.csv"])
def test_a_table_that_a_spreadsheet_has_saved_is_still_known(files: dict[str, bytes], name: str) -> None:
    data = saved_by_a_spreadsheet(files[name])
    with pytest.raises(ExportedForecast) as caught:
        read(data, name)
    assert caught.value.data == data
    assert export.read_exported(data).record == ui_results.result().record


def test_it_is_known_when_it_was_compressed(files: dict[str, bytes]) -> None:
    with pytest.raises(ExportedForecast) as caught:
        read(gzip.compress(files["run.json"]), "run.json.gz")
    assert (caught.value.filename, caught.value.data) == ("run.json", files["run.json"])


def test_candles_beside_it_in_an_archive_are_taken(files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(packed := io.BytesIO(), "w") as archive:
        archive.writestr("a.csv", files["steps.csv"])
        archive.writestr("b.csv", makers.csv(50))
    assert len(read(packed.getvalue(), "both.zip").candles) == 50


@pytest.mark.parametrize("name", ["steps.csv", "paths.csv"])
def test_without_its_first_lines_it_is_refused_all_the_same(files: dict[str, bytes], name: str) -> None:
    table = pd.read_csv(io.BytesIO(files[name]), comment="#").to_csv(index=False).encode()
    with pytest.raises(ExportedForecast) as caught:
        read(table, name)
    assert "are gone" in caught.value.hint
    assert not caught.value.data


@pytest.mark.parametrize("line", ["# record: of the year", "# path", "#"])
def test_candles_with_lines_of_comment_are_candles(line: str) -> None:
    assert len(read(f"{line}\n{makers.csv(50)}".encode(), "a.csv").candles) == 50


def test_candles_in_json_with_a_version_are_candles() -> None:
    rows = pd.read_csv(io.StringIO(makers.csv(50))).to_json(orient="records")
    assert len(read(f'{{"record_version": 2, "data": {rows}}}'.encode(), "a.json").candles) == 50
