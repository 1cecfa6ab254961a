"""Composition in a rendered set: each ad is traced at its own size, with the product in it."""

from collections.abc import Sequence
from functools import partial

from common.imaging.codec import Pixels
from services.generation.background.background import Origin, RenderedSet
from services.generation.compose.compose import Creative, Order, Output, Shown, finish, prepare
from services.generation.compose.edges import clean_edges
from services.generation.compose.layout import arranged, box_in, free_box
from services.generation.engines.set.look import look_at
from services.generation.engines.set.set_engine import SetEngine, Shot
from services.generation.geometry import Box, MessageZone, Size
from services.generation.label.label import RENDERED
from services.generation.message.layouts import Layout
from services.generation.message.words import Words


def compose_in_set(
    engine: SetEngine,
    wanted: RenderedSet,
    cutout: Pixels,
    orders: Sequence[Order],
    output: Output,
    zone: MessageZone = "none",
    words: Words | None = None,
) -> list[Creative]:
    """Make one creative per order, all in one set.

    Args:
        engine: Renders.
        wanted: Product, audience and seed.
        cutout: Product, (H, W, 4), straight alpha.
        orders: The creatives.
        output: Encoding and limits.
        zone: Where room is left for words, if none are set.
        words: Message to set on them.

    Raises:
        InvalidInputError: The cutout has no alpha channel.
        PreconditionError: The cutout has no visible pixel, a creative cannot be compressed to the size limit, or the
            fonts are missing.
        AbandonedError: Nobody waits any more.
    """
    product = prepare(cutout)
    look = look_at(product.light)
    photo_set = engine.choose(wanted, look)

    def placed(layout: Layout, frame: Box) -> Box:
        return box_in(frame, product.size, layout.fill, stands=photo_set.stands)

    creatives = []
    for order in orders:
        ad = order.size
        moved = partial(arranged, arrangement=order.arrangement, ad=ad)
        setting = words.best(ad, placed, moved) if words else None
        free = free_box(product.size, ad, zone, stands=photo_set.stands)
        box = setting.product if setting else moved(free)
        photo = product.scaled_to(Size(box.width, box.height))
        layer = clean_edges(photo)
        picture = engine.render(Shot(photo_set, layer, box, ad, look, wanted.seed, wanted.preferences.shadow))
        enlarged = box.width / product.size.width
        shown = Shown(picture, photo, layer, box, enlarged, Origin(RENDERED), photo_set.name, photo_set.stands)
        creatives.append(finish(shown, order, output, words, setting))
    return creatives
