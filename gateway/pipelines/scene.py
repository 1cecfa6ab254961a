"""A scene: a background with nothing left where the product goes."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.errors import ApiError
from gateway.pipelines.brief import Brief
from gateway.pipelines.clearing import mask_of, obstacles, placement_for, standing_place
from gateway.pipelines.journal import Journal, sha256, sign
from gateway.services import Services
from gateway.settings import GatewaySettings
from gateway.sizes import AdSize, Family
from productimage.generation.v1 import generation_pb2
from productimage.image.v1 import image_pb2
from productimage.inpainting.v1 import inpainting_pb2
from productimage.segmentation.v1 import segmentation_pb2

SQUARE: Family = (1, 1)
OVERSIZE = 2
"""Backgrounds are asked for at so many times the ads' resolution, where that is possible."""
SHORT_SIDES = (240, 1080)


@dataclass(frozen=True)
class Scene:
    """A background that is clear, the words it was made from, and its picture's digest."""

    backdrop: generation_pb2.Backdrop
    prompt: str
    sha256: str


@dataclass(frozen=True)
class Commission:
    """What scenes are made for.

    Attributes:
        brief: What the user wants.
        terms: The product and its audience in English, if they are known.
        product_aspect_ratio: The product's width over its height; 0: not known.
        seed: The same makes the same scenes.
    """

    brief: Brief
    terms: generation_pb2.Terms | None
    product_aspect_ratio: float
    seed: int


async def make_scenes(
    commission: Commission, services: Services, settings: GatewaySettings, journal: Journal
) -> list[Scene]:
    """Make one scene per family of proportions, all at once; the first failure ends the others.

    Raises:
        ApiError: A stage failed.
    """
    try:
        async with asyncio.TaskGroup() as group:
            scenes = [
                group.create_task(_make_scene(request, services, settings, journal))
                for request in _requests(commission, settings)
            ]
    except ExceptionGroup as failures:
        failure = next((error for error in failures.exceptions if isinstance(error, ApiError)), None)
        raise failure or failures from None
    return [scene.result() for scene in scenes]


def _requests(commission: Commission, settings: GatewaySettings) -> list[generation_pb2.GenerateBackgroundRequest]:
    brief = commission.brief
    return [
        generation_pb2.GenerateBackgroundRequest(
            product=brief.product,
            audience=brief.audience,
            aspect_ratio=generation_pb2.AspectRatio(width=family[0], height=family[1]),
            seed=commission.seed,
            terms=commission.terms,
            product_aspect_ratio=commission.product_aspect_ratio,
            short_side=short_side(family, sizes),
            own_picture=image_pb2.Image(encoded=brief.own_background) if brief.own_background else None,
        )
        for family, sizes in families(brief, settings).items()
    ]


def families(brief: Brief, settings: GatewaySettings) -> dict[Family, list[AdSize]]:
    """Give the backgrounds that are needed, and which sizes are cut from each."""
    if brief.own_background or settings.backgrounds == "square":
        return {SQUARE: brief.sizes}
    return {size.family: [one for one in brief.sizes if one.family == size.family] for size in brief.sizes}


def short_side(family: Family, sizes: Sequence[AdSize]) -> int:
    """Give the pixels on a background's shorter side from which all these sizes can be cut sharply."""
    ratio = family[0] / family[1]
    width, height = max(ratio, 1.0), max(1 / ratio, 1.0)
    needed = max(size.width / min(width, height * size.width / size.height) for size in sizes)
    least, most = SHORT_SIDES
    return min(most, max(least, math.ceil(OVERSIZE * needed)))


async def _make_scene(
    request: generation_pb2.GenerateBackgroundRequest, services: Services, settings: GatewaySettings, journal: Journal
) -> Scene:
    """Get a background and clear away what stands where the product goes."""
    async with journal.making("background") as entry:
        background = await services.generation.GenerateBackground(request, timeout=settings.background_deadline_seconds)
        sign(entry, background.engine)
        entry.prompt = background.prompt
        if request.HasField("own_picture"):
            entry.inputs.append(sha256(request.own_picture))
        else:
            entry.seed = request.seed
        digest = sha256(background.picture)
        entry.outputs.append(digest)
    picture, guess = background.picture, background.placement
    async with journal.making("object finding") as entry:
        at = None if guess.stand_in else standing_place(guess.zone)
        found = await services.segmentation.FindObjects(
            segmentation_pb2.FindObjectsRequest(picture=picture, at=at),
            timeout=settings.object_finding_deadline_seconds,
        )
        sign(entry, found.engine)
        entry.inputs.append(digest)
    in_the_way = obstacles(found.objects, guess, picture)
    placement = placement_for(in_the_way, guess, picture)
    if in_the_way:
        journal.expected += 1
        mask = await asyncio.to_thread(mask_of, in_the_way, picture, settings)
        async with journal.making("inpainting") as entry:
            cleared = await services.inpainting.Inpaint(
                inpainting_pb2.InpaintRequest(picture=picture, mask=mask),
                timeout=settings.inpainting_deadline_seconds,
            )
            sign(entry, cleared.engine)
            entry.inputs.extend([digest, sha256(mask)])
            digest = sha256(cleared.picture)
            entry.outputs.append(digest)
        picture = cleared.picture
    return Scene(generation_pb2.Backdrop(picture=picture, placement=placement), background.prompt, digest)
