"""Styles: named pictures around the product, to choose from."""

from common.styles import styles
from gateway.models import StyleBody, StylesBody
from gateway.routes.router import Router
from gateway.routes.web import thumbnail

router = Router(prefix="/api", tags=["product"])


@router.get("/styles", operation_id="styles")
async def list_styles() -> StylesBody:
    """Return the styles that the picture around the product can have, each with a thumbnail."""
    return StylesBody(
        styles=[
            StyleBody(name=style.name, en=style.en, zh=style.zh, thumbnail=thumbnail(style.name))
            for style in styles().values()
        ]
    )
