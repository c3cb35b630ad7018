"""The run button, without a page around it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from kronos_dashboard.ui.forecast import progress as watch


class Interrupted(Exception):
    """As when a newer run of the page ends this one."""


def test_a_forecast_that_another_page_asked_for_outlives_a_run_that_is_cut_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state: dict[str, Any] = {"run_on_arrival": True}
    submitted: list[object] = []

    def cut(*_: object, **__: object) -> bool:
        raise Interrupted

    page = SimpleNamespace(session_state=state, button=cut)
    monkeypatch.setattr(watch, "st", page)
    monkeypatch.setattr(watch, "t", lambda text: text)
    monkeypatch.setattr(watch, "kept_result", lambda _: None)
    monkeypatch.setattr(watch, "submit", lambda *given: submitted.append(given))
    window, setup = cast(Any, "window"), cast(Any, "setup")
    with pytest.raises(Interrupted):
        watch.run_button(window, setup)
    page.button = lambda *_, **__: False
    watch.run_button(window, setup)
    watch.run_button(window, setup)
    assert submitted == [("window", "setup")]
