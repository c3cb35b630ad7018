"""Cases of the import tests: files in many layouts, and the candles that they contain (see tests/data/imports)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kronos_dashboard.markets.importers import ImportOptions
from tests.support.paths import DATA

__all__ = ["CASES", "ImportCase", "load_case"]

CASES = sorted(path.name for path in (DATA / "imports").iterdir() if path.is_dir())
"""Names of the folders."""


@dataclass(frozen=True, kw_only=True)
class ImportCase:
    """One file, and the expected result of reading it."""

    data: bytes
    filename: str
    options: ImportOptions
    interval: str
    session_tz: str
    symbol: str | None
    """None: not compared."""
    has_volume: bool
    has_amount: bool
    warning: str | None
    """Words of an expected warning; None: no warning except on the order of rows."""
    times: pd.DatetimeIndex
    """Local times [n] without a timezone."""
    values: np.ndarray
    """float64 [n, 4 or 5]: open, high, low, close and, with ``has_volume``, volume."""


def load_case(name: str) -> ImportCase:
    """Read the case in the folder ``name``."""
    folder = DATA / "imports" / name
    expected: dict[str, Any] = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    rows = expected.pop("candles")
    return ImportCase(
        data=input_of(folder).read_bytes(),
        options=ImportOptions(**expected.pop("options")),
        times=pd.DatetimeIndex([row[0] for row in rows]),
        values=np.array([row[1:] for row in rows], dtype="float64"),
        **expected,
    )


def input_of(folder: Path) -> Path:
    """The one input file of a case."""
    (path,) = folder.glob("input.*")
    return path
