"""Conditional and range requests, as RFC 9110 has them (sections 13 and 14)."""

import re

from fastapi import Request

from gateway.errors import ApiError

_TAG = re.compile(r'\s*(?:W/)?"([^"]*)"\s*(?:,|$)')
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def tags_of_copies(request: Request) -> list[str]:
    """Return the entity tags in If-None-Match, without quotes; "*" stands for any. Weak ones match as well (13.1.2)."""
    header = ",".join(request.headers.getlist("if-none-match"))
    return ["*"] if header.strip() == "*" else _TAG.findall(header)


def is_current(request: Request, etag: str) -> bool:
    """Return whether the caller has a copy with this entity tag (without quotes)."""
    tags = tags_of_copies(request)
    return "*" in tags or etag in tags


def require_match(request: Request, etag: str) -> None:
    """Refuse a request that is meant for other versions only (If-Match, section 13.1.1). Weak tags never match.

    Args:
        request: The request.
        etag: Entity tag of the content, without quotes.

    Raises:
        ApiError: None of them is this one (412).
    """
    wanted = request.headers.get("if-match", "").strip()
    if wanted and wanted != "*" and f'"{etag}"' not in (tag.strip() for tag in wanted.split(",")):
        raise ApiError(412, "This is another version than the one you ask for: fetch it without If-Match.")


def only_tag(request: Request) -> str:
    """Return the entity tag of the caller's copy if there is exactly one; otherwise an empty text."""
    tags = tags_of_copies(request)
    return tags[0] if len(tags) == 1 else ""


class UnsatisfiableRangeError(Exception):
    """The range lies outside the content."""


def range_of(request: Request, etag: str, size: int) -> tuple[int, int] | None:
    """Return the range that is asked for, from its first byte to the one after its last. None: everything.

    Only GET has ranges (section 14.2). Several in one request, other units and malformed ranges are ignored, as the
    standard allows.

    Args:
        request: The request; a range that depends on another version (If-Range) is ignored as well.
        etag: Entity tag of the content, without quotes.
        size: Size of the content, in bytes.

    Raises:
        UnsatisfiableRangeError: It begins behind the end.
    """
    found = _RANGE.fullmatch(request.headers.get("range", "").strip())
    depends_on = request.headers.get("if-range", f'"{etag}"')
    if request.method != "GET" or found is None or depends_on != f'"{etag}"' or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None
    if start >= end:
        raise UnsatisfiableRangeError
    return start, end
