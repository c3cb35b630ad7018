"""Findings about the selected series, and its edits: repairs, interval, timezone and calendar, with undo."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from kronos_dashboard.errors import DashboardError
from kronos_dashboard.markets.calendars import AUTO, calendar_options, detect_calendar
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.markets.doctor import Finding, run_checks
from kronos_dashboard.markets.editable_series import Edit, EditableSeries
from kronos_dashboard.markets.intervals import interval_label
from kronos_dashboard.markets.resampling import coarser_intervals
from kronos_dashboard.notes import Note
from kronos_dashboard.ui import state
from kronos_dashboard.ui.data.import_options import timezone_names
from kronos_dashboard.ui.i18n import t, translate
from kronos_dashboard.ui.layout import escape_markdown, show_error
from kronos_dashboard.ui.series.library import add_series

__all__ = ["calendar_code", "edit_history", "findings_list", "import_notes", "interval_and_calendar"]

_ICONS = {"error": ":red[:material/error:]", "warning": ":orange[:material/warning:]", "info": ":material/info:"}
_MAX_LISTED_ROWS = 8
"""Row ranges named in a sentence; more make it unreadable."""


def calendar_code(series: EditableSeries) -> str:
    """Return the code of the selected or detected calendar; empty if none fits."""
    calendar = _cached_calendar(series.candles.fingerprint, series.calendar, series.candles)
    return "" if isinstance(calendar, DashboardError) else calendar[0]


def findings_list(series: EditableSeries) -> None:
    """Draw the findings of the doctor, each with its fixes."""
    now = pd.Timestamp.now("UTC").floor("5min")
    findings = _cached_findings(series.candles.fingerprint, series.calendar, now, series.candles)
    if isinstance(findings, DashboardError):
        show_error(findings)
        return
    if not findings:
        st.markdown(f":green[:material/check_circle:] {t('No issues found.')}")
    for number, finding in enumerate(findings):
        with st.container(border=True, gap="small"):
            text = escape_markdown(translate(finding.text) + _rows_text(finding.rows))
            st.markdown(f"{_ICONS[finding.level]} **{escape_markdown(translate(finding.title))}** · {text}")
            if finding.fixes:
                with st.container(horizontal=True, gap="small"):
                    for fix in finding.fixes:
                        if st.button(translate(fix.title), key=f"data_fix_{fix.name}_{finding.key}_{number}"):
                            _apply_edit(series, Edit(kind="fix", value=fix.name, calendar=series.calendar, now=now))


def edit_history(series: EditableSeries) -> None:
    """Draw the edits since the import, oldest first, with undo; and the error of the last edit."""
    error = state.DATA_EDIT_ERROR.get()
    if error is not None and error[0] == series.candles.fingerprint:
        show_error(error[1])
    if not series.edits:
        return
    with st.container(border=True, gap="small"):
        for applied in series.edits:
            for note in applied.notes:
                _note(note, ":green[:material/build:]")
        with st.container(horizontal=True, gap="small"):
            if st.button(t("Undo"), key="data_undo", icon=":material/undo:", help=t("Undo the last change.")):
                add_series(series.undo())
                st.rerun()
            if len(series.edits) > 1 and st.button(t("Undo all"), key="data_undo_all"):
                add_series(series.undo_all())
                st.rerun()


def import_notes(series: EditableSeries) -> None:
    """Draw the notes of the import, errors and warnings first."""
    for note in sorted(series.imported.notes, key=lambda note: ("error", "warning", "info").index(note.level)):
        _note(note, _ICONS[note.level])


def interval_and_calendar(series: EditableSeries) -> None:
    """Draw the controls of interval, session timezone and calendar, each with what was detected."""
    left, middle, right = st.columns(3)
    with left:
        _resample_control(series)
    with middle:
        _timezone_control(series)
    with right:
        _calendar_control(series)


def _resample_control(series: EditableSeries) -> None:
    current = interval_label(series.candles.interval)
    labels = [label for label in coarser_intervals(series.candles.interval) if label != current]
    if not labels:
        st.caption(t("{interval} candles cannot be resampled further.", interval=current))
        return
    text = t("Resample {interval} to", interval=current)
    label = st.selectbox(text, labels, key=f"data_coarser_{current}_{series.key}")
    if st.button(t("Resample"), key="data_resample"):
        _apply_edit(series, Edit(kind="resample", value=label, calendar=series.calendar))


def _timezone_control(series: EditableSeries) -> None:
    current = series.candles.session_tz
    names = list(dict.fromkeys((current, *timezone_names())))
    timezone = st.selectbox(
        t("Session time zone"),
        names,
        0,
        key=f"data_timezone_{current}_{series.key}",
        help=t("The model reads hour and weekday in this time zone. The bar times do not change."),
    )
    if st.button(t("Set time zone"), key="data_set_timezone", disabled=timezone == current):
        _apply_edit(series, Edit(kind="timezone", value=timezone))


def _calendar_control(series: EditableSeries) -> None:
    names = {code: f"{code}: {translate(name)}" for code, name in calendar_options().items()}
    key = f"data_calendar_{series.key}"
    code = st.selectbox(
        t("Calendar"),
        list(names),
        list(names).index(series.calendar),
        format_func=names.__getitem__,
        key=key,
        help=t("Determines when the next bars open and which bars count as missing."),
    )
    if code != series.calendar:
        add_series(replace(series, calendar=code))
        st.rerun()
    calendar = _cached_calendar(series.candles.fingerprint, code, series.candles)
    if isinstance(calendar, DashboardError):
        show_error(calendar)
    else:
        override = t("Select another above to override.") if code == AUTO else ""
        st.caption(
            f"**{escape_markdown(translate(calendar[1]))}** · {escape_markdown(translate(calendar[2]))}. {override}"
        )


def _apply_edit(series: EditableSeries, edit: Edit) -> None:
    """Apply an edit and run the page again; an edit that fails leaves the series unchanged."""
    state.DATA_EDIT_ERROR.clear()
    try:
        with st.spinner(t("Applying…")):
            add_series(series.apply(edit))
    except DashboardError as error:
        state.DATA_EDIT_ERROR.set((series.candles.fingerprint, error))
    st.rerun()


@st.cache_resource(show_spinner=False, max_entries=64, ttl=3_600)
def _cached_findings(
    fingerprint: str,  # noqa: ARG001 - the key
    calendar: str,
    now: pd.Timestamp,
    _candles: CandleFrame,
) -> list[Finding] | DashboardError:
    """Return the findings of the doctor. Cached by candles, calendar and time for an hour; shared, hence read-only."""
    try:
        return run_checks(_candles, now, calendar)
    except DashboardError as error:
        return error


@st.cache_resource(show_spinner=False, max_entries=64, ttl=3_600)
def _cached_calendar(
    fingerprint: str,  # noqa: ARG001 - the key
    calendar: str,
    _candles: CandleFrame,
) -> tuple[str, str, str] | DashboardError:
    """Return code and name of the calendar, and the reason. Cached by candles and calendar for an hour."""
    try:
        calendar_fit = detect_calendar(_candles, calendar)
        return calendar_fit.code, calendar_fit.name, calendar_fit.reason
    except DashboardError as error:
        return error


def _note(note: Note, icon: str) -> None:
    st.caption(f"{icon} {escape_markdown(translate(note.text) + _rows_text(note.rows))}")


def _rows_text(rows: tuple[int, ...]) -> str:
    if not rows:
        return ""
    parts = _row_ranges(rows)
    shown = ", ".join(parts[:_MAX_LISTED_ROWS]) + (", …" if len(parts) > _MAX_LISTED_ROWS else "")
    return " " + (t("(rows {rows})", rows=shown) if len(rows) > 1 else t("(row {row})", row=shown))


def _row_ranges(rows: tuple[int, ...]) -> list[str]:
    """Join consecutive rows: ``3``, ``17–40``."""
    firsts = [row for at, row in enumerate(rows) if at == 0 or rows[at - 1] != row - 1]
    lasts = [row for at, row in enumerate(rows) if at == len(rows) - 1 or rows[at + 1] != row + 1]
    return [f"{first:,}" if first == last else f"{first:,}–{last:,}" for first, last in zip(firsts, lasts, strict=True)]
