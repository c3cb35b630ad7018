"""Take the screenshots of this folder again, with the bundled checkpoint.

python docs/images/take.py [name ...]     needs chromium and what requirements-dev.txt installs
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # the tests are not installed

from PIL import Image
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import App, browse, launched, serve

FOLDER = Path(__file__).parent
MAX_BYTES = 250_000
NUM_COLORS = 224
TIMEOUT_MS = 180_000
CHART = "window.kronosCharts?.charts.get('chart')?.chart"
MEDIAN = f"{CHART}?.data?.some((trace) => trace.meta === 'median')"
DRAWN = f"{MEDIAN} && !{CHART}.patch && {CHART}.data === {CHART}.figure.data"
FILLED = """() => [...document.querySelectorAll(".kd-chart")].every(
    (chart) => !chart.offsetParent || chart.querySelector(".js-plotly-plot .main-svg"))"""
"""Every visible chart has been drawn."""


def home(app: App, language: str) -> None:
    """Home, with its model loaded."""
    app.open(f"/?lang={language}")
    app.page.get_by_text("not the published Kronos").or_(app.page.get_by_text("不是已发布的")).first.wait_for()
    app.page.locator('[data-testid="stCaptionContainer"] code').first.wait_for(timeout=60_000)


def forecast(app: App, language: str) -> None:
    """The first forecast, from Home."""
    home(app, language)
    _button(app, "open_eurusd_1h").click()
    app.page.wait_for_function(f"() => {DRAWN}", timeout=TIMEOUT_MS)
    app.settle()


def questions(app: App, language: str) -> None:
    """Probabilities and risk, below a forecast."""
    forecast(app, language)
    _below(app, 0)


def comparison(app: App, language: str) -> None:
    """A forecast compared with the actuals."""
    forecast(app, language)
    with app.rerun():
        _button(app, "reveal_all").click()
    _below(app, 1)


def sensitivity(app: App, language: str) -> None:
    """A grid of forecasts of one window over context length and temperature."""
    forecast(app, language)
    _below(app, 3)
    _button(app, "sensitivity_run").click()
    app.page.locator(".st-key-sensitivity_chart .js-plotly-plot .main-svg").first.wait_for(timeout=TIMEOUT_MS)
    app.page.locator(".st-key-sensitivity_cancel").wait_for(state="detached", timeout=TIMEOUT_MS)
    _below(app, 3)


def data(app: App, language: str) -> None:
    """The Data page with a series and the findings about it."""
    app.open(f"/Data?sample=aapl_1h&lang={language}")
    app.page.locator(".st-key-data_chart .js-plotly-plot .boxlayer .trace").first.wait_for(state="attached")


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One file, and how its page is opened."""

    name: str
    show: Callable[[App, str], None]
    scheme: str = "light"
    language: str = "en"
    width: int = 1440
    height: int = 900


PICTURES = (
    Picture(name="home", show=home),
    Picture(name="home_dark", show=home, scheme="dark"),
    Picture(name="home_zh", show=home, language="zh"),
    Picture(name="forecast", show=forecast),
    Picture(name="forecast_dark", show=forecast, scheme="dark"),
    Picture(name="forecast_zh", show=forecast, language="zh"),
    Picture(name="forecast_phone", show=forecast, width=390, height=844),
    Picture(name="questions", show=questions),
    Picture(name="questions_dark", show=questions, scheme="dark"),
    Picture(name="comparison", show=comparison),
    Picture(name="comparison_dark", show=comparison, scheme="dark"),
    Picture(name="sensitivity", show=sensitivity),
    Picture(name="data", show=data),
    Picture(name="data_dark", show=data, scheme="dark"),
)


def take(browser: Browser, url: str, picture: Picture, folder: Path) -> None:
    """Open the page, wait until it is painted, save it."""
    with browse(browser, url, picture.width, picture.height, picture.scheme) as app:
        picture.show(app, picture.language)
        app.settle()
        app.page.mouse.move(picture.width - 2, picture.height - 2)
        app.page.wait_for_timeout(1_500)  # fade-ins are over
        path = folder / f"{picture.name}.png"
        path.write_bytes(_small(app.page.screenshot()))
        sys.stdout.write(f"{path}  {path.stat().st_size / 1_000:.0f} kB\n")


def _small(png: bytes) -> bytes:
    """The picture with few enough colors to be small."""
    picture, out = Image.open(io.BytesIO(png)).convert("RGB"), io.BytesIO()
    picture.quantize(NUM_COLORS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    if out.tell() > MAX_BYTES:
        raise SystemExit(f"a picture has {out.tell():,} bytes; the limit is {MAX_BYTES:,}. Lower NUM_COLORS.")
    return out.getvalue()


def _button(app: App, key: str) -> Locator:
    """A button by its key; one with a tooltip is in the page twice."""
    return app.page.locator(f".st-key-{key} button:visible").first


def _below(app: App, tab: int) -> None:
    """Open a tab of the Forecast page, and scroll it to the top."""
    selected_tab = app.page.get_by_role("tablist").first.get_by_role("tab").nth(tab)
    selected_tab.click()
    expect(selected_tab).to_have_attribute("aria-selected", "true")
    panel = app.page.locator(f"[id='{selected_tab.get_attribute('aria-controls')}']")
    expect(panel.get_by_test_id("stMarkdownContainer").first).to_be_visible()  # no run may be needed, or several
    app.settle()
    app.page.wait_for_function(FILLED)
    selected_tab.evaluate("(tab) => tab.scrollIntoView({ block: 'start' })")


def main() -> None:
    """Take all pictures, or the named ones."""
    names = [picture.name for picture in PICTURES]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[[], *names], metavar="name", help=", ".join(names))
    parser.add_argument("--folder", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    with (
        launched() as browser,
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder) / "streamlit.log", KRONOS_DASHBOARD_CACHE_DIR=folder) as url,
    ):
        for picture in PICTURES:
            if not arguments.names or picture.name in arguments.names:
                take(browser, url, picture, arguments.folder)


if __name__ == "__main__":
    main()
