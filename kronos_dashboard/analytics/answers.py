"""What every answer has in common: sentences made of a key and numbers, so that they can be said in any language."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from kronos_dashboard.analytics.estimates import CONFIDENCE, Estimate
from kronos_dashboard.analytics.texts import ENGLISH

__all__ = ["Answer", "Sentence", "Value", "error_sentence"]

Value = float | int | str


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """One sentence: which, and the numbers in it."""

    key: str
    """A key of ``texts.ENGLISH``, and of any other catalogue."""
    values: Mapping[str, Value]
    """What the template names; fractions as fractions."""


class Answer(ABC):
    """Base of all answers."""

    @property
    @abstractmethod
    def sentences(self) -> tuple[Sentence, ...]:
        """The answer itself, then its sampling error, then what else must be known."""

    @property
    def key(self) -> str:
        """The key of the answer itself."""
        return self.sentences[0].key

    @property
    def values(self) -> Mapping[str, Value]:
        """The numbers in the answer itself."""
        return self.sentences[0].values

    def describe(self, templates: Mapping[str, str] = ENGLISH) -> str:
        """All sentences, by the ``templates`` of a language."""
        return " ".join(templates[one.key].format(**one.values) for one in self.sentences)


def error_sentence(estimate: Estimate, unit: Literal["chance", "price", "fraction", "bars"]) -> Sentence:
    """The sampling error of an estimate, told in its unit."""
    if not estimate.bounded:
        return Sentence(key="error.unbounded", values={"num_paths": estimate.num_paths})
    return Sentence(
        key=f"error.{unit}",
        values={
            "low": estimate.low,
            "high": estimate.high,
            "confidence": CONFIDENCE,
            "num_paths": estimate.num_paths,
        },
    )
