"""Entry point of ``python -m kronos_dashboard`` and of the console script ``kronos``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from kronos_dashboard.cli.app import run

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
