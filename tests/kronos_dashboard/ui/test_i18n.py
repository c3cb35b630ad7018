"""The pages in both languages: nothing is shown that is not translated, and the choice of a language is kept."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from kronos_dashboard.ui import state
from kronos_dashboard.ui.i18n import COOKIE
from tests.support import makers
from tests.support.paths import ROOT

HOME, DATA, FORECAST = str(ROOT / "Home.py"), "pages/1_Data.py", "pages/2_Forecast.py"
PAGES = sorted((ROOT / "pages").glob("*.py"))
SCREENS = [ROOT / "Home.py", *PAGES, *sorted((ROOT / "kronos_dashboard" / "ui").rglob("*.py"))]
SHOWN = {
    *("title", "header", "subheader", "markdown", "caption", "info", "warning", "error", "success", "toast", "badge"),
    *("button", "download_button", "form_submit_button", "link_button", "popover", "expander", "status"),
    *("selectbox", "multiselect", "radio", "segmented_control", "pills", "slider", "select_slider", "toggle"),
    *("checkbox", "number_input", "text_input", "text_area", "date_input", "time_input", "file_uploader", "metric"),
    *("spinner", "progress", "tabs", "dialog"),
}
"""Methods of Streamlit whose first argument is read by people."""
SAME_IN_BOTH = {"Kronos Dashboard", "Language / 语言"}
WORD = re.compile(r"[A-Za-z]{2,}")
SENTENCE = re.compile(r"(?:\b[A-Za-z][a-z']*\b[ ,]+){3}[A-Za-z]+")
CHINESE_LETTER = re.compile("[\u4e00-\u9fff]")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def plain_words(node: ast.expr) -> str:
    """English that stands in an expression outside of any call, without marks of icons and colours."""
    if isinstance(node, ast.Constant):
        text = node.value if isinstance(node.value, str) else ""
    elif isinstance(node, ast.JoinedStr):
        text = " ".join(plain_words(part) for part in node.values if isinstance(part, ast.Constant))
    elif isinstance(node, ast.List | ast.Tuple):
        text = " ".join(plain_words(part) for part in node.elts)
    elif isinstance(node, ast.IfExp):
        text = f"{plain_words(node.body)} {plain_words(node.orelse)}"
    else:
        text = ""
    return re.sub(r":[a-z/_-]+:|:[a-z]+\[", " ", text)


@pytest.mark.parametrize("path", SCREENS, ids=name_of)
def test_nothing_is_shown_that_did_not_go_through_t(path: Path) -> None:
    bare = []
    for name, call in calls(path):
        method, owner = name.rpartition(".")[2], name.partition(".")[0]
        if method in (*SHOWN, "page_link") and "." in name and owner != "_log":
            named = [word.value for word in call.keywords if word.arg in ("label", "help", "text", "placeholder")]
            first = call.args[:1] if method in SHOWN else []  # the first of a link is a path
            told = [plain_words(node).strip() for node in (*first, *named)]
            bare += [text for text in told if WORD.search(text) and text not in SAME_IN_BOTH]
    assert bare == []


@pytest.mark.parametrize("path", SCREENS, ids=name_of)
def test_t_is_given_literals_alone(path: Path) -> None:
    given = [call.args[0] for name, call in calls(path) if name == "t" and call.args]
    others = {ast.unparse(node) for node in given if not isinstance(node, ast.Constant)}
    assert others <= ({"title"} if path.name == "layout.py" else set()), "titles of pages are found by begin_page"


def test_every_page_is_linked_by_its_name() -> None:
    source = (ROOT / "kronos_dashboard" / "ui" / "layout.py").read_text(encoding="utf-8")
    assert [path.name for path in PAGES if f'"pages/{path.name}"' not in source] == []


# ------------------------------------------------------------------------------------ the pages


@pytest.fixture
def app(checkpoint: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AppTest]:
    monkeypatch.setenv("KRONOS_DASHBOARD_MODEL", str(checkpoint))
    monkeypatch.setenv("KRONOS_DASHBOARD_CACHE_DIR", str(tmp_path / "cache"))
    st.cache_resource.clear()
    yield AppTest.from_file(HOME, default_timeout=30)
    st.cache_resource.clear()


def sound(app: AppTest) -> AppTest:
    assert not app.exception, [exception.message for exception in app.exception]
    return app


def seen(app: AppTest) -> str:
    """All that a reader may see, a line for each part."""
    told = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.error, *app.warning, *app.info]
    texts = [str(part.value) for part in told]
    fields = [*app.button, *app.selectbox, *app.number_input, *app.text_input, *app.radio, *app.tabs, *app.expander]
    for field in (*fields, *app.metric):
        texts += [str(getattr(field, "label", "") or ""), str(getattr(field, "help", "") or "")]
        texts += [str(option) for option in getattr(field, "options", ())]
    return "\n".join(re.sub(r"<svg.*</svg>", "", text) for text in texts)


def english_in(app: AppTest, *allowed: str) -> list[str]:
    lines = (line for line in seen(app).split("\n") if not any(word in line for word in allowed))
    return [line for line in lines if SENTENCE.search(re.sub(r":[a-z/_-]+:|\[|\]", " ", line))]


def is_chinese(app: AppTest) -> bool:
    return bool(CHINESE_LETTER.search(seen(sound(app.run()))))


def test_home_and_data_are_chinese_from_end_to_end(app: AppTest) -> None:
    app.context = {"locale": "zh-CN"}
    assert is_chinese(app)
    assert english_in(app, str(ROOT), "/") == []
    sound(app.switch_page(DATA).run())
    assert english_in(app) == []
    header, *rows = makers.csv(300).rstrip().split("\n")
    gap = "\n".join([header, *rows[:150], *rows[153:]])
    app.file_uploader[0].upload("gap.csv", gap.encode()).upload("bad.csv", b"a,b\n1,2\n")
    sound(app.run())
    assert app.error
    assert "K线缺失" in seen(app)
    assert english_in(app, "gap.csv") == []
    [fill] = [button for button in app.button if str(button.key).startswith("data_fix_fill-gaps")]
    fill.click()
    sound(app.run())
    assert "已按前一收盘价用平盘K线补全 3 根缺失的K线。" in seen(app)
    for way in ("sample", "fetch"):
        app.segmented_control(key=state.DATA_SOURCE.name).set_value(way)
        sound(app.run())
        assert english_in(app, "gap.csv") == []


def test_the_forecast_page_is_chinese(app: AppTest) -> None:
    app.query_params["lang"] = "zh"
    sound(app.run().switch_page(FORECAST).run())  # a second run would need the labels of its lists in this thread
    assert CHINESE_LETTER.search(seen(app))
    assert english_in(app, str(ROOT)) == []


@pytest.mark.parametrize("context", [{}, {"locale": "en-US"}, {"locale": "fr"}, {"locale": "zhuyin"[:0]}])
def test_who_does_not_read_chinese_gets_english(app: AppTest, context: dict[str, str]) -> None:
    app.context = {name: value for name, value in context.items() if value}
    assert not CHINESE_LETTER.search(seen(sound(app.run())))


@pytest.mark.parametrize("given", ["fr", "", "z", "<script>"])
def test_a_language_that_does_not_exist_is_ignored_in_a_link(app: AppTest, given: str) -> None:
    app.query_params["lang"] = given
    assert not is_chinese(app)


def test_a_link_chooses_the_language_for_all_pages_of_the_session(app: AppTest) -> None:
    app.query_params["lang"] = "zh"
    assert is_chinese(app)
    app.switch_page(DATA)
    assert is_chinese(app)
    assert app.title[0].value == "数据"


def test_a_choice_by_hand_holds_against_browser_and_link_and_is_remembered(app: AppTest) -> None:
    app.context, app.query_params["lang"] = {"locale": "zh-CN"}, "zh"
    assert is_chinese(app)
    assert not memory(app)["keep"]
    app.segmented_control(key=state.LANGUAGE_CONTROL.name).set_value("en")
    assert not is_chinese(app)
    assert memory(app) == {"language": "en", "cookie": COOKIE, "keep": True}
    app.switch_page(DATA)
    assert not is_chinese(app)
    app.segmented_control(key=state.LANGUAGE_CONTROL.name).set_value("zh-Hans")
    assert is_chinese(app)
    assert memory(app)["language"] == "zh-Hans"


def memory(app: AppTest) -> dict[str, object]:
    """What the browser is told to remember."""
    import json

    [element] = [part for part in app.get("bidi_component") if part.proto.component_name.endswith("language")]
    told: dict[str, object] = json.loads(element.proto.json)
    return told


@pytest.mark.parametrize(
    ("cookie", "chinese"),
    [
        ("zh-Hans", True),
        ("zh", True),
        ("en", False),
        ("de", False),
        ("zh; x=1", False),
    ],
)
def test_what_the_browser_remembers_counts_more_than_its_language(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, cookie: str, chinese: bool
) -> None:
    monkeypatch.setattr(ContextProxy, "cookies", property(lambda _: {COOKIE: cookie}))
    app.context = {"locale": "en-US" if chinese else "de"}
    assert is_chinese(app) is chinese


def test_charts_dates_and_findings_speak_the_language_of_the_session(app: AppTest) -> None:
    script = AppTest.from_function(_words)
    script.session_state["language"] = "zh"
    told = [part.value for part in sound(script.run()).text]
    assert told == ["中位数", "2024年1月5日", "2024年1月5日 09:30", "请加载更多历史数据。", "3 根K线"]
    script.session_state["language"] = "en"
    told = [part.value for part in sound(script.run()).text]
    assert told == ["Median", "05 Jan 2024", "05 Jan 2024 09:30", "Load more history.", "3 candles"]


def _words() -> None:
    import pandas as pd
    import streamlit as st

    from kronos_dashboard.ui.i18n import chart_labels, format_date, format_datetime, t, translate

    time = pd.Timestamp("2024-01-05 09:30")
    for text in (chart_labels().median, format_date(time), format_datetime(time), translate("Load more history.")):
        st.text(text)
    st.text(t("{count} candles", count=3))
