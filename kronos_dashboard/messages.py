"""Messages that can be translated after they were written (``engine.messages``), and the catalogs that translate them.

A language is a folder of ``locale/`` with ``LC_MESSAGES/kronos_dashboard.mo`` in it; see ``docs/translating.md``.
"""

from __future__ import annotations

from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from engine.messages import Message, join_messages, message_of, msg, nmsg, sentences, term, translate

__all__ = [
    "DEFAULT_LANGUAGE",
    "LOCALE_FOLDER",
    "Message",
    "available_languages",
    "join_messages",
    "load_catalog",
    "message_of",
    "msg",
    "nmsg",
    "sentences",
    "term",
    "translate",
]

LOCALE_FOLDER = Path(__file__).with_name("locale")
DEFAULT_LANGUAGE = "en"
"""The language of the templates."""
_DOMAIN = "kronos_dashboard"


@lru_cache(maxsize=1)
def available_languages() -> tuple[str, ...]:
    """Languages as tags (``en``, ``zh-Hans``), English first."""
    files = LOCALE_FOLDER.glob(f"*/LC_MESSAGES/{_DOMAIN}.mo")
    return (DEFAULT_LANGUAGE, *sorted(file.parents[1].name.replace("_", "-") for file in files))


@cache
def load_catalog(language: str) -> NullTranslations:
    """The catalog of one of ``available_languages``; that of English is empty."""
    if language == DEFAULT_LANGUAGE:
        return NullTranslations()
    with (LOCALE_FOLDER / language.replace("-", "_") / "LC_MESSAGES" / f"{_DOMAIN}.mo").open("rb") as file:
        return GNUTranslations(file)
