"""What a text says that nobody told us: claims, circumstances of the reader, and figures."""

import re
import tomllib
from functools import cache
from pathlib import Path

from common.words import folded, says
from services.generation.audience import Product

UNITS = {
    unit: family[0]
    for family in (
        ("h", "hr", "hrs", "hour", "hours", "小時", "鐘頭"),
        ("min", "mins", "minute", "minutes", "分鐘", "分"),
        ("s", "sec", "secs", "second", "seconds", "秒", "秒鐘"),
        ("day", "days", "天", "日"),
        ("week", "weeks", "週", "周", "星期"),
        ("month", "months", "個月", "月"),
        ("year", "years", "年"),
        ("ml", "毫升", "cc"),
        ("l", "liter", "liters", "litre", "litres", "公升"),
        ("mg", "毫克"),
        ("g", "gram", "grams", "公克", "克"),
        ("kg", "公斤"),
        ("mm", "毫米"),
        ("cm", "公分"),
        ("m", "metre", "metres", "meter", "meters", "公尺"),
        ("km", "公里"),
        ("inch", "inches", "in", "吋", "英吋"),
        ("%", "percent", "趴"),
        ("°c", "°", "度"),
        ("w", "watt", "watts", "瓦"),
    )
    for unit in family
}
"""Units by what they are called, in both languages."""
_FIGURE = re.compile(r"(\d+(?:[.,:]\d+)*)(?:\s?(%|°c?|[a-zμ]+|[\u4e00-\u9fff]{1,2}))?")


def unsupported(text: str, product: Product, locale: str) -> list[str]:
    """Return what a text claims that name and description do not say: one short phrase each; empty if it is true.

    Args:
        text: Text of an ad.
        product: All that is known.
        locale: Language of the text: one of LOCALES.
    """
    known, said = folded(f"{product.name}\n{product.description}"), folded(text)
    claims = [found[0] for found in _claims(locale).finditer(said) if not says(known, found[0])]
    return list(dict.fromkeys([*claims, *_unknown_figures(said, known)]))


def _unknown_figures(said: str, known: str) -> list[str]:
    known_figures = _figures(known)
    numbers = {number for number, _ in known_figures}
    return [
        f"{number} {unit}".strip()
        for number, unit in _figures(said)
        if (number, unit) not in known_figures and (unit or number not in numbers)
    ]


def _figures(text: str) -> list[tuple[str, str]]:
    """Return each figure, without thousands separators, and its unit, if that is known."""
    figures = []
    for found in _FIGURE.finditer(text):
        name = found[2] or ""
        figures.append(
            (found[1].replace(",", ""), UNITS.get(name) or ("" if name.isascii() else UNITS.get(name[:1], "")))
        )
    return figures


@cache
def _claims(locale: str) -> re.Pattern[str]:
    lists = tomllib.loads(Path(__file__).with_name("claims.toml").read_text(encoding="utf-8"))[locale]
    phrases = "|".join([*lists["words"], *lists["reader"]])
    return re.compile(rf"(?<!\w)(?:{phrases})(?!\w)" if locale == "en" else phrases)
