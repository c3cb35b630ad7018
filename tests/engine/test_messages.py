import copy
import pickle
from gettext import NullTranslations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine.errors import ConfigError
from engine.messages import Message, join_messages, message_of, msg, nmsg, sentences, term, translate

CHINESE = {
    "row {row} of {file} is bad.": "{file} 的第 {row} 行有误。",
    "Try again.": "请重试。",
    "{n:,} rows": "{n:,} 行",
    "{rows} are missing.": "缺少 {rows}。",
    "{left} {right}": "{left}{right}",
    "{left}, {right}": "{left}、{right}",
    "{text:clause} (rows {rows}).": "{text:clause}（第 {rows} 行）。",
    "volume": "成交量",
}


class Catalog(NullTranslations):
    """Translations from a mapping; the plural is the key."""

    def gettext(self, message: str) -> str:
        return CHINESE.get(message, message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return CHINESE.get(msgid2, msgid1 if n == 1 else msgid2)


def chinese(text: str) -> str:
    return translate(text, Catalog())


class HintedError(Exception):
    def __str__(self) -> str:
        return " ".join(self.args).strip()


BAD = msg("row {row} of {file} is bad.", row=3, file="a.csv")


def test_a_message_is_its_english_text() -> None:
    assert BAD == "row 3 of a.csv is bad."
    assert isinstance(BAD, str)
    assert (BAD.template, BAD.values) == ("row {row} of {file} is bad.", {"row": 3, "file": "a.csv"})


@pytest.mark.parametrize(("message", "english", "translated"), [
    (BAD, "row 3 of a.csv is bad.", "a.csv 的第 3 行有误。"),
    (msg("row {row} of {file} is bad.", row=1, file="{x}"), "row 1 of {x} is bad.", "{x} 的第 1 行有误。"),
    (nmsg("{n:,} row", "{n:,} rows", 1), "1 row", "1 行"),
    (nmsg("{n:,} row", "{n:,} rows", 1200), "1,200 rows", "1,200 行"),
    (msg("{rows} are missing.", rows=nmsg("{n:,} row", "{n:,} rows", 2)), "2 rows are missing.", "缺少 2 行。"),
    (sentences(BAD, "", msg("Try again.")), "row 3 of a.csv is bad. Try again.", "a.csv 的第 3 行有误。请重试。"),
    (join_messages([term("volume"), "b", "c"]), "volume, b, c", "成交量、b、c"),
    (join_messages([]), "", ""),
    (join_messages(["a"]), "a", "a"),
    (msg("{text:clause} (rows {rows}).", text=BAD, rows="1, 2"), "row 3 of a.csv is bad (rows 1, 2).",
     "a.csv 的第 3 行有误（第 1, 2 行）。"),
    (msg("{this} is no placeholder"), "{this} is no placeholder", "{this} is no placeholder"),
    (msg("nobody knows {this}", this=1), "nobody knows 1", "nobody knows 1"),
    ("Try again.", "Try again.", "请重试。"),
    ("row 3 of a.csv is bad.", "row 3 of a.csv is bad.", "row 3 of a.csv is bad."),
    ("", "", ""),
])  # fmt: skip
def test_a_message_is_translated_with_its_values(message: str, english: str, translated: str) -> None:
    assert message == english
    assert chinese(message) == translated


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda message: pickle.loads(pickle.dumps(message))])
def test_a_copy_can_be_translated(copied) -> None:
    message = copied(msg("{rows} are missing.", rows=nmsg("{n:,} row", "{n:,} rows", 2)))
    assert isinstance(message, Message)
    assert message == "2 rows are missing."
    assert chinese(message) == "缺少 2 行。"


def test_any_value_can_be_pickled_and_keeps_its_format() -> None:
    class Odd:
        def __str__(self) -> str:
            return "odd"

    values = {"path": Path("a"), "odd": Odd(), "count": np.int64(1200), "time": pd.Timestamp("2024-01-31", tz="UTC")}
    message = msg("{path} {odd} {count:,} {time:%d.%m.%Y}", **values)
    assert message == "a odd 1,200 31.01.2024"
    assert chinese(pickle.loads(pickle.dumps(message))) == message


def test_an_error_inside_a_message_is_translated_as_well() -> None:
    inner = ConfigError(BAD)
    assert message_of(inner) is BAD
    assert message_of(ValueError("no")) == "no"
    assert message_of(ValueError()) == ""
    assert chinese(message_of(HintedError(BAD, msg("Try again.")))) == "a.csv 的第 3 行有误。请重试。"
    assert chinese(message_of(HintedError(BAD, ""))) == "a.csv 的第 3 行有误。"
    assert chinese(msg("it failed: {error}", error=inner)) == "it failed: a.csv 的第 3 行有误。"
    assert pickle.loads(pickle.dumps(inner)).args[0].template == BAD.template
