"""``python -m engine.finetune``: train or finetune, and compare with what it started from.

    python -m engine.finetune --data my.csv --out runs/my          finetune the bundled model on one file
    python -m engine.finetune --config run.toml [--FLAG VALUE ...]  any run; every setting is a flag too
    python -m engine.finetune --help                                every setting

Exit status: 0 done, 1 it could not be done (the message says why), 2 wrong usage, 75 stopped as asked after saving
(--resume auto goes on).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from engine.errors import EngineError
from engine.finetune.launch import STOPPED, launch
from engine.finetune.options import config_from, describe

WORK = "work"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if given[:1] == [WORK]:
            return _work(given[1])
        if not given or given[0] in ("-h", "--help"):
            return _help()
        return _train(given)
    except EngineError as error:
        if os.environ.get("RANK", "0") == "0":
            print(f"error: {error}", file=sys.stderr)
        return 1


def _help() -> int:
    print(__doc__)
    for name, default, text in describe():
        print(f"  --{name} [{default}]\n        {text}")
    return 0


def _flags(arguments: Sequence[str]) -> tuple[str | None, list[tuple[str, str]]]:
    """The config file and the flags in order; a flag without a value is true."""
    file, flags, rest = None, [], list(arguments)
    while rest:
        name, given, value = rest.pop(0).partition("=")
        if not name.startswith("--"):
            raise SystemExit(f"{name!r} is no flag; settings are given as --name value. See --help.")
        if not given:
            value = rest.pop(0) if rest and not rest[0].startswith("--") else ""
        if name == "--config":
            file = value
        else:
            flags.append((name.removeprefix("--"), value))
    return file, flags


def _train(arguments: Sequence[str]) -> int:
    from engine.finetune import run  # torch is imported here, after the settings are known to be good

    config = config_from(*_flags(arguments))
    prepared = run.prepare(config)
    notes = prepared.store.notes
    for note in notes[:3]:
        print(f"note: {note}")
    if len(notes) > 3:
        print(f"note: {len(notes) - 3} more notes on the candles stand in {prepared.folder.description}")
    processes = run.processes_for(config)
    if processes > 1:
        return launch(["-m", "engine.finetune", WORK, str(prepared.folder.path)], processes)
    return _work(str(prepared.folder.path))


def _work(folder: str) -> int:
    from engine.finetune import run

    return STOPPED if run.work(run.reopen(folder), report=print) == "stopped" else 0


if __name__ == "__main__":
    raise SystemExit(main())
