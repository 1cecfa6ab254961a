"""The stored pictures."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from gateway.dependencies import Gateway, GatewayDependency
from gateway.errors import calling
from gateway.models import ErrorBody
from gateway.routes.streaming import chunks_of, first_of, known_etag
from productimage.history.v1 import history_pb2

router = APIRouter(tags=["pictures"])


@router.api_route(
    "/static/{path:path}",
    methods=["GET", "HEAD"],
    response_class=Response,
    responses={
        200: {"content": {"image/png": {}, "image/jpeg": {}, "image/webp": {}}},
        302: {"description": "At the address given, for a while: a setting of the gateway's."},
        304: {"description": "The caller's copy is current."},
        404: {"model": ErrorBody},
    },
)
async def static(path: str, request: Request, gateway: GatewayDependency) -> Response:
    """Give a picture by a path that another answer holds."""
    if gateway.settings.static_delivery == "redirect":
        signed = await _sign(path, gateway)
        if signed.url:
            # Browsers may take the same address again for a part of the time for which it works.
            caching = f"private, max-age={signed.valid_seconds // 2}"
            return RedirectResponse(signed.url, 302, {"Cache-Control": caching})
    stream = gateway.services.history.ReadObject(
        history_pb2.ReadObjectRequest(path=path, if_none_match=known_etag(request)),
        timeout=gateway.settings.download_deadline_seconds,
    )
    parts = aiter(stream)
    info = (await first_of(parts, gateway.settings)).info
    headers = {"ETag": f'"{info.etag}"', "Cache-Control": _caching(path)}
    if info.not_modified:
        return Response(status_code=304, headers=headers)
    headers["Content-Length"] = str(info.size)
    if request.method == "HEAD":
        stream.cancel()
        return Response(headers=headers, media_type=info.content_type)
    return StreamingResponse(chunks_of(parts), headers=headers, media_type=info.content_type)


async def _sign(path: str, gateway: Gateway) -> history_pb2.SignObjectResponse:
    async with calling("history"):
        return await gateway.services.history.SignObject(
            history_pb2.SignObjectRequest(path=path), timeout=gateway.settings.history_deadline_seconds
        )


def _caching(path: str) -> str:
    """Ads never change; an upload's cut-out may be made anew."""
    return "public, max-age=31536000, immutable" if "/generated/" in path else "no-cache"
