"""Validation of every request that a service receives: numbers are finite, texts and lists have an end.

Ranges that belong to one field are checked where it is converted.
"""

import math
from collections.abc import Iterable
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from common.errors import InvalidInputError

MAX_TEXT = 20_000
"""Characters of a text."""
MAX_ENTRIES = 1000
"""Entries of a list."""
_FLOATS = (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE)


def validate(message: Message) -> None:
    """Check a message and all messages in it.

    Raises:
        InvalidInputError: A number is not finite, a text is too long, or a list has too many entries.
    """
    for field, value in message.ListFields():
        values: Iterable[Any] = [value]
        if field.is_repeated:
            if len(value) > MAX_ENTRIES:
                raise InvalidInputError(f"{field.name} has more than {MAX_ENTRIES} entries.", "TOO_MANY_ENTRIES")
            values = value.values() if hasattr(value, "values") else value
        for one in values:
            _validate_one(field, one)


def _validate_one(field: FieldDescriptor, value: Any) -> None:
    if isinstance(value, Message):
        validate(value)
    elif field.type in _FLOATS and not math.isfinite(value):
        raise InvalidInputError(f"{field.name} is not a finite number.", "NOT_FINITE")
    elif isinstance(value, str) and len(value) > MAX_TEXT:
        raise InvalidInputError(f"{field.name} has more than {MAX_TEXT} characters.", "TEXT_TOO_LONG")
