"""One path by kernels for one row: the same numbers as the model itself gives."""

import pytest
import torch

from engine import Kronos, SamplingConfig
from engine.generation import path_sampler
from engine.generation.single_path import SinglePathDecoder, supports_single_path
from tests.support import tiny

LENGTH, ROOM = 9, 12


def ids(model: Kronos, length: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Coarse and fine ids [1, T], and embedded times [1, T, D]."""
    generator = torch.Generator().manual_seed(length)
    coarse = torch.randint(2**model.config.s1_bits, (1, length), generator=generator)
    fine = torch.randint(2**model.config.s2_bits, (1, length), generator=generator)
    times = torch.randint(0, 7, (1, length, 5), generator=generator)
    return coarse, fine, model.time_embedding(times)


def walk(model: Kronos, reader: Kronos | SinglePathDecoder, limit: int | None) -> list[torch.Tensor]:
    """All logits of ROOM steps after LENGTH tokens."""
    coarse, fine, times = ids(model, LENGTH + ROOM)
    found = []
    with torch.inference_mode():
        hidden, shared = model.prefill(coarse[:, :LENGTH], fine[:, :LENGTH], times[:, :LENGTH], limit=limit)
        cache = shared.expand(1, ROOM)
        for at in range(LENGTH, LENGTH + ROOM):
            last = hidden.view(1, 1, -1)
            found += [reader.coarse_logits(last), reader.fine_logits(last, coarse[:, at : at + 1], cache)]
            now = slice(at, at + 1)
            hidden = reader.extend(coarse[:, None, now], fine[:, None, now], times[:, None, now], cache)
    return found


@pytest.mark.parametrize("limit", [None, 14, 5])
@pytest.mark.parametrize("geometry", [{}, {"n_layers": 1}, {"d_model": 48, "n_heads": 2}, {"s1_bits": 3, "s2_bits": 6}])
def test_logits_are_the_models_own(geometry, limit):
    model = tiny.model(**geometry).eval()
    single = walk(model, SinglePathDecoder(model), limit)
    assert len(single) == 2 * ROOM
    for got, wanted in zip(single, walk(model, model, limit), strict=True):
        assert got.shape == wanted.shape
        torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-5)


def test_it_serves_one_row_of_float32_alone():
    model = tiny.model()
    assert supports_single_path(model, 1)
    assert not supports_single_path(model, 2)
    assert not supports_single_path(model.to(torch.bfloat16), 1)


@pytest.mark.parametrize("overflow", ["recompute", "evict"])
def test_a_forecast_of_one_path_is_decoded_by_it(overflow, monkeypatch):
    predictor, frame = tiny.predictor(), tiny.candles(24)
    calls = []

    class Counted(SinglePathDecoder):
        def extend(self, *arguments):
            calls.append(len(arguments))
            return super().extend(*arguments)

    monkeypatch.setattr(path_sampler, "SinglePathDecoder", Counted)
    sampling = SamplingConfig(num_paths=1, seed=1)
    alone = predictor.forecast_many([frame], [tiny.future(frame, 8)], sampling, context_overflow=overflow)[0].paths
    assert len(calls) == 7
    monkeypatch.setattr(path_sampler, "supports_single_path", lambda *_: False)
    plain = predictor.forecast_many([frame], [tiny.future(frame, 8)], sampling, context_overflow=overflow)[0].paths
    assert len(calls) == 7
    torch.testing.assert_close(torch.from_numpy(alone.copy()), torch.from_numpy(plain.copy()), rtol=1e-5, atol=1e-6)
