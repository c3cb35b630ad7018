"""Exported forecasts that come to the Data page, and where they are opened."""

from __future__ import annotations

import gzip

import pytest
from streamlit.testing.v1 import AppTest

from kronos_dashboard import export
from kronos_dashboard.ui.forecast.export.options import offers
from tests.support import makers, ui_results
from tests.support.forecast_page import app, sound, texts

__all__ = ["app"]

DATA, FORECAST = "pages/1_Data.py", "pages/2_Forecast.py"
FILES = {offer.key: (offer.name, offer.make()) for offer in offers(ui_results.result(), 12, 2**24)}
FILES["record"] = ("record.json", export.record_json(ui_results.result().record))
PACKED = {"zipped": ("steps.csv.gz", gzip.compress(FILES["take_steps"][1]))}


def dropped(app: AppTest, name: str, data: bytes) -> AppTest:
    """The Data page after an upload."""
    sound(app.run().switch_page(DATA).run())
    app.file_uploader[0].upload(name, data)
    return sound(app.run())


@pytest.mark.parametrize("key", [*FILES, *PACKED])
def test_an_exported_forecast_leads_to_the_forecast_page_which_shows_it(app: AppTest, key: str) -> None:
    name, data = {**FILES, **PACKED}[key]
    dropped(app, name, data)
    assert "a forecast that this app exported" in app.info[0].value
    assert not app.error
    assert not app.session_state["series"]
    app.button(key="data_bring_0").click()
    sound(app.run())
    assert app.title[0].value == "Forecast"
    told = texts(app).replace("\\", "")
    assert f"draft: **{name.removesuffix('.gz')}**" in told
    assert "take_upload" in app.session_state
    sound(app.switch_page(DATA).run())
    assert not [info for info in app.info if "exported" in info.value], "it has been dealt with"


def test_one_that_was_changed_is_refused_where_it_was_dropped(app: AppTest) -> None:
    name, data = FILES["take_paths_csv"]
    changed = data.replace(b"\n1,1,", b"\n1,9,", 1)
    assert changed != data
    dropped(app, name, changed).button(key="data_bring_0").click()
    sound(app.run())
    assert app.title[0].value == "Data"
    assert "no forecast that can be read" in app.error[0].value


def test_a_table_that_lost_its_record_has_no_way_on(app: AppTest) -> None:
    lines = FILES["take_steps"][1].splitlines(keepends=True)
    dropped(app, "steps.csv", b"".join(line for line in lines if not line.startswith(b"#")))
    assert "are gone" in app.error[0].value
    assert not [button for button in app.button if str(button.key).startswith("data_bring")]


def test_candles_beside_it_are_read(app: AppTest) -> None:
    sound(app.run().switch_page(DATA).run())
    app.file_uploader[0].upload(*FILES["take_run"]).upload("mine.csv", makers.csv(200).encode())
    sound(app.run())
    assert [series.title for series in app.session_state["series"].values()] == ["mine"]
    assert "a forecast that this app exported" in app.info[0].value
