"""Copy from templates: always available, predictable, within the length limits by construction."""

import re
import tomllib
import zlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from services.generation.audience import Audience, Product
from services.generation.copy.copy import LONG_LENGTH, SHORT_LENGTH, Copy
from services.generation.text import described, plain

MAX_NAME = 24
"""Maximum length of the product name, in characters; the 100 of a short ad must hold more than a name."""
_SENTENCE_END = re.compile(r"[。！？；!?;\n]|\.(?:\s|$)")
_DOUBLE_STOP = re.compile(r"([？！?!])[。，.]")
_CLAUSE_END = re.compile(r"[，、,:：]\s*")


class Templates:
    """Fills sentence templates of the locale with the product, its description and the audience."""

    name = "templates"

    def write(self, product: Product, audience: Audience, locale: str) -> Copy:
        """See CopyEngine. The same product and audience give the same copy."""
        texts = _texts()[locale]
        choice = zlib.crc32(f"{product.name}|{audience}".encode())
        words = {
            "hook": _pick(texts["hook"], audience.interest, choice),
            "call": _pick(texts["call"], audience.interest, choice),
            "people": texts["people"].get(audience.gender, texts["people"]["default"]),
            "who": texts["who"].get(audience.age, texts["who"]["default"]),
            "name": _shortened(plain(product.name), MAX_NAME, texts["ellipsis"]),
        }
        more = [*texts["more"].get(audience.interest, ()), *texts["more"]["default"]]
        return Copy(
            _short(texts, words, described(product.description), more),
            _long(texts, words, described(product.description), more),
            self.name,
        )


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("templates.toml").read_text(encoding="utf-8"))


def _pick(options: dict[str, list[str]], interest: str, choice: int) -> str:
    offered = options.get(interest) or options["default"]
    return offered[choice % len(offered)]


def _short(texts: dict[str, Any], words: dict[str, str], description: str, more: Iterable[str]) -> str:
    def text(about: str) -> str:
        return _tidy(texts["short"].format(**words, about=about))

    room = SHORT_LENGTH[-1] - len(text(""))
    about = _summary(texts, description, room)
    for sentence in more:
        if len(text(about)) in SHORT_LENGTH:
            break
        extra = sentence.strip().rstrip("。.!！")
        about = _shortened(f"{about}{texts['about_joiner']}{extra}", room, texts["ellipsis"])
    return text(about)


def _long(texts: dict[str, Any], words: dict[str, str], description: str, more: Iterable[str]) -> str:
    def text(about: str, sentences: str) -> str:
        return _tidy(texts["long"].format(**words, about=about, more=sentences))

    about = _summary(texts, description, LONG_LENGTH[-1] - len(text("", "")))
    sentences = ""
    for sentence in more:
        if len(text(about, sentences)) in LONG_LENGTH:
            break
        if len(text(about, sentences + sentence)) <= LONG_LENGTH[-1]:
            sentences += sentence
    return text(about, sentences)


def _tidy(text: str) -> str:
    """Drop the stop of a template after user text that ends in a question or exclamation mark."""
    return _DOUBLE_STOP.sub(r"\1", text)


def _summary(texts: dict[str, Any], description: str, room: int) -> str:
    """Return as many whole sentences of the description as fit, else clauses, else a truncated description."""
    if not description:
        return str(texts["no_about"])
    for end in (_SENTENCE_END, _CLAUSE_END):
        cuts = [match.start() for match in end.finditer(description) if 0 < match.start() <= room]
        if len(description.rstrip("。.!！ ")) <= room:
            return description.rstrip("。.!！ ")
        if cuts:
            return description[: cuts[-1]]
    return _shortened(description, room, texts["ellipsis"])


def _shortened(text: str, length: int, ellipsis: str) -> str:
    return text if len(text) <= length else text[: max(0, length - len(ellipsis))].rstrip() + ellipsis
