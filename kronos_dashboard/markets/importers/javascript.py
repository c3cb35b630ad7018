"""Data as scripts have it, brought to JSON: variables, callbacks, comments, names without quotes, trailing commas."""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["from_script", "looks_like_script"]

_BEGINNING = re.compile(
    rb"^(?:\s|/\*.{0,2000}?\*/|//[^\n]*\n|<!--|;)*(?:(?:export\s+)?(?:var|let|const|default)\s+)?"
    rb"(?:[A-Za-z_$][\w.$]{0,60}\s*(?:=|\()|\?\(|\()?\s*(?:/\*.{0,2000}?\*/\s*)*[\[{]",
    re.DOTALL,
)
_PIECE = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*")|'(?P<single>(?:[^'\\]|\\.)*)'|(?P<comment>/\*.*?\*/|//[^\n]*)"""
    r"""|(?P<name>[A-Za-z_$][\w$]*)(?=\s*:)|(?P<word>\b(?:undefined|NaN|-?Infinity)\b)|(?P<comma>,)(?=\s*[\]}])""",
    re.DOTALL,
)


def looks_like_script(data: bytes) -> bool:
    """Whether the text begins like a list or an object, perhaps with a comment, a variable or a callback around it."""
    return bool(_BEGINNING.match(data[:8_192]))


def from_script(text: str) -> Any:
    """The first document in a script.

    Raises:
        ValueError: there is none that can be read.
    """
    bare = _PIECE.sub(_plain, text)
    start = min((at for at in (bare.find("["), bare.find("{")) if at >= 0), default=-1)
    if start < 0:
        raise ValueError("there is no list and no object")
    return json.JSONDecoder().raw_decode(_PIECE.sub(_without_last_comma, bare), start)[0]


def _plain(match: re.Match[str]) -> str:
    if match["single"] is not None:
        return json.dumps(match["single"].replace("\\'", "'"), ensure_ascii=False)
    if match["comment"] is not None:
        return " "
    if match["name"] is not None:
        return f'"{match["name"]}"'
    return "null" if match["word"] is not None else match[0]


def _without_last_comma(match: re.Match[str]) -> str:
    return "" if match["comma"] is not None else match[0]
