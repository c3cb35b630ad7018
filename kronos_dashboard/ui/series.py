"""Which candles: a sample that ships, or an uploaded file. The choice survives page changes."""

from __future__ import annotations

import streamlit as st

from kronos_dashboard.candles import interval_label
from kronos_dashboard.errors import DashboardError
from kronos_dashboard.importers import Imported, read
from kronos_dashboard.samples import SAMPLES, load_sample
from kronos_dashboard.ui.page import escape, show_error
from kronos_dashboard.ui.shared import settings

__all__ = ["choose_candles", "choose_sample"]

_UPLOADED = "uploaded"


def choose_sample(key: str) -> None:
    """Make the sample the chosen series of this session."""
    st.session_state["source"] = key


def choose_candles() -> Imported:
    """The chosen series, and in the sidebar the means to choose another."""
    titles = {sample.key: sample.title for sample in SAMPLES}
    if "uploaded" in st.session_state:
        titles[_UPLOADED] = f"Your file: {st.session_state['uploaded'].candles.symbol}"
    if st.session_state.get("source") not in titles:
        st.session_state["source"] = SAMPLES[0].key
    with st.sidebar:
        st.subheader("Candles", anchor=False)
        chosen = st.selectbox(
            "Series",
            list(titles),
            key="source",
            format_func=titles.__getitem__,
            persist_state="session",
            label_visibility="collapsed",
        )
        st.file_uploader(
            "Your own CSV",
            type=["csv", "txt"],
            key="upload",
            on_change=_take_upload,
            help="A header line with a time column and open, high, low, close; volume and amount are optional. "
            "Times without a zone keep their hours. The file stays on this computer.",
            max_upload_size=settings().max_upload_mb,
        )
        if "upload_error" in st.session_state:
            show_error(st.session_state["upload_error"])
    imported: Imported = st.session_state["uploaded"] if chosen == _UPLOADED else load_sample(chosen)
    _describe(imported)
    return imported


def _take_upload() -> None:
    """Read the uploaded file; a bad one leaves the series as it was."""
    st.session_state.pop("upload_error", None)
    file = st.session_state["upload"]
    if file is None:
        return
    try:
        st.session_state["uploaded"] = read(file.getvalue(), file.name, settings=settings())
    except DashboardError as error:
        st.session_state["upload_error"] = error
        return
    st.session_state["source"] = _UPLOADED


def _describe(imported: Imported) -> None:
    """One line on the candles, and what was found or changed in the file."""
    candles = imported.candles
    first, last = candles.local_index[0], candles.local_index[-1]
    st.caption(
        f"**{escape(candles.symbol)}** · {interval_label(candles.interval)} · {len(candles):,} candles · "
        f"{first:%d %b %Y} – {last:%d %b %Y} · clock {escape(candles.session_tz)}"
        f"{'' if candles.has_volume else ' · no volume'}"
    )
    for note in imported.notes:
        rows = f" (rows {', '.join(map(str, note.rows))})" if note.rows else ""
        if note.level == "info":
            st.sidebar.caption(f":material/info: {escape(note.text)}")
        else:
            st.warning(escape(note.text + rows), icon=":material/warning:")
