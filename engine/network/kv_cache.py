"""Keys and values of past tokens: one part that all paths of a series share, one part of each path's own.

A cache is made for one run and passed as an argument; modules keep nothing. Legend as in ``engine.network.layers``:
B series, N paths, h heads, S shared tokens, t own tokens, w head width. Keys and values lie in one tensor, keys first.
A single path shares with nobody, so that all its tokens become its own (one product instead of two).

The life of a cache: ``share`` (by prefill, once per layer), ``expand`` (room for N paths), then for every step
``write`` (once per layer) and ``advance``.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["KVCache", "Visible"]


class Visible(NamedTuple):
    """What a new token may attend to in one layer."""

    shared_keys: Tensor
    """[B*h, S, w]"""
    shared_values: Tensor
    """[B*h, S, w]"""
    own_keys: Tensor
    """[B*h*N, t, w]"""
    own_values: Tensor
    """[B*h*N, t, w]"""


class KVCache:
    """Keys and values of a stack of ``layers``.

    With a ``limit`` only the newest ``limit`` tokens are attended to; older ones drop out, shared ones first.
    """

    def __init__(self, layers: int, limit: int | None = None) -> None:
        self._shared: list[Tensor] = [None] * layers  # type: ignore[list-item]
        self._own: list[Tensor] = []
        self._shared_length = 0
        self._own_length = 0
        self._limit = limit

    @property
    def position(self) -> int:
        """The position of the next token: how many there are so far, shared and own."""
        return self._shared_length + self._own_length

    def share(self, layer: int, keys: Tensor, values: Tensor) -> None:
        """Keep the context's keys and values [B, h, S, w] of one layer, for all paths."""
        self._shared[layer] = torch.stack((keys, values)).flatten(1, 2)  # [2, B*h, S, w]
        self._shared_length = keys.shape[2]

    def expand(self, num_paths: int, room: int) -> KVCache:
        """A cache over the same shared tokens, with room for ``room`` own tokens of each of ``num_paths`` paths."""
        grown = KVCache(len(self._shared), self._limit)
        alone = num_paths == 1
        grown._shared = [shared[:, :, :0] for shared in self._shared] if alone else self._shared
        grown._shared_length, grown._own_length = (0, self._shared_length) if alone else (self._shared_length, 0)
        for shared in self._shared:
            _, rows, _, width = shared.shape
            own = shared.new_empty(2, rows * num_paths, grown._own_length + room, width)
            if alone:
                own[:, :, : grown._own_length] = shared
            grown._own.append(own)
        return grown

    def own(self, layer: int) -> Tensor:
        """All that may be attended to in one layer, [2, h, t, w], where a single path shares with nobody."""
        first = 0 if self._limit is None else max(0, self._own_length - self._limit)
        return self._own[layer][:, :, first : self._own_length]

    def write(self, layer: int, keys_values: Tensor) -> Visible:
        """Append keys and values [2, B, h, N, j, w] of j new tokens per path to a layer; what they may attend to."""
        end = self._own_length + keys_values.shape[4]
        self._own[layer][:, :, self._own_length : end].view(keys_values.shape).copy_(keys_values)
        return self._visible(layer, end)

    def advance(self, new: int) -> None:
        """Count the ``new`` tokens that every layer has now written."""
        self._own_length += new

    def visible(self, layer: int) -> Visible:
        """What may be attended to in one layer, all tokens counted so far."""
        return self._visible(layer, self._own_length)

    def _visible(self, layer: int, end: int) -> Visible:
        over = 0 if self._limit is None else max(0, self._shared_length + end - self._limit)
        shared_from = min(over, self._shared_length)
        shared = self._shared[layer][:, :, shared_from:]
        own = self._own[layer][:, :, over - shared_from : end]
        return Visible(*shared.unbind(), *own.unbind())
