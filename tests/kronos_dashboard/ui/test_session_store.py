"""What outlives a reload: bounded, and found by its token alone."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from kronos_dashboard.ui import session_store as desk
from kronos_dashboard.ui.session_store import KEPT_S, Desks
from tests.support.forecast_page import app, forecast, opened, sound, trace_names

__all__ = ["app"]


def test_a_desk_is_found_by_its_token_and_no_other() -> None:
    desks = Desks()
    desks.put("mine", {"row_1": 5}, 10)
    assert desks.get("mine") == {"row_1": 5}
    assert desks.get("yours") is None
    desks.put("mine", {"row_1": 6}, 10)
    assert desks.get("mine") == {"row_1": 6}


def test_desks_are_bounded_in_number_size_and_age(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    desks = Desks(clock=lambda: now[0])
    monkeypatch.setattr(desk, "MOST_DESKS", 3)
    monkeypatch.setattr(desk, "MOST_BYTES", 100)
    for name in "abcd":
        desks.put(name, {}, 1)
    assert [desks.get(name) for name in "abcd"] == [None, {}, {}, {}]
    desks.put("e", {}, 99)
    assert [desks.get(name) for name in "bcde"] == [None, None, {}, {}]
    now[0] = KEPT_S + 1
    assert desks.get("e") is None


def test_a_new_session_takes_up_the_desk_whose_token_its_tab_knows(app: AppTest) -> None:
    opened(app).selectbox(key="begin").set_value("close")
    app.selectbox(key="leaning").set_value("none")
    app.number_input(key="min_p").set_value(0.004)
    forecast(sound(app.run()))
    token = app.session_state["desk_token"]
    other = opened(AppTest.from_file(app._script_path, default_timeout=30))  # type: ignore[attr-defined]
    assert other.session_state["desk_token"] != token
    assert "Median" not in trace_names(other), "another session sees nothing of it"
    other.session_state["desk_tab"] = {"token": token}
    values = desk._desks().get(token)
    assert values is not None
    for key, value in values.items():
        other.session_state[key] = value
    assert "Median" in trace_names(sound(other.run()))
    assert other.selectbox(key="begin").value == "close"
    assert other.selectbox(key="leaning").value == "none"
    assert other.number_input(key="min_p").value == 0.004
