"""The message on the ads: words of the user, else of the copy, in the colours of the brand."""

from gateway.errors import calling
from gateway.layouts import AUTO
from gateway.pipelines.brief import Brief
from gateway.pipelines.run import Run
from productimage.brand.v1 import brand_pb2
from productimage.generation.v1 import generation_pb2
from productimage.text.v1 import text_pb2


async def find_brand(run: Run, name: str) -> brand_pb2.Brand:
    """Return a brand; an empty one if no name is given.

    Raises:
        ApiError: There is none of this name, or the call failed.
    """
    if not name:
        return brand_pb2.Brand()
    async with calling("history"):
        return await run.clients.brands.get_brand(name)


def message_for(
    brief: Brief, brand: brand_pb2.Brand, copy: generation_pb2.WriteCopyResponse
) -> generation_pb2.Message | None:
    """Return what to set on the ads; None if nothing is.

    Args:
        brief: What the user asks for. A layout asks for a headline and a button, which the copy has if the user wrote
            none; without a layout, only what the user wrote is set.
        brand: Brand of the ads.
        copy: The copy.
    """
    if not brief.has_words:
        return None
    words = text_pb2.Words()
    words.CopyFrom(brief.words)
    if brief.layout:
        words.headline = words.headline or copy.headline
        words.call_to_action = words.call_to_action or copy.call_to_action
    words.legal = words.legal or brand.legal
    return generation_pb2.Message(
        words=words,
        logo=brand.logo,
        primary_colour=brand.primary_colour,
        secondary_colour=brand.secondary_colour,
        font=brand.font,
        layout="" if brief.layout == AUTO else brief.layout,
    )
