"""Every word that a chart shows, so that a chart can speak another language."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CHINESE", "ENGLISH", "Words"]


@dataclass(frozen=True, kw_only=True)
class Words:
    """Names of traces, lines of hover boxes, labels of axes and buttons. Braces are filled in."""

    candles: str = "Candles"
    open: str = "O"
    high: str = "H"
    low: str = "L"
    close: str = "C"
    volume: str = "Volume"
    band: str = "{coverage:.0%} of paths"
    median: str = "Median"
    path: str = "One path"
    paths: str = "{count} paths"
    truth: str = "What came"
    surprise: str = "Surprise"
    cutoff: str = "cutoff"
    now: str = "now"
    step: str = "step {step} of {horizon}"
    bucket: str = "1 bar = {count} candles"
    bundled: str = "{count} candles"
    steps: str = "Steps after the cutoff"
    error: str = "Absolute error of the median"
    wanted: str = "Wanted"
    covered: str = "Steps inside the band"
    pit: str = "Where the truth fell among the paths (0 lowest, 1 highest)"
    share: str = "Share of steps"
    by_chance: str = "What chance allows (95%)"
    model: str = "Model"
    context: str = "Context"
    temperature: str = "Temperature"
    log: str = "Logarithmic prices"
    reset: str = "Show the whole window"
    picture: str = "Save as a picture (PNG)"
    drawing: str = "Save as a drawing (SVG)"
    larger: str = "Full screen"
    failed: str = "The chart could not be loaded. Reload the page."
    months: tuple[str, ...] = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    weekdays: tuple[str, ...] = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    day: str = "{day} {month}"
    month_year: str = "{month} {year}"
    date: str = "{weekday} {day} {month} {year}"


ENGLISH = Words()
CHINESE = Words(
    candles="K线",
    open="开",
    high="高",
    low="低",
    close="收",
    volume="成交量",
    band="{coverage:.0%} 的路径",
    median="中位数",
    path="一条路径",
    paths="{count} 条路径",
    truth="实际走势",
    surprise="意外程度",
    cutoff="截止",
    now="现在",
    step="第 {step} 步，共 {horizon} 步",
    bucket="1 根 = {count} 根K线",
    bundled="{count} 根K线",
    steps="截止后的步数",
    error="中位数的绝对误差",
    wanted="应有",
    covered="落在区间内的步数",
    pit="实际值在路径中的位置（0 最低，1 最高）",
    share="步数占比",
    by_chance="随机波动范围（95%）",
    model="模型",
    context="上下文",
    temperature="温度",
    log="对数价格",
    reset="显示整个窗口",
    picture="保存为图片（PNG）",
    drawing="保存为矢量图（SVG）",
    larger="全屏",
    failed="图表加载失败，请刷新页面。",
    months=tuple(f"{number}月" for number in range(1, 13)),
    weekdays=("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    day="{month}{day}日",
    month_year="{year}年{month}",
    date="{year}年{month}{day}日 {weekday}",
)
