import numpy as np
import pytest

from kronos_dashboard.evaluation.metrics import (
    average_true_range,
    band_coverages,
    compare_forecasts,
    crps,
    crps_skill,
    hit_rate,
    interval_coverage,
    interval_width,
    mae,
    mase,
    opening_gap,
    pinball,
    pit,
    rmse,
    score,
    skill,
    step_errors,
    step_table,
    winkler,
)

GENERATOR = np.random.default_rng(0)


@pytest.mark.parametrize("paths", [2, 3, 30])
def test_crps_is_its_plain_twin(paths: int) -> None:
    sample, truth = GENERATOR.normal(size=(paths, 7)), GENERATOR.normal(size=7)
    twin = [
        np.mean([abs(x - y) for x in column])
        - sum(abs(a - b) for a in column for b in column) / (2 * paths * (paths - 1))
        for column, y in zip(sample.T, truth, strict=True)
    ]
    assert crps(sample, truth) == pytest.approx(twin)


def test_crps_of_one_path_is_its_absolute_error() -> None:
    assert crps(np.array([[1.0, 5.0]]), np.array([3.0, 4.0])) == pytest.approx([2.0, 1.0])


def test_crps_of_a_large_normal_sample_is_the_known_value() -> None:
    sample = GENERATOR.normal(size=(200_000, 1))
    assert crps(sample, np.zeros(1))[0] == pytest.approx((np.sqrt(2) - 1) / np.sqrt(np.pi), rel=0.01)


def test_coverage_counts_the_edges_and_width_is_a_mean() -> None:
    lower, upper = np.zeros(4), np.array([1.0, 1.0, 2.0, 2.0])
    assert interval_coverage(lower, upper, np.array([0.0, 1.0, 2.1, -0.1])) == 0.5
    assert interval_width(lower, upper) == 1.5


def test_a_score_scales_with_the_prices() -> None:
    sample, truth = GENERATOR.normal(100, 1, size=(50, 9)), GENERATOR.normal(100, 1, size=9)
    one, ten = score(sample, truth, 0.9), score(sample * 10, truth * 10, 0.9)
    assert (ten.crps, ten.width, ten.median_error) == pytest.approx(
        (one.crps * 10, one.width * 10, one.median_error * 10)
    )
    assert (ten.coverage, ten.nominal_coverage) == (one.coverage, 0.9)


# ------------------------------------------------------------------------------------------------------- plain twins

POINT, TRUTH = GENERATOR.normal(100, 2, 11), GENERATOR.normal(100, 2, 11)
SAMPLE = GENERATOR.normal(100, 2, (40, 11))


def test_errors_of_a_point_forecast_are_their_plain_twins() -> None:
    errors = [p - t for p, t in zip(POINT, TRUTH, strict=True)]
    assert step_errors(POINT, TRUTH) == pytest.approx(errors)
    assert mae(POINT, TRUTH) == pytest.approx(sum(abs(e) for e in errors) / 11)
    assert rmse(POINT, TRUTH) == pytest.approx((sum(e * e for e in errors) / 11) ** 0.5)


def test_mase_is_1_for_tomorrow_as_today_on_moves_as_before() -> None:
    context = np.array([10.0, 12.0, 9.0, 13.0])  # moves 2, 3, 4
    assert mase(np.array([13.0]), np.array([16.0]), context) == pytest.approx(1.0)
    assert mase(POINT, TRUTH, context) == pytest.approx(mae(POINT, TRUTH) / 3)


@pytest.mark.parametrize("context", [[5.0, 5.0, 5.0], [5.0]])
def test_mase_has_no_scale_where_nothing_moved(context: list[float]) -> None:
    assert np.isnan(mase(POINT, TRUTH, np.array(context)))


def test_pinball_is_its_plain_twin() -> None:
    levels = (0.1, 0.5, 0.8)
    quantiles = np.quantile(SAMPLE, levels, axis=0)
    twin = [
        [level * (y - q) if y >= q else (1 - level) * (q - y) for q, y in zip(row, TRUTH, strict=True)]
        for level, row in zip(levels, quantiles, strict=True)
    ]
    assert pinball(quantiles, TRUTH, levels) == pytest.approx(np.array(twin))


def test_the_mean_pinball_loss_over_all_levels_is_half_the_crps() -> None:
    levels = (np.arange(2_000) + 0.5) / 2_000
    sample = GENERATOR.normal(100, 2, (4_000, 1))
    loss = pinball(np.quantile(sample, levels, axis=0), np.array([101.0]), list(levels))
    assert 2 * loss.mean() == pytest.approx(crps(sample, np.array([101.0]))[0], rel=0.01)


def test_coverage_of_several_bands_is_that_of_each() -> None:
    levels = (0.5, 0.9)
    bands = [np.quantile(SAMPLE, ((1 - level) / 2, (1 + level) / 2), axis=0) for level in levels]
    assert list(band_coverages(SAMPLE, TRUTH, levels)) == [interval_coverage(*band, TRUTH) for band in bands]


def test_wider_bands_cover_no_less() -> None:
    found = band_coverages(SAMPLE, TRUTH, (0.1, 0.5, 0.8, 0.99))
    assert (np.diff(found) >= 0).all()


def test_winkler_is_its_plain_twin() -> None:
    lower, upper = np.array([1.0, 1.0, 1.0]), np.array([3.0, 3.0, 3.0])
    assert winkler(lower, upper, np.array([2.0, 0.5, 3.25]), 0.9) == pytest.approx([2, 2 + 20 * 0.5, 2 + 20 * 0.25])


def test_winkler_is_best_for_the_true_quantiles() -> None:
    truth = GENERATOR.normal(size=200_000)
    scores = [winkler(np.full_like(truth, -z), np.full_like(truth, z), truth, 0.9).mean() for z in (1.2, 1.645, 2.2)]
    assert scores.index(min(scores)) == 1


def test_pit_counts_the_paths_below_and_half_of_those_that_tie() -> None:
    paths = np.array([[1.0, 1.0], [2.0, 2.0], [2.0, 3.0], [5.0, 4.0]])
    assert list(pit(paths, np.array([2.0, 0.0]))) == [0.5, 0.0]


def test_pit_is_uniform_where_the_paths_are_calibrated() -> None:
    found = pit(GENERATOR.normal(size=(500, 4_000)), GENERATOR.normal(size=4_000))
    counts, _ = np.histogram(found, bins=10, range=(0, 1))
    assert abs(counts / 4_000 - 0.1).max() < 0.02


def test_direction_counts_sides_of_the_last_close_and_leaves_out_a_truth_that_did_not_move() -> None:
    truth = np.array([101.0, 99.0, 100.0, 102.0, 98.0])
    point = np.array([100.5, 101.0, 101.0, 100.0, 90.0])
    assert hit_rate(point, truth, 100.0) == 0.5
    assert np.isnan(hit_rate(point, np.full(5, 100.0), 100.0))


def test_skill_is_nought_beside_itself_and_one_for_the_truth() -> None:
    assert crps_skill(SAMPLE, SAMPLE, TRUTH) == pytest.approx(0.0)
    assert crps_skill(TRUTH[None], SAMPLE, TRUTH) == pytest.approx(1.0)
    assert skill(3.0, 2.0) == pytest.approx(-0.5)
    assert np.isnan(skill(1.0, 0.0))


def test_the_true_range_takes_in_the_close_before() -> None:
    candles = np.array([[10, 11, 9, 10], [12, 13, 12, 12.5], [9, 10, 8, 9]], dtype=float)
    assert average_true_range(candles) == pytest.approx((2 + 3 + 4.5) / 3)
    assert average_true_range(candles, 1) == pytest.approx(4.5)


def test_the_opening_gap_is_told_in_true_ranges() -> None:
    assert list(opening_gap(np.array([101.0, 98.0]), 100.0, 2.0)) == [0.5, -1.0]
    assert np.isnan(opening_gap(np.array([101.0]), 100.0, 0.0)).all()


# -------------------------------------------------------------------------------------------------------- comparison

CONTEXT = np.column_stack([GENERATOR.normal(100, 1, (60, 4)), np.ones((60, 2))])
FORECASTS = {"model": GENERATOR.normal(100, 1, (30, 11, 6)), "walk": GENERATOR.normal(100, 4, (50, 11, 6))}


def test_a_comparison_holds_every_measure_of_every_forecast() -> None:
    table = compare_forecasts(FORECASTS, TRUTH, CONTEXT, baseline="walk", coverages=(0.5, 0.9))
    assert list(table.columns) == ["model", "walk"]
    closes = FORECASTS["model"][..., 3]
    point, band = np.median(closes, axis=0), np.quantile(closes, (0.05, 0.95), axis=0)
    gap = (np.median(FORECASTS["model"][:, 0, 0]) - CONTEXT[-1, 3]) / average_true_range(CONTEXT)
    edges = (0.05, 0.25, 0.5, 0.75, 0.95)
    wanted = {
        "crps": crps(closes, TRUTH).mean(),
        "crps_skill": 1 - crps(closes, TRUTH).mean() / crps(FORECASTS["walk"][..., 3], TRUTH).mean(),
        "mae": mae(point, TRUTH),
        "rmse": rmse(point, TRUTH),
        "mase": mase(point, TRUTH, CONTEXT[:, 3]),
        "hit_rate": hit_rate(point, TRUTH, CONTEXT[-1, 3]),
        "pinball": pinball(np.quantile(closes, edges, axis=0), TRUTH, edges).mean(),
        "pit": pit(closes, TRUTH).mean(),
        "first_gap_atr": gap,
        "coverage_90": interval_coverage(*band, TRUTH),
        "width_90": interval_width(*band),
        "winkler_90": winkler(*band, TRUTH, 0.9).mean(),
    }
    assert {name: table.loc[name, "model"] for name in wanted} == pytest.approx(wanted)
    assert table.loc["crps_skill", "walk"] == pytest.approx(0)
    assert len(table) == len(wanted) + 3  # and the three of the other level


def test_a_comparison_in_other_units_changes_errors_alone() -> None:
    scaled = {name: paths * 8 for name, paths in FORECASTS.items()}
    one = compare_forecasts(FORECASTS, TRUTH, CONTEXT, baseline="walk")
    other = compare_forecasts(scaled, TRUTH * 8, CONTEXT * 8, baseline="walk")
    priced = [n for n in one.index if n in ("crps", "mae", "rmse", "pinball") or n.startswith(("width", "winkler"))]
    np.testing.assert_allclose(other.loc[priced], one.loc[priced] * 8)
    np.testing.assert_allclose(other.drop(priced), one.drop(priced))


def test_a_price_that_stands_still_is_covered_although_paths_are_rounded() -> None:
    """0.1 as float32 is not 0.1."""
    paths, truth, context = np.full((5, 11, 6), 0.1, dtype=np.float32), np.full(11, 0.1), np.full((9, 6), 0.1)
    truth[0] = 0.2
    table = compare_forecasts({"flat": paths}, truth, context, baseline="flat", coverages=(0.9,))["flat"]
    assert table["coverage_90"] == pytest.approx(10 / 11)
    assert list(band_coverages(paths[..., 3], truth, (0.9,))) == [pytest.approx(10 / 11)]
    assert score(paths[..., 3], truth, 0.9).coverage == pytest.approx(10 / 11)
    assert list(pit(paths[..., 3], truth)) == [1.0] + [0.5] * 10
    assert table["hit_rate"] == 0.0  # of the one step that moved


def test_the_table_of_steps_averages_to_the_score() -> None:
    table, whole = step_table(SAMPLE, TRUTH, coverage=0.8), score(SAMPLE, TRUTH, 0.8)
    assert list(table.index) == list(range(1, 12))
    assert table["crps"].mean() == pytest.approx(whole.crps)
    assert table["inside"].mean() == pytest.approx(whole.coverage)
    assert (table["upper"] - table["lower"]).mean() == pytest.approx(whole.width)
    assert table["error"].abs().mean() == pytest.approx(whole.median_error)
    np.testing.assert_allclose(table["error"], table["median"] - TRUTH)
    np.testing.assert_allclose(table["pit"], pit(SAMPLE, TRUTH))
    assert (table["winkler"] >= table["upper"] - table["lower"]).all()
