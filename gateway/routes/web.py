"""The page: the files of `gateway/web`, served as they are, with nothing to build.

`/` is the page, put together from its parts, in the language that the browser prefers, so that there is something to
read before the scripts have come. Everything it loads is under a URL that contains a digest of all files, and may be
cached for ever.
"""

import gzip
import hashlib
import html
import mimetypes
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import HTTPException, Request, Response

from gateway.routes.conditional import is_current, require_match
from gateway.routes.router import Router

FOLDER = Path(__file__).parents[1] / "web"
PAGE = "index.html"
WRITTEN, SERVED = b"/web/assets/", "/web/{}/"
"""URL of the files as written in the page, and as served."""
PART = re.compile(rb"<!-- (\w+\.html) -->\n")
"""Where the page has a part that is a file of its own."""
SUFFIXES = {".html", ".css", ".js", ".svg", ".jpg", ".webp", ".csv"}
TEXTS = {"en": "en.js", "zh-TW": "zh.js"}
"""Files with the texts of the page, by language; the first serves those who prefer no other."""
TEXT = re.compile(rb'"?([\w.]+)"?: "((?:[^"\\]|\\.)*)"')
PLACE = re.compile(rb'( data-t="([\w.]+)"[^<>]*>)(?=</)')
MODULES = b"<!-- modules -->\n"
"""Where the page names its scripts, so that they are fetched at once and not one for the other."""
FOR_EVER = "public, max-age=31536000, immutable"

router = Router(include_in_schema=False)


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
        pages: The page by language.
        files: What it loads, by name.
    """

    digest: str
    pages: dict[str, Asset]
    files: dict[str, Asset]


@cache
def load() -> Assets:
    """Read the files of the page."""
    found = [*sorted(FOLDER.iterdir()), *sorted((FOLDER / "styles").iterdir())]
    files = {file.name: file.read_bytes() for file in found if file.suffix in SUFFIXES}
    digest = hashlib.sha256(b"\0".join(name.encode() + b"\0" + data for name, data in files.items())).hexdigest()[:16]
    scripts = "".join(
        f'<link rel="modulepreload" href="{WRITTEN.decode()}{name}">\n' for name in files if name[-3:] == ".js"
    )
    page = PART.sub(lambda part: files.pop(part[1].decode()), files.pop(PAGE)).replace(MODULES, scripts.encode())
    page = page.replace(WRITTEN, SERVED.format(digest).encode())
    pages = {language: _asset(PAGE, _in_language(page, language, files[name])) for language, name in TEXTS.items()}
    return Assets(digest, pages, {name: _asset(name, data) for name, data in files.items()})


def _in_language(page: bytes, language: str, texts: bytes) -> bytes:
    found = dict(TEXT.findall(texts))
    page = page.replace(b'<html lang="en">', f'<html lang="{language}">'.encode())
    return PLACE.sub(lambda place: place[1] + _shown(found[place[2]]), page)


def _shown(text: bytes) -> bytes:
    return html.escape(re.sub(r"\{\w+\}", "…", text.decode())).encode()


def _preferred(request: Request) -> str:
    """Return the language of the page that the browser prefers."""
    wanted = re.findall(r"[a-zA-Z]+", re.sub(r";[^,]*", "", request.headers.get("accept-language", "")))
    return next((name for tag in wanted for name in TEXTS if name[:2] == tag), next(iter(TEXTS)))


def thumbnail(style: str) -> str:
    """Return the URL of the thumbnail of a style."""
    return SERVED.format(load().digest) + f"{style}.webp"


def _asset(name: str, data: bytes) -> Asset:
    compressed = gzip.compress(data, mtime=0)
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Asset(data, compressed if len(compressed) < 0.9 * len(data) else None, media_type)


@router.get("/")
async def page(request: Request) -> Response:
    """Return the page; it contains the URL of everything else."""
    assets = load()
    language = _preferred(request)
    tag = f"{assets.digest}-{language}"
    headers = {"Cache-Control": "no-cache", "ETag": f'"{tag}"', "Vary": "Accept-Language"}
    require_match(request, tag)
    if is_current(request, tag):
        return Response(status_code=304, headers=headers)
    return _send(assets.pages[language], request, headers)


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
    headers = headers | {"Vary": ", ".join(filter(None, (headers.get("Vary"), "Accept-Encoding")))}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(found.data, headers=headers, media_type=found.media_type)
    return Response(found.compressed, headers=headers | {"Content-Encoding": "gzip"}, media_type=found.media_type)
