"""The stored pictures."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from prometheus_client import Counter

from gateway.errors import calling
from gateway.models import ErrorBody
from gateway.picture_cache import CachedPicture
from gateway.routes.streaming import chunks_of, etag_of_copy, first_of, streamed
from gateway.state import Gateway, GatewayDependency
from productimage.object.v1 import object_pb2

router = APIRouter(tags=["pictures"])

PICTURES = Counter("productimage_pictures", "Pictures requested, by where they came from.", ["source"])
PICTURE = {"schema": {"type": "string", "format": "binary"}}


@router.head("/static/{path:path}", include_in_schema=False)
@router.get(
    "/static/{path:path}",
    response_class=Response,
    responses={
        200: {"content": {"image/png": PICTURE, "image/jpeg": PICTURE, "image/webp": PICTURE}},
        302: {"description": "Available at this URL for a limited time, if the gateway is configured so."},
        304: {"description": "The caller's copy is current."},
        **{status: {"model": ErrorBody} for status in (404, 422, 503, 504)},
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
    if cached.headers["ETag"] == f'"{etag_of_copy(request)}"':
        return Response(status_code=304, headers=cached.headers)
    return Response(cached.data, headers=cached.headers, media_type=cached.content_type)


async def _stream(path: str, request: Request, gateway: Gateway) -> Response:
    parts = gateway.clients.objects.stream_object(path, etag_of_copy(request))
    info = (await first_of(parts, gateway.settings)).info
    # Creatives never change; the cutout of an upload may be replaced.
    caching = "public, max-age=31536000, immutable" if "/generated/" in path else "no-cache"
    headers = {"ETag": f'"{info.etag}"', "Cache-Control": caching}
    if info.not_modified:
        return Response(status_code=304, headers=headers)
    sized = {**headers, "Content-Length": str(info.size)}
    if request.method == "HEAD":
        await parts.aclose()
        return Response(headers=sized, media_type=info.content_type)
    if gateway.pictures.accepts(path, info.size):
        async with calling("history"):
            data = b"".join([chunk async for chunk in chunks_of(parts)])
        cached = CachedPicture(headers, info.content_type, data)
        gateway.pictures.put(path, cached)
        return _send(cached, request)
    return streamed(parts, sized, info.content_type)
