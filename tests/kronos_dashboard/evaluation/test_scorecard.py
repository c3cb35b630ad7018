"""Measured figures beside a checkpoint: read strictly, found by nearness, and told in words that promise nothing."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from engine import SamplingConfig
from kronos_dashboard.errors import RecordError
from kronos_dashboard.evaluation.coverage_note import (
    CoverageNote,
    build_coverage_note,
    build_coverage_note_for_record,
    detect_market,
)
from kronos_dashboard.evaluation.scorecard import (
    OLD_NAMES,
    SCORECARD_FILE,
    Scorecard,
    ScorecardLookup,
    find_scorecard,
    find_weights_sha256,
    read_scorecard,
    scorecard_schema,
)
from kronos_dashboard.markets.samples import SAMPLES, load_sample
from kronos_dashboard.messages import load_catalog, translate
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
    (folder / SCORECARD_FILE).write_text(text, encoding="utf-8")
    return folder


def scores(folder: Path, *entries: dict) -> Scorecard:
    found = read_scorecard(written(folder, document(*entries)))
    assert found is not None
    return found


def asked(found: Scorecard, sampling: SamplingConfig = HERE, **fields: object) -> CoverageNote:
    given = {"market": None, "interval": "1h", "context": 400, "horizon": 24, **fields}
    return build_coverage_note(ScorecardLookup(state="measured", scorecard=found), sampling, **given)  # type: ignore[arg-type]


def in_chinese(note: CoverageNote) -> str:
    return translate(note.describe(), load_catalog("zh-Hans"))


# ---------------------------------------------------------------------------------------------- the file


def test_the_file_beside_the_bundled_checkpoint_is_of_its_weights() -> None:
    found = find_scorecard("Bundled", find_weights_sha256("bundled"))
    assert found.state == "measured"
    assert found.scorecard is not None
    assert found.scorecard.coverage_80_range() is not None
    for horizon in found.scorecard.horizons:
        assert found.scorecard.nearest(horizon, None, "1h") is not None


def test_any_folder_may_hold_figures_and_they_count_for_its_weights_alone(tmp_path: Path) -> None:
    folder = makers.checkpoint(tmp_path / "mine")
    digest = find_weights_sha256(str(folder))
    assert find_scorecard(str(folder), digest).state == "missing"
    written(folder, document(digest=digest))
    assert find_scorecard(str(folder), digest).state == "measured"
    assert find_scorecard(str(folder), "b" * 64).state == "stale"
    assert find_scorecard(str(folder), "b" * 64).scorecard is None
    written(folder, "{")
    assert find_scorecard(str(folder), digest).state == "unreadable"


def test_what_comes_from_the_hub_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("kronos-small", "somebody/model", str(tmp_path / "nothing"), "~nobody_here/x", "x" * 5_000):
        assert find_scorecard(name, "a" * 64).state == "missing"
        assert find_weights_sha256(name) == ""


def test_a_file_that_is_written_anew_is_read_anew(tmp_path: Path) -> None:
    assert scores(tmp_path).groups[0].windows == 40
    changed = scores(tmp_path, entry(windows=400))
    os.utime(tmp_path / SCORECARD_FILE, ns=(1, 1))
    assert changed.groups[0].windows == read_scorecard(tmp_path).groups[0].windows == 400


@pytest.mark.parametrize(("values", "words"), [
    ("no json", "is not valid JSON"),
    ("[" * 100_000, "is not valid JSON"),
    ([], "must be an object"),
    ({"scores": {}}, "must be an object"),
    (document(digest="short"), "SHA-256"),
    (document(digest=None), "SHA-256"),
    (document(paths=0), "paths must be a whole number"),
    (document(context=4.5), "context must be a whole number"),
    (document(temperature="hot"), "temperature must be"),
    (document(temperature=float("nan")), "temperature must be"),
    (document(from_last_close=1), "anchor_to_last_close must be true or false"),
    (document(from_last_close=None), "anchor_to_last_close must be true or false"),
    (document(min_p=1), "min_p must be at least 0 and below 1"),
    (document(min_p="0.1"), "min_p must be at least 0 and below 1"),
    (document(min_p=-0.1), "min_p must be at least 0 and below 1"),
    (document(min_p=None), "min_p must be at least 0 and below 1"),
    (document(mirrored="no"), "mirror_paths must be true or false"),
    (document(entry(horizon=True)), "horizon must be a whole number"),
    (document(entry(windows=-3)), "windows must be"),
    (document(entry(coverage_80=80)), "coverage_80 must be a fraction"),
    (document(entry(crps_ratio=float("inf"))), "crps_ratio must be"),
    (document(entry(market="x" * 41)), "market must be a short text"),
    (document(entry(interval=60)), "interval must be a short text"),
    ({**document(), "scores": ["no object"]}, "must be an object; got str"),
    ({"digest": "a" * 64, "scores": []}, "has no context"),
    ({**document(), "scores": [{"horizon": 24}]}, "has no market"),
    ({**document(), "scores": [entry()] * 5_001}, "at most 5,000"),
    (" " * 2_000_001, "the limit is 2,000,000"),
])  # fmt: skip
def test_a_file_that_is_not_what_it_should_be_is_refused_in_words(tmp_path: Path, values: object, words: str) -> None:
    with pytest.raises(RecordError, match=words):
        read_scorecard(written(tmp_path, values))


def test_fields_that_are_not_known_are_passed_over(tmp_path: Path) -> None:
    assert read_scorecard(written(tmp_path, document(entry(more=1), made="yesterday"))) is not None


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
    assert asked(scores(tmp_path, entry(windows=29))).state == "too_few_windows"
    assert asked(scores(tmp_path, entry(market="fx"))).state == "too_few_windows"


def test_the_reach_of_the_80_band_is_over_whole_markets_with_enough_windows(tmp_path: Path) -> None:
    found = scores(
        tmp_path,
        entry(coverage_80=0.1),
        entry(market="fx", coverage_80=0.7),
        entry(120, market="crypto", coverage_80=0.9),
        entry(market="index", coverage_80=0.2, windows=10),
        entry(market="fx", interval="1h", coverage_80=0.3),
    )
    assert found.coverage_80_range() == (0.7, 0.9)
    assert scores(tmp_path, entry()).coverage_80_range() is None


@pytest.mark.parametrize(("sampling", "names", "spread"), [
    (HERE, [], "similar"),
    (replace(HERE, top_p=None), [], "similar"),
    (replace(HERE, num_paths=70), [], "similar"),
    (replace(HERE, num_paths=1_000), [], "similar"),
    (replace(HERE, num_paths=30), ["paths"], "similar"),
    (replace(HERE, temperature=0.6, top_p=0.9), ["temperature", "top_p"], "narrower"),
    (replace(HERE, temperature=0.0), ["temperature"], "narrower"),
    (replace(HERE, top_k=5), ["top_k"], "narrower"),
    (replace(HERE, temperature=1.2), ["temperature"], "wider"),
    (replace(HERE, temperature=1.2, top_k=5), ["temperature", "top_k"], "unknown"),
    (replace(HERE, anchor_to_last_close=False), [], "similar"),
    (replace(HERE, anchor_to_last_close=True), ["anchor_to_last_close"], "unknown"),
    (replace(HERE, anchor_to_last_close=True, temperature=0.6), ["temperature", "anchor_to_last_close"], "unknown"),
    (replace(HERE, min_p=0.0), [], "similar"),
    (replace(HERE, min_p=0.01), ["min_p"], "narrower"),
    (replace(HERE, min_p=0.01, top_k=5), ["min_p", "top_k"], "narrower"),
    (replace(HERE, min_p=0.01, temperature=1.2), ["temperature", "min_p"], "unknown"),
    (replace(HERE, mirror_paths=True, num_paths=1), ["paths"], "similar"),
    (replace(HERE, mirror_paths=False), [], "similar"),
    (replace(HERE, mirror_paths=True), ["mirror_paths"], "unknown"),
    (replace(HERE, anchor_to_last_close=True, mirror_paths=True), ["anchor_to_last_close", "mirror_paths"], "unknown"),
])  # fmt: skip
def test_settings_that_were_not_measured_are_named(
    tmp_path: Path, sampling: SamplingConfig, names: list[str], spread: str
) -> None:
    told = asked(scores(tmp_path), sampling)
    assert [one.name for one in told.differences] == names
    assert told.width_effect == spread


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
    assert detect_market(makers.candles(50, symbol=symbol)) == market


def test_bar_times_tell_the_market_where_the_symbol_does_not() -> None:
    assert detect_market(makers.candles(300, symbol="mine")) == "crypto"
    markets = {sample.key: detect_market(load_sample(sample.key).candles.tail(400)) for sample in SAMPLES}
    assert markets == {
        "eurusd_1h": "fx", "aapl_1d": "us_equity", "googl_1d": "us_equity", "aapl_1h": "us_equity",
        "aapl_1m": "us_equity",
    }  # fmt: skip
    odd = pd.DatetimeIndex(["2024-01-01 00:00", "2024-01-01 00:07"], tz="UTC")
    assert detect_market(makers.on(makers.values(2).set_axis(odd))) in (None, "crypto")


# ---------------------------------------------------------------------------------------------- in words


def test_the_figures_are_told_with_windows_market_and_horizon(tmp_path: Path) -> None:
    found = scores(tmp_path, entry(market="crypto", interval="1h"))
    assert asked(found, market="crypto").describe() == (
        "Measured in 40 windows of crypto at 1h, 24 bars ahead: the 50/80/95% bands covered 41/75/93% of closes; "
        "CRPS ratio vs. random walk: 1.02."
    )
    assert "实测（加密货币 1h，40 个窗口，24 根）" in in_chinese(asked(found, market="crypto"))


def test_other_settings_are_told_with_what_they_do(tmp_path: Path) -> None:
    found = scores(tmp_path, entry(market="tulips"), entry())
    timid = asked(found, replace(HERE, temperature=0.6, num_paths=20), market="tulips").describe()
    assert "windows of tulips," in timid
    assert "Measured with temperature 1, 100 paths; this forecast uses temperature 0.6, 20 paths." in timid
    assert "narrower" in timid
    assert "Measured with 100 paths; with 20" in asked(found, replace(HERE, num_paths=20)).describe()
    assert "no top-k" in asked(found, replace(HERE, top_k=5)).describe()
    assert "coverage of the bands is unknown" in asked(found, context=100).describe()
    assert "all markets" in asked(found).describe()


@pytest.mark.parametrize(("file", "begin", "there", "here"), [
    ({}, True, "paths starting at the decoded level", "paths starting at the last close"),
    ({"from_last_close": False}, True, "paths starting at the decoded level", "paths starting at the last close"),
    ({"from_last_close": True}, False, "paths starting at the last close", "paths starting at the decoded level"),
])  # fmt: skip
def test_paths_that_begin_elsewhere_are_unlike_those_that_were_measured(
    tmp_path: Path, file: dict, begin: bool, there: str, here: str
) -> None:
    found = read_scorecard(written(tmp_path, document(entry(), **file)))
    assert found is not None
    told = asked(found, replace(HERE, anchor_to_last_close=begin))
    assert told.width_effect == "unknown"
    assert f"Measured with {there}; this forecast uses {here}. With these settings the coverage" in told.describe()
    assert "最新收盘价" in in_chinese(told)
    [difference] = json.loads(json.dumps(told.to_dict()))["differences"]
    assert difference == {"name": "anchor_to_last_close", "measured": not begin, "current": begin}
    for same in (None, not begin):
        assert asked(found, replace(HERE, anchor_to_last_close=same)).differences == ()


@pytest.mark.parametrize(("file", "mirrored"), [({}, True), ({"mirrored": False}, True), ({"mirrored": True}, False)])
def test_paths_that_are_mirrored_are_unlike_those_that_are_not(tmp_path: Path, file: dict, mirrored: bool) -> None:
    found = read_scorecard(written(tmp_path, document(entry(), **file)))
    assert found is not None
    told = asked(found, replace(HERE, mirror_paths=mirrored))
    assert told.width_effect == "unknown"
    there, here = ("no antithetic pairs", "antithetic pairs")
    there, here = (there, here) if mirrored else (here, there)
    assert f"Measured with {there}; this forecast uses {here}. With these settings the coverage" in told.describe()
    assert "对偶" in in_chinese(told)
    [difference] = json.loads(json.dumps(told.to_dict()))["differences"]
    assert difference == {"name": "mirror_paths", "measured": not mirrored, "current": mirrored}
    for same in (None, not mirrored):
        assert asked(found, replace(HERE, mirror_paths=same)).differences == ()


@pytest.mark.parametrize(("file", "here", "spread", "words"), [
    ({}, 0.02, "narrower", "Measured with no min-p; this forecast uses min-p 0.02."),
    ({"min_p": 0}, 0.004, "narrower", "Measured with no min-p; this forecast uses min-p 0.004."),
    ({"min_p": 0.004}, 0.02, "narrower", "Measured with min-p 0.004; this forecast uses min-p 0.02."),
    ({"min_p": 0.004}, 0.001, "wider", "Measured with min-p 0.004; this forecast uses min-p 0.001."),
    ({"min_p": 0.004}, 0.0, "wider", "Measured with min-p 0.004; this forecast uses no min-p."),
])  # fmt: skip
def test_a_higher_min_p_than_the_measured_one_narrows_and_a_lower_widens(
    tmp_path: Path, file: dict, here: float, spread: str, words: str
) -> None:
    found = read_scorecard(written(tmp_path, document(entry(), **file)))
    assert found is not None
    told = asked(found, replace(HERE, min_p=here))
    assert told.width_effect == spread
    assert f"{words} With these settings the bands are {spread}" in told.describe()
    assert "min-p" in in_chinese(told)
    there = file.get("min_p", 0.0)
    assert json.loads(json.dumps(told.to_dict()))["differences"] == [
        {"name": "min_p", "measured": there, "current": here}
    ]
    for same in (None, there):
        assert asked(found, replace(HERE, min_p=same)).differences == ()
    wider = asked(found, replace(HERE, min_p=here, temperature=1.2 if spread == "wider" else 0.8))
    assert wider.width_effect == spread


@pytest.mark.parametrize("mirrored", [True, False])
def test_one_path_is_neither_mirrored_nor_unlike_mirrored_ones(tmp_path: Path, mirrored: bool) -> None:
    found = read_scorecard(written(tmp_path, document(entry(), mirrored=not mirrored)))
    assert found is not None
    told = asked(found, replace(HERE, mirror_paths=mirrored, num_paths=1))
    assert [one.name for one in told.differences] == ["paths"]
    assert "mirrored" not in told.describe()


@pytest.mark.parametrize("state", ["missing", "stale", "unreadable"])
def test_without_figures_nothing_is_promised(state: str) -> None:
    told = build_coverage_note(ScorecardLookup(state=state), HERE, market="fx", interval="1h", context=400, horizon=24)  # type: ignore[arg-type]
    assert told.score is None
    for text in (str(told.describe()), in_chinese(told)):
        assert text
        assert not any(fraction in text for fraction in ("50", "80", "95", "%"))


def test_a_record_leads_to_the_figures_of_its_checkpoint_and_to_plain_values(tmp_path: Path) -> None:
    folder = makers.checkpoint(tmp_path / "mine")
    digest = find_weights_sha256(str(folder))
    written(folder, document(entry(market="crypto"), digest=digest))
    here = ui_results.result()
    record = replace(here.record, model_name=str(folder), weights_sha256=digest)
    told = build_coverage_note_for_record(here.window, record, market="crypto")
    assert told.state == "measured"
    assert [one.name for one in told.differences] == ["paths", "context", "horizon"]
    values = json.loads(json.dumps(told.to_dict(), allow_nan=False))
    assert values["score"]["windows"] == 40
    assert values["text"] == told.describe()
    assert build_coverage_note_for_record(here.window, here.record, market=None).state == "stale"


# ---------------------------------------------------------------------------------------------- formats


def test_both_file_names_and_both_spellings_are_read_and_the_current_ones_first(tmp_path: Path) -> None:
    old = document(entry(windows=100), from_last_close=True, mirrored=True)
    (tmp_path / "scores.json").write_text(json.dumps(old))
    expected = read_scorecard(tmp_path)
    assert expected is not None
    assert (expected.anchor_to_last_close, expected.mirror_paths, expected.groups[0].windows) == (True, True, 100)
    current = {OLD_NAMES.get(name, name): value for name, value in old.items()}
    current["groups"] = [{OLD_NAMES.get(name, name): value for name, value in entry(windows=100).items()}]
    written(tmp_path, current)
    assert read_scorecard(tmp_path) == expected
    written(tmp_path, {**current, "groups": []})
    assert read_scorecard(tmp_path).groups == ()


def test_a_json_schema_describes_the_fields() -> None:
    schema = scorecard_schema()
    assert schema["properties"]["weights_sha256"]["minLength"] == 64
    assert schema["$defs"]["GroupScore"]["properties"]["coverage_80"]["maximum"] == 1
