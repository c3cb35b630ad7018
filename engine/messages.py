"""Messages that keep their template and values, so that a catalog can translate them after they were written.

A ``Message`` is its own English text: logs, tests and the command line print it as it is. A front end in another
language looks up the template and fills in the values again (``translate``).

    raise ConfigError(msg("max_context must be at least 2; got {max_context}.", max_context=max_context))
    msg("dropped {rows}.", rows=nmsg("{n:,} row", "{n:,} rows", count))

``msg`` and ``nmsg`` are keywords of the extraction (``scripts/translations.py``): their templates are literals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from gettext import NullTranslations
from numbers import Number
from typing import Any

__all__ = ["Message", "join_messages", "message_of", "msg", "nmsg", "sentences", "term", "translate"]

_STORED_TYPES = (str, Number, date, time, timedelta)
"""Types of values that are stored as given. An error is stored as its message, all else as text, so that every message
can be pickled."""


class _Text(str):
    """A text that goes into another one; ``{text:clause}`` takes it without its full stop."""

    def __format__(self, spec: str) -> str:
        return self.rstrip(".。") if spec == "clause" else super().__format__(spec)


class Message(str):
    """An English text, with the template and the values that it was made from.

    Attributes:
        template: English, with placeholders as ``str.format`` reads them; the key in the catalog.
        values: by placeholder; values that are messages are translated with it.
        plural: the template for every number but one, None where there is one template.
        n: the number that chooses between both.
    """

    template: str
    values: Mapping[str, Any]
    plural: str | None
    n: int

    def __new__(cls, template: str, values: Mapping[str, Any], plural: str | None = None, n: int = 1) -> Message:
        """Fill the template in English. A template without values is taken literally, braces included."""
        chosen = template if plural is None or n == 1 else plural
        self = super().__new__(cls, chosen.format(**values) if values else chosen)
        self.template, self.plural, self.n = template, plural, n
        self.values = {name: _plain(value) for name, value in values.items()}
        return self

    def __format__(self, spec: str) -> str:
        return format(_Text(self), spec)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Message, (self.template, self.values, self.plural, self.n))


def msg(template: str, /, **values: object) -> Message:
    """A message from a literal template and its values, by the names of their placeholders."""
    return Message(template, values)


def nmsg(singular: str, plural: str, n: int, /, **values: object) -> Message:
    """A message whose wording depends on the number ``n``, which both templates may use as ``{n}``."""
    return Message(singular, {**values, "n": int(n)}, plural, int(n))


def message_of(error: BaseException) -> str:
    """What ``str`` makes of an error, still translatable where the error was raised with messages."""
    if not any(isinstance(part, Message) for part in error.args):
        return str(error)
    whole = sentences(*(part for part in error.args if isinstance(part, str)))
    return next((part for part in (error.args[0], whole) if part == str(error)), str(error))


def join_messages(parts: Sequence[str], template: str = "{left}, {right}") -> Message:
    """Parts as one message, joined pairwise by a template with the places ``left`` and ``right``.

    Args:
        parts: messages or plain text; none makes an empty message.
        template: one of those in ``_JOINTS``, which the catalog knows.
    """
    if len(parts) <= 1:
        part = parts[0] if parts else ""
        return part if isinstance(part, Message) else Message("{text}", {"text": part})
    middle = len(parts) // 2  # halves, so that a long list nests no deeper than its logarithm
    left, right = join_messages(parts[:middle], template), join_messages(parts[middle:], template)
    return Message(template, {"left": left, "right": right})


def sentences(*parts: str) -> Message:
    """Sentences after one another; empty ones are left out."""
    return join_messages([part for part in parts if part], "{left} {right}")


def term(word: str) -> Message:
    """A word that the code uses as a name (a kind, a column), to be translated where the catalog has it."""
    return Message(word, {})


def translate(text: str, catalog: NullTranslations) -> str:
    """``text`` in the language of ``catalog``; what that does not have stays English.

    Args:
        text: a message, or plain text, which is looked up as a whole.
        catalog: as ``gettext`` loads it.
    """
    if not isinstance(text, Message):
        return catalog.gettext(text) if text else text
    if text.plural is None:
        template = catalog.gettext(text.template) if text.template else ""
    else:
        template = catalog.ngettext(text.template, text.plural, text.n)
    if not text.values:
        return template
    filled = {
        name: _Text(translate(value, catalog)) if isinstance(value, Message) else value
        for name, value in text.values.items()
    }
    return template.format(**filled)


def _plain(value: object) -> object:
    if isinstance(value, BaseException):
        return message_of(value)
    return value if isinstance(value, _STORED_TYPES) else str(value)


_JOINTS = (
    msg("{left}, {right}"),
    msg("{left}; {right}"),
    msg("{left} {right}"),
    msg("{left} and {right}"),
    msg("{left} or {right}"),
)
"""Templates for ``join_messages``."""
