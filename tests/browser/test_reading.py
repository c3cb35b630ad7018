"""What a reader meets on every page: its own language, text that can be read, controls that have names."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import pytest
from playwright.sync_api import Browser, TimeoutError, expect

from tests.browser.conftest import App, browse

PATHS = ("/", "/Data?sample=aapl_1h", "/Forecast")

SEEN = r"""() => {
    const found = new Set(), walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const text = walk.currentNode.textContent.trim(), holder = walk.currentNode.parentElement;
        if (!text || holder.closest('script, style, code, [translate="no"], [aria-label$=" icon"]')) continue;
        if (holder.closest('[data-testid="stSkipToContent"]')) continue; // seen by nobody but a screen reader
        if (!holder.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
        if (holder.getBoundingClientRect().width <= 1) continue; // clipped: for screen readers alone
        if (parseFloat(getComputedStyle(holder).fontSize) > 0) found.add(text);
    }
    return [...found];
}"""
"""Every text that can be seen."""

FAINT = r"""() => {
    const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const parts = (colour) => {
        paint.clearRect(0, 0, 1, 1);
        paint.fillStyle = colour;
        paint.fillRect(0, 0, 1, 1);
        const [red, green, blue, alpha] = paint.getImageData(0, 0, 1, 1).data;
        return [red, green, blue, alpha / 255];
    };
    const over = (top, under) => [0, 1, 2].map((at) => top[at] * top[3] + under[at] * (1 - top[3]));
    const light = (colour) => {
        const [red, green, blue] = colour.slice(0, 3).map((value) => {
            const part = value / 255;
            return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const text = walk.currentNode.textContent.trim(), holder = walk.currentNode.parentElement;
        if (!text || holder.closest("script, style, svg, [disabled], [aria-disabled=true], .stSlider")) continue;
        if (!holder.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
        const style = getComputedStyle(holder), grounds = [];
        let through = 1;
        for (let at = holder; at; at = at.parentElement) {
            const own = getComputedStyle(at);
            through *= parseFloat(own.opacity);
            if (!grounds.length || grounds.at(-1)[3] < 1) grounds.push(parts(own.backgroundColor));
        }
        const ground = grounds.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
        const ink = parts(style.color);
        ink[3] *= through;
        const [bright, dark] = [light(over(ink, ground)), light(ground)].sort((one, other) => other - one);
        const ratio = (bright + 0.05) / (dark + 0.05);
        if (parseFloat(style.fontSize) > 0 && ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) {
            found.push(`${ratio.toFixed(2)}: ${text.slice(0, 40)} (${style.color} on ${ground.map(Math.round)})`);
        }
    }
    return found;
}"""
"""Texts that stand out from their ground by less than 4.5 to 1, large ones by less than 3 to 1 (WCAG 1.4.3)."""

NAMELESS = r"""() => [...document.querySelectorAll(
    "button, a[href], input, textarea, [role=button], [role=slider], [role=tab], [role=radio], [role=switch]"
)].filter((control) => control.checkVisibility({ visibilityProperty: true })).filter((control) => {
    const by = (control.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id));
    const labels = [...by, ...(control.labels ?? [])].map((label) => label?.textContent ?? "").join("");
    const icon = control.querySelector('[data-testid="stIconMaterial"]')?.textContent ?? "";
    const own = control.textContent.replace(icon, "").trim();
    return ![control.getAttribute("aria-label"), labels.trim(), own, control.title].some(Boolean);
}).map((control) => control.outerHTML.slice(0, 200))"""
"""Controls that a screen reader has nothing to call by."""

NAMES = re.compile(
    r"Kronos( Dashboard)?|English|CSV|Excel|JSON|Parquet|Feather|HTML|MB|UTC|XNYS|MIT|mintalib|top-p|CRPS|bundled"
    r"|PIT|VaR|ATR|PNG|SVG|nat\b"
    r"|EURUSD|AAPL|GOOGL|Alphabet|ETH|[A-Z][a-z]+/[A-Z][A-Za-z_]+|\S+\.csv"
)
"""Names, symbols, units and terms of art, the same in every language."""


def opened(app: App, path: str) -> App:
    app.open(path)
    if path.partition("?")[0] != "/":
        app.page.locator(".js-plotly-plot .boxlayer .trace").first.wait_for(state="attached", timeout=60_000)
    app.settle()
    return app


def remaining(app: App, script: str) -> list[str]:
    """What the script finds on the page, once a run that has just begun no longer fades it."""
    with contextlib.suppress(TimeoutError):
        app.page.wait_for_function(f"() => ({script})().length === 0", timeout=10_000)
    found: list[str] = app.page.evaluate(script)
    return found


def english(app: App) -> list[str]:
    """Texts on the page with an English word in them."""
    texts: list[str] = app.page.evaluate(SEEN)
    return [text for text in texts if re.search(r"[A-Za-z]{3,}", NAMES.sub("", text))]


def said_behind(app: App, place: str) -> str:
    """What the style says instead of the word at this place."""
    code = "part => getComputedStyle(part, '::after').content"
    return str(app.page.locator(place).first.evaluate(code)).strip('"')


def test_no_english_words_but_names_are_seen_in_the_chinese_interface(chromium: Browser, server: str) -> None:
    with browse(chromium, server) as app:
        for path in PATHS:
            opened(app, f"{path}{'&' if '?' in path else '?'}lang=zh")
            assert english(app) == []
            expect(app.page.locator("html")).to_have_attribute("lang", "zh-Hans")  # set by a component that loads late
        zone = '[data-testid="stFileUploaderDropzone"]'
        assert said_behind(app, f"{zone} button p") == "上传"
        assert said_behind(app, '[data-testid="stFileUploaderDropzoneInstructions"] span') == "每个文件最大 20 MB"
        app.page.get_by_role("button", name="外观").click()
        app.page.get_by_role("textbox", name="价位线").fill("1.2")
        app.page.get_by_test_id("InputInstructions").wait_for()
        assert english(app) == []
        assert said_behind(app, '[data-testid="InputInstructions"] > :first-child') == "按回车键应用"


def test_streamlits_own_words_are_as_they_were_in_english(chromium: Browser, server: str) -> None:
    with browse(chromium, server) as app:
        opened(app, "/Forecast")
        zone = app.page.get_by_test_id("stFileUploaderDropzone").first
        expect(zone.get_by_role("button", name="Upload", exact=True)).to_be_visible()
        assert said_behind(app, '[data-testid="stFileUploaderDropzone"] button p') == "none"
        assert app.page.evaluate("() => document.documentElement.lang") == "en"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground_and_every_control_has_a_name(
    chromium: Browser, server: str, scheme: str
) -> None:
    with browse(chromium, server, scheme=scheme) as app:
        for path in PATHS:
            opened(app, path)
            assert remaining(app, FAINT) == []
            assert remaining(app, NAMELESS) == []


@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_one_heading_of_its_own(chromium: Browser, server: str, path: str) -> None:
    with browse(chromium, server) as app:
        opened(app, path)
        levels: list[Any] = (
            app.page.get_by_test_id("stMain")
            .get_by_role("heading")
            .evaluate_all("all => all.map(heading => heading.tagName)")
        )
        assert levels.count("H1") == 1
        assert levels[0] == "H1"
