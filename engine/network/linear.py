"""A linear layer with an optional copy of its weight in the layout of oneDNN's inference kernels."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["PackedLinear", "pack_weights"]


class PackedLinear(nn.Linear):
    """``nn.Linear`` that accepts float32 rows whatever the weight's dtype, and can hold a packed copy of its weight.

    A packed weight has the layout of oneDNN's inference kernels (CPU only; about 1.6 times faster at 30 rows). The copy
    is dropped when the weight is moved or cast, and ignored once the weight has changed.
    """

    _packed: Tensor | None = None
    _packed_version: tuple[Tensor, int] | None = None
    """The packed weight, and its version counter at that time."""

    def pack(self) -> None:
        """Make the packed copy if this build of torch and the device support it."""
        if self.weight.device.type == "cpu" and not self.weight.is_inference() and _can_pack(self.weight.dtype):
            with torch.no_grad():
                object.__setattr__(self, "_packed", torch.ops.mkldnn._reorder_linear_weight(self.weight.detach()))
            object.__setattr__(self, "_packed_version", (self.weight, self.weight._version))

    def _valid_pack(self) -> Tensor | None:
        """The packed copy if it is up to date; None during training."""
        if self._packed is None or self._packed_version is None or torch.is_grad_enabled():
            return None
        packed, version = self._packed_version
        return self._packed if packed is self.weight and self.weight._version == version else None

    def forward(self, x: Tensor) -> Tensor:
        """[..., in] -> [..., out]."""
        weight = self.weight
        packed = self._valid_pack()
        x = x if weight.dtype == torch.float32 else x.to(weight.dtype)
        if packed is not None:
            return torch.ops.mkldnn._linear_pointwise(x, packed, self.bias, "none", [], "")
        return F.linear(x, weight, self.bias)

    def add_to(self, residual: Tensor, x: Tensor) -> Tensor:
        """``residual`` [..., out] plus the projection of ``x`` [..., in]; for inference."""
        packed = self._valid_pack()
        if packed is None or not x.dtype == residual.dtype == self.weight.dtype:
            return residual + self(x)
        return torch.ops.mkldnn._linear_pointwise.binary(x, residual, packed, self.bias, "add")

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        object.__setattr__(self, "_packed", None)
        object.__setattr__(self, "_packed_version", None)
        return super()._apply(fn, recurse)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if not key.startswith("_packed")}


def _can_pack(dtype: torch.dtype) -> bool:
    """Whether this build of torch has oneDNN's packed kernels, and this CPU can run them in ``dtype``."""
    if not torch.backends.mkldnn.is_available() or not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return False
    return dtype == torch.float32 or (dtype == torch.bfloat16 and torch.ops.mkldnn._is_mkldnn_bf16_supported())


def pack_weights(module: nn.Module) -> None:
    """Pack every ``PackedLinear`` in ``module`` for inference on the CPU; does nothing on other devices."""
    for layer in module.modules():
        if isinstance(layer, PackedLinear):
            layer.pack()
