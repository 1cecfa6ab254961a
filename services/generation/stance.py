"""How a product is shown, by the noun that its name ends with."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Literal, cast

from services.generation.audience import Product, Terms

Stance = Literal["standing", "large", "outdoors", "hanging", "lying"]
"""How a product is shown: on a table, on a floor (a sofa), on the ground outdoors (a car), on a wall, from above."""

HEAD_ENDS = re.compile(r"\b(?:for|with|of|in|by|from)\b|[,(|/–—-]\s")


@cache
def _kinds() -> dict[str, Stance]:
    table = tomllib.loads(Path(__file__).with_name("kinds.toml").read_text(encoding="utf-8"))
    return {word.lower(): cast("Stance", stance) for stance, words in table.items() for word in words}


def stance_of(product: Product, terms: Terms | None) -> Stance:
    """Return how a product is shown, by the noun that its name ends with."""
    for name in (product.name, *((terms.product,) if terms else ())):
        head = HEAD_ENDS.split(name.lower(), maxsplit=1)[0].strip()
        if not head:
            continue
        last = re.findall(r"[a-z0-9'-]+", head)
        words = [last[-1], last[-1].removesuffix("s"), "".join(last[-2:])] if last and head.endswith(last[-1]) else []
        for word, stance in _kinds().items():
            if word in words or (not word.isascii() and head.endswith(word)):
                return stance
    return "standing"
