"""Hostile and odd names and ids from callers."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from common.errors import InvalidInputError, NotFoundError
from common.imaging.header import FORMATS
from services.history import paths

SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\.(png|jpg|webp|heic|avif|tiff|bmp|gif)")
TIMESTAMP = "20260101000000-0123456789abcdef"


@given(st.text(), st.sampled_from(FORMATS))
@example("../../etc/passwd", "PNG")
@example("-rf.png", "PNG")
def test_any_name_becomes_one_that_is_safe_everywhere(client_name: str, picture_format: str) -> None:
    name = paths.photo_name(client_name, picture_format)
    assert SAFE.fullmatch(name)
    assert len(name) < 100
    assert paths.static_key(paths.photo_path(TIMESTAMP, name)) == f"static/{TIMESTAMP}/upload/{name}"
    assert paths.is_file_name(name)
    assert paths.cutout_path(TIMESTAMP, name, "").endswith("_transparent.png")
    assert paths.photo_name(name, picture_format) == name


@given(st.text() | st.from_regex(r"\d{14}(-[0-9a-f]{16})?\n?", fullmatch=True))
@example(f"{TIMESTAMP}\n")
@example("../20260101000000")
def test_a_timestamp_is_ours_or_rejected(timestamp: str) -> None:
    try:
        accepted = paths.checked_timestamp(timestamp)
    except InvalidInputError:
        return
    assert re.fullmatch(r"[0-9]{14}(-[0-9a-f]{16})?", accepted)


@given(st.text())
@example(f"{TIMESTAMP}/upload/../../x")
@example(f"{TIMESTAMP}/upload/.x")
@example(f"{TIMESTAMP}/upload/a\x00b")
def test_a_path_names_a_picture_or_nothing(path: str) -> None:
    try:
        key = paths.static_key(path)
    except NotFoundError:
        return
    assert re.match(r"static/[0-9]{14}(-[0-9a-f]{16})?/(upload|generated)/[^./]", key)
    assert "/../" not in key
    assert key.count("/") == 3


@given(st.text(max_size=300), st.text(max_size=300))
def test_requests_never_share_their_keys(one: str, other: str) -> None:
    for key_of in (paths.request_key, paths.claim_key, lambda name: paths.save_key(TIMESTAMP, name)):
        assert (key_of(one) == key_of(other)) == (one == other)
        assert re.fullmatch(r"[a-z]+/([0-9-]+[0-9a-f]*/)?[0-9a-f]{64}\.json", key_of(one))
