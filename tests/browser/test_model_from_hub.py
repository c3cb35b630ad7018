"""A checkpoint by its hub id in a real browser, from a hub on this machine: not there, then fetched and used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import BUNDLED, browse, serve
from tests.browser.test_app import button, forecast_ended, run, set_number
from tests.support.hub_server import Hub, running

REPO = "somebody/kronos-small-copy"


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running(Hub()) as made:
        yield made


@pytest.fixture
def address(chromium: Browser, hub: Hub, tmp_path: Path) -> Iterator[str]:
    """The app with a hub id for its model, and an empty cache of checkpoints."""
    with serve(
        tmp_path / "streamlit.log",
        KRONOS_DASHBOARD_MODEL=REPO,
        HF_HUB_OFFLINE="0",
        HF_ENDPOINT=hub.url,
        HF_HOME=str(tmp_path / "hub"),
        HF_HUB_DISABLE_XET="1",
    ) as url:
        yield url


@pytest.mark.timeout(300)
def test_an_id_that_the_hub_does_not_know_is_told_and_one_that_it_has_is_fetched_and_forecasts(
    chromium: Browser, address: str, hub: Hub
) -> None:
    with browse(chromium, address) as app:
        app.open("/")
        expect(app.page.get_by_text(f"Model “{REPO}” is not loaded")).to_be_visible(timeout=60_000)
        app.open("/Forecast")
        set_number(app, "Horizon", 15)
        before = app.first_time()
        run(app)
        box = app.page.get_by_role("alert").filter(has_text="There is no repository")
        expect(box).to_contain_text(REPO)
        expect(box).to_contain_text("Check the spelling (owner/name)")
        expect(box).to_contain_text("KRONOS_DASHBOARD_MODEL")
        app.settle()
        assert app.first_time() == before, "the chart stays"

        for kind in ("tokenizer", "model"):
            hub.serve_folder(REPO, BUNDLED.parents[1] / kind, prefix=f"{kind}/")
        hub.pause_s = 0.5
        run(app)
        expect(
            app.page.get_by_text(re.compile(r"Downloading .*model\.safetensors: [\d.]+ / [\d.]+ MB"))
        ).to_be_visible()
        forecast_ended(app)
        assert "Median" in app.drawn()
        expect(app.page.get_by_text(REPO).first).to_be_visible()
        assert len([one for one in hub.asked("GET") if one.path.endswith("model.safetensors")]) == 2

        app.settle()
        app.page.get_by_test_id("stExpander").filter(has_text="neurology").locator("summary").click()
        bundled = app.page.get_by_role("option", name=re.compile("bundled"))
        for _ in range(10):  # a list that opens while its lid still moves is closed again
            app.page.locator(".st-key-model").get_by_role("combobox").click()
            app.page.wait_for_timeout(500)
            if bundled.is_visible():
                break
        with app.rerun():
            bundled.click()
        button(app, "run").click()
        expect(app.page.get_by_text("bundled (small, not the published model)").first).to_be_visible(timeout=60_000)


def test_a_folder_that_holds_no_model_is_told_with_what_to_do(chromium: Browser, tmp_path: Path) -> None:
    wrong = tmp_path / "nothing here"
    wrong.mkdir()
    with (
        serve(tmp_path / "streamlit.log", KRONOS_DASHBOARD_MODEL=str(wrong)) as url,
        browse(chromium, url) as app,
    ):
        app.open("/Forecast")
        run(app)
        box = app.page.get_by_role("alert").filter(has_text="nothing here")
        expect(box).to_contain_text("tokenizer")
        app.settle()
        assert "Candles" in app.drawn()
