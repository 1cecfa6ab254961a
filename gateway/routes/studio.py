"""The built-in page, the studio: the files of `gateway/studio`, served as they lie there, with nothing to build.

`/` is the page. All that it loads is under an address that holds a digest of all files, and may be kept for ever.
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

from gateway.routes.streaming import known_etag

FOLDER = Path(__file__).parents[1] / "studio"
PAGE = "index.html"
WRITTEN, SERVED = b"/studio/assets/", "/studio/{}/"
"""Where the page says that its files are, and where they are."""
SUFFIXES = {".html", ".css", ".js", ".svg", ".jpg"}
FOR_EVER = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Asset:
    """A file of the page.

    Attributes:
        data: As it is.
        packed: The same in gzip; None: it would not be smaller.
        media_type: What it is.
    """

    data: bytes
    packed: bytes | None
    media_type: str


@dataclass(frozen=True)
class Studio:
    """The page.

    Attributes:
        digest: Of all its files.
        assets: By name.
    """

    digest: str
    assets: dict[str, Asset]


@cache
def load() -> Studio:
    """Read the page's files."""
    files = {file.name: file.read_bytes() for file in sorted(FOLDER.iterdir()) if file.suffix in SUFFIXES}
    digest = hashlib.sha256(b"\0".join(name.encode() + b"\0" + data for name, data in files.items())).hexdigest()[:16]
    files[PAGE] = files[PAGE].replace(WRITTEN, SERVED.format(digest).encode())
    return Studio(digest, {name: _asset(name, data) for name, data in files.items()})


def _asset(name: str, data: bytes) -> Asset:
    packed = gzip.compress(data, mtime=0)
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Asset(data, packed if len(packed) < 0.9 * len(data) else None, media_type)


@router.head("/")
@router.get("/")
async def page(request: Request) -> Response:
    """Give the page; it names the address of all else."""
    studio = load()
    etag = f'"{studio.digest}"'
    headers = {"Cache-Control": "no-cache", "ETag": etag}
    if f'"{known_etag(request)}"' == etag:
        return Response(status_code=304, headers=headers)
    return _give(studio.assets[PAGE], request, headers)


@router.get("/favicon.ico")
async def favicon(request: Request) -> Response:
    """Give the icon to those who look for it without the page, such as the page for developers."""
    return _give(load().assets["icon.svg"], request, {"Cache-Control": "public, max-age=86400"})


@router.get("/studio/{digest}/{name}")
async def asset(digest: str, name: str, request: Request) -> Response:
    """Give one of the page's files."""
    studio = load()
    found = studio.assets.get(name) if digest == studio.digest else None
    if found is None:
        raise HTTPException(404, "The page has changed: load it again.")
    return _give(found, request, {"Cache-Control": FOR_EVER})


def _give(found: Asset, request: Request, headers: dict[str, str]) -> Response:
    if found.packed is None:
        return Response(found.data, headers=headers, media_type=found.media_type)
    headers = headers | {"Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(found.data, headers=headers, media_type=found.media_type)
    return Response(found.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=found.media_type)
