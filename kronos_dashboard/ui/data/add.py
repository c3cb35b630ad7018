"""Adding candles to the session: files, samples, shared links, and the form for live candles (``fetch``)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from engine.errors import EngineError
from kronos_dashboard.errors import DashboardError
from kronos_dashboard.export.open import open_export
from kronos_dashboard.markets.importers import ChoiceRequiredError, ExportedForecastError, ImportOptions
from kronos_dashboard.markets.samples import SAMPLES
from kronos_dashboard.markets.share_link import (
    LINK_PARAMETERS,
    Selection,
    selection_from_parameters,
    selection_to_parameters,
)
from kronos_dashboard.messages import msg
from kronos_dashboard.ui import state
from kronos_dashboard.ui.data.fetch import fetch_form, start_fetch
from kronos_dashboard.ui.data.import_options import option_choices, option_label
from kronos_dashboard.ui.i18n import language, t, translate
from kronos_dashboard.ui.layout import capitalize_first, escape_markdown, show_error
from kronos_dashboard.ui.resources import settings
from kronos_dashboard.ui.series.library import (
    add_series,
    load_sample_series,
    read_file_series,
    selected_series,
    session_series,
)

__all__ = ["add_candles_form", "open_link_once", "update_address"]

_MAX_FILES = 12
"""Files of one upload; a session has no more series."""


@dataclass(frozen=True)
class _UploadProblem:
    """A file that did not become a series; its bytes are stored if it can be read another way."""

    name: str
    error: DashboardError
    data: bytes = b""


def open_link_once() -> None:
    """Open the candles that the query parameters select, unless they were opened or written before."""
    parameters = {name: value for name, value in st.query_params.items() if name in LINK_PARAMETERS}
    if not parameters or parameters == state.DATA_OPENED_LINK.get():
        return
    state.DATA_OPENED_LINK.set(parameters)
    state.DATA_LINK_ERROR.clear()
    try:
        selection = selection_from_parameters(parameters)
        if selection is not None:
            _open_selection(selection)
    except DashboardError as error:
        state.DATA_LINK_ERROR.set(error)


def update_address() -> None:
    """Write the selected series into the query parameters; files have none."""
    series = selected_series()
    if series is None:
        return
    parameters = {} if series.selection is None else selection_to_parameters(series.selection)
    state.DATA_OPENED_LINK.set(parameters)
    if "lang" in st.query_params:
        parameters = {**parameters, "lang": language()}
    if dict(st.query_params) != parameters:
        st.query_params.from_dict(parameters)


def add_candles_form() -> None:
    """Draw the control of sources and the form of the selected one."""
    error = state.DATA_LINK_ERROR.get()
    if error is not None:
        show_error(error)
    state.DATA_SOURCE.ensure()
    names = {"file": t("File"), "fetch": t("Online"), "sample": t("Sample")}
    source = st.segmented_control(
        t("Add data"),
        list(names),
        format_func=names.__getitem__,
        required=True,
        key=state.DATA_SOURCE.name,
        persist_state="session",
        width="stretch",
    )
    if source == "sample":
        _sample_form()
    elif source == "fetch":
        fetch_form()
    else:
        _file_form()


def _open_selection(selection: Selection) -> None:
    """Select a series that the session has already, else load or fetch it."""
    if selection.key in session_series():
        add_series(session_series()[selection.key])
    elif selection.request is None:
        state.DATA_SOURCE.set("sample")
        state.DATA_SAMPLE.set(selection.sample)
        add_series(load_sample_series(selection.sample))
    else:
        state.DATA_SOURCE.set("fetch")
        start_fetch(selection)


def _sample_form() -> None:
    samples = {sample.key: sample for sample in SAMPLES}
    titles = {sample.key: translate(sample.title) for sample in SAMPLES}
    key = st.selectbox(t("Sample"), list(samples), format_func=titles.__getitem__, key=state.DATA_SAMPLE.name)
    source = t("Source: {source}.", source=escape_markdown(samples[key].source))
    st.caption(f"{escape_markdown(translate(samples[key].description))} {source}")
    if st.button(t("Open sample"), key="data_open_sample", type="primary", width="stretch"):
        state.DATA_LINK_ERROR.clear()
        try:
            add_series(session_series().get(key) or load_sample_series(key))
        except DashboardError as error:
            show_error(error)


def _file_form() -> None:
    """Draw an uploader that is empty again once its files are read, and the files that could not be read."""
    upload_round = state.DATA_UPLOAD_ROUND.get()
    files = st.file_uploader(
        t("Files"),
        accept_multiple_files=True,
        key=f"data_upload_{upload_round}",
        label_visibility="collapsed",
        max_upload_size=settings().max_upload_mb,
    )
    st.caption(
        t(
            "CSV, Excel, JSON, Parquet or Feather, also zipped; up to {size} MB and {rows} rows each. Files "
            "stay on this computer.",
            size=settings().max_upload_mb,
            rows=f"{settings().max_rows:,}",
        )
    )
    if files:
        state.DATA_PROBLEMS.set([])
        state.DATA_LINK_ERROR.clear()
        with st.spinner(t("Reading…")):
            for file in files[:_MAX_FILES]:
                _add_file(file.name, file.getvalue())
        if len(files) > _MAX_FILES:
            error = DashboardError(
                msg(
                    "at most {limit} files can be imported at once; {count} were skipped.",
                    limit=_MAX_FILES,
                    count=len(files) - _MAX_FILES,
                )
            )
            state.DATA_PROBLEMS.ensure().append(_UploadProblem("", error))
        state.DATA_UPLOAD_ROUND.set(upload_round + 1)
        st.rerun()
    for number, problem in enumerate(list(state.DATA_PROBLEMS.get())):
        _show_problem(number, problem)


def _add_file(name: str, data: bytes, options: ImportOptions | None = None) -> None:
    """Add a file as a series, or as a problem to show."""
    problems: list[_UploadProblem] = state.DATA_PROBLEMS.ensure()
    try:
        add_series(read_file_series(name, data, options))
    except ChoiceRequiredError as error:
        problems.append(_UploadProblem(name, error, data))
    except ExportedForecastError as error:
        problems.append(_UploadProblem(error.filename, error, error.data))
    except DashboardError as error:
        problems.append(_UploadProblem(name, error))


def _show_problem(number: int, problem: _UploadProblem) -> None:
    error = problem.error
    if isinstance(error, ExportedForecastError) and problem.data:
        _show_exported_forecast(number, problem)
        return
    if not isinstance(error, ChoiceRequiredError):
        show_error(error)
        return
    st.info(escape_markdown(f"{translate(error.message)} {translate(error.hint)}"), icon=":material/help:")
    option = error.choice.option
    label = t("{option} of {file}", option=option_label(option), file=problem.name)
    value = st.selectbox(label, option_choices(error.choice), key=f"data_choice_{number}")
    if st.button(t("Import"), key=f"data_choose_{number}", type="primary"):
        state.DATA_PROBLEMS.get().remove(problem)
        with st.spinner(t("Reading…")):
            _add_file(problem.name, problem.data, replace(ImportOptions(), **{option: value}))  # type: ignore[arg-type]
        st.rerun()


def _show_exported_forecast(number: int, problem: _UploadProblem) -> None:
    """Offer to open an exported forecast on the Forecast page."""
    st.info(escape_markdown(capitalize_first(translate(problem.error.message))), icon=":material/timeline:")
    if st.button(t("Open on the Forecast page"), key=f"data_open_export_{number}", type="primary", width="stretch"):
        try:  # a damaged file is rejected here, where it can be replaced
            open_export(problem.data, problem.name, lambda _: None, max_bytes=settings().max_upload_bytes)
        except (DashboardError, EngineError) as error:
            show_error(error)
            return
        state.EXPORT_ON_ARRIVAL.set((problem.name, problem.data))
        state.DATA_PROBLEMS.get().remove(problem)
        st.switch_page("pages/2_Forecast.py")
