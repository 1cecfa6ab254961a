"""Text fields of platforms: which are wanted, and which texts fit."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from common.platforms import TextRule, platforms
from common.words import half_widths
from services.generation.copy.copy import CopyRequest, TextField

WANTED = 4
"""Texts of a field, if the platform takes as many."""
KINDS = {
    "short_headline": "line",
    "headline": "line",
    "title": "line",
    "long_headline": "sentence",
    "description": "sentence",
    "primary_text": "sentence",
    "call_to_action": "call",
    "business_name": "brand",
}
"""What each field holds."""
Source = Callable[[int], Iterable[str]]
"""Returns texts of at most as many half-widths, best first."""


@dataclass(frozen=True)
class Field:
    """A field that is wanted."""

    platform: str
    name: str
    rule: TextRule

    @property
    def kind(self) -> str:
        """One of the values of KINDS."""
        return KINDS[self.name]

    @property
    def wanted(self) -> int:
        """How many texts."""
        return min(self.rule.most, max(self.rule.least, WANTED))

    def fitting(self, texts: Iterable[str]) -> list[str]:
        """Return the different texts that fit, as many as are wanted."""
        fitting = (text for text in texts if text and half_widths(text) <= self.rule.width)
        return list(dict.fromkeys(fitting))[: self.wanted]


def wanted_fields(request: CopyRequest) -> Iterator[Field]:
    """Return the fields of the platforms asked for; unknown platforms have none."""
    known = platforms()
    for name in dict.fromkeys(request.platforms):
        for field, rule in known[name].texts.items() if name in known else ():
            yield Field(name, field, rule)


def filled(request: CopyRequest, sources: dict[str, Source]) -> tuple[TextField, ...]:
    """Fill every wanted field.

    Args:
        request: What to write.
        sources: Texts of each kind.
    """
    fields = []
    for field in wanted_fields(request):
        texts = field.fitting(sources[field.kind](field.rule.width))
        if texts:
            fields.append(TextField(field.platform, field.name, tuple(texts)))
    return tuple(fields)
