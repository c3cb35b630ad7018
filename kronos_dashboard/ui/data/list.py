"""The series of the session: select, rename, remove."""

from __future__ import annotations

import streamlit as st

from kronos_dashboard.markets.editable_series import EditableSeries
from kronos_dashboard.markets.intervals import interval_label
from kronos_dashboard.messages import nmsg
from kronos_dashboard.ui import state
from kronos_dashboard.ui.i18n import format_date, t, translate
from kronos_dashboard.ui.layout import escape_markdown
from kronos_dashboard.ui.series.library import (
    add_series,
    remove_series,
    select_series,
    selected_series,
    series_title,
    session_series,
)

__all__ = ["series_list"]


def series_list() -> None:
    """Draw the radio list of series and its buttons; nothing while there is none."""
    series = selected_series()
    if not session_series():
        return
    labels = _labels()
    state.DATA_SELECTED.set(series.key if series is not None else None)
    st.radio(
        t("Loaded data ({count})", count=len(labels)),
        list(labels),
        format_func=labels.__getitem__,
        captions=[_series_facts(session_series()[key]) for key in labels],
        key=state.DATA_SELECTED.name,
        on_change=lambda: select_series(state.DATA_SELECTED.get() or ""),
    )
    if series is not None:
        with st.container(horizontal=True, gap="small"):
            with st.popover(t("Rename"), icon=":material/edit:"):
                _rename_form(series)
            if st.button(
                t("Remove"), key="data_remove", icon=":material/delete:", help=t("Removes it from this session only.")
            ):
                remove_series(series.key)
                st.rerun()


def _labels() -> dict[str, str]:
    """Return the title of each series; equal titles are numbered."""
    labels: dict[str, str] = {}
    for key, series in session_series().items():
        num_equal = sum(session_series()[other].title == series.title for other in labels)
        labels[key] = escape_markdown(series_title(series)) + (f" ({num_equal + 1})" if num_equal else "")
    return labels


def _series_facts(series: EditableSeries) -> str:
    candles = series.candles
    parts = [
        interval_label(candles.interval),
        f"{len(candles):,}",
        t("until {day}", day=format_date(candles.local_index[-1])),
    ]
    if series.edits:
        parts.append(translate(nmsg("{n:,} edit", "{n:,} edits", len(series.edits))))
    return " · ".join(parts)


def _rename_form(series: EditableSeries) -> None:
    with st.form("data_rename", border=False):
        name = st.text_input(t("Name"), series.title, max_chars=60, key=f"data_name_{series.key}")
        st.caption(t("The name is used as the symbol and may select a calendar, e.g. EURUSD or 600519.SS."))
        if st.form_submit_button(t("Rename"), key="data_rename_go"):
            add_series(series.rename(name))
            st.rerun()
