"""Convert JavaScript data to JSON: variables, callbacks, comments, unquoted names, trailing commas."""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["looks_like_script", "parse_script"]

_SCRIPT_START = re.compile(
    rb"^(?:\s|/\*.{0,2000}?\*/|//[^\n]*\n|<!--|;)*(?:(?:export\s+)?(?:var|let|const|default)\s+)?"
    rb"(?:[A-Za-z_$][\w.$]{0,60}\s*(?:=|\()|\?\(|\()?\s*(?:/\*.{0,2000}?\*/\s*)*[\[{]",
    re.DOTALL,
)
"""Comments, an assignment or the name of a callback, then a list or an object."""
_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*")|'(?P<single>(?:[^'\\]|\\.)*)'|(?P<comment>/\*.*?\*/|//[^\n]*)"""
    r"""|(?P<name>[A-Za-z_$][\w$]*)(?=\s*:)|(?P<word>\b(?:undefined|NaN|-?Infinity)\b)|(?P<comma>,)(?=\s*[\]}])""",
    re.DOTALL,
)
"""The parts of a script that JSON does not have, and strings, which must stay as they are."""


def looks_like_script(data: bytes) -> bool:
    """Whether the text begins with a list or an object, possibly behind a comment, a variable or a callback."""
    return bool(_SCRIPT_START.match(data[:8_192]))


def parse_script(text: str) -> Any:
    """Parse the first document in a script.

    Raises:
        ValueError: there is no readable document.
    """
    cleaned = _TOKEN.sub(_to_json_token, text)
    start = min((at for at in (cleaned.find("["), cleaned.find("{")) if at >= 0), default=-1)
    if start < 0:
        raise ValueError("there is no list and no object")
    return json.JSONDecoder().raw_decode(_TOKEN.sub(_drop_trailing_comma, cleaned), start)[0]


def _to_json_token(match: re.Match[str]) -> str:
    if match["single"] is not None:
        return json.dumps(match["single"].replace("\\'", "'"), ensure_ascii=False)
    if match["comment"] is not None:
        return " "
    if match["name"] is not None:
        return f'"{match["name"]}"'
    return "null" if match["word"] is not None else match[0]


def _drop_trailing_comma(match: re.Match[str]) -> str:
    return "" if match["comma"] is not None else match[0]
