"""What survives a reload: bounded, and found by its token only."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from kronos_dashboard.ui import session_store
from kronos_dashboard.ui.session_store import MAX_AGE_S, SessionStore
from tests.support.forecast_page import app, assert_no_exception, open_forecast_page, run_forecast, trace_names

__all__ = ["app"]


def test_a_session_is_found_by_its_token_and_no_other() -> None:
    store = SessionStore()
    store.save("mine", {"seed": 5}, 10)
    assert store.load("mine") == {"seed": 5}
    assert store.load("yours") is None
    store.save("mine", {"seed": 6}, 10)
    assert store.load("mine") == {"seed": 6}


def test_stored_sessions_are_bounded_in_number_size_and_age(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    store = SessionStore(clock=lambda: now[0])
    monkeypatch.setattr(session_store, "MAX_SESSIONS", 3)
    monkeypatch.setattr(session_store, "MAX_BYTES", 100)
    for name in "abcd":
        store.save(name, {}, 1)
    assert [store.load(name) for name in "abcd"] == [None, {}, {}, {}]
    store.save("e", {}, 99)
    assert [store.load(name) for name in "bcde"] == [None, None, {}, {}]
    now[0] = MAX_AGE_S + 1
    assert store.load("e") is None


def test_a_new_session_restores_the_one_whose_token_its_tab_knows(app: AppTest) -> None:
    open_forecast_page(app).selectbox(key="anchor_to_last_close").set_value("on")
    app.selectbox(key="mirror_paths").set_value("on")
    app.number_input(key="min_p").set_value(0.004)
    run_forecast(assert_no_exception(app.run()))
    token = app.session_state["session_token"]
    other = open_forecast_page(AppTest.from_file(app._script_path, default_timeout=30))  # type: ignore[attr-defined]
    assert other.session_state["session_token"] != token
    assert "Median" not in trace_names(other), "another session sees nothing of it"
    other.session_state["session_tab"] = {"token": token}
    values = session_store._session_store().load(token)
    assert values is not None
    for key, value in values.items():
        other.session_state[key] = value
    assert "Median" in trace_names(assert_no_exception(other.run()))
    assert other.selectbox(key="anchor_to_last_close").value == "on"
    assert other.selectbox(key="mirror_paths").value == "on"
    assert other.number_input(key="min_p").value == 0.004
