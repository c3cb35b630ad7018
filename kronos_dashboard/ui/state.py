"""Every key of the session state, declared once: name, type, default, and whether it survives a reload of the page.

Read and write values through the keys (``state.SEED.get()``, ``state.SEED.set(7)``). A widget takes
``key=state.SEED.name``; the name is also its CSS class (``st-key-seed``). Types of a single page are ``Any`` here,
because this module is below all pages; the page that owns such a key annotates what it reads. Widgets of which only the
return value is used need no entry.

Renaming a key renames the widget, its CSS class and the entry that ``session_store`` restores.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Hashable

    import pandas as pd

    from kronos_dashboard.compute.queue import Job
    from kronos_dashboard.forecasting.windows import Window
    from kronos_dashboard.markets.editable_series import EditableSeries

__all__ = ["KeyFamily", "ModelOrBool", "StateKey", "persisted_names"]

T = TypeVar("T")

ModelOrBool = Literal["model", "on", "off"]
"""A switch that the model may set itself: "model" is None in ``SamplingConfig``, "on" True, "off" False."""


@dataclass(frozen=True, eq=False)
class StateKey(Generic[T]):
    """One entry of the session state."""

    name: str
    make_default: Callable[[], T]
    persisted: bool = False
    """Whether ``session_store`` restores it after a reload of the page."""

    def get(self) -> T:
        """Return the stored value, or the default without storing it."""
        return st.session_state[self.name] if self.is_set() else self.make_default()

    def set(self, value: T) -> None:
        """Store a value. A widget with this key must not have been drawn in this run."""
        st.session_state[self.name] = value

    def ensure(self) -> T:
        """Store the default if nothing is stored; return what is stored now (for containers: the object itself)."""
        if not self.is_set():
            st.session_state[self.name] = self.make_default()
        return st.session_state[self.name]

    def pop(self) -> T:
        """Remove the entry; return its value, or the default."""
        value = self.get()
        self.clear()
        return value

    def clear(self) -> None:
        """Remove the entry if there is one."""
        st.session_state.pop(self.name, None)

    def is_set(self) -> bool:
        """Return whether a value is stored."""
        return self.name in st.session_state


@dataclass(frozen=True, eq=False)
class KeyFamily(Generic[T]):
    """Entries of one kind, a key for each series, model or run: ``prefix`` and what tells them apart."""

    prefix: str
    make_default: Callable[[], T]
    persisted: bool = False

    def of(self, *parts: object) -> StateKey[T]:
        """Return the key for ``parts``, which are joined by underscores."""
        name = self.prefix + "_".join(map(str, parts))
        return StateKey(name, self.make_default, self.persisted)


def persisted_names(names: Iterable[object]) -> list[str]:
    """Return those of ``names`` that survive a reload."""
    keys = [key for key in globals().values() if isinstance(key, StateKey | KeyFamily) and key.persisted]
    exact = {key.name for key in keys if isinstance(key, StateKey)}
    prefixes = tuple(key.prefix for key in keys if isinstance(key, KeyFamily))
    return [name for name in names if isinstance(name, str) and (name in exact or name.startswith(prefixes))]


def _key(name: str, default: T, *, persisted: bool = False) -> StateKey[T]:
    return StateKey(name, lambda: default, persisted)


def _family(prefix: str, default: T, *, persisted: bool = False) -> KeyFamily[T]:
    return KeyFamily(prefix, lambda: default, persisted)


# ------------------------------------------------------------------------------------------------------- the session

SESSION_ID = _key("session_id", "", persisted=True)
"""Owner of this session's jobs; "" until ``resources.session_id`` sets it."""
SESSION_TOKEN = _key("session_token", "")
"""Secret that the browser tab remembers; finds the stored session after a reload."""
SESSION_TAB: StateKey[Any] = _key("session_tab", None)
"""Component that talks to the tab's ``sessionStorage``."""
REFUSED_TOKEN = _key("refused_token", "")
"""Token of the tab that no session is stored for any more."""

LANGUAGE: StateKey[str | None] = _key("language", None)
LANGUAGE_CONTROL: StateKey[str | None] = _key("language_control", None)
"""The control; it may be dropped on a page change, so ``LANGUAGE`` holds the choice."""
LANGUAGE_OF_LINK: StateKey[str | None] = _key("language_of_link", None)
LANGUAGE_BY_HAND = _key("language_by_hand", False)
"""Whether the language was chosen with the control, so that the browser is to remember it."""

# -------------------------------------------------------------------------------------------------- series (all pages)

SERIES: StateKey[dict[str, EditableSeries]] = StateKey("series", dict, persisted=True)
"""Series of the session by key, oldest first."""
SELECTED_SERIES = _key("selected_series", "", persisted=True)
"""Key of the selected series or sample; also the select box of the Forecast page."""
SERIES_UPLOAD: StateKey[Any] = _key("upload", None)
"""File uploader in the sidebar of the Forecast page."""
SERIES_UPLOAD_ERROR: StateKey[BaseException | None] = _key("upload_error", None)

# ---------------------------------------------------------------------------------------------- handed to another page

RUN_ON_ARRIVAL = _key("run_on_arrival", False)
"""The Forecast page runs once by itself when it is opened next."""
EXPORT_ON_ARRIVAL: StateKey[tuple[str, bytes] | None] = _key("export_on_arrival", None)
"""Name and bytes of an exported forecast that was uploaded on the Data page; the Forecast page opens it."""
SHOW_EXPORT_TAB = _key("show_export_tab", False)
"""The tab with the opened export is to be in front in the next run of the Forecast page."""

# ------------------------------------------------------------------------------------------------------- the Data page

DATA_SOURCE = _key("data_source", "file")
"""Which form is open: "file", "fetch" or "sample"."""
DATA_SAMPLE: StateKey[str | None] = _key("data_sample", None)
DATA_SELECTED: StateKey[str | None] = _key("data_selected", None)
"""Radio list of series; ``SELECTED_SERIES`` holds the choice."""
DATA_UPLOAD_ROUND = _key("data_upload_round", 0)
"""Counts emptied uploaders: a new key is a new, empty widget."""
DATA_PROBLEMS: StateKey[list[Any]] = StateKey("data_problems", list)
"""Uploaded files that did not become series."""
DATA_OPENED_LINK: StateKey[dict[str, str] | None] = _key("data_opened_link", None)
"""Query parameters that were opened or written last, so that a link is opened once."""
DATA_LINK_ERROR: StateKey[BaseException | None] = _key("data_link_error", None)
DATA_IMPORT_ERROR: StateKey[tuple[str, BaseException] | None] = _key("data_import_error", None)
"""Series key, and the error of reading its file with other options."""
DATA_EDIT_ERROR: StateKey[tuple[str, BaseException] | None] = _key("data_edit_error", None)
"""Fingerprint of the candles, and the error of the last edit."""
DATA_VIEW: KeyFamily[tuple[float, float] | None] = _family("data_view_", None)
"""First and last position in view, by candles."""

FETCH_SYMBOL = _family("fetch_symbol_", "")
"""Symbol field, by feed."""
FETCH_SYMBOL_PICK: KeyFamily[str | None] = _family("fetch_pick_", None)
"""Select box of found symbols, by feed and query."""
FETCH_MATCHES: KeyFamily[Any] = _family("fetch_matches_", None)
"""Query and found symbols, by feed and exchange."""

BACKGROUND_TASK: StateKey[Any] = _key("background_task", None)
BACKGROUND_TASK_ERROR: StateKey[BaseException | None] = _key("background_task_error", None)

# ----------------------------------------------------------------------------------- the Forecast page: window and runs

CONTEXT = _key("context", 0, persisted=True)
"""Bars; 0 until ``forecast.controls`` sets its default."""
HORIZON = _key("horizon", 0, persisted=True)
"""Bars; 0 until ``forecast.controls`` sets its default."""
WINDOW_MODE = _key("window_mode", "Replay", persisted=True)
"""Cutoff in the past ("Replay") or at the end of the series ("Latest")."""
LATEST_LAG = _key("latest_lag", 0, persisted=True)
"""Bars between the cutoff of "Latest" and the last candle."""
CUTOFF_ROW: KeyFamily[int | None] = _family("cutoff_row_", None, persisted=True)
"""Row of the last context candle, counted from 1, by candles (first 12 letters of the fingerprint)."""
WINDOW_SLIDER: KeyFamily[int | None] = _family("window_slider_", None)
"""Slider of the cutoff, by candles; ``CUTOFF_ROW`` holds the choice."""
WINDOW_SLIDER_LABELS: StateKey[tuple[Hashable, dict[int, str]]] = StateKey("slider_labels", lambda: (None, {}))
"""What the labels were made for, and the labels by row."""
LATEST_WINDOW: StateKey[tuple[Hashable, Window | None]] = _key("latest_window", (None, None))
"""What the window was made for, and the window."""

REVEALED_BARS: StateKey[tuple[Hashable, int]] = _key("revealed_bars", (None, 0), persisted=True)
"""Identity of the window, and how many of its actual bars are shown."""
PLAYBACK: StateKey[Any] = _key("playback", None)
"""Running bar-by-bar playback of the actual candles."""

PENDING_RUN: StateKey[Any] = _key("pending_run", None, persisted=True)
"""Submitted forecast that has not been collected."""
RUN_ERROR: StateKey[BaseException | None] = _key("run_error", None)
RESULTS: StateKey[OrderedDict[str, Any]] = StateKey("results", OrderedDict, persisted=True)
"""Finished forecasts by run id, oldest first."""
AUTO_RUN = _key("auto_run", False, persisted=True)
"""Run automatically when window and settings stop changing."""
AUTO_RUN_FOR: StateKey[Hashable] = _key("auto_run_for", None, persisted=True)
"""Window and settings that *Auto* has run last."""
IDLE_SINCE: StateKey[tuple[Hashable, float]] = _key("idle_since", (None, 0.0))
"""Window and settings, and the monotonic time since which they have not changed."""

# ------------------------------------------------------------------------------ the Forecast page: sampling and model

PRESET = _key("preset", "custom")
PATHS = _key("paths", 30, persisted=True)
SEED = _key("seed", 0, persisted=True)
TEMPERATURE = _key("temperature", 1.0, persisted=True)
TOP_P = _key("top_p", 1.0, persisted=True)
TOP_K = _key("top_k", 0, persisted=True)
MIN_P: StateKey[float | None] = _key("min_p", None, persisted=True)
ANCHOR_TO_LAST_CLOSE: StateKey[ModelOrBool] = _key("anchor_to_last_close", "model", persisted=True)
MIRROR_PATHS: StateKey[ModelOrBool] = _key("mirror_paths", "model", persisted=True)
MODEL: StateKey[str | None] = _key("model", None, persisted=True)
DEVICE = _key("device", "", persisted=True)
DTYPE = _key("dtype", "float32", persisted=True)

# -------------------------------------------------------------------------------------- the Forecast page: appearance

PALETTE = _key("palette", "classic", persisted=True)
VISIBLE_PATHS = _key("visible_paths", 0, persisted=True)
BASELINE_LAYER = _key("baseline_layer", "volatility", persisted=True)
LOG_SCALE = _key("log_scale", False, persisted=True)
SHOW_MEDOID_PATH = _key("show_medoid_path", True, persisted=True)
SHOW_SURPRISAL = _key("show_surprisal", False, persisted=True)
HOLLOW_CANDLES = _key("hollow_candles", False, persisted=True)
ACTUALS_AS_CANDLES = _key("actuals_as_candles", False, persisted=True)
PRICE_LEVELS = _key("price_levels", "", persisted=True)

# -------------------------------------------------------- the Forecast page: analytics, comparison, sensitivity, export

ENTERED_PRICES: StateKey[dict[tuple[str, str, str], float]] = StateKey("entered_prices", dict)
"""Prices typed into the cards, by symbol, interval and field."""

COMPARED_RUNS: StateKey[list[str]] = StateKey("compared_runs", list)
"""Run ids picked for the side-by-side view."""
KNOWN_RUNS: StateKey[list[str]] = StateKey("known_runs", list)
"""Run ids that were offered before; others are new and join by themselves."""

SENSITIVITY_JOB: StateKey[Job | None] = _key("sensitivity_job", None)
SENSITIVITY_REQUEST: StateKey[Any] = _key("sensitivity_request", None)
SENSITIVITY_ERROR: StateKey[BaseException | None] = _key("sensitivity_error", None)
SENSITIVITY_GRIDS: StateKey[OrderedDict[Any, pd.DataFrame]] = StateKey("sensitivity_grids", OrderedDict)
"""Finished grids by request, oldest first."""
SENSITIVITY_CONTEXTS: KeyFamily[list[int]] = KeyFamily("sensitivity_contexts_", list)
SENSITIVITY_TEMPERATURES: KeyFamily[list[float]] = KeyFamily("sensitivity_temperatures_", list)
SENSITIVITY_PATHS = _key("sensitivity_paths", 30)
SENSITIVITY_METRIC: StateKey[str | None] = _key("sensitivity_metric", None)

EXPORT_UPLOAD: StateKey[Any] = _key("export_upload", None)
OPENED_EXPORT: StateKey[Any] = _key("opened_export", None)
"""Name and content of the export that was opened last, or the error of opening it."""
RESULT_TABS: KeyFamily[str | None] = _family("result_tabs_", None)
"""Open tab below the chart, by language and by whether there is a result."""
