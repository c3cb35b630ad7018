"""Taking a forecast along as files, making it again, and opening such a file."""

from __future__ import annotations

import streamlit as st

from engine.errors import EngineError
from kronos_dashboard.charts import forecast_figure, window_figure
from kronos_dashboard.charts.quantiles import fan_figure
from kronos_dashboard.errors import DashboardError
from kronos_dashboard.export.open import Opened, open_exported
from kronos_dashboard.forecasting.baselines import random_walk, volatility_cone
from kronos_dashboard.forecasting.record import RunRecord
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.ui.forecast.export.options import Offer, command_of, facts_table, offers
from kronos_dashboard.ui.forecast.runs import Result, keep_result, kept_results
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.layout import escape, show_error
from kronos_dashboard.ui.resources import settings
from kronos_dashboard.ui.series.library import held
from kronos_dashboard.ui.widgets.chart import live_chart
from kronos_dashboard.ui.widgets.metric import look

__all__ = ["bring", "open_again", "show_exports", "was_brought"]

_HEIGHT = 420
_OPENED, _BROUGHT = "take_opened", "take_brought"


def show_exports(result: Result, revealed: int = 0) -> None:
    """Files to download, the command that makes the numbers again, and the way back from a file.

    Args:
        result: what to take along.
        revealed: how many steps of what came the reader has uncovered; files hold the truth once all of them are.
    """
    st.markdown(t("**Take it along**"))
    for offer in offers(result, revealed, settings().max_upload_bytes):
        _button(offer)
    st.caption(
        t(
            "Every file names model, checkpoint, seed, window and versions. No cell can become a formula of a "
            "spreadsheet."
        )
    )
    truth = result.window.truth
    if truth is not None and revealed < len(truth):
        st.caption(t("What came is not in the files as long as it is hidden."))
    st.markdown(t("**Make it again**"))
    st.caption(t("With the run file in the current folder, this makes the same numbers to the last digit:"))
    st.code(command_of(result.record), language="shell", wrap_lines=True)
    with st.expander(t("How it was made"), icon=":material/receipt_long:"):
        _facts(result.record)
    open_again()


def bring(name: str, data: bytes) -> None:
    """Open an exported file that came to another page; the Forecast page then shows it among its files.

    Raises:
        DashboardError, EngineError: it cannot be read.
    """
    opened = open_exported(data, name, _context, most_bytes=settings().max_upload_bytes)
    _hold(name, opened)
    st.session_state[_BROUGHT] = True


def was_brought() -> bool:
    """Whether a file has been brought since this was asked last."""
    return bool(st.session_state.pop(_BROUGHT, False))


@st.fragment
def open_again() -> None:
    """An uploader for a file that was exported here, and what the file holds."""
    st.markdown(t("**Open an exported forecast again**"))
    st.file_uploader(
        t("An exported file"),
        type=["csv", "parquet", "json", "html"],
        key="take_upload",
        on_change=_take,
        max_upload_size=settings().max_upload_mb,
        label_visibility="collapsed",
        help=t("CSV, Parquet, JSON or HTML as it was saved here. It stays on this computer."),
    )
    opened: tuple[str, Opened] | BaseException | None = st.session_state.get(_OPENED)
    if isinstance(opened, BaseException):
        show_error(opened)
    elif opened is not None:
        _show(*opened)


def _button(offer: Offer) -> None:
    left, right = st.columns([1, 2], vertical_alignment="center", gap="small")
    with left:
        st.download_button(
            offer.label,
            offer.make,
            offer.name,
            offer.mime,
            key=offer.key,
            icon=offer.icon,
            on_click="ignore",
            disabled=offer.too_large,
            width="stretch",
        )
    with right:
        if offer.too_large:
            st.caption(t("Too large as text: take Parquet instead."))
        else:
            st.caption(offer.help)


def _facts(record: RunRecord) -> None:
    st.table(facts_table(record).map(escape), hide_header=True)


def _take() -> None:
    """Read the file that was uploaded; it takes the place of the one before."""
    st.session_state.pop(_OPENED, None)
    file = st.session_state["take_upload"]
    if file is None:
        return
    try:
        opened = open_exported(file.getvalue(), file.name, _context, most_bytes=settings().max_upload_bytes)
    except (DashboardError, EngineError) as error:
        st.session_state[_OPENED] = error
        return
    _hold(file.name, opened)


def _hold(name: str, opened: Opened) -> None:
    """Show what a file holds; a whole forecast stands among those of the session as well."""
    st.session_state[_OPENED] = (name, opened)
    window, forecast, record = opened.window, opened.forecast, opened.record
    if window is None or forecast is None or any(one.key == record.run_id for one in kept_results()):
        return
    seed = record.sampling_config.seed
    keep_result(Result(window, forecast, record, random_walk(window, seed=seed), volatility_cone(window, seed=seed)))


def _context(record: RunRecord) -> CandleFrame | None:
    """The candles a record is of, if this session has them: in a forecast or in a series."""
    contexts = [result.window.context for result in kept_results()]
    contexts += [series.candles.until(record.cutoff_time).tail(record.context_length) for series in held().values()]
    return next((one for one in contexts if one.fingerprint == record.candles_fingerprint), None)


def _show(name: str, opened: Opened) -> None:
    """What a file holds, as facts and as far as it can be drawn."""
    st.markdown(f":material/draft: **{escape(name)}**")
    record, window, forecast = opened.record, opened.window, opened.forecast
    alt = t("The forecast in the file")
    if window is not None and forecast is not None:
        figure = forecast_figure(window, forecast, look(_HEIGHT))
        live_chart(figure, key="take_chart", base=record.run_id, alt=alt, file="forecast")
        st.caption(t("It stands among the forecasts of this session, under Side by side."))
    elif opened.quantiles is not None:
        live_chart(fan_figure(opened.quantiles, look()), key="take_fan", alt=alt, file="forecast")
        if window is None:
            st.caption(t("The file has no candles, and this session does not hold them: the fan stands alone."))
        else:
            st.caption(t("The file has quantiles and no paths: the fan stands alone."))
    elif window is not None:
        live_chart(window_figure(window, look(_HEIGHT)), key="take_window", alt=alt, file="window")
        if opened.own_candles:
            st.caption(t("The file has the candles and all settings, not the paths; this command makes them again:"))
            command = f"python -m kronos_dashboard forecast --from-record {_plain(name)} --out forecast.csv"
            st.code(command, wrap_lines=True)
        else:
            st.caption(t("The file has the settings alone; the candles are those of this session."))
    else:
        st.caption(t("The file has the settings alone: neither candles nor paths."))
    _facts(record)


def _plain(name: str) -> str:
    """A file name as a shell takes it."""
    safe = all(letter.isalnum() or letter in "._-" for letter in name)
    return name if safe and not name.startswith("-") else "run.json"
