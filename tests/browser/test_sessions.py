"""Several sessions at once: each gets its own forecast, as if it were alone; one that leaves holds up nobody."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from streamlit.proto.BackMsg_pb2 import BackMsg

from kronos_dashboard.models.loading import load_model
from tests.browser.conftest import browse, serve
from tests.browser.many import Session, Wish, wishes

ORPHAN_AFTER_S = 8
KEEP_SENT = """() => {
    const send = WebSocket.prototype.send;
    window.sent = [];
    WebSocket.prototype.send = function (data) {
        window.sent.push([this, data.slice()]); // what it was given is written over later
        return send.call(this, data);
    };
}"""
SENT = "() => window.sent.map(([_, data]) => [...data])"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def shared(chromium: Browser, cache: Path) -> Iterator[str]:
    """A server with a folder of its own, that soon notices who has left."""
    settings = {"KRONOS_DASHBOARD_ABANDON_AFTER_S": str(ORPHAN_AFTER_S), "KRONOS_DASHBOARD_CACHE_DIR": str(cache)}
    with serve(cache / "streamlit.log", **settings) as url:
        yield url


@pytest.mark.timeout(400)
def test_sessions_at_once_get_what_each_would_have_got_alone(chromium: Browser, shared: str, tmp_path: Path) -> None:
    wanted = wishes(3, horizon=24)
    with ExitStack() as stack:
        sessions = [Session(stack.enter_context(browse(chromium, shared)), wish) for wish in wanted]
        for session in sessions:
            session.prepare()
        for session in sessions:
            session.start()
        for session in sessions:
            session.wait()
        predictor = load_model("bundled")
        for session in sessions:
            record = session.record(tmp_path)
            assert session.mistakes(record, wanted, session.wish.digest(predictor)) == []


@pytest.mark.timeout(400)
def test_a_session_that_waits_is_told_so_and_one_that_closes_its_tab_makes_room(
    chromium: Browser, shared: str, cache: Path
) -> None:
    mine = Wish(sample="eurusd_1h", back=1, seed=5, horizon=24)
    with browse(chromium, shared) as app:
        session = Session(app, mine)
        session.prepare()
        session.start()
        session.wait()  # the queue now knows how long a forecast takes
        with browse(chromium, shared) as other:
            long = Session(other, Wish(sample="aapl_1d", back=1, seed=6, paths=200, horizon=512))
            long.prepare()
            long.start()
            expect(other.page.get_by_text(re.compile(r"Sampling step \d+ of 512"))).to_be_visible()
            session.fill("seed", 7)
            with app.rerun():
                app.page.locator(".st-key-step_-10 button").first.click()
            session.start()
            expect(app.page.get_by_text(re.compile("Queued: 1 ahead of you · about"))).to_be_visible()
        expect(app.page.get_by_text(re.compile("30 paths, .*seed 7"))).to_be_visible(timeout=120_000)
        runs = json.loads((cache / "timings.json").read_text(encoding="utf-8"))["runs"]
        assert 200 not in [run["num_paths"] for run in runs], "only a run that comes to its end is remembered"


def test_a_look_that_comes_late_runs_nothing(chromium: Browser, shared: str) -> None:
    """Asked to run again in the moment a run ends, Streamlit drops what that run has not sent yet: the forecast."""
    with browse(chromium, shared) as app:
        app.page.add_init_script(f"({KEEP_SENT})()")
        session = Session(app, Wish(sample="eurusd_1h", back=1, seed=8))
        session.prepare()
        session.start()
        session.wait()
        messages = [BackMsg.FromString(bytes(data)) for data in app.page.evaluate(SENT)]
        looks = [number for number, message in enumerate(messages) if message.rerun_script.is_auto_rerun]
        assert looks, "the page looked how far the forecast was"
        app.page.wait_for_timeout(500)
        runs = app.finished
        app.page.evaluate("(number) => { const [socket, data] = window.sent[number]; socket.send(data); }", looks[-1])
        app.page.wait_for_timeout(1_000)
        assert app.finished == runs
