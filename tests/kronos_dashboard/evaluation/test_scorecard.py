"""Measured figures beside a checkpoint: read strictly, found by nearness, and told in words that promise nothing."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from string import Formatter

import pandas as pd
import pytest

from engine import SamplingConfig
from kronos_dashboard.errors import RecordError
from kronos_dashboard.evaluation.coverage_note import CHINESE, ENGLISH, Measured, market_of, measured, measured_of
from kronos_dashboard.evaluation.scorecard import SCORES_FILE, Found, Scores, find_scores, read_scores, weights_digest
from kronos_dashboard.markets.samples import SAMPLES, load_sample
from tests.support import makers, ui_results

HERE = SamplingConfig(num_paths=100)


def entry(horizon: int = 24, market: str | None = None, interval: str | None = None, **fields: object) -> dict:
    figures = {"crps_ratio": 1.02, "mae_ratio": 1.0, "walk_coverage_80": 0.8, "repaired": 0.0}
    shares = {"coverage_50": 0.41, "coverage_80": 0.75, "coverage_95": 0.93}
    return {"horizon": horizon, "market": market, "interval": interval, "windows": 40, **figures, **shares, **fields}


def document(*entries: dict, **fields: object) -> dict:
    about = {"digest": "a" * 64, "context": 400, "paths": 100, "temperature": 1.0, "top_p": 1.0}
    return {**about, "scores": list(entries or [entry()]), **fields}


def written(folder: Path, values: object) -> Path:
    text = values if isinstance(values, str) else json.dumps(values)
    (folder / SCORES_FILE).write_text(text, encoding="utf-8")
    return folder


def scores(folder: Path, *entries: dict) -> Scores:
    found = read_scores(written(folder, document(*entries)))
    assert found is not None
    return found


def asked(found: Scores, sampling: SamplingConfig = HERE, **fields: object) -> Measured:
    given = {"market": None, "interval": "1h", "context": 400, "horizon": 24, **fields}
    return measured(Found(state="measured", scores=found), sampling, **given)  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------- the file


def test_the_file_beside_the_bundled_checkpoint_is_of_its_weights() -> None:
    found = find_scores("Bundled", weights_digest("bundled"))
    assert found.state == "measured"
    assert found.scores is not None
    assert found.scores.reach_80() is not None
    for horizon in found.scores.horizons:
        assert found.scores.nearest(horizon, None, "1h") is not None


def test_any_folder_may_hold_figures_and_they_count_for_its_weights_alone(tmp_path: Path) -> None:
    folder = makers.checkpoint(tmp_path / "mine")
    digest = weights_digest(str(folder))
    assert find_scores(str(folder), digest).state == "never"
    written(folder, document(digest=digest))
    assert find_scores(str(folder), digest).state == "measured"
    assert find_scores(str(folder), "b" * 64).state == "other"
    assert find_scores(str(folder), "b" * 64).scores is None
    written(folder, "{")
    assert find_scores(str(folder), digest).state == "broken"


def test_what_comes_from_the_hub_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("kronos-small", "somebody/model", str(tmp_path / "nothing"), "~nobody_here/x", "x" * 5_000):
        assert find_scores(name, "a" * 64).state == "never"
        assert weights_digest(name) == ""


def test_a_file_that_is_written_anew_is_read_anew(tmp_path: Path) -> None:
    assert scores(tmp_path).scores[0].windows == 40
    changed = scores(tmp_path, entry(windows=400))
    os.utime(tmp_path / SCORES_FILE, ns=(1, 1))
    assert changed.scores[0].windows == read_scores(tmp_path).scores[0].windows == 400


@pytest.mark.parametrize(("values", "words"), [
    ("no json", "is not JSON"),
    ("[" * 100_000, "is not JSON"),
    ([], "must be an object"),
    ({"scores": {}}, "must be an object"),
    (document(digest="short"), "SHA-256"),
    (document(digest=None), "SHA-256"),
    (document(paths=0), "paths must be a whole number"),
    (document(context=4.5), "context must be a whole number"),
    (document(temperature="hot"), "temperature must be"),
    (document(temperature=float("nan")), "temperature must be"),
    (document(from_last_close=1), "from_last_close must be true or false"),
    (document(from_last_close=None), "from_last_close must be true or false"),
    (document(min_p=1), "min_p must be 0 to below 1"),
    (document(min_p="0.1"), "min_p must be 0 to below 1"),
    (document(min_p=-0.1), "min_p must be 0 to below 1"),
    (document(min_p=None), "min_p must be 0 to below 1"),
    (document(mirrored="no"), "mirrored must be true or false"),
    (document(entry(horizon=True)), "horizon must be a whole number"),
    (document(entry(windows=-3)), "windows must be"),
    (document(entry(coverage_80=80)), "coverage_80 must be a fraction"),
    (document(entry(crps_ratio=float("inf"))), "crps_ratio must be"),
    (document(entry(market="x" * 41)), "market must be a short text"),
    (document(entry(interval=60)), "interval must be a short text"),
    ({**document(), "scores": ["no object"]}, "must be an object; got str"),
    ({"digest": "a" * 64, "scores": []}, "lacks context"),
    ({**document(), "scores": [{"horizon": 24}]}, "lacks market"),
    ({**document(), "scores": [entry()] * 5_001}, "at most 5,000"),
    (" " * 2_000_001, "at most 2,000,000 are read"),
])  # fmt: skip
def test_a_file_that_is_not_what_it_should_be_is_refused_in_words(tmp_path: Path, values: object, words: str) -> None:
    with pytest.raises(RecordError, match=words):
        read_scores(written(tmp_path, values))


def test_fields_that_are_not_known_are_passed_over(tmp_path: Path) -> None:
    assert read_scores(written(tmp_path, document(entry(more=1), made="yesterday"))) is not None


# ---------------------------------------------------------------------------------------------- the nearest figures


def test_the_nearest_horizon_is_that_by_ratio(tmp_path: Path) -> None:
    found = scores(tmp_path, entry(24), entry(120))
    nearest = {horizon: asked(found, horizon=horizon).score.horizon for horizon in (1, 53, 54, 120, 512)}
    assert nearest == {1: 24, 53: 24, 54: 120, 120: 120, 512: 120}


def test_groups_of_too_few_windows_give_way_to_wider_ones(tmp_path: Path) -> None:
    everything, market = entry(windows=700), entry(market="fx", windows=120)
    wide, narrow = entry(market="fx", interval="1h", windows=30), entry(market="fx", interval="4h", windows=29)
    found = scores(tmp_path, everything, market, wide, narrow)

    def group(market: str | None, interval: str) -> tuple[str | None, str | None]:
        score = asked(found, market=market, interval=interval).score
        assert score is not None
        return (score.market, score.interval)

    assert group("fx", "1h") == ("fx", "1h")
    assert group("fx", "4h") == group("fx", "2h") == ("fx", None)
    assert group("crypto", "1h") == group(None, "1h") == (None, None)
    assert asked(scores(tmp_path, entry(windows=29))).state == "sparse"
    assert asked(scores(tmp_path, entry(market="fx"))).state == "sparse"


def test_the_reach_of_the_80_band_is_over_whole_markets_with_enough_windows(tmp_path: Path) -> None:
    found = scores(
        tmp_path,
        entry(coverage_80=0.1),
        entry(market="fx", coverage_80=0.7),
        entry(120, market="crypto", coverage_80=0.9),
        entry(market="index", coverage_80=0.2, windows=10),
        entry(market="fx", interval="1h", coverage_80=0.3),
    )
    assert found.reach_80() == (0.7, 0.9)
    assert scores(tmp_path, entry()).reach_80() is None


@pytest.mark.parametrize(("sampling", "names", "spread"), [
    (HERE, [], "alike"),
    (replace(HERE, top_p=None), [], "alike"),
    (replace(HERE, num_paths=70), [], "alike"),
    (replace(HERE, num_paths=1_000), [], "alike"),
    (replace(HERE, num_paths=30), ["paths"], "alike"),
    (replace(HERE, temperature=0.6, top_p=0.9), ["temperature", "top_p"], "narrower"),
    (replace(HERE, temperature=0.0), ["temperature"], "narrower"),
    (replace(HERE, top_k=5), ["top_k"], "narrower"),
    (replace(HERE, temperature=1.2), ["temperature"], "wider"),
    (replace(HERE, temperature=1.2, top_k=5), ["temperature", "top_k"], "unlike"),
    (replace(HERE, from_last_close=False), [], "alike"),
    (replace(HERE, from_last_close=True), ["from_last_close"], "unlike"),
    (replace(HERE, from_last_close=True, temperature=0.6), ["temperature", "from_last_close"], "unlike"),
    (replace(HERE, min_p=0.0), [], "alike"),
    (replace(HERE, min_p=0.01), ["min_p"], "narrower"),
    (replace(HERE, min_p=0.01, top_k=5), ["min_p", "top_k"], "narrower"),
    (replace(HERE, min_p=0.01, temperature=1.2), ["temperature", "min_p"], "unlike"),
    (replace(HERE, mirrored=True, num_paths=1), ["paths"], "alike"),
    (replace(HERE, mirrored=False), [], "alike"),
    (replace(HERE, mirrored=True), ["mirrored"], "unlike"),
    (replace(HERE, from_last_close=True, mirrored=True), ["from_last_close", "mirrored"], "unlike"),
])  # fmt: skip
def test_settings_that_were_not_measured_are_named(
    tmp_path: Path, sampling: SamplingConfig, names: list[str], spread: str
) -> None:
    told = asked(scores(tmp_path), sampling)
    assert [one.name for one in told.differences] == names
    assert told.spread == spread


def test_lengths_far_from_the_measured_ones_are_named(tmp_path: Path) -> None:
    found = scores(tmp_path)
    assert asked(found, context=300, horizon=30).differences == ()
    assert [one.name for one in asked(found, context=200, horizon=60).differences] == ["context", "horizon"]


# ---------------------------------------------------------------------------------------------- the market


@pytest.mark.parametrize(("symbol", "market"), [
    ("BTC/USDT", "crypto"), ("EURUSD", "fx"), ("XAUUSD", "commodity_cfd"), ("AAPL.US", "us_equity"),
    ("600977.SH", None), ("7203.T", None),
])  # fmt: skip
def test_a_symbol_tells_the_market(symbol: str, market: str | None) -> None:
    assert market_of(makers.candles(50, symbol=symbol)) == market


def test_bar_times_tell_the_market_where_the_symbol_does_not() -> None:
    assert market_of(makers.candles(300, symbol="mine")) == "crypto"
    markets = {sample.key: market_of(load_sample(sample.key).candles.tail(400)) for sample in SAMPLES}
    assert markets == {
        "eurusd_1h": "fx", "aapl_1d": "us_equity", "googl_1d": "us_equity", "aapl_1h": "us_equity",
        "aapl_1m": "us_equity",
    }  # fmt: skip
    odd = pd.DatetimeIndex(["2024-01-01 00:00", "2024-01-01 00:07"], tz="UTC")
    assert market_of(makers.on(makers.values(2).set_axis(odd))) in (None, "crypto")


# ---------------------------------------------------------------------------------------------- in words


def test_the_figures_are_told_with_windows_market_and_horizon(tmp_path: Path) -> None:
    found = scores(tmp_path, entry(market="crypto", interval="1h"))
    assert asked(found, market="crypto").describe() == (
        "Measured: in 40 windows of crypto at 1h, 24 steps ahead, the 50/80/95% bands held 41/75/93% of the closes; "
        "CRPS 1.02 times a random walk's."
    )
    assert "在 加密货币 1h 的 40 个窗口中" in asked(found, market="crypto").describe(CHINESE)


def test_other_settings_are_told_with_what_they_do(tmp_path: Path) -> None:
    found = scores(tmp_path, entry(market="tulips"), entry())
    timid = asked(found, replace(HERE, temperature=0.6, num_paths=20), market="tulips").describe()
    assert "windows of tulips," in timid
    assert "That was with temperature 1, 100 paths; here: temperature 0.6, 20 paths." in timid
    assert "narrower" in timid
    assert "20 in place of 100 paths" in asked(found, replace(HERE, num_paths=20)).describe()
    assert "no top-k" in asked(found, replace(HERE, top_k=5)).describe()
    assert "nobody has measured" in asked(found, context=100).describe()
    assert "all markets" in asked(found).describe()


@pytest.mark.parametrize(("file", "begin", "there", "here"), [
    ({}, True, "paths from the model's own level", "paths from the last close"),
    ({"from_last_close": False}, True, "paths from the model's own level", "paths from the last close"),
    ({"from_last_close": True}, False, "paths from the last close", "paths from the model's own level"),
])  # fmt: skip
def test_paths_that_begin_elsewhere_are_unlike_those_that_were_measured(
    tmp_path: Path, file: dict, begin: bool, there: str, here: str
) -> None:
    found = read_scores(written(tmp_path, document(entry(), **file)))
    assert found is not None
    told = asked(found, replace(HERE, from_last_close=begin))
    assert told.spread == "unlike"
    assert f"That was with {there}; here: {here}. What bands hold with these" in told.describe()
    assert "最新收盘价" in told.describe(CHINESE)
    [difference] = json.loads(json.dumps(told.document()))["differences"]
    assert difference == {"name": "from_last_close", "there": not begin, "here": begin}
    for same in (None, not begin):
        assert asked(found, replace(HERE, from_last_close=same)).differences == ()


@pytest.mark.parametrize(("file", "mirrored"), [({}, True), ({"mirrored": False}, True), ({"mirrored": True}, False)])
def test_paths_that_are_mirrored_are_unlike_those_that_are_not(tmp_path: Path, file: dict, mirrored: bool) -> None:
    found = read_scores(written(tmp_path, document(entry(), **file)))
    assert found is not None
    told = asked(found, replace(HERE, mirrored=mirrored))
    assert told.spread == "unlike"
    there, here = ("no path", "every second path") if mirrored else ("every second path", "no path")
    assert f"That was with {there} mirrored; here: {here} mirrored. What bands hold with" in told.describe()
    assert "镜像" in told.describe(CHINESE)
    [difference] = json.loads(json.dumps(told.document()))["differences"]
    assert difference == {"name": "mirrored", "there": not mirrored, "here": mirrored}
    for same in (None, not mirrored):
        assert asked(found, replace(HERE, mirrored=same)).differences == ()


@pytest.mark.parametrize(("file", "here", "spread", "words"), [
    ({}, 0.02, "narrower", "That was with no min-p; here: min-p 0.02."),
    ({"min_p": 0}, 0.004, "narrower", "That was with no min-p; here: min-p 0.004."),
    ({"min_p": 0.004}, 0.02, "narrower", "That was with min-p 0.004; here: min-p 0.02."),
    ({"min_p": 0.004}, 0.001, "wider", "That was with min-p 0.004; here: min-p 0.001."),
    ({"min_p": 0.004}, 0.0, "wider", "That was with min-p 0.004; here: no min-p."),
])  # fmt: skip
def test_a_higher_min_p_than_the_measured_one_narrows_and_a_lower_widens(
    tmp_path: Path, file: dict, here: float, spread: str, words: str
) -> None:
    found = read_scores(written(tmp_path, document(entry(), **file)))
    assert found is not None
    told = asked(found, replace(HERE, min_p=here))
    assert told.spread == spread
    assert f"{words} With these settings the bands come out {spread}" in told.describe()
    assert "min-p" in told.describe(CHINESE)
    there = file.get("min_p", 0.0)
    assert json.loads(json.dumps(told.document()))["differences"] == [{"name": "min_p", "there": there, "here": here}]
    for same in (None, there):
        assert asked(found, replace(HERE, min_p=same)).differences == ()
    wider = asked(found, replace(HERE, min_p=here, temperature=1.2 if spread == "wider" else 0.8))
    assert wider.spread == spread


@pytest.mark.parametrize("mirrored", [True, False])
def test_one_path_is_neither_mirrored_nor_unlike_mirrored_ones(tmp_path: Path, mirrored: bool) -> None:
    found = read_scores(written(tmp_path, document(entry(), mirrored=not mirrored)))
    assert found is not None
    told = asked(found, replace(HERE, mirrored=mirrored, num_paths=1))
    assert [one.name for one in told.differences] == ["paths"]
    assert "mirrored" not in told.describe()


@pytest.mark.parametrize("state", ["never", "other", "broken"])
def test_without_figures_nothing_is_promised(state: str) -> None:
    told = measured(Found(state=state), HERE, market="fx", interval="1h", context=400, horizon=24)  # type: ignore[arg-type]
    assert told.score is None
    for texts in (ENGLISH, CHINESE):
        assert not any(share in told.describe(texts) for share in ("50", "80", "95", "%"))
        assert told.describe(texts) == texts[state]


def test_both_languages_have_the_same_sentences() -> None:
    def places(text: str) -> set[tuple[str, str]]:
        return {(name, spec or "") for _, name, spec, _ in Formatter().parse(text) if name}

    assert ENGLISH.keys() == CHINESE.keys()
    assert {key for key in ENGLISH if places(ENGLISH[key]) != places(CHINESE[key])} == set()


def test_a_record_leads_to_the_figures_of_its_checkpoint_and_to_plain_values(tmp_path: Path) -> None:
    folder = makers.checkpoint(tmp_path / "mine")
    digest = weights_digest(str(folder))
    written(folder, document(entry(market="crypto"), digest=digest))
    here = ui_results.result()
    record = replace(here.record, model_name=str(folder), checkpoint_digest=digest)
    told = measured_of(here.window, record, market="crypto")
    assert told.state == "measured"
    assert [one.name for one in told.differences] == ["paths", "context", "horizon"]
    values = json.loads(json.dumps(told.document(), allow_nan=False))
    assert values["score"]["windows"] == 40
    assert values["text"] == told.describe()
    assert measured_of(here.window, here.record, market=None).state == "other"
