"""How much the answer hangs on context length and temperature: a small grid, worked out in the job queue."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st

from engine.errors import Cancelled
from kronos_dashboard.charts import sensitivity_figure
from kronos_dashboard.compute.queue import Job
from kronos_dashboard.errors import DashboardError
from kronos_dashboard.evaluation.sensitivity import MAX_CELLS, MAX_PATHS, sensitivity
from kronos_dashboard.forecasting.record import is_mirrored
from kronos_dashboard.forecasting.run import SamplingConfig
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.models.cache import ModelShelf
from kronos_dashboard.ui.forecast.runs import stopped
from kronos_dashboard.ui.forecast.sampling import drawn_as
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.layout import show_error
from kronos_dashboard.ui.resources import job_queue, session_id, settings, shelf
from kronos_dashboard.ui.widgets.chart import live_chart
from kronos_dashboard.ui.widgets.metric import chance, look, move, part

__all__ = ["show_sensitivity"]

_POLL_S = 0.5
_KEPT = 6
"""Grids kept per session; the oldest goes first."""
_PATHS = 30
"""Of one cell, unless the reader wants others."""
_TEMPERATURES = (0.6, 0.8, 1.0, 1.2)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What one grid is of; names it among others."""

    window: tuple[str, int, str]
    contexts: tuple[int, ...]
    temperatures: tuple[float, ...]
    sampling: SamplingConfig
    model: tuple[str, str | None, str]
    """Name, device and type of numbers."""


@st.fragment
def show_sensitivity(
    window: Window,
    sampling: SamplingConfig,
    model: str | None = None,
    device: str | None = None,
    dtype: str = "float32",
) -> None:
    """Form, progress and result of a grid over context length and temperature.

    Args:
        window: its context is the longest one.
        sampling: everything but temperature and paths is taken from it.
        model: what the model is loaded by; None = the one of the settings.
        device: None = the best there is.
        dtype: of the model's numbers.
    """
    _collect()
    st.caption(
        t(
            "The same cutoff, forecast with shorter contexts and other temperatures. An answer that turns with these "
            "choices is a trait of the settings rather than of the market."
        )
    )
    asked = _form(window, sampling, (model or settings().model, device, dtype))
    job: Job | None = st.session_state.get("grid_job")
    if "grid_error" in st.session_state:
        show_error(st.session_state["grid_error"])
    if job is None and asked is not None:
        cells = len(asked.contexts) * len(asked.temperatures)
        label = t("Run {count} forecasts", count=cells)
        st.button(label, key="grid_run", icon=":material/grid_on:", on_click=_submit, args=(window, asked))
    if job is not None:
        st.fragment(_watch, run_every=_POLL_S)()
    _show(window)


def _form(window: Window, sampling: SamplingConfig, model: tuple[str, str | None, str]) -> _Asked | None:
    """Which cells; None where there is no grid of them, which is said."""
    most, least = window.context_length, min(settings().min_context, window.context_length)
    lengths = sorted({max(least, most // 4), max(least, most // 2), max(least, 3 * most // 4), most})
    heats = sorted({*_TEMPERATURES, sampling.temperature})
    left, middle, right = st.columns([3, 3, 2])
    contexts = left.multiselect(
        t("Context lengths"), lengths, [one for one in lengths if one != 3 * most // 4], key=f"grid_contexts_{most}"
    )
    key = f"grid_heats_{sampling.temperature:g}"
    default = sorted({0.6, 1.2, sampling.temperature})
    temperatures = middle.multiselect(t("Temperatures"), heats, default, key=key)
    help = t("More paths: surer cells, a longer wait.")
    paths = right.number_input(t("Paths per cell"), 5, MAX_PATHS, _PATHS, 5, key="grid_paths", help=help)
    if not contexts or not temperatures:
        st.caption(t("Choose at least one context length and one temperature."))
        return None
    if len(contexts) * len(temperatures) > MAX_CELLS:
        st.caption(t("A grid has at most {count} cells.", count=MAX_CELLS))
        return None
    return _Asked(
        window=window.key,
        contexts=tuple(sorted(contexts)),
        temperatures=tuple(sorted(temperatures)),
        sampling=replace(sampling, num_paths=int(paths)),
        model=model,
    )


def _submit(window: Window, asked: _Asked) -> None:
    st.session_state.pop("grid_error", None)
    blind, models = replace(window, truth=None, begun=None), shelf()
    done: list[pd.DataFrame] = []
    try:
        job = job_queue().submit(_owner(), lambda job: _work(job, blind, asked, models, done))
    except DashboardError as error:
        st.session_state["grid_error"] = error
        return
    st.session_state.update(grid_job=job, grid_asked=asked, grid_done=done)


def _work(job: Job, window: Window, asked: _Asked, models: ModelShelf, done: list[pd.DataFrame]) -> pd.DataFrame:
    """What the worker thread does; it must not touch Streamlit. ``done`` gets what there is after each cell."""
    predictor = models.get(*asked.model)
    if job.cancel_token.is_set():
        raise Cancelled("cancelled before the first step.")
    return sensitivity(
        window,
        asked.contexts,
        asked.temperatures,
        asked.sampling,
        predictor,
        job.step,
        job.cancel_token,
        model_name=asked.model[0],
        partial=done.append,
    )


def _watch() -> None:
    """Progress and a button to cancel."""
    job: Job | None = st.session_state.get("grid_job")
    if job is None:
        return
    job_queue().get(_owner())  # the sign of life
    if job.finished:
        st.rerun()
    bar, stop = st.columns([4, 1], vertical_alignment="center")
    bar.progress(job.fraction, text=_progress(job))
    stop.button(t("Cancel the grid"), key="grid_cancel", width="stretch", on_click=_cancel)


def _progress(job: Job) -> str:
    if job.state == "waiting":
        return t("Waiting: {count} ahead of you", count=job_queue().ahead(job))
    if job.total_steps == 0:
        return t("Getting the model ready…")
    return t("Step {done} of {total} over all cells", done=f"{job.done_steps:,}", total=f"{job.total_steps:,}")


def _cancel() -> None:
    job_queue().cancel(_owner())
    st.session_state.pop("grid_job", None)
    _keep(st.session_state.pop("grid_asked"), st.session_state.pop("grid_done"))


def _collect() -> None:
    """Move a finished grid, or its error, into the session."""
    job: Job | None = st.session_state.get("grid_job")
    if job is None or not job.finished:
        return
    del st.session_state["grid_job"]
    if job.state == "failed":
        st.session_state["grid_error"] = job.error
    elif job.state == "cancelled":  # a reader who cancels takes the job away; it was somebody else
        st.session_state["grid_error"] = stopped(t("the grid"))
    _keep(st.session_state.pop("grid_asked"), st.session_state.pop("grid_done"))


def _keep(asked: _Asked, done: list[pd.DataFrame]) -> None:
    """Hold the cells that are done."""
    if not done:
        return
    kept: dict[_Asked, pd.DataFrame] = st.session_state.setdefault("grids", {})
    kept.pop(asked, None)
    kept[asked] = done[-1]
    while len(kept) > _KEPT:
        del kept[next(iter(kept))]


def _show(window: Window) -> None:
    """The newest grid of this window."""
    kept: dict[_Asked, pd.DataFrame] = st.session_state.get("grids", {})
    mine = [(asked, grid) for asked, grid in kept.items() if asked.window == window.key]
    if not mine:
        return
    asked, grid = mine[-1]
    config = replace(asked.sampling, **{name: bool(grid[name].iloc[0]) for name in ("from_last_close", "mirrored")})
    is_open = is_mirrored(config)
    first = "width" if is_open else "up"
    numbers = {
        "up": (t("Chance to end higher"), ".0%"),
        "end": (t("Median return at the end"), "+.2%"),
        "width": (t("Width of the 80% band at the end"), ".2%"),
        "gap": (t("Jump at the first open, in typical ranges"), "+.2f"),
    }
    shown = st.segmented_control(
        t("Show"),
        list(numbers),
        default=first,
        format_func=lambda name: numbers[name][0],
        key="grid_number",
        required=True,
        label_visibility="collapsed",
    )
    name, form = numbers[shown or first]
    values = grid.reset_index().pivot_table(index="context", columns="temperature", values=shown or first)
    figure = sensitivity_figure(
        values.to_numpy(), list(values.index), [f"{heat:g}" for heat in values.columns], look(), name=name, form=form
    )
    figure.data[0].colorbar.update(title={"text": ""}, tickformat=form)
    live_chart(figure, key="grid_chart", alt=name, file="sensitivity")
    st.markdown(_said_open(grid) if is_open else _said(grid))
    cells = len(asked.contexts) * len(asked.temperatures)
    if len(grid) < cells:
        st.caption(t(":orange[{done} of {count} cells were done when it was stopped.]", done=len(grid), count=cells))
    st.caption(
        t(
            "{paths} paths a cell, top-p {top_p}, seed {seed}, {begin}, {seconds} s. Nothing of what came is used.",
            paths=config.num_paths,
            top_p=f"{config.nucleus:g}",
            seed=config.seed,
            begin=drawn_as(config),
            seconds=f"{grid['seconds'].sum():.1f}",
        )
    )


def _said(grid: pd.DataFrame) -> str:
    """How much the answer hangs on the choices, held against what the draw alone may do."""
    low, high = float(grid["up"].min()), float(grid["up"].max())
    values = {
        "low": chance(low),
        "high": chance(high),
        "first": move(float(grid["end"].min())),
        "last": move(float(grid["end"].max())),
    }
    if len(grid) == 1:
        return t("One cell: a chance of {high} to end higher, and a median return of {last}.", **values)
    agree = float(grid["up_low"].max()) <= float(grid["up_high"].min())
    turns = bool((grid["end"] > 0).any() and (grid["end"] < 0).any())
    if agree and not turns:
        return t(
            "The chance to end higher runs from {low} to {high}, no further than the draw alone explains, and the "
            "median return from {first} to {last}, always on one side: the answer hardly hangs on these choices.",
            **values,
        )
    if agree:
        return t(
            "The chance to end higher runs from {low} to {high}, no further than the draw alone explains; the median "
            "return runs from {first} to {last} and changes its side: there is no clear direction to rely on.",
            **values,
        )
    if turns:
        return t(
            "The chance to end higher runs from {low} to {high}, further than the draw explains, and the median return "
            "turns from {first} to {last}: the direction is a matter of these choices.",
            **values,
        )
    return t(
        "The chance to end higher runs from {low} to {high}, further than the draw explains; the median return stays "
        "on one side, {first} to {last}: the strength of the answer hangs on these choices, its direction does not.",
        **values,
    )


def _said_open(grid: pd.DataFrame) -> str:
    """What hangs on the choices where every second path is mirrored: how far, not which way."""
    low, high = part(float(grid["width"].min())), part(float(grid["width"].max()))
    if len(grid) == 1:
        return t(
            "One cell: the 80% band at the end is {high} wide. Every second path is mirrored, so that it leans neither "
            "up nor down.",
            high=high,
        )
    return t(
        "Every second path is mirrored, so that no cell leans up or down; what hangs on these choices is how far the "
        "price may move: the 80% band at the end is {low} to {high} wide.",
        low=low,
        high=high,
    )


def _owner() -> str:
    return f"{session_id()}:grid"
