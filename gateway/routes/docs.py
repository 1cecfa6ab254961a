"""`/docs`: Swagger UI, served from here: nothing is loaded from elsewhere."""

from importlib.resources import files

from fastapi import HTTPException, Response

from gateway.routes.router import Router

router = Router(include_in_schema=False)

ASSETS = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
"""Files of Swagger UI, as the package `fastapi-swagger` ships them, and their media types."""
PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Product Image Generator API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/favicon.ico" type="image/svg+xml">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
START = 'SwaggerUIBundle({ url: "/openapi.json", dom_id: "#swagger-ui", validatorUrl: null });\n'
CACHING = {"Cache-Control": "public, max-age=86400"}


@router.get("/docs")
async def page() -> Response:
    """Return the page."""
    return Response(PAGE, media_type="text/html")


@router.get("/docs/start.js")
async def start() -> Response:
    """Return the script that starts it; the page has no inline script."""
    return Response(START, media_type="text/javascript")


@router.get("/docs/{name}")
def asset(name: str) -> Response:
    """Return a file of Swagger UI."""
    media_type = ASSETS.get(name)
    if media_type is None:
        raise HTTPException(404, "There is no such file.")
    data = files("fastapi_swagger").joinpath("resources", name).read_bytes()
    return Response(data, headers=CACHING, media_type=media_type)
