"""The product and the audience of an ad, in terms that engines understand."""

from dataclasses import dataclass

GENDERS = ("male", "female")
AGES = ("18-24", "25-34", "35-44", "45-54", "55+")
INTERESTS = ("sports", "pets", "baby", "gaming", "outdoor")


@dataclass(frozen=True)
class Audience:
    """Audience of an ad; an empty field means everyone.

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
        """Build an audience; an unknown value means everyone."""
        return cls(
            gender if gender in GENDERS else "", age if age in AGES else "", interest if interest in INTERESTS else ""
        )


@dataclass(frozen=True)
class Product:
    """Advertised product.

    Attributes:
        name: Name; not empty.
        description: What it is and does; may be empty.
    """

    name: str
    description: str = ""


@dataclass(frozen=True)
class Terms:
    """Product and audience in a few English words, for engines that work best in English.

    Attributes:
        product: Kind of product, such as "insulated steel bottle".
        features: Qualities that a picture may allude to, such as "keeps drinks cold".
        audience: Target audience, such as "young women who hike".
    """

    product: str
    features: tuple[str, ...] = ()
    audience: str = ""
