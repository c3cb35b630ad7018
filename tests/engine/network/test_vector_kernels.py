"""MKL's kernels of elementwise functions are chosen on one thread, before any parallel call."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from collections import defaultdict

import torch
from torch.utils._python_dispatch import TorchDispatchMode

calls = defaultdict(list)


class Recorder(TorchDispatchMode):
    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if args and isinstance(args[0], torch.Tensor):
            calls[function.overloadpacket.__name__].append((args[0].dtype, args[0].numel()))
        return function(*args, **(kwargs or {}))


with Recorder():
    import engine.network
for name in "acos asin atan cos erf erfc exp log log10 log1p sin sqrt tan tanh".split():
    for dtype in (torch.float32, torch.float64):
        first = next((size for called, size in calls[name] if called == dtype), None)
        if first is None or first > 2_048:  # what PyTorch gives to one thread
            sys.exit(f"the first {name} of {dtype} has {first} elements")
"""


def test_the_first_call_of_each_function_is_too_small_for_two_threads() -> None:
    result = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
