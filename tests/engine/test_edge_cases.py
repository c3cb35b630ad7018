"""Corners of the engine that once gave wrong numbers or raw errors."""

import numpy as np
import pandas as pd
import pytest

from engine import COLUMNS, ConfigError, InvalidCandlesError, SamplingConfig
from tests.support import tiny


def ask(frame, sampling=None, **options):
    return tiny.predictor().forecast_many(
        [frame], [tiny.future(frame, 6)], sampling or SamplingConfig(num_paths=5), **options
    )[0]


@pytest.mark.parametrize("level", [1e-6, 1e-8])
def test_a_tiny_price_that_never_moves_forecasts_that_it_stays(level):
    got = ask(tiny.candles(24).assign(**dict.fromkeys(COLUMNS[:4], level)))
    np.testing.assert_allclose(got.paths[..., :4], level, rtol=0.01)


def test_seeds_from_numpy_are_numbers():
    ask(tiny.candles(24), seeds=list(np.arange(1)))


@pytest.mark.parametrize("seed", [1.5, "a"])
def test_a_seed_that_is_no_whole_number_is_refused(seed):
    with pytest.raises(ConfigError, match="seed must be"):
        ask(tiny.candles(24), seeds=[seed])


@pytest.mark.parametrize("change", [{"top_k": 2.5}, {"top_p": "x"}, {"temperature": "a"}])
def test_settings_of_the_wrong_type_are_refused(change):
    with pytest.raises(ConfigError, match=next(iter(change))):
        SamplingConfig(**change)


def test_a_temperature_next_to_nothing_works_or_is_refused():
    try:
        config = SamplingConfig(num_paths=2, temperature=1e-40)
    except ConfigError:
        return
    assert np.isfinite(ask(tiny.candles(24), config).paths).all()


def test_a_column_given_twice_is_refused():
    frame = pd.concat([tiny.candles(24), tiny.candles(24)[["close"]]], axis=1)
    with pytest.raises(InvalidCandlesError, match="close"):
        ask(frame)
