"""The series of the session, to choose, rename and remove."""

from __future__ import annotations

import streamlit as st

from kronos_dashboard.markets.candles import interval_label
from kronos_dashboard.ui.i18n import day, t
from kronos_dashboard.ui.layout import escape
from kronos_dashboard.ui.series.library import choose, chosen, held, keep, remove, series_title
from kronos_dashboard.ui.series.session_series import Series

__all__ = ["series_list"]


def series_list() -> None:
    """One line per series; nothing while there is none."""
    series = chosen()
    if not held():
        return
    labels = _labels()
    st.session_state["data_chosen"] = series.key if series is not None else None
    st.radio(
        t("In this session ({count})", count=len(labels)),
        list(labels),
        format_func=labels.__getitem__,
        captions=[_facts(held()[key]) for key in labels],
        key="data_chosen",
        on_change=lambda: choose(st.session_state["data_chosen"]),
    )
    if series is not None:
        with st.container(horizontal=True, gap="small"):
            with st.popover(t("Rename"), icon=":material/edit:"):
                _rename(series)
            if st.button(t("Remove"), key="data_remove", icon=":material/delete:", help=t("From this session alone.")):
                remove(series.key)
                st.rerun()


def _labels() -> dict[str, str]:
    """What each series is called, each otherwise than those before it."""
    labels: dict[str, str] = {}
    for key, series in held().items():
        alike = sum(held()[other].title == series.title for other in labels)
        labels[key] = escape(series_title(series)) + (f" ({alike + 1})" if alike else "")
    return labels


def _facts(series: Series) -> str:
    candles = series.candles
    parts = [interval_label(candles.interval), f"{len(candles):,}", t("to {day}", day=day(candles.local_index[-1]))]
    if series.done:
        parts.append(t("{count} changed", count=len(series.done)))
    return " · ".join(parts)


def _rename(series: Series) -> None:
    with st.form("data_rename", border=False):
        name = st.text_input(t("Name"), series.title, max_chars=60, key=f"data_name_{series.key}")
        st.caption(t("The name is also the symbol: it may point at a calendar, as EURUSD or 600519.SS do."))
        if st.form_submit_button(t("Rename"), key="data_rename_go"):
            keep(series.renamed(name))
            st.rerun()
