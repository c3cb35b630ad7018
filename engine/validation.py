"""Validation by pydantic, reported by our own errors.

A pydantic dataclass states in the annotation of a field what it may hold: constraints for pydantic, and a ``Message``
that completes the sentence "<field> must be ...". The message may be the field's ``description``, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from engine.messages import Message, msg

__all__ = ["report_invalid", "translate_error"]

Type = TypeVar("Type", bound=type)
MakeError = Callable[[str, str, object], Exception]
"""Makes an error of the dotted name of a field, what it must be, and the value that it got."""


def report_invalid(make_error: MakeError) -> Callable[[Type], Type]:
    """Class decorator: a pydantic dataclass raises ``make_error(field, expected, value)`` for an invalid value.

    Place it above ``pydantic.dataclasses.dataclass``. An error of ``__post_init__`` passes through unchanged.
    """

    def decorate(kind: Type) -> Type:
        initialize = kind.__init__  # type: ignore[misc]  # of this class, not of a subclass

        @wraps(initialize)
        def checked_init(self: Any, *args: Any, **kwargs: Any) -> None:
            try:
                initialize(self, *args, **kwargs)
            except ValidationError as error:
                raise translate_error(error, kind, make_error) from error

        setattr(kind, "__init__", checked_init)  # noqa: B010 - an assignment is an error to the type checker
        return kind

    return decorate


def translate_error(error: ValidationError, kind: type, make_error: MakeError) -> Exception:
    """The first problem of a validation of ``kind`` as one error of our own."""
    problem = error.errors(include_url=False)[0]
    cause = problem.get("ctx", {}).get("error")
    if isinstance(cause, Exception):  # raised by ``__post_init__``
        return cause
    if problem["type"] == "unexpected_keyword_argument":
        name = ".".join(map(str, problem["loc"]))
        return make_error(name, msg("left out, because there is no such field"), problem["input"])
    name, field = _find_field(kind, problem["loc"])
    expected = _expected(field) if field is not None else None
    return make_error(name or kind.__name__, expected or problem["msg"], problem["input"])


def _find_field(kind: Any, location: Sequence[int | str]) -> tuple[str, FieldInfo | None]:
    """The innermost field at a location, which may go on into a list, a mapping or a union, and its dotted name."""
    names: list[str] = []
    field = None
    for part in map(str, location):
        fields: dict[str, FieldInfo] = getattr(kind, "__pydantic_fields__", {})
        if part not in fields:
            break
        names.append(part)
        field = fields[part]
        kind = field.annotation
    return ".".join(names), field


def _expected(field: FieldInfo) -> str | None:
    """What a field must be, as far as its annotation says so."""
    members = get_args(field.annotation)
    of_members = (item for member in members for item in getattr(member, "__metadata__", ()))
    messages = [item for item in (*field.metadata, *of_members, field.description) if isinstance(item, Message)]
    if not messages and get_origin(field.annotation) is Literal:
        return msg("one of {choices}", choices=", ".join(map(str, members)))
    return messages[0] if messages else None
