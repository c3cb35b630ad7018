"""The series of a session: several side by side, one of them chosen. They survive page changes, not the session."""

from __future__ import annotations

from uuid import uuid4

import streamlit as st

from kronos_dashboard.errors import DashboardError
from kronos_dashboard.markets.calendars import AUTO
from kronos_dashboard.markets.candles import interval_label
from kronos_dashboard.markets.importers import Imported, ImportOptions, read
from kronos_dashboard.markets.samples import SAMPLES, load_sample
from kronos_dashboard.ui.i18n import day, said, t
from kronos_dashboard.ui.layout import escape, show_error
from kronos_dashboard.ui.resources import settings
from kronos_dashboard.ui.series.session_series import File, Series
from kronos_dashboard.ui.series.share_link import Selection

__all__ = [
    "choose",
    "choose_candles",
    "choose_sample",
    "chosen",
    "chosen_calendar",
    "file_series",
    "held",
    "keep",
    "remove",
    "sample_series",
    "series_title",
]

MOST_SERIES = 12
"""Series that a session may hold."""
_SAMPLES = {sample.key: sample for sample in SAMPLES}


def held() -> dict[str, Series]:
    """The series of this session by key, oldest first."""
    kept: dict[str, Series] = st.session_state.setdefault("series", {})
    return kept


def keep(series: Series) -> None:
    """Hold a series, in the place of the one with the same key if there is one, and choose it.

    Raises:
        DashboardError: the session holds as much as it may.
    """
    others = [other for key, other in held().items() if key != series.key]
    if len(others) >= MOST_SERIES:
        raise DashboardError(f"a session holds {MOST_SERIES} series at most.", "Remove one first.")
    most = 3 * settings().max_rows
    rows = len(series.candles) + sum(len(other.candles) for other in others)
    if rows > most:
        raise DashboardError(
            f"a session holds {most:,} candles at most; with {series.title} it would be {rows:,}.", "Remove one first."
        )
    held()[series.key] = series
    choose(series.key)


def remove(key: str) -> None:
    """Let a series go; the one that was added last is chosen then."""
    held().pop(key, None)
    if st.session_state.get("source") == key:
        choose(next(reversed(held()), ""))


def choose(key: str) -> None:
    """Make a series (or a sample) the chosen one of this session."""
    st.session_state["source"] = key


def choose_sample(key: str) -> None:
    """Make the sample the chosen series of this session."""
    choose(key)


def chosen() -> Series | None:
    """The chosen series; a sample is taken up when it is chosen. None in a session that has chosen nothing."""
    key = st.session_state.get("source", "")
    if key not in held() and key in _SAMPLES:
        keep(sample_series(key))
    return held().get(key)


def chosen_calendar() -> str:
    """The calendar that was chosen for the chosen series: ``auto`` unless somebody said otherwise."""
    series = held().get(st.session_state.get("source", ""))
    return AUTO if series is None else series.calendar


def sample_series(key: str) -> Series:
    """A sample as a series."""
    return Series.of(key, _SAMPLES[key].title, load_sample(key), selection=Selection(sample=key))


def file_series(name: str, data: bytes, options: ImportOptions | None = None) -> Series:
    """A file as a series.

    Raises:
        ImportFailed: the file cannot be read; ``ChoiceNeeded`` where an option is wanted.
    """
    options = options or ImportOptions()
    imported = read(data, name, options, settings=settings())
    file = File(name=name, data=data, options=options)
    return Series.of(f"file_{uuid4().hex[:12]}", imported.candles.symbol, imported, file=file)


def series_title(series: Series) -> str:
    """What a series is called: a sample in the language of the reader, anything else by its own name."""
    return said(series.title) if series.key in _SAMPLES else series.title


def choose_candles() -> Imported:
    """The chosen series, and in the sidebar the means to choose another."""
    titles = {sample.key: said(sample.title) for sample in SAMPLES}
    titles.update({key: _title(series) for key, series in held().items()})
    if st.session_state.get("source") not in titles:
        choose(SAMPLES[0].key)
    with st.sidebar:
        st.subheader(t("Candles"), anchor=False)
        key = st.selectbox(
            t("Series"),
            list(titles),
            key="source",
            format_func=titles.__getitem__,
            persist_state="session",
            label_visibility="collapsed",
        )
        st.file_uploader(
            t("Your own file"),
            key="upload",
            on_change=_take_upload,
            help=t(
                "CSV, Excel, JSON, Parquet and more, with a time and open, high, low, close; volume and amount are "
                "optional. Times without a zone keep their hours. The file stays on this computer."
            ),
            max_upload_size=settings().max_upload_mb,
        )
        if "upload_error" in st.session_state:
            show_error(st.session_state["upload_error"])
        st.page_link(
            "pages/1_Data.py", label=t("Live candles, checks and repairs"), icon=":material/candlestick_chart:"
        )
    series = held().get(key) or sample_series(key)
    imported = Imported(series.candles, series.notes, series.imported.choices)
    _describe(imported)
    return imported


def _title(series: Series) -> str:
    if series.key in _SAMPLES:
        return series_title(series)
    name = f"{series.title} · {interval_label(series.candles.interval)}"
    return t("Your file: {name}", name=name) if series.file else t("Fetched: {name}", name=name)


def _take_upload() -> None:
    """Read the uploaded file; a bad one leaves the series as it was."""
    st.session_state.pop("upload_error", None)
    file = st.session_state["upload"]
    if file is None:
        return
    try:
        keep(file_series(file.name, file.getvalue()))
    except DashboardError as error:
        st.session_state["upload_error"] = error


def _describe(imported: Imported) -> None:
    """One line on the candles, and what was found or changed in the file."""
    candles = imported.candles
    first, last = candles.local_index[0], candles.local_index[-1]
    parts = [
        f"**{escape(candles.symbol)}**",
        interval_label(candles.interval),
        t("{count} candles", count=f"{len(candles):,}"),
        f"{day(first)} – {day(last)}",
        t("clock {clock}", clock=escape(candles.session_tz)),
    ]
    st.caption(" · ".join(parts if candles.has_volume else [*parts, t("no volume")]))
    for note in imported.notes:
        rows = " " + t("(rows {rows})", rows=", ".join(map(str, note.rows))) if note.rows else ""
        if note.level == "info":
            st.sidebar.caption(f":material/info: {escape(said(note.text))}")
        else:
            st.warning(escape(said(note.text) + rows), icon=":material/warning:")
