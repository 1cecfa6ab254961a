"""Audiences: the tags on offer, the counts of an uploaded list, and parsing of a chosen audience."""

import csv
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from common.errors import InvalidInputError, PreconditionError
from common.tables import MissingColumnError, TableError, read_table
from productimage.generation.v1 import generation_pb2

CATEGORIES = ("gender", "age", "interest")
EVERYBODY = ("", "all", "everybody", "全部", "不限")
"""Parts of an audience that choose nothing."""
UID = "uid"
_AGE = re.compile(r"(\d{1,3}) ?(歲|years?( old)?)?")


@dataclass(frozen=True)
class Tag:
    """An audience tag of a category.

    Attributes:
        id: Id in the user table.
        label: Label for people.
        value: Value that the services understand; see Audience in generation.proto.
        words: Other words for it.
    """

    id: str
    label: str
    value: str
    words: tuple[str, ...] = ()

    def is_called(self, name: str) -> bool:
        """Return whether people may mean this tag: by its label, id, value or words, or by an age within its ages."""
        wanted = name.casefold()
        age = _AGE.fullmatch(wanted)
        return wanted in (self.label.casefold(), self.id, self.value.casefold(), *self.words) or bool(
            age and self._has_age(int(age[1]))
        )

    def _has_age(self, age: int) -> bool:
        ages = re.fullmatch(r"(\d+)(?:-(\d+)|\+)", self.value)
        return ages is not None and int(ages[1]) <= age <= int(ages[2] or 120)


@dataclass(frozen=True)
class Chart:
    """Counts for a bar chart: one value per label."""

    labels: list[str]
    values: list[int]


class Audiences:
    """The audience tags and the users who have them.

    Args:
        audience_file: TOML file with a list of tags per category.
        users_file: CSV file with the columns `uid` and `tags`, comma-separated tag ids; a uid may have several rows.
    """

    def __init__(self, audience_file: Path, users_file: Path) -> None:
        tables = tomllib.loads(audience_file.read_text(encoding="utf-8"))
        self._tags = {category: [_tag(**entry) for entry in tables[category]] for category in CATEGORIES}
        self._tags_of_user: dict[str, set[str]] = {}
        with users_file.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                self._tags_of_user.setdefault(row[UID].strip(), set()).update(_split(row["tags"]))

    @cached_property
    def options(self) -> dict[str, dict[str, str]]:
        """Options of the frontend's selects: per category, {"option1": label, ...}."""
        return {
            category: {f"option{number}": tag.label for number, tag in enumerate(tags, 1)}
            for category, tags in self._tags.items()
        }

    @cached_property
    def options_json(self) -> bytes:
        """The options as JSON, in UTF-8."""
        return json.dumps(self.options, ensure_ascii=False).encode()

    def count(self, data: bytes) -> dict[str, Chart]:
        """Count the audience of a list. Every row counts for the tags of its user; unknown users are skipped.

        Args:
            data: A table with a `uid` column; see `read_table`.

        Returns:
            A chart per category.

        Raises:
            InvalidInputError: The table is empty, cannot be read as a whole, or has no `uid` column.
        """
        try:
            uids = Counter(row.cells[UID] for row in read_table(data, [UID]))
        except MissingColumnError as error:
            raise InvalidInputError(f"The list has no uid column. It has: {error.present}.", "NO_UID_COLUMN") from None
        except TableError as error:
            raise InvalidInputError(str(error), error.reason) from None
        counts: Counter[str] = Counter()
        for uid, rows in uids.items():
            for tag in self._tags_of_user.get(uid, ()):
                counts[tag] += rows
        return {
            category: Chart([tag.label for tag in tags], [counts[tag.id] for tag in tags])
            for category, tags in self._tags.items()
        }

    def parse(self, target_audience: str) -> generation_pb2.Audience:
        """Parse a chosen audience.

        Args:
            target_audience: Parts in any order, separated by commas or, if every word is known, by spaces: each a
                label, a tag id, a value, another word for it, an age, or an option key ("option2", which belongs to the
                category at its place). A category that is not named, or for which "all" is named, means everybody.

        Raises:
            PreconditionError: A part is unknown, or there are two of one category.
        """
        return generation_pb2.Audience(**{name: tag.value for name, tag in self._chosen(target_audience).items()})

    def understand(self, text: str) -> dict[str, str]:
        """Return the label of each category that a text names, everybody's where it names none.

        Raises:
            PreconditionError: As for `parse`.
        """
        chosen = self._chosen(text)
        return {name: chosen[name].label if name in chosen else EVERYBODY[-1] for name in CATEGORIES}

    def _chosen(self, text: str) -> dict[str, Tag]:
        chosen: dict[str, Tag] = {}
        for place, part in enumerate(_split(text)):
            if part.casefold() in EVERYBODY:
                continue
            for category, tag in self._find_tags(part, place):
                if chosen.setdefault(category, tag) != tag:
                    raise PreconditionError(f"The audience names two of {category}: choose one.", "AUDIENCE_TWICE")
        return chosen

    def _find_tags(self, part: str, place: int) -> list[tuple[str, Tag]]:
        whole = self._find_tag(part, place)
        if whole:
            return [whole]
        found = [self._find_tag(word, place) for word in part.split()]
        if all(found):
            return [one for one in found if one]
        offered = "; ".join(
            ", ".join(f"{tag.label} ({tag.value})" if tag.label != tag.value else tag.label for tag in tags)
            for tags in self._tags.values()
        )
        raise PreconditionError(
            f"The audience {part[:40]!r} is not offered. Choose from: {offered}.", "UNKNOWN_AUDIENCE"
        )

    def _find_tag(self, part: str, place: int) -> tuple[str, Tag] | None:
        for category, tags in self._tags.items():
            for number, tag in enumerate(tags, 1):
                is_option = part.casefold() == f"option{number}" and CATEGORIES[place : place + 1] == (category,)
                if is_option or tag.is_called(part):
                    return category, tag
        return None


def _tag(words: Iterable[str] = (), **entry: str) -> Tag:
    return Tag(**entry, words=tuple(words))


def _split(text: str) -> list[str]:
    return [part.strip() for part in re.split("[,，、]", text)]
