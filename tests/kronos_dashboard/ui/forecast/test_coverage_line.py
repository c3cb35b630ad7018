"""What was measured of the bands, where a reader meets them: below the chart, in files and on Home."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from kronos_dashboard.evaluation.scorecard import SCORECARD_FILE, find_weights_sha256
from kronos_dashboard.ui.forecast import coverage_line
from kronos_dashboard.ui.forecast.export import options
from tests.kronos_dashboard.evaluation.test_scorecard import document, entry
from tests.support import makers, ui_results
from tests.support.forecast_page import (
    FORECAST,
    HOME,
    app,
    assert_no_exception,
    open_forecast_page,
    page_text,
    run_forecast,
)

__all__ = ["app"]

Scored = Callable[..., Path]


@pytest.fixture
def scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scored:
    """Makes a checkpoint with a scores file of these entries the model of the app."""

    def make(*entries: dict, **fields: object) -> Path:
        folder = makers.checkpoint(tmp_path / "scored")
        values = document(*entries, **{"digest": find_weights_sha256(str(folder)), **fields})
        (folder / SCORECARD_FILE).write_text(json.dumps(values))
        monkeypatch.setenv("KRONOS_DASHBOARD_MODEL", str(folder))
        st.cache_resource.clear()
        return folder

    return make


def line(app: AppTest) -> str:
    """What stands below the chart about its bands."""
    [found] = [one.value.replace("\\", "") for one in app.caption if "measured" in one.value.lower()]
    return found


def test_the_figures_stand_below_the_chart_before_a_run_and_after_it(app: AppTest, scored: Scored) -> None:
    scored(entry(market="fx", interval="1h", horizon=10), context=60, paths=5)
    told = "Measured in 40 windows of currency pairs at 1h, 10 bars ahead: the 50/80/95% bands covered 41/75/93%"
    assert line(open_forecast_page(app)).startswith(told)
    assert line(run_forecast(app)).startswith(told)
    assert ":orange" not in line(app)


def test_settings_that_were_not_measured_are_told_and_the_line_is_about_what_is_shown(
    app: AppTest, scored: Scored
) -> None:
    scored(entry(horizon=10), context=60, paths=5)
    run_forecast(open_forecast_page(app))
    app.segmented_control(key="preset").set_value("point")
    assert "narrower" not in line(assert_no_exception(app.run())), (
        "the forecast on the screen was drawn as it was measured"
    )
    run_forecast(app)
    assert "temperature 1, top-p 1; this forecast uses temperature 0.6, top-p 0.9" in line(app)
    assert ":orange" in line(app)
    assert "narrower" in line(app)


def test_paths_that_begin_elsewhere_than_the_measured_ones_are_told_once_the_model_can_say_so(
    app: AppTest, scored: Scored, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored(entry(horizon=10), context=60, paths=5, from_last_close=True)
    with monkeypatch.context() as away:
        away.setattr(coverage_line, "model_cache", lambda: SimpleNamespace(get_if_loaded=lambda *_: None))
        assert ":orange" not in line(open_forecast_page(app)), (
            "a model that is not loaded may ask for what was measured"
        )
    app.selectbox(key="anchor_to_last_close").set_value("off")
    assert "paths starting at the last close; this forecast uses paths starting at the decoded level" in line(
        assert_no_exception(app.run())
    )
    app.selectbox(key="anchor_to_last_close").set_value("on")
    assert ":orange" not in line(assert_no_exception(app.run()))
    app.selectbox(key="anchor_to_last_close").set_value("model")
    assert "uses paths starting at the decoded level" in line(run_forecast(app))
    app.button(key="step_-1").click()
    assert "uses paths starting at the decoded level" in line(assert_no_exception(app.run())), (
        "now it is known, before another run"
    )


def test_paths_that_are_mirrored_unlike_the_measured_ones_are_told(app: AppTest, scored: Scored) -> None:
    scored(entry(horizon=10), context=60, paths=5, mirrored=True)
    open_forecast_page(app).selectbox(key="mirror_paths").set_value("off")
    assert "antithetic pairs; this forecast uses no antithetic pairs" in line(assert_no_exception(app.run()))
    app.selectbox(key="mirror_paths").set_value("on")
    assert ":orange" not in line(assert_no_exception(app.run()))
    assert ":orange" not in line(run_forecast(app))
    app.selectbox(key="mirror_paths").set_value("model")
    assert "uses no antithetic pairs" in line(run_forecast(assert_no_exception(app.run())))


def test_a_min_p_unlike_the_measured_one_is_told_with_which_way_bands_go(app: AppTest, scored: Scored) -> None:
    scored(entry(horizon=10), context=60, paths=5, min_p=0.01)
    open_forecast_page(app).number_input(key="min_p").set_value(0.02)
    assert "with min-p 0.01; this forecast uses min-p 0.02" in line(assert_no_exception(app.run()))
    assert "narrower" in line(app)
    app.number_input(key="min_p").set_value(0.01)
    assert ":orange" not in line(assert_no_exception(app.run()))
    app.number_input(key="min_p").set_value(None)
    assert "with min-p 0.01; this forecast uses no min-p" in line(run_forecast(assert_no_exception(app.run())))
    assert "wider" in line(app)


@pytest.mark.parametrize(("change", "words"), [
    ({"digest": "b" * 64}, "belongs to other weights"),
    ({"paths": "many"}, "could not be read"),
])  # fmt: skip
def test_a_file_that_does_not_count_is_told(app: AppTest, scored: Scored, change: dict, words: str) -> None:
    scored(entry(), **change)
    assert words in line(open_forecast_page(app))


def test_a_checkpoint_without_figures_promises_nothing_in_either_language(app: AppTest) -> None:
    assert line(run_forecast(open_forecast_page(app))).startswith(
        "The coverage of this checkpoint's bands has not been measured"
    )
    assert "has not been measured" in page_text(app.switch_page(HOME).run())
    app.query_params["lang"] = "zh"
    app.switch_page(FORECAST).run()
    assert "该模型区间的实际覆盖率未经实测" in page_text(assert_no_exception(app))


def test_figures_and_tiles_are_about_one_set_of_bands(app: AppTest) -> None:
    run_forecast(open_forecast_page(app))
    assert "80% interval" in [metric.label for metric in app.metric]
    assert not [metric.label for metric in app.metric if "90%" in metric.label]


def test_home_tells_the_reach_over_markets_from_the_file(app: AppTest, scored: Scored) -> None:
    scored(entry(24, market="fx", coverage_80=0.71), entry(120, market="crypto", coverage_80=0.86))
    told = page_text(assert_no_exception(app.run()))
    assert "24 / 120 bars: the 80% band covered 71% to 86% of closes" in told
    assert "demo model" not in told, "that is said of the bundled model alone"


@pytest.mark.parametrize("mirrored", [True, False])
def test_home_tells_where_the_direction_was_left_open(app: AppTest, scored: Scored, mirrored: bool) -> None:
    scored(entry(24, market="fx"), mirrored=mirrored)
    assert ("how far the price may move, not which way" in page_text(assert_no_exception(app.run()))) is mirrored


def test_files_tell_it_too(app: AppTest, scored: Scored) -> None:
    folder = scored(entry(market="crypto"))
    here = ui_results.result()
    mine = replace(here.record, model_name=str(folder), weights_sha256=find_weights_sha256(str(folder)))
    made = {option.key: option.write() for option in options.export_options(replace(here, record=mine), 0, 10**7)}
    assert json.loads(made["export_run"])["measured"]["score"]["market"] == "crypto"
    assert b"41/75/93% of closes" in made["export_report"]


def test_a_model_that_a_file_names_is_not_looked_for(
    app: AppTest, scored: Scored, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = scored(entry())
    here = ui_results.result()
    foreign = replace(here, record=replace(here.record, model_name=str(folder)))
    monkeypatch.setenv("KRONOS_DASHBOARD_MODEL", "bundled")
    st.cache_resource.clear()
    monkeypatch.setattr(coverage_line, "build_coverage_note_for_record", None)
    assert coverage_line.coverage_note_of(foreign).state == "missing"
