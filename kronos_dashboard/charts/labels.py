"""All texts of a chart, as one translatable value."""

from __future__ import annotations

from dataclasses import dataclass, fields
from gettext import NullTranslations
from typing import Any

from kronos_dashboard.messages import msg, translate

__all__ = ["ENGLISH", "ChartLabels"]


@dataclass(frozen=True, kw_only=True)
class ChartLabels:
    """Names of traces, lines of hover boxes, titles of axes, tooltips of buttons; templates have named fields."""

    candles: str = msg("Candles")
    open: str = msg("O")
    high: str = msg("H")
    low: str = msg("L")
    close: str = msg("C")
    volume: str = msg("Volume")
    band: str = msg("{coverage:.0%} of paths")
    median: str = msg("Median")
    path: str = msg("One path")
    paths: str = msg("{count} paths")
    actuals: str = msg("Actual")
    surprisal: str = msg("Surprisal")
    cutoff: str = msg("cutoff")
    now: str = msg("last candle")
    step: str = msg("step {step} of {horizon}")
    bucket_size: str = msg("Each bar shows {count} candles")
    num_candles: str = msg("{count} candles")
    steps_after_cutoff: str = msg("Steps after the cutoff")
    absolute_error: str = msg("Absolute error of the median")
    nominal: str = msg("Nominal")
    coverage: str = msg("Coverage")
    pit: str = msg("PIT: rank of the actual among the paths (0 lowest, 1 highest)")
    fraction_of_steps: str = msg("Fraction of steps")
    sampling_range: str = msg("95% sampling range")
    model: str = msg("Model")
    context: str = msg("Context")
    temperature: str = msg("Temperature")
    log_scale: str = msg("Log scale")
    reset_view: str = msg("Reset zoom")
    save_png: str = msg("Download PNG")
    save_svg: str = msg("Download SVG")
    full_screen: str = msg("Full screen")
    load_error: str = msg("The chart could not be loaded. Reload the page.")
    months: tuple[str, ...] = (
        msg("Jan"),
        msg("Feb"),
        msg("Mar"),
        msg("Apr"),
        msg("May"),
        msg("Jun"),
        msg("Jul"),
        msg("Aug"),
        msg("Sep"),
        msg("Oct"),
        msg("Nov"),
        msg("Dec"),
    )
    weekdays: tuple[str, ...] = (msg("Mon"), msg("Tue"), msg("Wed"), msg("Thu"), msg("Fri"), msg("Sat"), msg("Sun"))
    day: str = msg("{day} {month}")
    month_year: str = msg("{month} {year}")
    date: str = msg("{weekday} {day} {month} {year}")

    def translated(self, catalog: NullTranslations) -> ChartLabels:
        """The same labels in the language of a catalog."""
        translated: dict[str, Any] = {}
        for field in fields(self):
            label = getattr(self, field.name)
            if isinstance(label, tuple):
                translated[field.name] = tuple(translate(item, catalog) for item in label)
            else:
                translated[field.name] = translate(label, catalog)
        return ChartLabels(**translated)


ENGLISH = ChartLabels()
