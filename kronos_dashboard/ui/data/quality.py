"""What is odd about the chosen series, and what one may change: repairs, interval, clock and calendar; and undo."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from kronos_dashboard.errors import DashboardError
from kronos_dashboard.markets.calendars import AUTO, choices, detect
from kronos_dashboard.markets.candles import CandleFrame, interval_label
from kronos_dashboard.markets.doctor import Finding, examine
from kronos_dashboard.markets.resampling import coarser_intervals
from kronos_dashboard.notes import Note
from kronos_dashboard.ui.data.import_options import zones
from kronos_dashboard.ui.i18n import said, t
from kronos_dashboard.ui.layout import escape, show_error
from kronos_dashboard.ui.series.library import keep
from kronos_dashboard.ui.series.session_series import Series, Step

__all__ = ["calendar_code", "changes", "findings", "interval_and_clock", "notes"]

_ICONS = {"error": ":red[:material/error:]", "warning": ":orange[:material/warning:]", "info": ":material/info:"}
_NAMED = 8
_ERROR = "data_change_error"


def calendar_code(series: Series) -> str:
    """Code of the calendar that was found or chosen; empty where none fits."""
    found = _detected(series.candles.fingerprint, series.calendar, series.candles)
    return "" if isinstance(found, DashboardError) else found[0]


def findings(series: Series) -> None:
    """The doctor's findings, each with its repairs."""
    now = pd.Timestamp.now("UTC").floor("5min")
    found = _examined(series.candles.fingerprint, series.calendar, now, series.candles)
    if isinstance(found, DashboardError):
        show_error(found)
        return
    if not found:
        st.markdown(f":green[:material/check_circle:] {t('Nothing is odd about these candles.')}")
    for number, finding in enumerate(found):
        with st.container(border=True, gap="small"):
            text = escape(said(finding.text) + _rows(finding.rows))
            st.markdown(f"{_ICONS[finding.level]} **{escape(said(finding.title))}** · {text}")
            if finding.fixes:
                with st.container(horizontal=True, gap="small"):
                    for fix in finding.fixes:
                        if st.button(said(fix.title), key=f"data_fix_{fix.name}_{finding.key}_{number}"):
                            _change(series, Step(kind="fix", value=fix.name, calendar=series.calendar, now=now))


def changes(series: Series) -> None:
    """What was changed since the candles came, newest last, and the way back; and the last change that failed."""
    error = st.session_state.get(_ERROR)
    if error is not None and error[0] == series.candles.fingerprint:
        show_error(error[1])
    if not series.done:
        return
    with st.container(border=True, gap="small"):
        for done in series.done:
            for note in done.notes:
                _note(note, ":green[:material/build:]")
        with st.container(horizontal=True, gap="small"):
            if st.button(t("Undo"), key="data_undo", icon=":material/undo:", help=t("Take the last change back.")):
                keep(series.without_last())
                st.rerun()
            if len(series.done) > 1 and st.button(t("Undo all"), key="data_undo_all"):
                keep(replace(series, candles=series.imported.candles, done=()))
                st.rerun()


def notes(series: Series) -> None:
    """What was found or assumed when the candles came, warnings first."""
    for note in sorted(series.imported.notes, key=lambda note: ("error", "warning", "info").index(note.level)):
        _note(note, _ICONS[note.level])


def interval_and_clock(series: Series) -> None:
    """Resampling, the session clock, the calendar; what was found is said, and all of it can be overridden."""
    left, middle, right = st.columns(3)
    with left:
        _resample(series)
    with middle:
        _clock(series)
    with right:
        _calendar(series)


def _resample(series: Series) -> None:
    offered = coarser_intervals(series.candles.interval)
    here = interval_label(series.candles.interval)
    labels = [label for label in offered if label != here]
    if not labels:
        st.caption(t("Candles of {interval} cannot be made coarser.", interval=here))
        return
    text = t("Interval: {interval}. Coarser:", interval=here)
    label = st.selectbox(text, labels, key=f"data_coarser_{here}_{series.key}")
    if st.button(t("Resample"), key="data_resample"):
        _change(series, Step(kind="resample", value=label, calendar=series.calendar))


def _clock(series: Series) -> None:
    clock = series.candles.session_tz
    names = list(dict.fromkeys((clock, *zones())))
    zone = st.selectbox(
        t("Session clock"),
        names,
        0,
        key=f"data_clock_{clock}_{series.key}",
        help=t("Hours and weekdays that the model sees are read on it. The bar times stay the instants they are."),
    )
    if st.button(t("Set clock"), key="data_set_clock", disabled=zone == clock):
        _change(series, Step(kind="clock", value=zone))


def _calendar(series: Series) -> None:
    offered = {code: f"{code}: {said(name)}" for code, name in choices().items()}
    key = f"data_calendar_{series.key}"
    code = st.selectbox(
        t("Calendar"),
        list(offered),
        list(offered).index(series.calendar),
        format_func=offered.__getitem__,
        key=key,
        help=t("When the next bars open, and which bars count as missing."),
    )
    if code != series.calendar:
        keep(replace(series, calendar=code))
        st.rerun()
    found = _detected(series.candles.fingerprint, code, series.candles)
    if isinstance(found, DashboardError):
        show_error(found)
    else:
        override = t("Choose another above to override it.") if code == AUTO else ""
        st.caption(f"**{escape(said(found[1]))}** · {escape(said(found[2]))}. {override}")


def _change(series: Series, step: Step) -> None:
    """Apply a step and begin the page anew; a step that fails leaves the series as it was."""
    st.session_state.pop(_ERROR, None)
    try:
        with st.spinner(t("Changing …")):
            keep(series.after(step))
    except DashboardError as error:
        st.session_state[_ERROR] = (series.candles.fingerprint, error)
    st.rerun()


@st.cache_resource(show_spinner=False, max_entries=64, ttl=3_600)
def _examined(
    fingerprint: str,  # noqa: ARG001 - the key
    calendar: str,
    now: pd.Timestamp,
    _candles: CandleFrame,
) -> list[Finding] | DashboardError:
    """The doctor's findings. Cached by candles, calendar and time for an hour; shared, so not to be written to."""
    try:
        return examine(_candles, now, calendar)
    except DashboardError as error:
        return error


@st.cache_resource(show_spinner=False, max_entries=64, ttl=3_600)
def _detected(
    fingerprint: str,  # noqa: ARG001 - the key
    calendar: str,
    _candles: CandleFrame,
) -> tuple[str, str, str] | DashboardError:
    """Code and name of the calendar, and why it. Cached by candles and calendar for an hour."""
    try:
        found = detect(_candles, calendar)
        return found.code, found.name, found.reason
    except DashboardError as error:
        return error


def _note(note: Note, icon: str) -> None:
    st.caption(f"{icon} {escape(said(note.text) + _rows(note.rows))}")


def _rows(rows: tuple[int, ...]) -> str:
    if not rows:
        return ""
    parts = _stretches(rows)
    shown = ", ".join(parts[:_NAMED]) + (", …" if len(parts) > _NAMED else "")
    return " " + (t("(rows {rows})", rows=shown) if len(rows) > 1 else t("(row {row})", row=shown))


def _stretches(rows: tuple[int, ...]) -> list[str]:
    """Rows that follow each other as one: ``3``, ``17–40``."""
    firsts = [row for at, row in enumerate(rows) if at == 0 or rows[at - 1] != row - 1]
    lasts = [row for at, row in enumerate(rows) if at == len(rows) - 1 or rows[at + 1] != row + 1]
    return [f"{first:,}" if first == last else f"{first:,}–{last:,}" for first, last in zip(firsts, lasts, strict=True)]
