"""Taking a forecast along: every download opened and checked, and exported files opened again on the page."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from engine import KronosPredictor, SamplingConfig
from kronos_dashboard.__main__ import main
from kronos_dashboard.errors import DashboardError
from kronos_dashboard.export import QUANTILES, RECORD_KEY, write_paths_json, write_record
from kronos_dashboard.export.open import open_export
from kronos_dashboard.forecasting.record import RunRecord
from kronos_dashboard.forecasting.run import run_forecasts
from kronos_dashboard.ui.forecast.export.options import export_options, reproduce_command
from kronos_dashboard.ui.forecast.runs import ForecastResult
from tests.kronos_dashboard.ui.test_pages import assert_no_exception, page_text
from tests.support import ui_results

MOST = 20 * 2**20


def page() -> None:
    from collections import OrderedDict

    import streamlit as st

    from kronos_dashboard.ui.forecast.export.page import show_export
    from tests.support import ui_results

    options = st.session_state["options"]
    at = ui_results.window(**options.get("window", {}))
    result = ui_results.result(at, **options.get("result", {}))
    if options.get("kept"):
        st.session_state["results"] = OrderedDict(one=result)
    show_export(result, options.get("revealed", 0))


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def opened(**options: object) -> AppTest:
    app = AppTest.from_function(page, default_timeout=30)
    app.session_state["options"] = options
    return assert_no_exception(app.run())


def files(result: ForecastResult, revealed: int = 0) -> dict[str, bytes]:
    return {option.key: option.write() for option in export_options(result, revealed, MOST)}


def shown(app: AppTest) -> dict[str, dict]:
    found = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    return {one["name"]: json.loads(one["figure"]) for one in found if "name" in one}


def uploaded(app: AppTest, name: str, data: bytes) -> AppTest:
    app.file_uploader(key="export_upload").upload(name, data)
    return assert_no_exception(app.run())


def nothing(record: RunRecord) -> None:
    del record


# ---------------------------------------------------------------------------------------------- the files


def test_the_page_offers_every_file_made_when_it_is_clicked(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[str, object, str]] = []
    plain = st.download_button

    def spy(label: str, data: object, name: str, *rest: object, **more: object) -> bool:
        given.append((label, data, name))
        assert more["on_click"] == "ignore"
        return plain(label, data, name, *rest, **more)

    monkeypatch.setattr(st, "download_button", spy)
    app, here = opened(), ui_results.result()
    assert [button.label for button in app.get("download_button")] == [label for label, _, _ in given]
    assert [data() for _, data, _ in given] == list(files(here).values())
    assert [name.rpartition(".")[2] for _, _, name in given] == ["csv", "csv", "parquet", "json", "html"]
    assert len({name for _, _, name in given}) == 5
    assert app.code[0].value == reproduce_command(here.record)
    assert "Hidden actuals are not exported" in page_text(app)


def test_the_forecast_csv_has_a_row_per_step_with_the_quantiles_of_the_paths() -> None:
    here = ui_results.result()
    table = pd.read_csv(io.BytesIO(files(here)["export_steps"]), comment="#")
    assert table["step"].tolist() == list(range(1, 13))
    assert table["close_median"].to_numpy() == pytest.approx(here.forecast.median(), rel=1e-6)
    assert table["close_q10"].to_numpy() == pytest.approx(here.forecast.quantile(0.1), rel=1e-6)


def test_both_tables_of_paths_hold_every_path() -> None:
    here = ui_results.result()
    made = files(here)
    table = pd.read_csv(io.BytesIO(made["export_paths_csv"]), comment="#")
    exact = pq.read_table(io.BytesIO(made["export_paths_parquet"]))
    assert len(table) == exact.num_rows == 40 * 12
    closes = here.forecast.paths[..., 3].ravel()
    assert np.array_equal(table["close"].to_numpy().astype(np.float32), closes)
    assert np.array_equal(exact["close"].to_numpy(), closes)
    assert RunRecord.from_json(exact.schema.metadata[RECORD_KEY].decode()) == here.record
    assert here.record.weights_sha256 in made["export_paths_csv"].decode()


def test_no_file_holds_the_truth_before_all_of_it_is_revealed() -> None:
    here = ui_results.result()
    closes = [repr(value) for value in here.window.actual.frame["close"]]
    for revealed in (0, 11):
        made = files(here, revealed)
        assert not any(close.encode() in data for close in closes for data in made.values())
        assert json.loads(made["export_run"])["candles"]["truth"] is None
        assert b'class="truth"' not in made["export_report"]
    whole = files(here, 12)
    assert json.loads(whole["export_run"])["candles"]["truth"]["close"] == here.window.actual.frame["close"].tolist()
    assert b'class="truth"' in whole["export_report"]


def test_the_report_is_one_page_with_its_chart_and_no_network() -> None:
    report = files(ui_results.result())["export_report"].decode()
    assert "<svg" in report
    assert "http" not in report.replace("http-equiv", "").replace("http://www.w3.org", "")


def test_text_that_grows_too_large_is_not_offered() -> None:
    here = ui_results.result()
    [csv] = [option for option in export_options(here, 0, 40 * 12 * 100) if option.is_too_large]
    assert csv.key == "export_paths_csv"
    longest = max(map(len, files(here)["export_paths_csv"].splitlines()[-480:]))
    assert longest <= 130


def test_the_command_on_the_page_makes_the_same_file_again(
    predictor: KronosPredictor, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = ui_results.window()
    sampling = SamplingConfig(num_paths=6, seed=11)
    [(forecast, record)] = run_forecasts([window], sampling, predictor, model_name=str(checkpoint))
    made = export_options(ForecastResult(window, forecast, record, forecast), 0, MOST)
    [run_file] = [option for option in made if option.key == "export_run"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / run_file.name).write_bytes(run_file.write())
    assert main(reproduce_command(record).split()[1:]) == 0
    assert (tmp_path / "forecast.csv").read_bytes() == made[0].write()


# ---------------------------------------------------------------------------------------------- and back


@pytest.mark.parametrize("key", ["export_steps", "export_paths_csv", "export_paths_parquet", "export_run"])
def test_every_table_comes_back_with_its_record(key: str) -> None:
    here = ui_results.result()
    back = open_export(files(here)[key], "file", nothing, max_bytes=MOST)
    assert back.record == here.record
    if key == "export_run":
        assert back.window is not None
        assert back.window.context.fingerprint == here.window.context.fingerprint
        assert back.forecast is None
        return
    assert back.window is None
    assert back.quantiles == pytest.approx(here.forecast.quantile(QUANTILES), rel=1e-6)
    if key != "export_steps":
        assert back.forecast is not None
        assert np.array_equal(back.forecast.paths, here.forecast.paths)


def test_a_run_with_paths_is_drawn_whole() -> None:
    here = ui_results.result()
    app = uploaded(opened(), "run.json", write_paths_json(here.window, here.forecast, here.record))
    metas = {trace["meta"] for trace in shown(app)["export_chart"]["data"]}
    assert {"history", "median", "truth"} <= metas
    assert "**run\\.json**" in page_text(app) or "**run.json**" in page_text(app)
    facts = app.table[-1].value.to_string()
    assert "TEST 1h" in facts
    assert "a random walk" in facts


@pytest.mark.parametrize(("begin", "mirrored", "words"), [
    (True, False, "starting at the last close"), (False, False, "starting at the decoded level"),
    (True, True, "starting at the last close, in antithetic pairs"),
    (False, True, "starting at the decoded level, in antithetic pairs"),
])  # fmt: skip
def test_how_it_was_made_tells_where_the_paths_begin_and_whether_they_are_mirrored(
    begin: bool, mirrored: bool, words: str
) -> None:
    here = ui_results.result(anchor_to_last_close=begin, mirror_paths=mirrored)
    app = uploaded(opened(), "run.json", write_paths_json(here.window, here.forecast, here.record))
    assert app.table[-1].value[""]["Sampling"].endswith(f"top-p 1, top-k off, min-p off, {words}")


def test_how_it_was_made_tells_which_tokens_were_left_out_and_no_mirroring_of_one_path() -> None:
    here = ui_results.result(min_p=0.004, num_paths=1, mirror_paths=True)
    app = uploaded(opened(), "run.json", write_paths_json(here.window, here.forecast, here.record))
    assert app.table[-1].value[""]["Sampling"].endswith("top-k off, min-p 0.004, starting at the decoded level")


def test_a_whole_forecast_joins_those_of_the_session_once() -> None:
    here = ui_results.result()
    data = write_paths_json(here.window, here.forecast, here.record)
    app = uploaded(opened(), "run.json", data)
    [joined] = app.session_state["results"].values()
    assert joined.record == here.record
    assert np.array_equal(joined.forecast.paths, here.forecast.paths)
    assert joined.window.identity == here.window.identity
    assert "see Compare runs" in page_text(app)
    first = joined.baseline
    again = uploaded(app, "again.json", data)
    assert [one.baseline for one in again.session_state["results"].values()] == [first]
    fan = uploaded(opened(), "paths.parquet", files(here)["export_paths_parquet"])
    assert "results" not in fan.session_state or not fan.session_state["results"], "without candles there is no window"


def test_a_run_file_shows_its_candles_and_the_command() -> None:
    app = uploaded(opened(), "mine run.json", files(ui_results.result())["export_run"])
    assert "median" not in {trace["meta"] for trace in shown(app)["export_window"]["data"]}
    assert "--reproduce run.json" in app.code[-1].value


def test_paths_alone_are_drawn_as_a_fan_and_over_their_candles_where_the_session_has_them() -> None:
    data = files(ui_results.result())["export_paths_parquet"]
    app = uploaded(opened(), "paths.parquet", data)
    assert "only the fan is shown" in page_text(app)
    assert {"median", "band-0.95"} <= {trace["meta"] for trace in shown(app)["export_fan"]["data"]}
    whole = uploaded(opened(kept=True), "paths.parquet", data)
    assert {"history", "median"} <= {trace["meta"] for trace in shown(whole)["export_chart"]["data"]}


def test_a_table_of_steps_is_drawn_from_its_quantiles() -> None:
    app = uploaded(opened(), "steps.csv", files(ui_results.result())["export_steps"])
    [median] = [trace for trace in shown(app)["export_fan"]["data"] if trace["meta"] == "median"]
    assert median["name"] == "Median"


def test_a_record_alone_says_so() -> None:
    app = uploaded(opened(), "record.json", write_record(ui_results.result().record))
    assert "no candles and no paths" in page_text(app)


def test_a_record_alone_promises_no_command_when_the_candles_are_those_of_the_session() -> None:
    app = uploaded(opened(kept=True), "record.json", write_record(ui_results.result().record))
    assert "the candles are from this session" in page_text(app)
    assert "export_window" in shown(app)
    assert [code.value for code in app.code if "record.json" in code.value] == []


def test_a_report_tells_how_it_was_made() -> None:
    here = ui_results.result()
    back = open_export(files(here)["export_report"], "report.html", nothing, max_bytes=MOST)
    assert (back.record, back.window, back.forecast) == (here.record, None, None)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.csv", b"time,open\n1,2\n", "no readable forecast"),
        ("a.csv", b"   \n", "is empty"),
        ("a.json", b"{nonsense", "not valid JSON"),
        ("a.json", b"{}", "record_version"),
        ("a.json", b'{"format": "other", "format_version": 1}', "file format must be"),
        ("a.parquet", b"PAR1 and nothing else", "no readable forecast"),
        ("a.csv", b"# about: x\nstep,close_median\n1,2\n", "no '# record:' line"),
        ("a.csv", bytes(range(256)) * 4, "no readable forecast"),
    ],
)
def test_other_files_are_explained(name: str, data: bytes, words: str) -> None:
    app = uploaded(opened(), name, data)
    assert words in app.error[0].value.replace("\\", "")
    assert not shown(app)
    good = uploaded(app, "steps.csv", files(ui_results.result())["export_steps"])
    assert not good.error
    assert shown(good)


def test_a_changed_table_of_steps_is_refused() -> None:
    lines = files(ui_results.result())["export_steps"].decode().splitlines(keepends=True)
    cells, place = lines[-1].split(","), lines[-13].split(",").index("close_q10")
    lower = ",".join([*cells[:place], "1", *cells[place + 1 :]])
    for broken in (lines[:-1], [*lines, lines[-1]], [*lines[:-1], "12,x,y\n"], [*lines[:-1], lower]):
        with pytest.raises(DashboardError):
            open_export("".join(broken).encode(), "steps.csv", nothing, max_bytes=MOST)


def test_a_file_beyond_the_bound_is_not_read() -> None:
    data = files(ui_results.result())["export_steps"]
    with pytest.raises(DashboardError, match="the limit is"):
        open_export(data, "steps.csv", nothing, max_bytes=len(data) - 1)


def test_candles_of_another_window_are_not_drawn_under_a_forecast() -> None:
    here = ui_results.result()
    other = replace(here.window.context, symbol="OTHER")
    back = open_export(files(here)["export_paths_csv"], "paths.csv", lambda _: other, max_bytes=MOST)
    assert back.window is None


def test_files_that_were_damaged_are_refused_in_words() -> None:
    generator = np.random.default_rng(0)
    here = ui_results.result(ui_results.window(horizon=3), num_paths=2)
    for key, data in files(here).items():
        for _ in range(30):
            damaged = bytearray(data[: generator.integers(1, len(data) + 1)])
            for at in generator.integers(0, len(damaged), 3):
                damaged[at] = generator.integers(0, 256)
            with suppress(DashboardError):  # any other error fails the test
                assert open_export(bytes(damaged), key, nothing, max_bytes=MOST).record == here.record


def test_names_in_a_parquet_file_that_are_no_text_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise UnicodeDecodeError("utf-8", b"\xd7", 0, 1, "invalid continuation byte")

    monkeypatch.setattr("kronos_dashboard.export.readers._from_parquet", fail)
    with pytest.raises(DashboardError, match="no readable forecast"):
        open_export(b"PAR1", "a.parquet", nothing, max_bytes=MOST)
