"""The run button, without a page around it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from kronos_dashboard.ui import state
from kronos_dashboard.ui.forecast import progress


class RunInterruptedError(Exception):
    """As when a newer run of the page ends this one."""


def test_a_forecast_that_another_page_asked_for_outlives_a_run_that_is_cut_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values: dict[str, Any] = {"run_on_arrival": True}
    submitted: list[object] = []

    def interrupt(*_: object, **__: object) -> bool:
        raise RunInterruptedError

    page = SimpleNamespace(button=interrupt)
    monkeypatch.setattr(state, "st", SimpleNamespace(session_state=values))
    monkeypatch.setattr(progress, "st", page)
    monkeypatch.setattr(progress, "t", lambda text: text)
    monkeypatch.setattr(progress, "find_result", lambda _: None)
    monkeypatch.setattr(progress, "submit", lambda *given: submitted.append(given))
    window, settings = cast(Any, "window"), cast(Any, "settings")
    with pytest.raises(RunInterruptedError):
        progress.run_button(window, settings)
    page.button = lambda *_, **__: False
    progress.run_button(window, settings)
    progress.run_button(window, settings)
    assert submitted == [("window", "settings")]
