"""How a file was read, and the means to read it otherwise: instrument, sheet, clock, order of dates, interval."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from zoneinfo import available_timezones

import streamlit as st

from kronos_dashboard.errors import DashboardError
from kronos_dashboard.markets.importers import Choices, ImportOptions
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.layout import show_error
from kronos_dashboard.ui.series.library import file_series, keep
from kronos_dashboard.ui.series.session_series import File, Series

__all__ = ["option_label", "option_values", "read_options", "zones"]

_INTERVALS = ("1m", "5m", "15m", "30m", "1h", "4h", "1d")
_AS_IT_IS = ""
_ERROR = "data_read_error"


@lru_cache(maxsize=1)
def zones() -> tuple[str, ...]:
    """Names of all clocks, those of the large markets first. Cached: the system's list does not change."""
    usual = (
        "UTC",
        "America/New_York",
        "Europe/London",
        "Europe/Berlin",
        "Asia/Shanghai",
        "Asia/Tokyo",
        "Asia/Hong_Kong",
    )
    named = {zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/"))}
    return (*usual, *sorted(named - set(usual)))


def option_values(choices: Choices) -> list[str]:
    """What may be taken; the usual lengths where the file offers none."""
    return list(choices.values) or list(_INTERVALS)


def option_label(option: str) -> str:
    """What an option of the importer is called."""
    if option == "ticker":
        return t("Instrument")
    return t("Sheet or file") if option == "sheet" else t("Length of a candle")


def read_options(series: Series) -> None:
    """For files: open where the file leaves a choice or was read with an assumption."""
    if series.file is None:
        return
    told = any(note.level != "info" for note in series.imported.notes)
    label = t("This file holds more") if series.imported.choices else t("How the file was read")
    with (
        st.expander(label, expanded=bool(series.imported.choices) or told, icon=":material/tune:"),
        st.form(f"data_read_{series.key}", border=False),
    ):
        options = _widgets(series, series.file.options)
        with st.container(horizontal=True):
            again = st.form_submit_button(t("Read again"), key=f"data_again_{series.key}", type="primary")
            beside = st.form_submit_button(
                t("Keep both"), key=f"data_beside_{series.key}", help=t("As one more series.")
            )
        st.caption(t("Reading again begins anew: changes made to the candles here are gone then."))
        if again or beside:
            _read(series, series.file, options, beside=beside)
        error = st.session_state.get(_ERROR)
        if error is not None and error[0] == series.key:
            show_error(error[1])


def _widgets(series: Series, options: ImportOptions) -> ImportOptions:
    """The options that the form says."""
    key, columns, as_shown = series.key, st.columns(3), t("As the file shows")
    offered = {choice.option: choice for choice in series.imported.choices}
    changes: dict[str, str | bool | None] = {}
    for place, (name, choice) in enumerate(offered.items()):
        values = option_values(choice)
        index = values.index(choice.taken) if choice.taken in values else 0
        changes[name] = columns[place % 3].selectbox(option_label(name), values, index, key=f"data_{name}_{key}")
    zone = columns[0].selectbox(
        t("Clock of the times"),
        [_AS_IT_IS, *zones()],
        0 if options.session_tz not in zones() else zones().index(options.session_tz) + 1,
        format_func=lambda value: as_shown if value == _AS_IT_IS else value,
        key=f"data_zone_{key}",
        help=t("On which clock times without a zone stand."),
    )
    changes["session_tz"] = None if zone == _AS_IT_IS else zone
    orders = {None: as_shown, True: t("Day first (31/12)"), False: t("Month first (12/31)")}
    changes["day_first"] = columns[1].selectbox(
        t("Order of dates"),
        list(orders),
        list(orders).index(options.day_first),
        format_func=orders.__getitem__,
        key=f"data_order_{key}",
    )
    if "interval" not in offered:
        usual = list(dict.fromkeys(filter(None, (options.interval, *_INTERVALS))))
        length = columns[2].selectbox(
            option_label("interval"),
            [_AS_IT_IS, *usual],
            0 if options.interval is None else usual.index(options.interval) + 1,
            format_func=lambda value: as_shown if value == _AS_IT_IS else value,
            key=f"data_interval_{key}",
            help=t("Ticks are put together to it."),
        )
        changes["interval"] = None if length == _AS_IT_IS else length
    return replace(options, **changes)  # type: ignore[arg-type]


def _read(series: Series, file: File, options: ImportOptions, *, beside: bool) -> None:
    st.session_state.pop(_ERROR, None)
    try:
        with st.spinner(t("Reading …")):
            made = file_series(file.name, file.data, options)
            keep(made if beside else replace(made, key=series.key, calendar=series.calendar))
    except DashboardError as error:
        st.session_state[_ERROR] = (series.key, error)
    st.rerun()
