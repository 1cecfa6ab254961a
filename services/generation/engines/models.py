"""Models in clouds: prices and last days, as far as they were known when models.toml was written."""

import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

WARNING_DAYS = 90
"""Days before its end from which a model is warned of."""
LANGUAGE = "openai."
"""What the ids of language models on Bedrock begin with; the others there make pictures."""
STALE_DAYS = 180
"""Days after which prices are called old."""


@dataclass(frozen=True)
class Model:
    """A model in a cloud.

    Attributes:
        engine: Engine that uses it, as records name it: "openai/gpt-6-luna".
        what: What it is, for people; empty for models that are not to be chosen any more.
        ends: Its last day; None if none is known.
        dollars_per_picture: Price of a picture.
        dollars_per_million_in: Price of a million input tokens.
        dollars_per_million_out: Price of a million output tokens, reasoning included.
    """

    engine: str
    what: str = ""
    ends: date | None = None
    dollars_per_picture: float = 0.0
    dollars_per_million_in: float = 0.0
    dollars_per_million_out: float = 0.0

    def dollars_of(self, tokens_in: int, tokens_out: int) -> float:
        """Return the price of an answer."""
        return (tokens_in * self.dollars_per_million_in + tokens_out * self.dollars_per_million_out) / 1e6


class EndedModelError(Exception):
    """A model has ended. The text says when, and which ones live."""


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("models.toml").read_text(encoding="utf-8"))


def read_on() -> date:
    """Return the day on which prices and last days were read."""
    read: date = _table()["read"]
    return read


def known_model(engine: str) -> Model:
    """Return what is known of the model of an engine; nothing but its name if it is unknown."""
    vendor, _, name = engine.partition("/")
    return Model(engine, **_table().get(vendor, {}).get(name, {}))


def check_alive(engine: str, today: date | None = None) -> None:
    """Refuse a model that is known to have ended.

    Raises:
        EndedModelError: It has.
    """
    ends = known_model(engine).ends
    if ends is not None and (today or _today()) > ends:
        name = engine.partition("/")[2]
        raise EndedModelError(f"{name} reached the end of its life ({ends}); {living(engine)}")


def living(engine: str) -> str:
    """Return the models to choose from in place of an engine's, for error messages."""
    vendor, _, name = engine.partition("/")
    alive = {
        other: fields["what"]
        for other, fields in _table()[vendor].items()
        if "what" in fields and other.startswith(LANGUAGE) == name.startswith(LANGUAGE)
    }
    return "these are active: " + ", ".join(f"{other} ({what})" for other, what in alive.items())


def _today() -> date:
    return datetime.now(UTC).date()


def days_left(ends: date) -> int:
    """Return the days until a model ends; negative once it has."""
    return (ends - _today()).days


def price_of_picture(engine: str, setting: float | None) -> float:
    """Return the price of a picture: the setting, else what is known of the model."""
    return known_model(engine).dollars_per_picture if setting is None else setting
