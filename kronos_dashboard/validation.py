"""Types of validated fields (``engine.validation``) that records, settings and scorecards share.

The ``description`` completes the sentence "<field> must be ..." and describes the field in the JSON schema.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, InstanceOf

from kronos_dashboard.messages import msg

__all__ = ["Number", "Text", "WholeNumber"]

Text = Annotated[InstanceOf[str], Field(description=msg("text"))]
"""Keeps a ``Message`` as it is, so that a page can translate it."""
WholeNumber = Annotated[int, Field(strict=True, description=msg("a whole number"))]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False, description=msg("a number"))]
