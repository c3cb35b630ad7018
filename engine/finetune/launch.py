"""Several training processes on this machine, each with its share of every step, meeting on the loopback interface.

The launcher only starts, forwards a request to stop, and waits. A process whose launcher is gone stops by itself.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from engine.finetune.training.loop import LAUNCHER

__all__ = ["STOPPED", "launch"]

STOPPED = 75
"""Exit status of a run that saved and left because it was asked to; it can go on."""
_POLL_S = 0.2
_GRACE_S = 10.0


def launch(arguments: Sequence[str], processes: int) -> int:
    """Run ``python`` with ``arguments`` in ``processes`` processes; the first exit status that is not 0, or 0.

    When one of them fails, the others are asked to stop, and ended where they cannot (they may wait for the one that is
    gone).
    """
    port = _free_port()
    started = [
        subprocess.Popen([sys.executable, *arguments], env=_environment(rank, processes, port))
        for rank in range(processes)
    ]

    def forward(number: int, _frame: FrameType | None) -> None:
        for process in started:
            if process.poll() is None:
                process.send_signal(number)

    before = {number: signal.signal(number, forward) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        return _wait(started)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(started: list[subprocess.Popen]) -> int:
    while True:
        codes = [process.poll() for process in started]
        failed = next((code for code in codes if code not in (None, 0, STOPPED)), None)
        if failed is not None:
            _end(started)
            return failed if failed > 0 else 128 - failed
        if None not in codes:
            return next((code for code in codes if code), 0)
        time.sleep(_POLL_S)


def _end(started: list[subprocess.Popen]) -> None:
    for process in started:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + _GRACE_S
    for process in started:
        try:
            process.wait(max(deadline - time.monotonic(), 0.0))
        except subprocess.TimeoutExpired:
            process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "4194304", "THP_MEM_ALLOC_ENABLE": "1", "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "96"}
"""The number of targets, and so the shape of the largest tensors, differs from step to step. Left alone, a process that
trained the bundled model grew by half a gigabyte a minute; with large blocks given back at once, on huge pages, it
stays below two."""


def _environment(rank: int, processes: int, port: int) -> dict[str, str]:
    threads = max((os.cpu_count() or 1) // processes, 1)
    root = str(Path(__file__).resolve().parents[2])
    return {
        "OMP_NUM_THREADS": str(threads),
        "OMP_WAIT_POLICY": "PASSIVE",
        **_MEMORY,
        **os.environ,
        **({"GLOO_SOCKET_IFNAME": "lo"} if sys.platform == "linux" else {}),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(processes),
        "LOCAL_WORLD_SIZE": str(processes),
        LAUNCHER: str(os.getpid()),
        "PYTHONPATH": os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH")) if part),
    }
