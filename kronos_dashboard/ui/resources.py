"""Objects that all sessions share: settings, loaded models, job queues, feeds. Each is created once per process."""

from __future__ import annotations

import gc
import logging
import threading
import uuid

import streamlit as st

from engine.errors import EngineError
from kronos_dashboard.compute.queue import JobQueue
from kronos_dashboard.markets.calendars import preload_calendars
from kronos_dashboard.markets.feeds import CachedFeed, open_feed
from kronos_dashboard.models.cache import ModelCache
from kronos_dashboard.settings import Settings
from kronos_dashboard.ui import state

__all__ = ["cached_feed", "job_queue", "model_cache", "request_queue", "session_id", "settings", "warm_up"]

_MAX_CONCURRENT_REQUESTS = 4
"""Network requests of all sessions at a time: sources refuse clients that send many at once."""

_log = logging.getLogger(__name__)


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    """Return the settings, read from the environment once per process."""
    return Settings.from_environment()


@st.cache_resource(show_spinner=False)
def model_cache() -> ModelCache:
    """Return the loaded models. Lives as long as the process."""
    return ModelCache(threads=settings().torch_threads)


@st.cache_resource(show_spinner=False, on_release=JobQueue.close)
def job_queue() -> JobQueue:
    """Return the queue of all jobs that compute. Lives as long as the process."""
    limits = settings()
    return JobQueue(
        models=model_cache(),
        max_concurrent_jobs=limits.max_concurrent_jobs,
        max_queued_jobs=limits.max_queued_jobs,
        abandon_after_s=limits.abandon_after_s,
    )


@st.cache_resource(show_spinner=False, on_release=JobQueue.close)
def request_queue() -> JobQueue:
    """Return the queue of all jobs that wait for a network. Lives as long as the process."""
    return JobQueue(
        max_concurrent_jobs=_MAX_CONCURRENT_REQUESTS,
        max_queued_jobs=settings().max_queued_jobs,
        abandon_after_s=settings().abandon_after_s,
    )


@st.cache_resource(show_spinner=False)
def cached_feed(name: str) -> CachedFeed:
    """Return a feed with its cache on disk. Lives as long as the process, by name."""
    return open_feed(name, settings())


@st.cache_resource(show_spinner=False)
def warm_up() -> threading.Thread:
    """Start to load the model and the calendars in the background, once per process; return the thread.

    The first forecast then does not wait for the model, nor the first file for the calendars.
    """
    thread = threading.Thread(target=_warm_up, args=(model_cache(), settings().model), name="warm-up", daemon=True)
    thread.start()
    return thread


def session_id() -> str:
    """Return the identifier of this browser session."""
    if not state.SESSION_ID.get():
        state.SESSION_ID.set(uuid.uuid4().hex)
    return state.SESSION_ID.get()


def _warm_up(models: ModelCache, name: str) -> None:
    try:
        models.get(name)
    except EngineError as error:  # the first forecast meets the same error and shows it
        _log.warning("the model %s could not be loaded: %s", name, error)
    preload_calendars()
    gc.collect()
    gc.freeze()  # torch and pandas stay for good, so later collections skip their objects
