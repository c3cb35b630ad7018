"""The series of a session: several at a time, one of them selected. They survive page changes, not the session."""

from __future__ import annotations

from uuid import uuid4

import streamlit as st

from kronos_dashboard.errors import DashboardError
from kronos_dashboard.markets.calendars import AUTO
from kronos_dashboard.markets.editable_series import EditableSeries, UploadedFile
from kronos_dashboard.markets.importers import ImportedCandles, ImportOptions, read
from kronos_dashboard.markets.intervals import interval_label
from kronos_dashboard.markets.samples import SAMPLES, load_sample
from kronos_dashboard.markets.share_link import Selection
from kronos_dashboard.messages import msg
from kronos_dashboard.ui import state
from kronos_dashboard.ui.i18n import format_date, t, translate
from kronos_dashboard.ui.layout import escape_markdown, show_error
from kronos_dashboard.ui.resources import settings

__all__ = [
    "add_series",
    "load_sample_series",
    "read_file_series",
    "remove_series",
    "select_series",
    "selected_calendar",
    "selected_series",
    "series_picker",
    "series_title",
    "session_series",
]

MAX_SERIES = 12
"""Series of one session: more do not fit the list on the Data page."""
_MAX_FILES_OF_CANDLES = 3
"""Candles of one session, in files of the maximum size."""
_SAMPLES = {sample.key: sample for sample in SAMPLES}


def session_series() -> dict[str, EditableSeries]:
    """Return the series of this session by key, oldest first."""
    return state.SERIES.ensure()


def add_series(series: EditableSeries) -> None:
    """Add a series, or replace the one with the same key, and select it.

    Raises:
        DashboardError: the session has as many series or candles as it may.
    """
    others = [other for key, other in session_series().items() if key != series.key]
    if len(others) >= MAX_SERIES:
        raise DashboardError(
            msg("a session can hold at most {limit} series.", limit=MAX_SERIES), msg("Remove one first.")
        )
    max_candles = _MAX_FILES_OF_CANDLES * settings().max_rows
    rows = len(series.candles) + sum(len(other.candles) for other in others)
    if rows > max_candles:
        raise DashboardError(
            msg(
                "a session can hold at most {most:,} candles; adding {title} would make {rows:,}.",
                most=max_candles,
                title=series.title,
                rows=rows,
            ),
            msg("Remove one first."),
        )
    session_series()[series.key] = series
    select_series(series.key)


def remove_series(key: str) -> None:
    """Remove a series; the one that was added last is selected instead."""
    session_series().pop(key, None)
    if state.SELECTED_SERIES.get() == key:
        select_series(next(reversed(session_series()), ""))


def select_series(key: str) -> None:
    """Select a series of this session, or a sample."""
    state.SELECTED_SERIES.set(key)


def selected_series() -> EditableSeries | None:
    """Return the selected series, loaded if it is a sample; None if nothing was selected yet."""
    key = state.SELECTED_SERIES.get()
    if key not in session_series() and key in _SAMPLES:
        add_series(load_sample_series(key))
    return session_series().get(key)


def selected_calendar() -> str:
    """Return the calendar code of the selected series: ``auto`` unless another was selected."""
    series = session_series().get(state.SELECTED_SERIES.get())
    return AUTO if series is None else series.calendar


def load_sample_series(key: str) -> EditableSeries:
    """Return a sample as a series."""
    return EditableSeries.from_import(key, _SAMPLES[key].title, load_sample(key), selection=Selection(sample=key))


def read_file_series(name: str, data: bytes, options: ImportOptions | None = None) -> EditableSeries:
    """Read a file as a series.

    Raises:
        ImportFileError: the file cannot be read; ``ChoiceRequiredError`` if it needs an option.
    """
    options = options or ImportOptions()
    imported = read(data, name, options, settings=settings())
    file = UploadedFile(name=name, data=data, options=options)
    return EditableSeries.from_import(f"file_{uuid4().hex[:12]}", imported.candles.symbol, imported, file=file)


def series_title(series: EditableSeries) -> str:
    """Return the title of a series; that of a sample is translated."""
    return translate(series.title) if series.key in _SAMPLES else series.title


def series_picker() -> ImportedCandles:
    """Draw the select box of series and the uploader in the sidebar; return the selected candles with their notes."""
    titles = {sample.key: translate(sample.title) for sample in SAMPLES}
    titles.update({key: _picker_label(series) for key, series in session_series().items()})
    if state.SELECTED_SERIES.get() not in titles:
        select_series(SAMPLES[0].key)
    with st.sidebar:
        st.subheader(t("Candles"), anchor=False)
        key = st.selectbox(
            t("Series"),
            list(titles),
            key=state.SELECTED_SERIES.name,
            format_func=titles.__getitem__,
            persist_state="session",
            label_visibility="collapsed",
        )
        st.file_uploader(
            t("Your own file"),
            key=state.SERIES_UPLOAD.name,
            on_change=_on_upload,
            help=t(
                "CSV, Excel, JSON, Parquet and more, with time, open, high, low and close; volume and amount "
                "are optional. Times without a time zone are kept as written. The file stays on this computer."
            ),
            max_upload_size=settings().max_upload_mb,
        )
        error = state.SERIES_UPLOAD_ERROR.get()
        if error is not None:
            show_error(error)
        st.page_link("pages/1_Data.py", label=t("Get live data, check and repair"), icon=":material/candlestick_chart:")
    series = session_series().get(key) or load_sample_series(key)
    imported = ImportedCandles(series.candles, series.notes, series.imported.choices)
    _candles_line(imported)
    return imported


def _picker_label(series: EditableSeries) -> str:
    if series.key in _SAMPLES:
        return series_title(series)
    name = f"{series.title} · {interval_label(series.candles.interval)}"
    return t("Your file: {name}", name=name) if series.file else t("Fetched: {name}", name=name)


def _on_upload() -> None:
    """Read the uploaded file; an invalid one leaves the selection as it is."""
    state.SERIES_UPLOAD_ERROR.clear()
    file = state.SERIES_UPLOAD.get()
    if file is None:
        return
    try:
        add_series(read_file_series(file.name, file.getvalue()))
    except DashboardError as error:
        state.SERIES_UPLOAD_ERROR.set(error)


def _candles_line(imported: ImportedCandles) -> None:
    """Draw a line about the candles, and the notes of their import."""
    candles = imported.candles
    first, last = candles.local_index[0], candles.local_index[-1]
    parts = [
        f"**{escape_markdown(candles.symbol)}**",
        interval_label(candles.interval),
        t("{count} candles", count=f"{len(candles):,}"),
        f"{format_date(first)} – {format_date(last)}",
        t("time zone {clock}", clock=escape_markdown(candles.session_tz)),
    ]
    st.caption(" · ".join(parts if candles.has_volume else [*parts, t("no volume")]))
    for note in imported.notes:
        rows = " " + t("(rows {rows})", rows=", ".join(map(str, note.rows))) if note.rows else ""
        if note.level == "info":
            st.sidebar.caption(f":material/info: {escape_markdown(translate(note.text))}")
        else:
            st.warning(escape_markdown(translate(note.text) + rows), icon=":material/warning:")
