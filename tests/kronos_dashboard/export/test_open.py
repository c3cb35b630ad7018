"""Exported forecasts that come to the Data page, and where they are opened."""

from __future__ import annotations

import gzip

import pytest
from streamlit.testing.v1 import AppTest

from kronos_dashboard import export
from kronos_dashboard.ui.forecast.export.options import export_options
from tests.support import makers, ui_results
from tests.support.forecast_page import app, assert_no_exception, page_text

__all__ = ["app"]

DATA, FORECAST = "pages/1_Data.py", "pages/2_Forecast.py"
FILES = {option.key: (option.name, option.write()) for option in export_options(ui_results.result(), 12, 2**24)}
FILES["record"] = ("record.json", export.write_record(ui_results.result().record))
PACKED = {"zipped": ("steps.csv.gz", gzip.compress(FILES["export_steps"][1]))}


def dropped(app: AppTest, name: str, data: bytes) -> AppTest:
    """The Data page after an upload."""
    assert_no_exception(app.run().switch_page(DATA).run())
    app.file_uploader[0].upload(name, data)
    return assert_no_exception(app.run())


@pytest.mark.parametrize("key", [*FILES, *PACKED])
def test_an_exported_forecast_leads_to_the_forecast_page_which_shows_it(app: AppTest, key: str) -> None:
    name, data = {**FILES, **PACKED}[key]
    dropped(app, name, data)
    assert "a forecast exported by this app" in app.info[0].value
    assert not app.error
    assert not app.session_state["series"]
    app.button(key="data_open_export_0").click()
    assert_no_exception(app.run())
    assert app.title[0].value == "Forecast"
    told = page_text(app).replace("\\", "")
    assert f"draft: **{name.removesuffix('.gz')}**" in told
    assert "export_upload" in app.session_state
    assert_no_exception(app.switch_page(DATA).run())
    assert not [info for info in app.info if "exported" in info.value], "it has been dealt with"


def test_one_that_was_changed_is_refused_where_it_was_dropped(app: AppTest) -> None:
    name, data = FILES["export_paths_csv"]
    changed = data.replace(b"\n1,1,", b"\n1,9,", 1)
    assert changed != data
    dropped(app, name, changed).button(key="data_open_export_0").click()
    assert_no_exception(app.run())
    assert app.title[0].value == "Data"
    assert "no readable forecast" in app.error[0].value


def test_a_table_that_lost_its_record_has_no_way_on(app: AppTest) -> None:
    lines = FILES["export_steps"][1].splitlines(keepends=True)
    dropped(app, "steps.csv", b"".join(line for line in lines if not line.startswith(b"#")))
    assert "are missing" in app.error[0].value
    assert not [button for button in app.button if str(button.key).startswith("data_open_export")]


def test_candles_beside_it_are_read(app: AppTest) -> None:
    assert_no_exception(app.run().switch_page(DATA).run())
    app.file_uploader[0].upload(*FILES["export_run"]).upload("mine.csv", makers.csv(200).encode())
    assert_no_exception(app.run())
    assert [series.title for series in app.session_state["series"].values()] == ["mine"]
    assert "a forecast exported by this app" in app.info[0].value
