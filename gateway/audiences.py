"""Audiences: the tags on offer, the counts of an uploaded list, and parsing of a chosen audience."""

import csv
import io
import json
import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from common.errors import InvalidInputError
from productimage.generation.v1 import generation_pb2

CATEGORIES = ("gender", "age", "interest")
ENCODINGS = ("utf-8-sig", "cp950")
"""Tried in order; cp950 is the Big5 variant that spreadsheets write."""
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
            data: A CSV file with a `uid` column, in UTF-8, UTF-16 or Big5.

        Returns:
            A chart per category.

        Raises:
            InvalidInputError: The file is empty, malformed or in another encoding, or has no `uid` column.
        """
        uids = Counter(_uids(_text(data)))
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
            target_audience: "gender,age,interest", each as a label, a tag id, a value or an option key. Unknown or
                missing ones mean everybody.
        """
        chosen = {}
        for category, text in zip(CATEGORIES, _split(target_audience), strict=False):
            for number, tag in enumerate(self._tags[category], 1):
                if text in (tag.label, tag.id, tag.value, f"option{number}"):
                    chosen[category] = tag.value
        return generation_pb2.Audience(**chosen)


def _split(text: str) -> list[str]:
    return [part.strip() for part in re.split("[,，、]", text)]


def _text(data: bytes) -> str:
    if not data.strip():
        raise InvalidInputError("The file is empty: send a CSV file with a uid column.", "EMPTY_CSV")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ENCODINGS
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise InvalidInputError("The file cannot be read as text: save it as CSV in UTF-8.", "CSV_ENCODING")


def _uids(text: str) -> list[str]:
    try:
        rows = csv.reader(io.StringIO(text, newline=""))
        header = [name.strip().lower() for name in next(rows, [])]
        if UID not in header:
            raise InvalidInputError(
                f"The CSV file has no uid column. It has: {', '.join(header)[:200] or 'none'}.",
                "NO_UID_COLUMN",
            )
        column = header.index(UID)
        return [row[column].strip() for row in rows if len(row) > column]
    except csv.Error as error:
        raise InvalidInputError(f"The CSV file cannot be read: {error}.", "BAD_CSV") from None
