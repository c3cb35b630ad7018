"""Several browser sessions that forecast at once: what each asks for, what it was shown, what it must have got."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from playwright.sync_api import TimeoutError, expect

from kronos_dashboard.forecasting.run import SamplingConfig, run_forecasts
from kronos_dashboard.forecasting.windows import Window, replay_window
from kronos_dashboard.markets.samples import SAMPLES, load_sample
from tests.browser.conftest import App

if TYPE_CHECKING:
    from engine import KronosPredictor

CONTEXT, PATIENCE_MS = 400, 120_000
CHART = "window.kronosCharts?.charts.get('chart')?.chart"

WATCH = """(chart) => {
    window.told = new Set();
    window.clicked = window.ended = 0;
    addEventListener("click", (event) => {
        if (event.target.closest(".st-key-run") && !window.clicked) window.clicked = Date.now();
    }, true);
    const look = () => {
        const text = document.querySelector(".st-key-status")?.innerText ?? "";
        if (text) window.told.add(text.trim());
        const drawn = new Function(`return ${chart}`)();
        const band = drawn?.data?.some((trace) => String(trace.meta).startsWith("band-"));
        if (band && !drawn.patch && drawn.data === drawn.figure.data) window.ended ||= Date.now();
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""
"""Note what the status line said, when Run was clicked, and when the whole forecast had been drawn."""

STATE = """(chart) => {
    const drawn = new Function(`return ${chart}`)();
    return {
        status: document.querySelector(".st-key-status")?.innerText,
        tabs: [...document.querySelectorAll('[role="tab"]')].map((tab) => `${tab.innerText} ${tab.ariaSelected}`),
        script: document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState,
        clicked: window.clicked,
        ended: window.ended,
        chart: drawn && {
            frames: drawn.frames,
            waiting: drawn.isScheduled,
            width: drawn.element.clientWidth,
            patched: Boolean(drawn.patch),
            upToDate: drawn.data === drawn.figure.data,
            traces: drawn.data?.map((trace) => trace.meta),
        },
    };
}"""
"""What there is to know of a page where something did not come."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a session asks for; the seed is one that no other session has."""

    sample: str
    back: int
    """Tens of bars before the last window with a truth."""
    seed: int
    paths: int = 30
    horizon: int = 120

    @property
    def window(self) -> Window:
        candles = load_sample(self.sample).candles
        return replay_window(candles, len(candles) - self.horizon - 10 * self.back, CONTEXT, self.horizon)

    def digest(self, predictor: KronosPredictor) -> str:
        """The digest of the paths that are due, made here and alone."""
        sampling = SamplingConfig(num_paths=self.paths, seed=self.seed)
        [(_, record)] = run_forecasts([self.window], sampling, predictor, model_name="bundled")
        return record.paths_sha256


@dataclass
class Session:
    """One browser session and its wish."""

    app: App
    wish: Wish
    frames: list[bytes] = field(default_factory=list)

    def prepare(self) -> None:
        """Open the app and choose everything, up to the click on Run."""
        page, app, wish = self.app.page, self.app, self.wish
        page.on("websocket", lambda socket: socket.on("framereceived", self._keep))
        app.open("/Forecast")
        title = next(sample.title for sample in SAMPLES if sample.key == wish.sample)
        if wish.sample != SAMPLES[0].key:
            page.locator(".st-key-selected_series").get_by_role("combobox").click()
            with app.rerun():
                page.get_by_role("option", name=title, exact=True).click()
        for key, value in (("horizon", wish.horizon), ("paths", wish.paths), ("seed", wish.seed)):
            self.fill(key, value)
        for _ in range(wish.back):
            with app.rerun():
                page.locator(".st-key-step_-10 button").first.click()
        page.wait_for_function(f"() => {CHART}?.frames > 0")
        page.evaluate(WATCH, CHART)

    def fill(self, key: str, value: int) -> None:
        box = self.app.page.locator(f".st-key-{key} input")
        expect(box).not_to_have_value("")  # the browser fills it a moment after it is there
        if box.input_value() != str(value):
            box.fill(str(value))
            with self.app.rerun():
                box.press("Enter")

    def start(self) -> None:
        self.app.page.locator(".st-key-run button").first.click()

    def wait(self) -> None:
        """Until the forecast is drawn."""
        with self._telling("no forecast was drawn"):
            self.app.page.wait_for_function("() => window.ended > 0", timeout=PATIENCE_MS)
        self.app.settle()

    def seconds(self) -> float:
        """From the click to the drawn forecast."""
        return float(self.app.page.evaluate("() => window.ended - window.clicked")) / 1_000

    def told(self) -> list[str]:
        """All that the status line has said."""
        return list(self.app.page.evaluate("() => [...window.told]"))

    def candles(self) -> np.ndarray:
        """Closes of the candles on the chart [T]."""
        code = "chart => Array.from(chart._fullData.find(trace => trace.meta === 'history').close)"
        found = self.app.page.locator(".st-key-chart .js-plotly-plot").evaluate(code)
        return np.asarray(found, dtype=np.float64)

    def record(self, folder: Path) -> dict[str, Any]:
        """The run record, as it is downloaded."""
        page = self.app.page
        with self._telling("no record was offered"):
            page.get_by_role("tab", name="Probabilities & risk").wait_for(timeout=PATIENCE_MS)  # the tabs of a result
            page.get_by_role("tab", name="Export").click()
            with page.expect_download(timeout=PATIENCE_MS) as started:
                page.locator(".st-key-export_run button:visible").first.click(timeout=PATIENCE_MS)
        path = folder / f"{self.wish.seed}.json"
        started.value.save_as(path)
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["record"]
        return found

    def mistakes(self, record: dict[str, Any], others: list[Wish], digest: str) -> list[str]:
        """What is not as it was asked for, or belongs to somebody else."""
        wish, window = self.wish, self.wish.window
        asked = (wish.seed, wish.paths, wish.horizon, window.context.fingerprint, window.cutoff.isoformat())
        sampling = record["sampling"]
        got = (
            sampling["seed"],
            sampling["num_paths"],
            record["horizon"],
            record["candles_fingerprint"],
            record["cutoff"],
        )
        found = [] if got == asked else [f"asked for {asked}, got {got}"]
        if record["paths_sha256"] != digest:
            found.append("the paths are not those of a run alone")
        if not np.allclose(self.candles(), window.context.frame["close"].to_numpy(), rtol=1e-5):
            found.append("the chart shows other candles")
        seeds = [other.seed for other in others if other.seed != wish.seed]
        found += [f"was sent the seed {seed}" for seed in seeds if any(b"%d" % seed in frame for frame in self.frames)]
        return found

    @contextlib.contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        """Say what the page looks like when it is waited for in vain."""
        try:
            yield
        except TimeoutError as error:
            raise AssertionError(f"{what}: {self.app.page.evaluate(STATE, CHART)}") from error

    def _keep(self, data: bytes | str) -> None:
        if isinstance(data, bytes):
            self.frames.append(data)


def wishes(count: int, *, paths: int = 30, horizon: int = 120) -> list[Wish]:
    """So many wishes, no two alike; the samples take turns."""
    return [
        Wish(
            sample=SAMPLES[number % len(SAMPLES)].key,
            back=1 + number // len(SAMPLES),
            seed=810_001 + 37 * number,
            paths=paths,
            horizon=horizon,
        )
        for number in range(count)
    ]
