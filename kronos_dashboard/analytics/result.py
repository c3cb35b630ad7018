"""Base of all analytics results: sentences made of a key and numbers, so that any language can show them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from kronos_dashboard.analytics.estimates import CONFIDENCE, Estimate
from kronos_dashboard.analytics.texts import TEMPLATES
from kronos_dashboard.messages import Message, sentences

__all__ = ["AnalyticsResult", "Sentence", "Value", "error_sentence"]

Value = float | int | str


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """One sentence: its template, and the numbers in it."""

    key: str
    """A key of ``texts.TEMPLATES``."""
    values: Mapping[str, Value]
    """The values of the template's placeholders; fractions as fractions."""

    @property
    def message(self) -> Message:
        """The sentence itself."""
        return Message(TEMPLATES[self.key], self.values)


class AnalyticsResult(ABC):
    """Base of all analytics results."""

    @property
    @abstractmethod
    def sentences(self) -> tuple[Sentence, ...]:
        """The main statement, its sampling error, and what else a reader must know."""

    @property
    def key(self) -> str:
        """The key of the main statement."""
        return self.sentences[0].key

    @property
    def values(self) -> Mapping[str, Value]:
        """The numbers in the main statement."""
        return self.sentences[0].values

    def describe(self) -> Message:
        """All sentences as one text."""
        return sentences(*(sentence.message for sentence in self.sentences))


def error_sentence(estimate: Estimate, unit: Literal["probability", "price", "fraction", "bars"]) -> Sentence:
    """The sampling error of an estimate, in its unit."""
    if not estimate.is_bounded:
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
