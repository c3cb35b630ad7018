"""Take the screenshots of this folder anew, with the checkpoint that is bundled now.

python docs/images/take.py            needs chromium and what requirements-dev.txt installs
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # the tests are not installed

from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS, browse, chromium_path, serve

FOLDER = Path(__file__).parent


def main() -> None:
    """Home, the first forecast, and the Data page with a repair offered, 1440 x 900, light."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
        with serve(Path(folder) / "streamlit.log") as url, browse(browser, url) as app:
            app.open("/")
            app.page.get_by_text("Model loaded").wait_for()
            app.page.wait_for_timeout(1_000)
            app.page.screenshot(path=FOLDER / "home.png")
            app.page.get_by_role("button", name="Forecast EURUSD").click()
            app.page.get_by_role("button", name="Forecast (CSV)").wait_for(timeout=60_000)
            app.settle()
            app.page.wait_for_timeout(1_500)
            app.page.screenshot(path=FOLDER / "forecast.png")
            app.open("/Data?sample=aapl_1h")
            app.page.locator(".st-key-data_chart .js-plotly-plot .boxlayer .trace").first.wait_for(state="attached")
            app.settle()
            app.page.wait_for_timeout(1_500)
            app.page.screenshot(path=FOLDER / "data.png")
        browser.close()


if __name__ == "__main__":
    main()
