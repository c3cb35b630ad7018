"""Sensitivity of a forecast to context length and temperature: a small grid, computed in the job queue."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TypeAlias

import pandas as pd
import streamlit as st

from kronos_dashboard.charts import sensitivity_figure
from kronos_dashboard.compute.tasks import SensitivityTask
from kronos_dashboard.errors import DashboardError
from kronos_dashboard.evaluation.sensitivity import MAX_CELLS, MAX_PATHS
from kronos_dashboard.export.metadata import describe_path_options
from kronos_dashboard.forecasting.run import SamplingConfig
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.models.catalog import ModelKey
from kronos_dashboard.ui import state
from kronos_dashboard.ui.eviction import evict_oldest
from kronos_dashboard.ui.forecast.appearance import small_chart_style
from kronos_dashboard.ui.forecast.runs import interrupted_error
from kronos_dashboard.ui.format import format_percent, format_probability, format_signed_percent
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.layout import show_error
from kronos_dashboard.ui.resources import job_queue, session_id
from kronos_dashboard.ui.resources import settings as app_settings
from kronos_dashboard.ui.widgets.chart import live_chart
from kronos_dashboard.ui.widgets.job_status import job_text, poll, show_job

__all__ = ["show_sensitivity"]

_KIND = "sensitivity"
"""Of these jobs in the queue: a grid does not replace a forecast of the same session."""
_MAX_GRIDS = 6
"""Grids kept per session; the oldest goes first."""
_DEFAULT_PATHS = 30
"""Paths per cell: enough to tell 30 from 70 %, and a grid of nine cells takes as long as one large forecast."""
_MIN_PATHS = 5
_TEMPERATURES = (0.6, 0.8, 1.0, 1.2)
_DEFAULT_TEMPERATURES = (0.6, 1.2)
"""Selected at first, beside the temperature of the sidebar."""


@dataclass(frozen=True, kw_only=True)
class _GridRequest:
    """What a grid is computed for; the key of its result."""

    window: tuple[str, int, str]
    """Identity of the window."""
    contexts: tuple[int, ...]
    temperatures: tuple[float, ...]
    sampling: SamplingConfig
    model_key: ModelKey

    @property
    def num_cells(self) -> int:
        """Number of combinations."""
        return len(self.contexts) * len(self.temperatures)


_Grids: TypeAlias = "OrderedDict[_GridRequest, pd.DataFrame]"


@st.fragment
def show_sensitivity(window: Window, sampling: SamplingConfig, model_key: ModelKey | None = None) -> None:
    """Draw form, progress and result of a grid over context length and temperature.

    Args:
        window: its context is the longest one of the grid.
        sampling: everything but temperature and number of paths is taken from it.
        model_key: the model; None: the configured one.
    """
    _collect_grid()
    st.caption(
        t(
            "Forecasts from the same cutoff with shorter contexts and other temperatures. If the result "
            "changes with these settings, do not attribute it to the market."
        )
    )
    request = _request_form(window, sampling, model_key or ModelKey(name=app_settings().model))
    job, error = state.SENSITIVITY_JOB.get(), state.SENSITIVITY_ERROR.get()
    if error is not None:
        show_error(error)
    if job is None and request is not None:
        label = t("Run {count} forecasts", count=request.num_cells)
        st.button(label, key="sensitivity_run", icon=":material/grid_on:", on_click=_submit, args=(window, request))
    if job is not None:
        poll(_grid_status, key="sensitivity_status")()
    _show_newest_grid(window)


def _request_form(window: Window, sampling: SamplingConfig, model_key: ModelKey) -> _GridRequest | None:
    """Draw the form; return None, and draw the reason, if the chosen grid is empty or too large."""
    longest = window.context_length
    shortest = min(app_settings().min_context, longest)
    contexts = sorted({max(shortest, longest * quarters // 4) for quarters in (1, 2, 3, 4)})
    temperatures = sorted({*_TEMPERATURES, sampling.temperature})
    left, middle, right = st.columns([3, 3, 2])
    chosen_contexts = left.multiselect(
        t("Context lengths"),
        contexts,
        [context for context in contexts if context != longest * 3 // 4],
        key=state.SENSITIVITY_CONTEXTS.of(longest).name,
    )
    chosen_temperatures = middle.multiselect(
        t("Temperatures"),
        temperatures,
        sorted({*_DEFAULT_TEMPERATURES, sampling.temperature}),
        key=state.SENSITIVITY_TEMPERATURES.of(f"{sampling.temperature:g}").name,
    )
    num_paths = right.number_input(
        t("Paths per cell"),
        _MIN_PATHS,
        MAX_PATHS,
        _DEFAULT_PATHS,
        step=5,
        key=state.SENSITIVITY_PATHS.name,
        help=t("More paths: more reliable cells, longer run."),
    )
    if not chosen_contexts or not chosen_temperatures:
        st.caption(t("Choose at least one context length and one temperature."))
        return None
    request = _GridRequest(
        window=window.identity,
        contexts=tuple(sorted(chosen_contexts)),
        temperatures=tuple(sorted(chosen_temperatures)),
        sampling=replace(sampling, num_paths=int(num_paths)),
        model_key=model_key,
    )
    if request.num_cells > MAX_CELLS:
        st.caption(t("A grid can have at most {count} cells.", count=MAX_CELLS))
        return None
    return request


def _submit(window: Window, request: _GridRequest) -> None:
    state.SENSITIVITY_ERROR.clear()
    task = SensitivityTask(
        # The actual candles stay here, so that the grid cannot depend on them.
        window=replace(window, actual=None, partial_actual=None),
        contexts=request.contexts,
        temperatures=request.temperatures,
        sampling=request.sampling,
        model_key=request.model_key,
    )
    try:
        job = job_queue().submit(session_id(), _KIND, task)
    except DashboardError as error:
        state.SENSITIVITY_ERROR.set(error)
        return
    state.SENSITIVITY_JOB.set(job)
    state.SENSITIVITY_REQUEST.set(request)


def _grid_status() -> None:
    """Draw progress and a button to cancel."""
    job = state.SENSITIVITY_JOB.get()
    if job is None:
        return
    queue = job_queue()
    done, total = f"{job.done_steps:,}", f"{job.total_steps:,}"
    text = job_text(job, queue, t("Step {done} of {total} across all cells", done=done, total=total))
    show_job(job, queue, text, cancel=_cancel, key="sensitivity_cancel", label=t("Cancel the grid"))


def _cancel() -> None:
    """Stop the grid; the cells that are done are kept."""
    job_queue().cancel(session_id(), _KIND)
    job = state.SENSITIVITY_JOB.pop()
    _add_grid(state.SENSITIVITY_REQUEST.pop(), None if job is None else job.preview)


def _collect_grid() -> None:
    """Move a finished grid, or its error, into the session."""
    job = state.SENSITIVITY_JOB.get()
    if job is None or not job.is_finished:
        return
    state.SENSITIVITY_JOB.clear()
    if job.state == "failed":
        state.SENSITIVITY_ERROR.set(job.error)
    elif job.state == "cancelled":  # not by this session: its own cancel removes the job
        state.SENSITIVITY_ERROR.set(interrupted_error(t("the sensitivity grid")))
    rows = job.future.result() if job.state == "done" else job.preview
    _add_grid(state.SENSITIVITY_REQUEST.pop(), rows)


def _add_grid(request: _GridRequest, rows: object) -> None:
    """Add the cells that are done; ``rows`` is None if none is."""
    if not isinstance(rows, pd.DataFrame):
        return
    grids: _Grids = state.SENSITIVITY_GRIDS.ensure()
    grids[request] = rows
    grids.move_to_end(request)
    evict_oldest(grids, max_entries=_MAX_GRIDS)


def _show_newest_grid(window: Window) -> None:
    """Draw the newest grid of this window: heat map, sentence and settings."""
    grids: _Grids = state.SENSITIVITY_GRIDS.get()
    request = next((request for request in reversed(grids) if request.window == window.identity), None)
    if request is None:
        return
    grid = grids[request]
    sampling = _resolved_sampling(request, grid)
    # The direction of mirrored paths is fixed: their width is what a setting may change.
    is_neutral = sampling.has_mirror_images
    _heatmap(grid, "width" if is_neutral else "prob_up")
    st.markdown(_width_sentence(grid) if is_neutral else _direction_sentence(grid))
    if len(grid) < request.num_cells:
        st.caption(
            t(
                ":orange[Stopped after {done} of {count} cells.]",
                done=len(grid),
                count=request.num_cells,
            )
        )
    st.caption(
        t(
            "{paths} paths per cell, top-p {top_p}, seed {seed}, {begin}, {seconds} s. Actuals are not used.",
            paths=sampling.num_paths,
            top_p=f"{sampling.nucleus:g}",
            seed=sampling.seed,
            begin=describe_path_options(sampling),
            seconds=f"{grid['seconds'].sum():.1f}",
        )
    )


def _resolved_sampling(request: _GridRequest, grid: pd.DataFrame) -> SamplingConfig:
    """Return the sampling settings with those filled in that were left to the model."""
    return replace(
        request.sampling,
        anchor_to_last_close=bool(grid["anchor_to_last_close"].iloc[0]),
        mirror_paths=bool(grid["mirror_paths"].iloc[0]),
    )


def _heatmap(grid: pd.DataFrame, default: str) -> None:
    """Draw the choice of a metric, and its values by context length and temperature."""
    metrics = {
        "prob_up": (t("P(close higher)"), ".0%"),
        "end": (t("Median return at the end"), "+.2%"),
        "width": (t("Width of the 80% band at the end"), ".2%"),
        "gap": (t("First-open gap (ATR)"), "+.2f"),
    }
    metric = st.segmented_control(
        t("Show"),
        list(metrics),
        default=default,
        format_func=lambda name: metrics[name][0],
        key=state.SENSITIVITY_METRIC.name,
        required=True,
        label_visibility="collapsed",
    )
    label, number_format = metrics[metric or default]
    values = grid.reset_index().pivot_table(index="context", columns="temperature", values=metric or default)  # [C, T]
    figure = sensitivity_figure(
        values.to_numpy(),
        list(values.index),
        [f"{temperature:g}" for temperature in values.columns],
        small_chart_style(),
        name=label,
        number_format=number_format,
    )
    figure.data[0].colorbar.update(title={"text": ""}, tickformat=number_format)
    live_chart(figure, key="sensitivity_chart", alt=label, file_stem="sensitivity")


def _direction_sentence(grid: pd.DataFrame) -> str:
    """Return whether direction and strength depend on the settings, beyond the sampling error of the cells."""
    low, high = float(grid["prob_up"].min()), float(grid["prob_up"].max())
    values = {
        "low": format_probability(low),
        "high": format_probability(high),
        "first": format_signed_percent(float(grid["end"].min())),
        "last": format_signed_percent(float(grid["end"].max())),
    }
    if len(grid) == 1:
        return t("One cell: P(close higher) {high}, median return {last}.", **values)
    # The intervals of all cells overlap: sampling error alone explains the differences.
    agree = float(grid["prob_up_low"].max()) <= float(grid["prob_up_high"].min())
    changes_sign = bool((grid["end"] > 0).any() and (grid["end"] < 0).any())
    if agree and not changes_sign:
        return t(
            "P(close higher) ranges from {low} to {high}, within sampling error; the median return ranges from "
            "{first} to {last} and keeps its sign. The result is stable across these settings.",
            **values,
        )
    if agree:
        return t(
            "P(close higher) ranges from {low} to {high}, within sampling error; the median return ranges from "
            "{first} to {last} and changes sign. No clear direction.",
            **values,
        )
    if changes_sign:
        return t(
            "P(close higher) ranges from {low} to {high}, beyond sampling error; the median return ranges from "
            "{first} to {last} and changes sign. Direction depends on the settings.",
            **values,
        )
    return t(
        "P(close higher) ranges from {low} to {high}, beyond sampling error; the median return ranges from "
        "{first} to {last} and keeps its sign. Direction is stable, strength is not.",
        **values,
    )


def _width_sentence(grid: pd.DataFrame) -> str:
    """Return how much the width depends on the settings, for mirrored paths, whose direction is fixed."""
    low, high = format_percent(float(grid["width"].min())), format_percent(float(grid["width"].max()))
    if len(grid) == 1:
        return t(
            "One cell: the 80% band at the end is {high} wide. Antithetic pairs: direction is neutral.",
            high=high,
        )
    return t(
        "Antithetic pairs: direction is neutral in all cells. With these settings the width of the 80% band at "
        "the end ranges from {low} to {high}.",
        low=low,
        high=high,
    )
