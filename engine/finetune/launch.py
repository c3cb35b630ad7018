"""Start several training processes on this machine; they communicate over the loopback interface.

The launcher only starts them, forwards stop signals and waits. A process whose launcher has died stops by itself.
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

from engine.finetune.training.loop import LAUNCHER_PID

__all__ = ["EXIT_STOPPED", "launch"]

EXIT_STOPPED = 75
"""Exit status of a run that saved its state and stopped on request (EX_TEMPFAIL of sysexits.h); it can be resumed."""
_POLL_S = 0.2
_GRACE_S = 10.0
"""Time for a process to save and exit before it is killed."""


def launch(arguments: Sequence[str], num_processes: int) -> int:
    """Run ``python`` with ``arguments`` in several processes; returns the first nonzero exit status, or 0.

    If one process fails, the others are terminated: they may be waiting for it in a collective operation.
    """
    port = _free_port()
    processes = [
        subprocess.Popen([sys.executable, *arguments], env=_environment(rank, num_processes, port))
        for rank in range(num_processes)
    ]

    def forward(number: int, _frame: FrameType | None) -> None:
        for process in processes:
            if process.poll() is None:
                process.send_signal(number)

    previous = {number: signal.signal(number, forward) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        return _wait(processes)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _wait(processes: list[subprocess.Popen]) -> int:
    while True:
        codes = [process.poll() for process in processes]
        failed = next((code for code in codes if code not in (None, 0, EXIT_STOPPED)), None)
        if failed is not None:
            _terminate(processes)
            return failed if failed > 0 else 128 - failed  # killed by signal n: 128 + n, as shells report it
        if None not in codes:
            return next((code for code in codes if code), 0)
        time.sleep(_POLL_S)


def _terminate(processes: list[subprocess.Popen]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + _GRACE_S
    for process in processes:
        try:
            process.wait(max(deadline - time.monotonic(), 0.0))
        except subprocess.TimeoutExpired:
            process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "4194304", "THP_MEM_ALLOC_ENABLE": "1", "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "96"}
"""The number of targets, and with it the shape of the largest tensors, differs from step to step. With glibc's
defaults a process that trained the bundled model grew by half a gigabyte per minute; returning large blocks at once,
on huge pages, keeps it below two gigabytes."""


def _environment(rank: int, num_processes: int, port: int) -> dict[str, str]:
    threads = max((os.cpu_count() or 1) // num_processes, 1)
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
        "WORLD_SIZE": str(num_processes),
        "LOCAL_WORLD_SIZE": str(num_processes),
        LAUNCHER_PID: str(os.getpid()),
        "PYTHONPATH": os.pathsep.join(path for path in (root, os.environ.get("PYTHONPATH")) if path),
    }
