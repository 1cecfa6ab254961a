"""The page: the files of `gateway/web`, served as they are, with nothing to build.

`/` is the page. Everything it loads is under a URL that contains a digest of all files, and may be cached for ever.
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

from gateway.routes.conditional import is_current

FOLDER = Path(__file__).parents[1] / "web"
PAGE = "index.html"
WRITTEN, SERVED = b"/web/assets/", "/web/{}/"
"""URL of the files as written in the page, and as served."""
SUFFIXES = {".html", ".css", ".js", ".svg", ".jpg", ".webp"}
FOR_EVER = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Asset:
    """A file of the page.

    Attributes:
        data: Its bytes.
        compressed: Its bytes in gzip. None: not smaller.
        media_type: Media type.
    """

    data: bytes
    compressed: bytes | None
    media_type: str


@dataclass(frozen=True)
class Assets:
    """The files of the page.

    Attributes:
        digest: Digest of all files.
        files: Files by name.
    """

    digest: str
    files: dict[str, Asset]


@cache
def load() -> Assets:
    """Read the files of the page."""
    found = [*sorted(FOLDER.iterdir()), *sorted((FOLDER / "styles").iterdir())]
    files = {file.name: file.read_bytes() for file in found if file.suffix in SUFFIXES}
    digest = hashlib.sha256(b"\0".join(name.encode() + b"\0" + data for name, data in files.items())).hexdigest()[:16]
    files[PAGE] = files[PAGE].replace(WRITTEN, SERVED.format(digest).encode())
    return Assets(digest, {name: _asset(name, data) for name, data in files.items()})


def thumbnail(style: str) -> str:
    """Return the URL of the thumbnail of a style."""
    return SERVED.format(load().digest) + f"{style}.webp"


def _asset(name: str, data: bytes) -> Asset:
    compressed = gzip.compress(data, mtime=0)
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Asset(data, compressed if len(compressed) < 0.9 * len(data) else None, media_type)


@router.head("/")
@router.get("/")
async def page(request: Request) -> Response:
    """Return the page; it contains the URL of everything else."""
    assets = load()
    headers = {"Cache-Control": "no-cache", "ETag": f'"{assets.digest}"'}
    if is_current(request, assets.digest):
        return Response(status_code=304, headers=headers)
    return _send(assets.files[PAGE], request, headers)


@router.get("/favicon.ico")
async def favicon(request: Request) -> Response:
    """Return the icon, for pages that do not name one."""
    return _send(load().files["icon.svg"], request, {"Cache-Control": "public, max-age=86400"})


@router.get("/web/{digest}/{name}")
async def asset(digest: str, name: str, request: Request) -> Response:
    """Return a file of the page."""
    assets = load()
    found = assets.files.get(name) if digest == assets.digest else None
    if found is None:
        raise HTTPException(404, "The page has changed: reload it.")
    return _send(found, request, {"Cache-Control": FOR_EVER})


def _send(found: Asset, request: Request, headers: dict[str, str]) -> Response:
    if found.compressed is None:
        return Response(found.data, headers=headers, media_type=found.media_type)
    headers = headers | {"Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(found.data, headers=headers, media_type=found.media_type)
    return Response(found.compressed, headers=headers | {"Content-Encoding": "gzip"}, media_type=found.media_type)
