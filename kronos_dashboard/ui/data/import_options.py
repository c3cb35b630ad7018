"""How a file was read, and a form to read it again with other options: symbol, sheet, timezone, interval."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from zoneinfo import available_timezones

import streamlit as st

from kronos_dashboard.errors import DashboardError
from kronos_dashboard.markets.editable_series import EditableSeries, UploadedFile
from kronos_dashboard.markets.importers import ImportChoice, ImportOptions
from kronos_dashboard.ui import state
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.layout import show_error
from kronos_dashboard.ui.series.library import add_series, read_file_series

__all__ = ["import_options_form", "option_choices", "option_label", "timezone_names"]

_INTERVALS = ("1m", "5m", "15m", "30m", "1h", "4h", "1d")
_AUTOMATIC = ""


@lru_cache(maxsize=1)
def timezone_names() -> tuple[str, ...]:
    """Return the names of all timezones, those of large markets first. Cached: the system's list does not change."""
    common = (
        "UTC",
        "America/New_York",
        "Europe/London",
        "Europe/Berlin",
        "Asia/Shanghai",
        "Asia/Tokyo",
        "Asia/Hong_Kong",
    )
    named = {zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/"))}
    return (*common, *sorted(named - set(common)))


def option_choices(choices: ImportChoice) -> list[str]:
    """Return the values of an option; common intervals if the file offers none."""
    return list(choices.values) or list(_INTERVALS)


def option_label(option: str) -> str:
    """Return the label of an option of the importer."""
    if option == "symbol":
        return t("Instrument")
    return t("Sheet or file") if option == "sheet" else t("Interval")


def import_options_form(series: EditableSeries) -> None:
    """Draw the form, for files only; it is open if the file offers a choice or something was assumed."""
    if series.file is None:
        return
    has_warning = any(note.level != "info" for note in series.imported.notes)
    label = t("More series in this file") if series.imported.choices else t("Import options")
    with (
        st.expander(label, expanded=bool(series.imported.choices) or has_warning, icon=":material/tune:"),
        st.form(f"data_read_{series.key}", border=False),
    ):
        options = _option_widgets(series, series.file.options)
        with st.container(horizontal=True):
            again = st.form_submit_button(t("Import again"), key=f"data_again_{series.key}", type="primary")
            keep_both = st.form_submit_button(
                t("Import as new series"),
                key=f"data_keep_both_{series.key}",
                help=t("Adds another series and keeps this one."),
            )
        st.caption(t("Importing again discards the changes made to the candles here."))
        if again or keep_both:
            _read_again(series, series.file, options, keep_both=keep_both)
        error = state.DATA_IMPORT_ERROR.get()
        if error is not None and error[0] == series.key:
            show_error(error[1])


def _option_widgets(series: EditableSeries, options: ImportOptions) -> ImportOptions:
    """Draw the widgets; return the options they are set to."""
    key, columns, automatic = series.key, st.columns(3), t("Detect automatically")
    choices = {choice.option: choice for choice in series.imported.choices}
    changes: dict[str, str | bool | None] = {}
    for column, (name, choice) in enumerate(choices.items()):
        values = option_choices(choice)
        index = values.index(choice.selected) if choice.selected in values else 0
        changes[name] = columns[column % 3].selectbox(option_label(name), values, index, key=f"data_{name}_{key}")
    timezone = columns[0].selectbox(
        t("Time zone"),
        [_AUTOMATIC, *timezone_names()],
        0 if options.session_tz not in timezone_names() else timezone_names().index(options.session_tz) + 1,
        format_func=lambda value: automatic if value == _AUTOMATIC else value,
        key=f"data_timezone_of_file_{key}",
        help=t("Time zone of timestamps that do not state one."),
    )
    changes["session_tz"] = None if timezone == _AUTOMATIC else timezone
    orders = {None: automatic, True: t("Day first (31/12)"), False: t("Month first (12/31)")}
    changes["day_first"] = columns[1].selectbox(
        t("Date format"),
        list(orders),
        list(orders).index(options.day_first),
        format_func=orders.__getitem__,
        key=f"data_order_{key}",
    )
    if "interval" not in choices:
        intervals = list(dict.fromkeys(filter(None, (options.interval, *_INTERVALS))))
        interval = columns[2].selectbox(
            option_label("interval"),
            [_AUTOMATIC, *intervals],
            0 if options.interval is None else intervals.index(options.interval) + 1,
            format_func=lambda value: automatic if value == _AUTOMATIC else value,
            key=f"data_interval_{key}",
            help=t("Ticks are aggregated to this interval."),
        )
        changes["interval"] = None if interval == _AUTOMATIC else interval
    return replace(options, **changes)  # type: ignore[arg-type]


def _read_again(series: EditableSeries, file: UploadedFile, options: ImportOptions, *, keep_both: bool) -> None:
    state.DATA_IMPORT_ERROR.clear()
    try:
        with st.spinner(t("Reading…")):
            new = read_file_series(file.name, file.data, options)
            add_series(new if keep_both else replace(new, key=series.key, calendar=series.calendar))
    except DashboardError as error:
        state.DATA_IMPORT_ERROR.set((series.key, error))
    st.rerun()
