"""Convert dates with words into digits: months, weekdays and AM/PM in several languages."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

__all__ = ["ZONE_OFFSETS", "has_words", "words_to_digits"]

_MONTHS: tuple[str, ...] = (
    "january jan januar jän jänner janvier janv enero ene janeiro gennaio gen января янв январь januari styczeń sty",
    "february feb februar februari février févr fév febrero fevereiro fev febbraio февраля фев февраль luty lut şubat",
    "march mar märz mär mrz maart mars marzo março марта мар март marzec mart",
    "april apr avril avr abril abr aprile апреля апр апрель kwiecień kwi nisan nis",
    "may mai mei mayo maio mag maggio мая май maj mayıs",
    "june jun juni juin junio junho jun. giugno giu июня июн июнь czerwiec cze haziran haz",
    "july jul juli juillet juil julio julho luglio lug июля июл июль lipiec lip temmuz tem",
    "august aug août aou agosto ago августа авг август augustus sierpień sie ağustos ağu",
    "september sep sept septembre septiembre setembro set settembre сентября сен сент сентябрь wrzesień wrz eylül eyl",
    "october oct oktober okt octobre octubre outubro out ottobre ott октября окт октябрь październik paź ekim eki",
    "november nov novembre noviembre novembro ноября ноя нояб ноябрь listopad lis kasım kas",
    "december dec dezember dez décembre déc diciembre dic dezembro dicembre декабря дек декабрь grudzień gru aralık",
)
"""Names and abbreviations of the months, January first."""
_WEEKDAYS = [
    "monday",
    "mon",
    "montag",
    "mo",
    "lunes",
    "lun",
    "lundi",
    "segunda",
    "seg",
    "lunedì",
    "понедельник",
    "пн",
    "tuesday",
    "tue",
    "tues",
    "dienstag",
    "di",
    "martes",
    "mardi",
    "terça",
    "ter",
    "martedì",
    "вторник",
    "вт",
    "wednesday",
    "wed",
    "mittwoch",
    "mi",
    "miércoles",
    "mié",
    "mercredi",
    "mer",
    "quarta",
    "qua",
    "среда",
    "ср",
    "thursday",
    "thu",
    "thur",
    "thurs",
    "donnerstag",
    "do",
    "jueves",
    "jue",
    "jeudi",
    "jeu",
    "quinta",
    "qui",
    "четверг",
    "чт",
    "friday",
    "fri",
    "freitag",
    "fr",
    "viernes",
    "vie",
    "vendredi",
    "ven",
    "sexta",
    "sex",
    "пятница",
    "пт",
    "saturday",
    "sat",
    "samstag",
    "sa",
    "sábado",
    "sáb",
    "samedi",
    "sam",
    "суббота",
    "сб",
    "sunday",
    "sun",
    "sonntag",
    "so",
    "domingo",
    "dom",
    "dimanche",
    "dim",
    "воскресенье",
    "вс",
]
"""Names and abbreviations of weekdays; they carry no information beside a date and are dropped."""
_MONTH_NUMBERS = {word.rstrip("."): number for number, words in enumerate(_MONTHS, 1) for word in words.split()}
_WEEKDAY_NAMES = frozenset(_WEEKDAYS) - frozenset(_MONTH_NUMBERS)
_CJK_WEEKDAYS = re.compile(
    r"[,，]\s*[一二三四五六日]$|(?:星期|周|週|礼拜)[一二三四五六日天]|[(（][月火水木金土日월화수목금토일][)）]|[月火水木金土日]曜日?|[월화수목금토일]요일"
)
_AM_PM_WORDS = (
    ("上午", "am"),
    ("午前", "am"),
    ("오전", "am"),
    ("下午", "pm"),
    ("午後", "pm"),
    ("오후", "pm"),
    ("中午", "pm"),
)
"""Chinese, Japanese and Korean words for AM and PM."""
_PUNCTUATED_AM_PM = re.compile(r"\b([ap])\.\s?m\.?", re.IGNORECASE)
_WEEK = re.compile(r"^\s*(\d{4})[- ]?W(?:eek)?\s?(\d{1,2})(?:-?([1-7]))?\s*$", re.IGNORECASE)
_QUARTER = re.compile(r"^\s*(?:(\d{4})\s?[-/]?\s?Q([1-4])|Q([1-4])\s?[-/]?\s?(\d{4}))\s*$", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+\.?")

ZONE_OFFSETS = {
    "z": 0, "utc": 0, "gmt": 0, "ut": 0, "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360,
    "pst": -480, "pdt": -420, "cet": 60, "cest": 120, "mez": 60, "mesz": 120, "bst": 60, "eet": 120, "eest": 180,
    "msk": 180, "ist": 330, "hkt": 480, "sgt": 480, "jst": 540, "kst": 540, "aest": 600, "aedt": 660, "wet": 0,
    "west": 60,
}  # fmt: skip
"""Abbreviation of a timezone -> minutes east of UTC."""


def has_words(text: str) -> bool:
    """Whether the text contains letters other than T, Z, AM and PM."""
    return bool(re.search(r"[^\W\d_]", re.sub(r"(?i)\b[ap]m\b|(?<=\d)[ap]m\b|(?<=\d)t(?=\d)|z$", "", text)))


@lru_cache(maxsize=65_536)
def words_to_digits(text: str) -> str:
    """``Nov 25, 2019`` as ``2019-11-25``; the rest of the text follows in lower case."""
    text = _CJK_WEEKDAYS.sub(" ", text)
    text = _QUARTER.sub(lambda m: f"{m[1] or m[4]}-{int(m[2] or m[3]) * 3 - 2:02d}-01", _WEEK.sub(_week_start, text))
    for word, am_pm in _AM_PM_WORDS:
        if word in text:
            text = re.sub(rf"{word}\s*(.*)$", rf"\1 {am_pm}", text)
    text = re.sub(r"(\d+)\s*[时時시点]\s*(?:(\d+)\s*[分분])?(?:\s*(\d+)\s*[秒초])?", _cjk_time, text)
    text = re.sub(r"(\d+)\s*[년年]\s*(\d+)\s*[월月]\s*(?:(\d+)\s*[일日])?", _cjk_date, text)
    text = _PUNCTUATED_AM_PM.sub(r"\1m", text).strip().lower()
    words = [w for w in _WORD.findall(text) if w.rstrip(".") not in _WEEKDAY_NAMES or w.rstrip(".") in ("mar", "mar.")]
    month = next((w for w in words if w.rstrip(".") in _MONTH_NUMBERS), None)
    for word in _WORD.findall(text):
        if word.rstrip(".") in _WEEKDAY_NAMES and word != month:
            text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w),?", " ", text, count=1)
    text = " ".join(text.split()).lstrip(", ")
    return text if month is None else _reorder_month_name(text, month)


def _week_start(match: re.Match[str]) -> str:
    """The first day of an ISO week such as ``2024-W01``; the unchanged text when there is no such week."""
    try:
        return dt.date.fromisocalendar(int(match[1]), int(match[2]), int(match[3] or 1)).isoformat()
    except ValueError:
        return match[0]


def _cjk_time(match: re.Match[str]) -> str:
    return f" {int(match[1]):02d}:{int(match[2] or 0):02d}:{int(match[3] or 0):02d}"


def _cjk_date(match: re.Match[str]) -> str:
    return f"{match[1]}-{match[2]}-{match[3] or 1} "


def _reorder_month_name(text: str, word: str) -> str:
    """A date with the name of a month as year-month-day, whatever its order."""
    number = _MONTH_NUMBERS[word.rstrip(".")]
    name = re.escape(word)
    day, year, gap = r"(?P<d>\d{1,2})(?:st|nd|rd|th|\.|º)?", r"'?(?P<y>\d{4}|\d{2})", r"[\s,./-]*(?:(?:de|of)\s)?"
    for pattern in (
        rf"{day}{gap}{name}{gap}{year}(?!\d|:)",
        rf"{name}{gap}{day}[\s,./-]+{year}(?!\d|:)",
        rf"(?P<y>\d{{4}}){gap}{name}{gap}{day}(?!\d|:)",
        rf"{name}{gap}(?P<y>\d{{4}}|'?\d{{2}})(?!\d|:)",
        rf"(?P<y>\d{{4}}){gap}{name}",
    ):
        match = re.search(rf"(?<!\d){pattern}", text)
        if match:
            parts = match.groupdict()
            written = f"{_full_year(parts['y'])}-{number:02d}-{int(parts.get('d') or 1):02d}"
            return f"{text[: match.start()]}{written}{text[match.end() :]}".strip()
    unix_style = re.search(
        rf"{name}\s+(\d{{1,2}})\s+(\d\d:\d\d:\d\d)(.*?)\s+(\d{{4}})", text
    )  # Thu Jan 02 00:00:00 2020
    if unix_style:
        return f"{unix_style[4]}-{number:02d}-{int(unix_style[1]):02d} {unix_style[2]}{unix_style[3]}"
    return text


def _full_year(text: str) -> int:
    year = int(text.lstrip("'"))
    return year if year > 99 else year + (2000 if year < 50 else 1900)
