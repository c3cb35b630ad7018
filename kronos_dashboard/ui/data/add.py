"""How candles get into a session: files, the samples, a link, and the form for live candles (``data_fetch``)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from engine.errors import EngineError
from kronos_dashboard.errors import DashboardError
from kronos_dashboard.markets.importers import ChoiceNeeded, ExportedForecast, ImportOptions
from kronos_dashboard.markets.samples import SAMPLES
from kronos_dashboard.ui.data.fetch import fetch_form, fetch_selection
from kronos_dashboard.ui.data.import_options import option_label, option_values
from kronos_dashboard.ui.forecast.export.page import bring
from kronos_dashboard.ui.i18n import language, said, t
from kronos_dashboard.ui.layout import escape, sentence, show_error
from kronos_dashboard.ui.resources import settings
from kronos_dashboard.ui.series.library import chosen, file_series, held, keep, sample_series
from kronos_dashboard.ui.series.share_link import PARAMETERS, Selection, from_parameters, to_parameters

__all__ = ["add_candles", "open_link", "write_link"]

_MOST_FILES = 12
_LINK_ERROR, _LINK_DONE, _PROBLEMS = "data_link_error", "data_link_done", "data_problems"


@dataclass(frozen=True)
class _Problem:
    """A file that did not become candles; its bytes are kept where they are of use: for a choice, or elsewhere."""

    name: str
    error: DashboardError
    data: bytes = b""


def open_link() -> None:
    """Open what the address of the page selects, once."""
    given = {name: value for name, value in st.query_params.items() if name in PARAMETERS}
    if not given or given == st.session_state.get(_LINK_DONE):
        return
    st.session_state[_LINK_DONE] = given
    st.session_state.pop(_LINK_ERROR, None)
    try:
        selection = from_parameters(given)
        if selection is not None:
            _open(selection)
    except DashboardError as error:
        st.session_state[_LINK_ERROR] = error


def write_link() -> None:
    """Let the address of the page say what is chosen; files have none."""
    series = chosen()
    if series is None:
        return
    wanted = {} if series.selection is None else to_parameters(series.selection)
    st.session_state[_LINK_DONE] = wanted
    if "lang" in st.query_params:
        wanted = {**wanted, "lang": language()}
    if dict(st.query_params) != wanted:
        st.query_params.from_dict(wanted)


def add_candles() -> None:
    """The three ways, one at a time."""
    if _LINK_ERROR in st.session_state:
        show_error(st.session_state[_LINK_ERROR])
    st.session_state.setdefault("data_way", "file")
    ways = {"file": t("File"), "fetch": t("Live"), "sample": t("Sample")}
    way = st.segmented_control(
        t("Add candles"),
        list(ways),
        format_func=ways.__getitem__,
        required=True,
        key="data_way",
        persist_state="session",
        width="stretch",
    )
    if way == "sample":
        _samples()
    elif way == "fetch":
        fetch_form()
    else:
        _files()


def _open(selection: Selection) -> None:
    """Choose it where the session has it already, else get it."""
    if selection.key in held():
        keep(held()[selection.key])
    elif selection.request is None:
        st.session_state.update(data_way="sample", data_sample=selection.sample)
        keep(sample_series(selection.sample))
    else:
        st.session_state["data_way"] = "fetch"
        fetch_selection(selection)


def _samples() -> None:
    keys, titles = {sample.key: sample for sample in SAMPLES}, {sample.key: said(sample.title) for sample in SAMPLES}
    key = st.selectbox(t("Sample"), list(keys), format_func=titles.__getitem__, key="data_sample")
    source = t("Source: {source}.", source=escape(keys[key].source))
    st.caption(f"{escape(said(keys[key].description))} {source}")
    if st.button(t("Open sample"), key="data_open_sample", type="primary", width="stretch"):
        st.session_state.pop(_LINK_ERROR, None)
        try:
            keep(held().get(key) or sample_series(key))
        except DashboardError as error:
            show_error(error)


def _files() -> None:
    """A field for files that is emptied once they are read: the list of series shows what there is."""
    turn = st.session_state.setdefault("data_uploads", 0)
    files = st.file_uploader(
        t("Files"),
        accept_multiple_files=True,
        key=f"data_upload_{turn}",
        label_visibility="collapsed",
        max_upload_size=settings().max_upload_mb,
    )
    st.caption(
        t(
            "CSV, Excel, JSON, Parquet, Feather, also zipped; up to {size} MB and {rows} rows each. "
            "Files stay on this computer.",
            size=settings().max_upload_mb,
            rows=f"{settings().max_rows:,}",
        )
    )
    if files:
        st.session_state[_PROBLEMS] = []
        st.session_state.pop(_LINK_ERROR, None)
        with st.spinner(t("Reading …")):
            for file in files[:_MOST_FILES]:
                _take(file.name, file.getvalue())
        if len(files) > _MOST_FILES:
            error = DashboardError(f"{_MOST_FILES} files are read at once; {len(files) - _MOST_FILES} were not.")
            st.session_state[_PROBLEMS].append(_Problem("", error))
        st.session_state["data_uploads"] = turn + 1
        st.rerun()
    for number, problem in enumerate(list(st.session_state.get(_PROBLEMS, []))):
        _show_problem(number, problem)


def _take(name: str, data: bytes, options: ImportOptions | None = None) -> None:
    """A file becomes a series, or a problem that is shown."""
    try:
        keep(file_series(name, data, options))
    except ChoiceNeeded as error:
        st.session_state.setdefault(_PROBLEMS, []).append(_Problem(name, error, data))
    except ExportedForecast as error:
        st.session_state.setdefault(_PROBLEMS, []).append(_Problem(error.filename, error, error.data))
    except DashboardError as error:
        st.session_state.setdefault(_PROBLEMS, []).append(_Problem(name, error))


def _show_problem(number: int, problem: _Problem) -> None:
    error = problem.error
    if isinstance(error, ExportedForecast) and problem.data:
        _show_forecast(number, problem)
        return
    if not isinstance(error, ChoiceNeeded):
        show_error(error)
        return
    st.info(escape(f"{said(error.message)} {said(error.hint)}"), icon=":material/help:")
    option = error.choices.option
    label = t("{option} of {file}", option=option_label(option), file=problem.name)
    value = st.selectbox(label, option_values(error.choices), key=f"data_choice_{number}")
    if st.button(t("Read"), key=f"data_choose_{number}", type="primary"):
        st.session_state[_PROBLEMS].remove(problem)
        with st.spinner(t("Reading …")):
            _take(problem.name, problem.data, replace(ImportOptions(), **{option: value}))  # type: ignore[arg-type]
        st.rerun()


def _show_forecast(number: int, problem: _Problem) -> None:
    """An exported forecast is opened where forecasts are."""
    st.info(escape(sentence(said(problem.error.message))), icon=":material/timeline:")
    if st.button(t("Open it on the Forecast page"), key=f"data_bring_{number}", type="primary", width="stretch"):
        try:
            bring(problem.name, problem.data)
        except (DashboardError, EngineError) as error:
            show_error(error)
            return
        st.session_state[_PROBLEMS].remove(problem)
        st.switch_page("pages/2_Forecast.py")
