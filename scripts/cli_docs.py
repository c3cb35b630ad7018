"""Write docs/cli.md from the commands of the command line and their options.

python scripts/cli_docs.py            after a command or an option changed
python scripts/cli_docs.py --check    fails if the file is out of date; changes nothing
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from kronos_dashboard.cli.app import app

__all__ = ["PATH", "build"]

PATH = Path(__file__).resolve().parents[1] / "docs" / "cli.md"
_INTRODUCTION = """\
<!-- Written by scripts/cli_docs.py: change the docstrings in kronos_dashboard/cli, and run it. -->

# The command line

`kronos COMMAND --help` prints the same as this page. Without an installed package, write `python -m kronos_dashboard`
instead of `kronos`. Training has commands of its own: `python -m engine.finetune` ([finetuning.md](finetuning.md)).

Results go to stdout and to files, progress and errors to stderr. The exit status is 0 if the command succeeded, 1 if it
was not possible (one line on stderr says why), and 2 if the command was not understood (the usage is on stderr). If an
option is given more than once, the last one counts, except for `--column` and `--fix`.
"""


def build() -> str:
    """The text of docs/cli.md."""
    _, _, commands = app.generate_docs(heading_level=1).partition("\n## kronos ")
    commands = re.sub(r"kronos (\w+) \1 ", r"kronos \1 ", commands)  # the generator puts the command before its usage
    commands = re.sub(r"\n {4,}(?=\S)", " ", commands)  # lines of a docstring, with its indentation
    return f"{_INTRODUCTION}\n## kronos {commands.rstrip()}\n"


def main() -> int:
    """Write the file, or compare it; returns 1 if it is out of date."""
    parser = argparse.ArgumentParser(description="Write docs/cli.md from the commands.")
    parser.add_argument("--check", action="store_true", help="fail if the file is out of date, and change nothing")
    text = build()
    if not parser.parse_args().check:
        PATH.write_text(text, encoding="utf-8")
        return 0
    if PATH.is_file() and PATH.read_text(encoding="utf-8") == text:
        return 0
    print(f"{PATH} is out of date: run python scripts/cli_docs.py.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
