"""Keys and values of past tokens: of the context, shared by all paths of a series, and of each path's own tokens.

A cache is made for one run and passed as an argument; modules hold no state. Legend as in ``engine.network.layers``:
B series, N paths, h heads, S shared tokens, t tokens per path, j new tokens per path, w head width. Keys and values are
stacked in one tensor, keys first. A single path shares with no other, so all its tokens count as its own: one matrix
product instead of two.

Order of calls: ``set_shared`` (by prefill, once per layer), ``expand`` (allocates N paths), then for every step
``append`` (once per layer) and ``advance``.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["AttendedKV", "KVCache"]


class AttendedKV(NamedTuple):
    """Keys and values that new tokens attend to in one layer."""

    shared_keys: Tensor
    """[B*h, S, w]"""
    shared_values: Tensor
    """[B*h, S, w]"""
    path_keys: Tensor
    """[B*h*N, t, w]"""
    path_values: Tensor
    """[B*h*N, t, w]"""


class KVCache:
    """Keys and values of a stack of ``layers``.

    With a ``limit`` only the newest ``limit`` tokens are attended to; the oldest, shared ones first, are evicted.
    """

    def __init__(self, layers: int, limit: int | None = None) -> None:
        self._shared: list[Tensor] = [None] * layers  # type: ignore[list-item]
        self._path_kv: list[Tensor] = []
        self._shared_length = 0
        self._path_length = 0
        self._limit = limit

    @property
    def position(self) -> int:
        """Position of the next token: the number of tokens so far, shared and per path."""
        return self._shared_length + self._path_length

    def set_shared(self, layer: int, keys: Tensor, values: Tensor) -> None:
        """Store the context's keys and values [B, h, S, w] of one layer, for all paths."""
        self._shared[layer] = torch.stack((keys, values)).flatten(1, 2)  # [2, B*h, S, w]
        self._shared_length = keys.shape[2]

    def expand(self, num_paths: int, max_new_tokens: int) -> KVCache:
        """A cache with the same shared tokens and room for ``max_new_tokens`` tokens of each of ``num_paths`` paths."""
        expanded = KVCache(len(self._shared), self._limit)
        is_single = num_paths == 1
        expanded._shared = [shared[:, :, :0] for shared in self._shared] if is_single else self._shared
        if is_single:
            expanded._path_length = self._shared_length
        else:
            expanded._shared_length = self._shared_length
        for shared in self._shared:
            _, rows, _, width = shared.shape  # [2, B*h, S, w]
            length = expanded._path_length + max_new_tokens
            path_kv = shared.new_empty(2, rows * num_paths, length, width)  # [2, B*h*N, t, w]
            if is_single:
                path_kv[:, :, : expanded._path_length] = shared
            expanded._path_kv.append(path_kv)
        return expanded

    def path_kv(self, layer: int) -> Tensor:
        """Keys and values of a single path in one layer, context included: [2, h, t, w]."""
        first = 0 if self._limit is None else max(0, self._path_length - self._limit)
        return self._path_kv[layer][:, :, first : self._path_length]

    def append(self, layer: int, keys_values: Tensor) -> AttendedKV:
        """Append keys and values [2, B, h, N, j, w] of new tokens to a layer; returns what they attend to."""
        end = self._path_length + keys_values.shape[4]
        self._path_kv[layer][:, :, self._path_length : end].view(keys_values.shape).copy_(keys_values)
        return self._attended(layer, end)

    def advance(self, num_tokens: int) -> None:
        """Count ``num_tokens`` new tokens, after every layer has appended them."""
        self._path_length += num_tokens

    def attended(self, layer: int) -> AttendedKV:
        """Keys and values of all counted tokens in one layer."""
        return self._attended(layer, self._path_length)

    def _attended(self, layer: int, end: int) -> AttendedKV:
        num_evicted = 0 if self._limit is None else max(0, self._shared_length + end - self._limit)
        first_shared = min(num_evicted, self._shared_length)
        shared = self._shared[layer][:, :, first_shared:]  # [2, B*h, S, w]
        path_kv = self._path_kv[layer][:, :, num_evicted - first_shared : end]  # [2, B*h*N, t, w]
        return AttendedKV(*shared.unbind(), *path_kv.unbind())
