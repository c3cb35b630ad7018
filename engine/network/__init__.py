"""The neural networks: tokenizer, decoder-only transformer, and the layers and kernels under them."""

import torch


def _choose_vector_kernels() -> None:
    """Let MKL choose the kernel of each elementwise function, on one thread.

    MKL chooses when a process calls a function for the first time. If two threads make that call at once, one of them
    can get a kernel of low accuracy (pytorch/pytorch#188792), and a forecast or a training run then differs from all
    others. See docs/design/0008-the-same-numbers-on-any-processor.md.
    """
    trigonometric = (torch.acos, torch.asin, torch.atan, torch.cos, torch.sin, torch.tan, torch.tanh)
    exponential = (torch.exp, torch.expm1, torch.log, torch.log10, torch.log1p, torch.log2)
    other = (torch.erf, torch.erfc, torch.sqrt)
    for dtype in (torch.float32, torch.float64):
        few = torch.full((16,), 0.5, dtype=dtype)  # [16]: too few to be split among threads
        for function in (*trigonometric, *exponential, *other):
            function(few)


_choose_vector_kernels()
