"""Choices among names that are offered."""

from collections.abc import Iterable

from common.errors import InvalidInputError


def choice(name: str, chosen: str, offered: Iterable[str]) -> str:
    """Return a choice, in lower case.

    Raises:
        InvalidInputError: It is not offered.
    """
    wanted = chosen.strip().lower()
    names = [one for one in offered if one]
    if wanted and wanted not in names:
        raise InvalidInputError(
            f"The {name} {chosen[:20]!r} is not offered: choose from {', '.join(names)}.", f"UNKNOWN_{name.upper()}"
        )
    return wanted
