"""What all sessions share: settings, loaded models, the job queue. Each is made once per process and never copied."""

from __future__ import annotations

import gc
import logging
import threading
import uuid

import streamlit as st

from engine.errors import EngineError
from kronos_dashboard.compute.queue import JobQueue
from kronos_dashboard.markets.calendars import prepare
from kronos_dashboard.models.cache import ModelShelf
from kronos_dashboard.settings import Settings

__all__ = ["job_queue", "session_id", "settings", "shelf", "warm_up"]

_log = logging.getLogger(__name__)


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    """The settings, read from the environment once. Lives as long as the process."""
    return Settings.from_environment()


@st.cache_resource(show_spinner=False)
def shelf() -> ModelShelf:
    """The loaded models. Lives as long as the process."""
    return ModelShelf(threads=settings().threads_per_worker)


@st.cache_resource(show_spinner=False, on_release=JobQueue.close)
def job_queue() -> JobQueue:
    """The one queue of all sessions. Lives as long as the process."""
    own = settings()
    return JobQueue(workers=own.workers, max_waiting=own.max_waiting, orphan_after_s=own.orphan_after_s)


@st.cache_resource(show_spinner=False)
def warm_up() -> threading.Thread:
    """Begin to load the model and to build calendars in the background, once per process.

    The first forecast need not wait for the model then, nor the first file for the calendars.
    """
    thread = threading.Thread(target=_load, args=(shelf(), settings().model), name="warm-up", daemon=True)
    thread.start()
    return thread


def session_id() -> str:
    """A name for this browser session that no other session has."""
    if "session_id" not in st.session_state:
        st.session_state["session_id"] = uuid.uuid4().hex
    return str(st.session_state["session_id"])


def _load(models: ModelShelf, name: str) -> None:
    try:
        models.get(name)
    except EngineError as error:  # the forecast that needs the model meets the same error and shows it
        _log.warning("the model %s could not be loaded: %s", name, error)
    prepare()
    gc.collect()
    gc.freeze()  # what torch and pandas brought along stays; later collections need not look at it
