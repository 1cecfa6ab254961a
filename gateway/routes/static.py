"""The stored pictures."""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from prometheus_client import Counter

from gateway.dependencies import Gateway, GatewayDependency
from gateway.errors import calling
from gateway.models import ErrorBody
from gateway.routes.streaming import chunks_of, first_of, known_etag
from productimage.history.v1 import history_pb2

router = APIRouter(tags=["pictures"])

PICTURES = Counter("productimage_pictures", "Pictures that were asked for, by where they came from.", ["source"])

LARGEST_KEPT = 1 << 20
"""Ads of more bytes are not kept in memory."""


@dataclass(frozen=True)
class KeptPicture:
    """An ad, kept in memory: what is at its path never changes."""

    headers: dict[str, str]
    content_type: str
    data: bytes


@router.head("/static/{path:path}", include_in_schema=False)
@router.get(
    "/static/{path:path}",
    response_class=Response,
    responses={
        200: {"content": {"image/png": {}, "image/jpeg": {}, "image/webp": {}}},
        302: {"description": "At the address given, for a while: a setting of the gateway's."},
        304: {"description": "The caller's copy is current."},
        **{status: {"model": ErrorBody} for status in (404, 422, 503, 504)},
    },
)
async def static(path: str, request: Request, gateway: GatewayDependency) -> Response:
    """Give a picture by a path that another answer holds."""
    if gateway.settings.static_delivery == "redirect":
        signed = await _sign(path, gateway)
        if signed.url:
            PICTURES.labels("redirect").inc()
            # Browsers may take the same address again for a part of the time for which it works.
            caching = f"private, max-age={signed.valid_seconds // 2}"
            return RedirectResponse(signed.url, 302, {"Cache-Control": caching})
    kept = gateway.pictures.get(path)
    PICTURES.labels("history" if kept is None else "memory").inc()
    return await _stream(path, request, gateway) if kept is None else _give(kept, request)


async def _sign(path: str, gateway: Gateway) -> history_pb2.SignObjectResponse:
    async with calling("history"):
        return await gateway.services.history.SignObject(
            history_pb2.SignObjectRequest(path=path), timeout=gateway.settings.history_deadline_seconds
        )


def _give(kept: KeptPicture, request: Request) -> Response:
    if kept.headers["ETag"] == f'"{known_etag(request)}"':
        return Response(status_code=304, headers=kept.headers)
    return Response(kept.data, headers=kept.headers, media_type=kept.content_type)


async def _stream(path: str, request: Request, gateway: Gateway) -> Response:
    stream = gateway.services.history.ReadObject(
        history_pb2.ReadObjectRequest(path=path, if_none_match=known_etag(request)),
        timeout=gateway.settings.download_deadline_seconds,
    )
    parts = aiter(stream)
    info = (await first_of(parts, gateway.settings)).info
    is_ad = "/generated/" in path
    # Ads never change; an upload's cut-out may be made anew.
    caching = "public, max-age=31536000, immutable" if is_ad else "no-cache"
    headers = {"ETag": f'"{info.etag}"', "Cache-Control": caching}
    if info.not_modified:
        return Response(status_code=304, headers=headers)
    sized = {**headers, "Content-Length": str(info.size)}
    if request.method == "HEAD":
        stream.cancel()
        return Response(headers=sized, media_type=info.content_type)
    if is_ad and info.size <= min(LARGEST_KEPT, gateway.pictures.maxsize):
        async with calling("history"):
            data = b"".join([chunk async for chunk in chunks_of(parts)])
        gateway.pictures[path] = kept = KeptPicture(headers, info.content_type, data)
        return _give(kept, request)
    return StreamingResponse(chunks_of(parts), headers=sized, media_type=info.content_type)
