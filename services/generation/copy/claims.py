"""What a text says that nobody told us: claims, circumstances of the reader, and figures."""

import re
import tomllib
import unicodedata
from functools import cache
from pathlib import Path

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
    known, said = _folded(f"{product.name}\n{product.description}"), _folded(text)
    claims = [found[0] for found in _claims(locale).finditer(said) if not _says(known, found[0], locale)]
    return list(dict.fromkeys([*claims, *_unknown_figures(said, known)]))


def _says(known: str, claim: str, locale: str) -> bool:
    """Return whether the claim is in a text; in English, as words of their own: "delight" does not say "light"."""
    return bool(re.search(_bounded(re.escape(claim), locale), known))


def _bounded(pattern: str, locale: str) -> str:
    return rf"(?<!\w)(?:{pattern})(?!\w)" if locale == "en" else pattern


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


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


@cache
def _claims(locale: str) -> re.Pattern[str]:
    lists = tomllib.loads(Path(__file__).with_name("claims.toml").read_text(encoding="utf-8"))[locale]
    phrases = "|".join([*lists["words"], *lists["reader"]])
    return re.compile(_bounded(phrases, locale))
