"""The stored pictures."""

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from prometheus_client import Counter

from gateway.errors import ApiError, calling
from gateway.models import ErrorBody
from gateway.picture_cache import CachedPicture
from gateway.routes.conditional import UnsatisfiableRangeError, is_current, only_tag, range_of, require_match
from gateway.routes.router import Router
from gateway.routes.streaming import chunks_of, closed_if_refused, first_of, streamed
from gateway.state import Gateway, GatewayDependency
from productimage.object.v1 import object_pb2

router = Router(tags=["pictures"])

PICTURES = Counter("productimage_pictures", "Pictures requested, by where they came from.", ["source"])
PICTURE = {"schema": {"type": "string", "format": "binary"}}


@router.get(
    "/static/{path:path}",
    response_class=Response,
    responses={
        200: {"content": {"image/png": PICTURE, "image/jpeg": PICTURE, "image/webp": PICTURE}},
        206: {"description": "The part that Range asks for."},
        302: {"description": "Available at this URL for a limited time, if the gateway is configured so."},
        304: {"description": "The caller's copy is current."},
        **{status: {"model": ErrorBody} for status in (404, 412, 416, 422, 429, 503, 504)},
    },
)
async def static(path: str, request: Request, gateway: GatewayDependency) -> Response:
    """Return a picture by a path from another response."""
    if gateway.settings.static_delivery == "redirect":
        signed = await _sign(path, gateway)
        if signed.url:
            PICTURES.labels("redirect").inc()
            # Browsers may reuse the URL for part of its validity.
            caching = f"private, max-age={signed.valid_seconds // 2}"
            return RedirectResponse(signed.url, 302, {"Cache-Control": caching})
    cached = gateway.pictures.get(path)
    PICTURES.labels("history" if cached is None else "memory").inc()
    return await _stream(path, request, gateway) if cached is None else _send(cached, request)


async def _sign(path: str, gateway: Gateway) -> object_pb2.SignObjectResponse:
    async with calling("history"):
        return await gateway.clients.objects.sign_object(path)


def _send(cached: CachedPicture, request: Request) -> Response:
    etag = cached.headers["ETag"].strip('"')
    require_match(request, etag)
    if is_current(request, etag):
        return Response(status_code=304, headers=cached.headers)
    size = len(cached.data)
    part = _part(request, etag, size)
    start, end = part or (0, size)
    headers = cached.headers | _part_headers(part, size)
    return Response(cached.data[start:end], 206 if part else 200, headers, cached.content_type)


async def _stream(path: str, request: Request, gateway: Gateway) -> Response:
    parts = gateway.clients.objects.stream_object(path, only_tag(request))
    info = (await first_of(parts, gateway.settings)).info
    # Creatives never change; the cutout of an upload may be replaced.
    caching = "public, max-age=31536000, immutable" if "/generated/" in path else "no-cache"
    headers = {"ETag": f'"{info.etag}"', "Cache-Control": caching, "Accept-Ranges": "bytes"}
    async with closed_if_refused(parts):
        require_match(request, info.etag)
    if info.not_modified or is_current(request, info.etag):
        await parts.aclose()
        return Response(status_code=304, headers=headers)
    if request.method == "HEAD":
        await parts.aclose()
        return Response(headers={**headers, "Content-Length": str(info.size)}, media_type=info.content_type)
    if gateway.pictures.accepts(path, info.size):
        async with calling("history"):
            data = b"".join([chunk async for chunk in chunks_of(parts)])
        cached = CachedPicture(headers, info.content_type, data)
        gateway.pictures.put(path, cached)
        return _send(cached, request)
    async with closed_if_refused(parts):
        part = _part(request, info.etag, info.size)
    start, end = part or (0, info.size)
    sized = {**headers, **_part_headers(part, info.size), "Content-Length": str(end - start)}
    return streamed(parts, sized, info.content_type, part)


def _part(request: Request, etag: str, size: int) -> tuple[int, int] | None:
    try:
        return range_of(request, etag, size)
    except UnsatisfiableRangeError:
        headers = {"Content-Range": f"bytes */{size}"}
        raise ApiError(416, f"The picture has only {size} bytes.", headers=headers) from None


def _part_headers(part: tuple[int, int] | None, size: int) -> dict[str, str]:
    return {"Content-Range": f"bytes {part[0]}-{part[1] - 1}/{size}"} if part else {}
