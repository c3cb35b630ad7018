"""Forecasts exported by this app are recognized and refused as history."""

import gzip
import io
import zipfile

import pandas as pd
import pytest

from kronos_dashboard import export
from kronos_dashboard.markets.importers import ExportedForecastError, read
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
    candles = ui_results.result()
    window, forecast, record = candles.window, candles.forecast, candles.record
    return {
        "steps.csv": export.write_forecast_csv(window, forecast, record),
        "paths.csv": export.write_paths_csv(forecast, record),
        "paths.parquet": export.write_paths_parquet(forecast, record),
        "run.json": export.write_bundle(window, forecast, record),
        "paths.json": export.write_paths_json(window, forecast, record),
        "record.json": export.write_record(record),
        "report.html": export.write_report(window, forecast, record),
    }


@pytest.mark.parametrize("name", KINDS)
def test_every_exported_file_is_recognized_with_the_page_and_the_command_that_open_it(
    files: dict[str, bytes], name: str
) -> None:
    with pytest.raises(ExportedForecastError) as raised:
        read(files[name], name)
    assert f"({KINDS[name]})" in raised.value.message
    assert "Forecast page under Export" in raised.value.hint
    assert f"--reproduce {name}" in raised.value.hint
    assert ("--data FILE" in raised.value.hint) == ("candles" not in KINDS[name])
    assert raised.value.data == files[name]
    assert export.read_export(files[name]).record == ui_results.result().record


def saved_by_a_spreadsheet(data: bytes) -> bytes:
    """Lines of comment in quotes, with empty cells behind."""
    lines = data.decode().splitlines()
    quoted = ['"{}",,,'.format(line.replace('"', '""')) if line.startswith("#") else line for line in lines]
    return "\r\n".join(quoted).encode("utf-8-sig")


@pytest.mark.parametrize("name", ["steps.csv", "paths.csv"])
def test_a_table_saved_by_a_spreadsheet_is_recognized(files: dict[str, bytes], name: str) -> None:
    data = saved_by_a_spreadsheet(files[name])
    with pytest.raises(ExportedForecastError) as raised:
        read(data, name)
    assert raised.value.data == data
    assert export.read_export(data).record == ui_results.result().record


def test_a_compressed_export_is_recognized(files: dict[str, bytes]) -> None:
    with pytest.raises(ExportedForecastError) as raised:
        read(gzip.compress(files["run.json"]), "run.json.gz")
    assert (raised.value.filename, raised.value.data) == ("run.json", files["run.json"])


def test_candles_beside_an_export_in_an_archive_are_read(files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(packed := io.BytesIO(), "w") as archive:
        archive.writestr("a.csv", files["steps.csv"])
        archive.writestr("b.csv", makers.csv(50))
    assert len(read(packed.getvalue(), "both.zip").candles) == 50


@pytest.mark.parametrize("name", ["steps.csv", "paths.csv"])
def test_an_export_without_its_first_lines_is_refused(files: dict[str, bytes], name: str) -> None:
    table = pd.read_csv(io.BytesIO(files[name]), comment="#").to_csv(index=False).encode()
    with pytest.raises(ExportedForecastError) as raised:
        read(table, name)
    assert "are missing" in raised.value.hint
    assert not raised.value.data


@pytest.mark.parametrize("line", ["# record: of the year", "# path", "#"])
def test_candles_with_lines_of_comment_are_candles(line: str) -> None:
    assert len(read(f"{line}\n{makers.csv(50)}".encode(), "a.csv").candles) == 50


def test_candles_in_json_with_a_version_are_candles() -> None:
    rows = pd.read_csv(io.StringIO(makers.csv(50))).to_json(orient="records")
    assert len(read(f'{{"record_version": 2, "data": {rows}}}'.encode(), "a.json").candles) == 50
