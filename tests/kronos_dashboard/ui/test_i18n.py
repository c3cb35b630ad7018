"""Both languages: nothing is said in one alone, what comes from below is found again, and the choice is kept."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
import streamlit as st
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from kronos_dashboard import analytics as questions
from kronos_dashboard import charts
from kronos_dashboard.analytics.chinese import CHINESE as ANSWERS
from kronos_dashboard.errors import DashboardError
from kronos_dashboard.forecasting.windows import check_lengths, cut
from kronos_dashboard.markets.importers import read
from kronos_dashboard.markets.samples import SAMPLES, load_sample
from kronos_dashboard.settings import Settings
from kronos_dashboard.ui.chinese import CHINESE, SAID
from kronos_dashboard.ui.i18n import COOKIE
from kronos_dashboard.ui.matching import Phrases, placeholders
from tests.support import makers
from tests.support.paths import ROOT

HOME, DATA = str(ROOT / "Home.py"), "pages/1_Data.py"
PAGES = sorted((ROOT / "pages").glob("*.py"))
PARTS = [path for path in sorted((ROOT / "kronos_dashboard" / "ui").glob("*.py")) if "chinese" not in path.name]
SCREENS = [ROOT / "Home.py", *PAGES, *PARTS]
BELOW = [
    path
    for package in ("engine", "kronos_dashboard")
    for path in sorted((ROOT / package).rglob("*.py"))
    if not {"ui", "finetune", "commands"} & set(path.parts) and path.name not in ("__main__.py", "command.py")
]
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
    return path.name


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def spoken(path: Path) -> list[str]:
    """What a file gives to ``t``, and titles of pages."""
    found = []
    for name, call in calls(path):
        if name in ("t", "words.t", "ui.page") and call.args and isinstance(call.args[0], ast.Constant):
            found.append(str(call.args[0].value))
    return found


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
def test_every_text_has_a_chinese_line(path: Path) -> None:
    assert [text for text in spoken(path) if text not in CHINESE] == []


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
    others = [ast.unparse(node) for node in given if not isinstance(node, ast.Constant)]
    assert others == (["title", "title"] if path.name == "page.py" else []), "titles of pages are found by their calls"


def test_no_chinese_line_is_left_over() -> None:
    used = {text for path in SCREENS for text in spoken(path)}
    used |= {"Home", "Data", "Forecast"}
    assert sorted(set(CHINESE) - used) == []


@pytest.mark.parametrize("catalogue", [CHINESE, SAID], ids=["t", "said"])
def test_a_chinese_line_uses_the_placeholders_of_its_text(catalogue: dict[str, str]) -> None:
    wrong = {text for text, told in catalogue.items() if not placeholders(told) <= placeholders(text)}
    assert wrong == set()
    if catalogue is CHINESE:
        assert {text for text, told in catalogue.items() if placeholders(told) != placeholders(text)} == set()


@pytest.mark.parametrize("catalogue", [CHINESE, SAID, ANSWERS], ids=["t", "said", "answers"])
def test_a_chinese_line_is_chinese_and_its_bold_words_are_bold(catalogue: dict[str, str]) -> None:
    named = {text for text, told in catalogue.items() if not CHINESE_LETTER.search(told)}
    assert all(len(text) < 24 for text in named), "names such as CRPS may stay"
    broken = re.compile(r"[。，：；）！？]\*\*\w")  # Markdown would not close the bold words there
    assert [told for told in catalogue.values() if broken.search(told)] == []


def test_answers_to_questions_have_the_same_keys_and_numbers_in_both_languages() -> None:
    def fields(text: str) -> set[tuple[str, str]]:
        return {(name, spec or "") for _, name, spec, _ in Formatter().parse(text) if name}

    assert set(ANSWERS) == set(questions.ENGLISH)
    assert {key for key, told in ANSWERS.items() if fields(told) != fields(questions.ENGLISH[key])} == set()


def test_every_page_is_linked_by_its_name() -> None:
    source = (ROOT / "kronos_dashboard" / "ui" / "page.py").read_text(encoding="utf-8")
    assert [path.name for path in PAGES if f'"pages/{path.name}"' not in source] == []


# ------------------------------------------------------------------------------------ what comes from below


def messages() -> Iterator[str]:
    """Sentences that errors, notes and findings are made of, with 7 for what is filled in."""
    for path in BELOW:
        for name, call in calls(path):
            if name.rpartition(".")[2][:1].isupper():
                for node in (*call.args, *(word.value for word in call.keywords)):
                    text = ast.unparse(node) if isinstance(node, ast.JoinedStr | ast.Constant) else ""
                    if isinstance(node, ast.Constant) and isinstance(node.value, str):
                        text = node.value
                    elif isinstance(node, ast.JoinedStr):
                        filled = (str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)
                        text = "".join(filled)
                    if text.endswith((".", "?")) and text.count(" ") >= 2:
                        yield text


def test_most_messages_from_below_are_translated() -> None:
    """A sentence that is put together from parts is not found by this; most are in one piece."""
    phrases, found = Phrases(SAID), list(messages())
    missing = [text for text in found if not CHINESE_LETTER.search(phrases.translate(text))]
    assert len(found) > 300
    assert len(missing) < 0.2 * len(found), "\n".join(missing)


def test_no_template_is_left_of_a_message_that_is_gone() -> None:
    """Half of its runs of three words stand in the source; where it is put together from parts, all of its words."""

    def words(text: str) -> list[str]:
        return re.findall(r"[A-Za-z']+", text)

    def threes(text: str) -> set[tuple[str, ...]]:
        return {tuple(words(text)[at : at + 3]) for at in range(len(words(text)) - 2)}

    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in (*BELOW, *PARTS))
    nodes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    strings = [node.value for node in nodes if isinstance(node.value, str)]
    known = {three for text in strings for three in threes(text)}
    vocabulary = {word for text in strings for word in words(text)}
    gone = []
    for text in SAID:
        parts = {three for part in re.split(r"\{\w+\}", text) for three in threes(part)}
        spelled = {word for part in re.split(r"\{\w+\}", text) for word in words(part)}
        rare = {word for word in spelled if not {word, word.removesuffix("s")} & vocabulary}
        if len(parts & known) < 0.5 * len(parts) and (rare or len(parts) > 12):
            gone.append(text)
    assert gone == []


PHRASES = Phrases({
    "row {row} of {file} is bad.": "{file} 的第 {row} 行有误。",
    "row {row} of {file} is bad and was left out.": "{file} 的第 {row} 行有误，已舍去。",
    "Try again.": "请重试。",
    "{n} rows": "{n} 行",
    "there are {count} too many": "多了 {count}",
    "nothing is left": "什么也没有剩下",
    "{count} are missing: {named}.": "缺少 {count}：{named}。",
    "{n} bars from {time}": "从 {time} 起 {n} 根",
})  # fmt: skip


@pytest.mark.parametrize(("text", "told"), [
    ("Try again.", "请重试。"),
    ("row 3 of a.csv is bad.", "a.csv 的第 3 行有误。"),
    ("Row 3 of a.csv is bad.", "a.csv 的第 3 行有误。"),
    ("row 3 of a.csv is bad and was left out.", "a.csv 的第 3 行有误，已舍去。"),
    ("row 3 of a.csv is bad. Try again.", "a.csv 的第 3 行有误。请重试。"),
    ("there are 1,200 rows too many", "多了 1,200 行"),
    ("there are 2 rows too many; nothing is left", "多了 2 行；什么也没有剩下"),
    ("there are many rows too many", "多了 many rows"),
    ("row {0} of {a}{b} is bad.", "{a}{b} 的第 {0} 行有误。"),
    ("row 3 of a\nb.csv is bad.", "a\nb.csv 的第 3 行有误。"),
    ("5 are missing: 2 bars from 9 May; 3 bars from 10 May.", "缺少 5：从 9 May 起 2 根；从 10 May 起 3 根。"),
    ("5 are missing: 2 bars from 9 May; ....", "缺少 5：从 9 May 起 2 根；...。"),
])  # fmt: skip
def test_a_sentence_is_found_by_its_template(text: str, told: str) -> None:
    assert PHRASES.translate(text) == told


@pytest.mark.parametrize("text", [
    "", "row 3 is bad.", "Try again. This nobody knows.", "no rows", "row 3 of " + "x" * 900 + " is bad."
])  # fmt: skip
def test_a_sentence_that_is_not_known_stays_as_it_is(text: str) -> None:
    assert PHRASES.translate(text) == text


def refused(work) -> DashboardError:
    with pytest.raises(DashboardError) as caught:
        work()
    return caught.value


@pytest.mark.parametrize(("work", "numbers"), [
    (lambda: cut(makers.candles(100), 90, 60, 20), ("60", "20", "90", "110", "100")),
    (lambda: check_lengths(1, 10, Settings()), ("1",)),
    (lambda: read(b"a,b\n1,2\n", "mine.csv"), ("mine.csv",)),
    (lambda: read(b"", "empty.csv"), ("empty.csv",)),
    (lambda: read(b"%PDF-1.4", "paper.pdf"), ("paper.pdf", "PDF")),
    (lambda: read(b'{"error": "no"}', "x.json"), ("x.json", "no")),
    (lambda: load_sample("nothing"), ("nothing",)),
    (lambda: Settings(max_paths=0), ("max_paths",)),
])  # fmt: skip
def test_errors_as_they_are_raised_are_told_in_chinese_with_their_numbers(work, numbers: tuple[str, ...]) -> None:
    error, phrases = refused(work), Phrases(SAID)
    told = phrases.translate(error.message)
    assert not SENTENCE.search(told), told
    assert CHINESE_LETTER.search(told)
    assert all(number in told for number in numbers), told
    assert not error.hint or CHINESE_LETTER.search(phrases.translate(error.hint)), error.hint


def test_samples_are_named_and_described_in_chinese() -> None:
    phrases = Phrases(SAID)
    for sample in SAMPLES:
        assert CHINESE_LETTER.search(phrases.translate(sample.title))
        assert not SENTENCE.search(phrases.translate(sample.description))
        assert CHINESE_LETTER.search(phrases.translate(sample.description))


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
    assert "缺失K线" in seen(app)
    assert english_in(app, "gap.csv") == []
    [fill] = [button for button in app.button if str(button.key).startswith("data_fix_fill-gaps")]
    fill.click()
    sound(app.run())
    assert "已用上一收盘价的平盘K线填补 3 根缺失的K线。" in seen(app)
    for way in ("sample", "fetch"):
        app.segmented_control(key="data_way").set_value(way)
        sound(app.run())
        assert english_in(app, "gap.csv") == []


@pytest.mark.parametrize("context", [{}, {"locale": "en-US"}, {"locale": "fr"}, {"locale": "zhuyin"[:0]}])
def test_who_does_not_read_chinese_gets_english(app: AppTest, context: dict[str, str]) -> None:
    app.context = {name: value for name, value in context.items() if value}
    assert not CHINESE_LETTER.search(seen(sound(app.run())))


@pytest.mark.parametrize("given", ["fr", "", "ZH", "<script>"])
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
    app.segmented_control(key="language_choice").set_value("en")
    assert not is_chinese(app)
    assert memory(app) == {"language": "en", "cookie": COOKIE, "keep": True}
    app.switch_page(DATA)
    assert not is_chinese(app)
    app.segmented_control(key="language_choice").set_value("zh")
    assert is_chinese(app)
    assert memory(app)["language"] == "zh"


def memory(app: AppTest) -> dict[str, object]:
    """What the browser is told to remember."""
    import json

    [element] = [part for part in app.get("bidi_component") if part.proto.component_name.endswith("language")]
    told: dict[str, object] = json.loads(element.proto.json)
    return told


@pytest.mark.parametrize(("cookie", "chinese"), [("zh", True), ("en", False), ("de", False), ("zh; x=1", False)])
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
    assert told == [charts.CHINESE.median, "2024年1月5日", "2024年1月5日 09:30", "请加载更多历史。", "3 根K线"]
    script.session_state["language"] = "en"
    told = [part.value for part in sound(script.run()).text]
    assert told == ["Median", "05 Jan 2024", "05 Jan 2024 09:30", "Load more history.", "3 candles"]


def _words() -> None:
    import pandas as pd
    import streamlit as st

    from kronos_dashboard.ui.i18n import chart_words, day, moment, said, t

    time = pd.Timestamp("2024-01-05 09:30")
    for text in (chart_words().median, day(time), moment(time), said("Load more history.")):
        st.text(text)
    st.text(t("{count} candles", count=3))
