"""Composition in a rendered set: each ad is traced at its own size, with the product in it."""

from collections.abc import Sequence

from common.imaging.codec import Pixels
from services.generation.background.background import RenderedSet
from services.generation.compose.compose import Creative, Output, prepare, put
from services.generation.compose.edges import clean_edges
from services.generation.compose.files import encode_ad
from services.generation.compose.layout import MessageZone, free_box
from services.generation.compose.quality import assess
from services.generation.compose.scale import scaled
from services.generation.engines.set.look import look_at
from services.generation.engines.set.set_engine import SetEngine, Shot
from services.generation.geometry import Size
from services.generation.srgb import to_srgb


def compose_in_set(
    engine: SetEngine, wanted: RenderedSet, cutout: Pixels, sizes: Sequence[Size], zone: MessageZone, output: Output
) -> list[Creative]:
    """Make one creative per size, all in one set.

    Args:
        engine: Renders.
        wanted: Product, audience and seed.
        cutout: Product, (H, W, 4), straight alpha.
        sizes: Sizes of the creatives.
        zone: Where room is left for words.
        output: Encoding and limits.

    Raises:
        InvalidInputError: The cutout has no alpha channel.
        PreconditionError: The cutout has no visible pixel, or a creative cannot be compressed to the size limit.
        AbandonedError: Nobody waits any more.
    """
    product = prepare(cutout)
    look = look_at(product.light)
    stage = engine.choose(wanted.product, wanted.audience, wanted.terms, look, wanted.seed)
    creatives = []
    for ad in sizes:
        box = free_box(product.size, ad, zone, stands=stage.stands)
        layer = clean_edges(scaled(product.light, Size(box.width, box.height)))
        picture = engine.render(Shot(stage, layer, box, ad, look, wanted.seed))
        file = encode_ad(to_srgb(put(picture, layer, box)), output.file_format, output.limits.file_bytes)
        enlarged = box.width / product.size.width
        quality = assess(layer, picture, box, ad, file, output.limits, enlarged, stands=stage.stands)
        creatives.append(Creative(file, quality, stage.name))
    return creatives
