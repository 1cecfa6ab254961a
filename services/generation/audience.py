"""Whom an ad is for, in the terms that the engines understand."""

from dataclasses import dataclass

GENDERS = ("male", "female")
AGES = ("18-24", "25-34", "35-44", "45-54", "55+")
INTERESTS = ("sports", "pets", "baby", "gaming", "outdoor")


@dataclass(frozen=True)
class Audience:
    """Whom an ad is for; an empty field means everybody.

    Attributes:
        gender: "male" or "female".
        age: One of AGES.
        interest: One of INTERESTS.
    """

    gender: str = ""
    age: str = ""
    interest: str = ""

    @classmethod
    def of(cls, gender: str, age: str, interest: str) -> "Audience":
        """Make an audience; a value that is not known means everybody."""
        return cls(
            gender if gender in GENDERS else "", age if age in AGES else "", interest if interest in INTERESTS else ""
        )


@dataclass(frozen=True)
class Product:
    """What is advertised.

    Attributes:
        name: Not empty.
        description: What it is and does; may be empty.
    """

    name: str
    description: str = ""


@dataclass(frozen=True)
class Terms:
    """The product and its audience in a few English words, for engines that know English best.

    Attributes:
        product: What it is, such as "insulated steel bottle".
        features: What a picture may allude to, such as "keeps drinks cold".
        audience: Whom it is for, such as "young women who hike".
    """

    product: str
    features: tuple[str, ...] = ()
    audience: str = ""
