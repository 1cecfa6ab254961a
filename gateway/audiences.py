"""Audiences: the tags on offer, the counts of an uploaded list, and parsing of a chosen audience."""

import csv
import json
import re
import tomllib
from collections import Counter
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


@dataclass(frozen=True)
class Tag:
    """An audience tag of a category.

    Attributes:
        id: Id in the user table.
        label: Label for people.
        value: Value that the services understand; see Audience in generation.proto.
    """

    id: str
    label: str
    value: str


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
        self._tags = {category: [Tag(**entry) for entry in tables[category]] for category in CATEGORIES}
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
            target_audience: Parts in any order, separated by commas: each a label, a tag id, a value, or an option key
                ("option2", which belongs to the category at its place). A category that is not named, or for which
                "all" is named, means everybody.

        Raises:
            PreconditionError: A part is unknown, or there are two of one category.
        """
        chosen: dict[str, str] = {}
        for place, part in enumerate(_split(target_audience)):
            if part.casefold() in EVERYBODY:
                continue
            category, tag = self._find_tag(part, place)
            if chosen.setdefault(category, tag.value) != tag.value:
                raise PreconditionError(f"The audience names two of {category}: choose one.", "AUDIENCE_TWICE")
        return generation_pb2.Audience(**chosen)

    def _find_tag(self, part: str, place: int) -> tuple[str, Tag]:
        wanted = part.casefold()
        for category, tags in self._tags.items():
            for number, tag in enumerate(tags, 1):
                names = {tag.label.casefold(), tag.id.casefold(), tag.value.casefold()}
                is_option = wanted == f"option{number}" and CATEGORIES[place : place + 1] == (category,)
                if wanted in names or is_option:
                    return category, tag
        offered = "; ".join(
            ", ".join(f"{tag.label} ({tag.value})" if tag.label != tag.value else tag.label for tag in tags)
            for tags in self._tags.values()
        )
        raise PreconditionError(
            f"The audience {part[:40]!r} is not offered. Choose from: {offered}.", "UNKNOWN_AUDIENCE"
        )


def _split(text: str) -> list[str]:
    return [part.strip() for part in re.split("[,，、]", text)]
