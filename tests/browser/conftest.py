"""One real server, one real chromium; a page that notices every error, foreign request and finished run of a script."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect, sync_playwright
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.support.paths import ROOT

HOME = ROOT / "Home.py"
BUNDLED = ROOT / "engine" / "bundled" / "model" / "model.safetensors"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-prefers-reduced-motion",
)
PROBES = re.compile(r"/(Data|Forecast)/_stcore/(health|host-config)")
"""A deep link makes Streamlit's frontend look for its server below the page's own path first, and the server answers
404 on purpose: any other answer would make the page take that path for the app's root. No setting changes it; upstream
knows (streamlit/streamlit#7074)."""
TAKEN_BACK = "net::ERR_ABORTED"
"""What a browser says of requests that its own page gave up: by a reload, a link, or a download that became a file."""

CRASH = """() => {
    const box = document.querySelector('[data-testid="stException"]');
    const text = document.body?.innerText ?? "", at = text.indexOf("Traceback (most recent call last)");
    return box ? box.innerText : at < 0 ? "" : text.slice(at, at + 2000);
}"""
"""What on a page looks like an exception; empty where nothing does."""

SETTLED = """() => !document.querySelector('[data-stale="true"]')
    && document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "notRunning"
    && !document.getAnimations().some(
        (animation) => animation instanceof CSSTransition && animation.playState === "running")"""
"""No script runs, no element of the run before is left, and none fades in or out."""

expect.set_options(timeout=20_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def chromium_path() -> str | None:
    """Where a browser is; BROWSER_PATH says it when it has another name."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return os.environ.get("BROWSER_PATH") or next(filter(None, map(shutil.which, names)), None)


def _need(found: object, what: str) -> None:
    """Skip, or fail where all tests must run."""
    if found:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is needed for the browser tests")
    pytest.skip(f"{what} is not there; the browser tests need it")


@contextlib.contextmanager
def launched() -> Iterator[Browser]:
    """A chromium of one's own, for tests and for scripts."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    _need(chromium_path(), "chromium or chrome (or BROWSER_PATH)")
    with launched() as browser:
        yield browser


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1) as answer:
            return bool(answer.read() == b"ok")
    except OSError:
        return False


@contextlib.contextmanager
def serve(log: Path, page: Path = HOME, **settings: str) -> Iterator[str]:
    """The app as a user starts it, or a page of its own, on a free port; gives its address. Its log has no crash."""
    url = f"http://127.0.0.1:{(port := _free_port())}"
    options = ["--server.port", str(port), "--server.headless", "true", "--client.showErrorDetails", "full"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(page), *options],
            cwd=ROOT,
            env={
                **os.environ,
                "HF_HUB_OFFLINE": "1",
                "OMP_NUM_THREADS": "1",
                "KRONOS_DASHBOARD_CACHE_DIR": str(log.parent / "cache"),
                **settings,
            },
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + 60
        while not _answers(url):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, f"the server did not answer:\n{log.read_text()}"
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    written = log.read_text(errors="replace")
    assert "Traceback" not in written, written


@pytest.fixture(scope="session")
def server(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    _need(BUNDLED.exists() or os.environ.get("KRONOS_DASHBOARD_MODEL"), "the bundled checkpoint (engine/bundled)")
    with serve(tmp_path_factory.mktemp("server") / "streamlit.log") as url:
        yield url


@dataclass
class App:
    """A browser page on the app, and what went wrong on it."""

    page: Page
    url: str

    def __post_init__(self) -> None:
        self.problems: list[str] = []
        self.expected: list[str] = []
        self.finished = 0
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        self.page.on("request", self._request)
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._response)
        self.page.on("websocket", lambda socket: socket.on("framereceived", self._frame))

    def open(self, path: str = "/") -> App:
        with self.rerun():
            self.page.goto(self.url + path)
        return self

    @contextlib.contextmanager
    def rerun(self, timeout_s: float = 30) -> Iterator[None]:
        """Do something that makes the script run, and wait until it has."""
        before = self.finished
        yield
        deadline = time.monotonic() + timeout_s
        while self.finished <= before:
            assert time.monotonic() < deadline, "the script did not run"
            self.page.wait_for_timeout(10)
        self.settle()

    def settle(self) -> None:
        """Wait until nothing runs and all is painted; what looks like a crash then is noted."""
        self.page.wait_for_function(SETTLED)
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        crash = self.page.evaluate(CRASH)
        if crash:
            self.problems.append(f"crash: {crash}")

    def expect(self, pattern: str) -> None:
        """Something will go wrong, and must: a regular expression that finds it among the problems."""
        self.expected.append(pattern)

    def drawn(self) -> list[str]:
        """Names of what the big chart draws."""
        chart = self.page.locator(".st-key-chart .js-plotly-plot")
        chart.locator(".boxlayer .trace").first.wait_for()
        names: list[str] = chart.evaluate("chart => chart.data.map(trace => trace.name).filter(name => name)")
        return names

    def first_time(self) -> str:
        """Bar time of the first candle in the big chart."""
        chart = self.page.locator(".st-key-chart .js-plotly-plot")
        return str(chart.evaluate("chart => chart.data[0].customdata[0][0]"))

    def check(self) -> None:
        """Nothing broke that was not expected: no crash on the page, no error in the console, no request that failed or
        was refused, nothing asked of another machine."""
        crash = self.page.evaluate(CRASH)
        problems = [*self.problems, *([f"crash: {crash}"] if crash else [])]
        unexpected = [one for one in problems if not any(re.search(pattern, one) for pattern in self.expected)]
        assert not unexpected, "\n".join(unexpected)
        missing = [pattern for pattern in self.expected if not any(re.search(pattern, one) for one in problems)]
        assert not missing, f"expected, but did not happen: {missing}"

    def _probes(self, url: str) -> bool:
        return url.startswith(self.url) and bool(PROBES.fullmatch(url.removeprefix(self.url)))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not self._probes(message.location["url"]):
            self.problems.append(f"console: {message.text} ({message.location['url']})")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.problems.append(f"foreign request: {request.url}")

    def _failed(self, request: Request) -> None:
        if request.failure != TAKEN_BACK:
            self.problems.append(f"request failed: {request.url} ({request.failure})")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and not self._probes(response.url):
            self.problems.append(f"HTTP {response.status}: {response.url}")

    def _frame(self, data: bytes | str) -> None:
        if isinstance(data, bytes):
            message = ForwardMsg()
            message.ParseFromString(data)
            self.finished += message.WhichOneof("type") == "script_finished"


@contextlib.contextmanager
def browse(chromium: Browser, url: str, width: int = 1440, height: int = 900, scheme: str = "light") -> Iterator[App]:
    """A fresh session; afterwards nothing may have broken."""
    context = chromium.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,  # type: ignore[arg-type]
        accept_downloads=True,
        locale="en-US",
        timezone_id="UTC",
        reduced_motion="reduce",
    )
    try:
        app = App(context.new_page(), url)
        yield app
        app.check()
    finally:
        context.close()


@pytest.fixture
def app(chromium: Browser, server: str) -> Iterator[App]:
    with browse(chromium, server) as made:
        yield made
