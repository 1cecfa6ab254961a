"""Scenes: a background in which nothing stands where the product goes."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass

from common.labels import WITH_TRAINED
from gateway.ad_sizes import AdSize, Family
from gateway.errors import ApiError, unusable
from gateway.pipelines.brief import Brief
from gateway.pipelines.removal import find_objects, remove_objects
from gateway.pipelines.run import Run, set_engine
from gateway.settings import GatewaySettings
from productimage.generation.v1 import generation_pb2
from productimage.image.v1 import image_pb2
from productimage.record.v1 import record_pb2
from productimage.segmentation.v1 import segmentation_pb2
from productimage.text.v1 import text_pb2

SQUARE: Family = (1, 1)
SETS = "set"
"""Engine whose backgrounds fit every size."""
SCENE_STAGES = 2
"""Per scene: making its background and finding the objects in it."""
OVERSIZE = 2
"""Resolution of backgrounds over that of the creatives, where an engine can choose."""
SHORT_SIDES = (240, 1200)
ZONES = {
    "left": generation_pb2.MESSAGE_ZONE_LEFT,
    "right": generation_pb2.MESSAGE_ZONE_RIGHT,
    "top": generation_pb2.MESSAGE_ZONE_ABOVE,
    "bottom": generation_pb2.MESSAGE_ZONE_BELOW,
}
"""Where words stand, by the layout that is asked for."""
COPYING = ("opencv",)
"""Inpainting engines that no training made: they continue what is around the gap."""


@dataclass(frozen=True)
class MadeScene:
    """A scene.

    Attributes:
        scene: The scene.
        prompt: Prompt its background was made from.
        sha256: Digest of its pixels, if it has any yet.
        notes: What does not fit, for people.
        removal: What was removed from it, if it can be repeated.
        before: The picture as it was before that: a file; empty unless there is a removal.
    """

    scene: generation_pb2.Scene
    prompt: str
    sha256: str = ""
    notes: Sequence[str] = ()
    removal: record_pb2.Removal | None = None
    before: bytes = b""


@dataclass(frozen=True)
class SceneRequest:
    """What to make scenes for.

    Attributes:
        brief: What the user asks for.
        terms: Product and audience in English, if known.
        product_aspect_ratio: Width over height of the product; 0 if unknown.
        seed: The same seed makes the same scenes.
        colour: Colour of the brand, as #RRGGBB; empty: none.
        engine: Name of the engine that makes backgrounds; empty if unknown.
    """

    brief: Brief
    terms: generation_pb2.Terms | None
    product_aspect_ratio: float
    seed: int
    colour: str = ""
    engine: str = ""


async def make_scenes(run: Run, wanted: SceneRequest) -> list[MadeScene]:
    """Make one scene per aspect-ratio family, concurrently; the first failure cancels the others. One set serves all.

    Raises:
        ApiError: A stage failed.
    """
    requests = _requests(wanted, run.settings)
    if wanted.engine == SETS:
        requests = requests[:1]
    try:
        async with asyncio.TaskGroup() as group:
            scenes = [group.create_task(_make_scene(run, request)) for request in requests]
    except ExceptionGroup as failures:
        failure = next((error for error in failures.exceptions if isinstance(error, ApiError)), None)
        raise failure or failures from None
    made = [scene.result() for scene in scenes]
    rendered = [one for one in made if one.scene.HasField("rendered_set")]
    if rendered:  # one serves all sizes; if an image model failed for some, all are of one kind
        run.provenance.merge_sets(wanted.seed)
        return rendered[:1]
    return made


def _requests(wanted: SceneRequest, settings: GatewaySettings) -> list[generation_pb2.GenerateBackgroundRequest]:
    brief = wanted.brief
    preferences = preferences_of(brief, wanted.colour)
    return [
        generation_pb2.GenerateBackgroundRequest(
            product=brief.product,
            audience=brief.audience,
            aspect_ratio=generation_pb2.AspectRatio(width=family[0], height=family[1]),
            seed=wanted.seed,
            terms=wanted.terms,
            product_aspect_ratio=wanted.product_aspect_ratio,
            short_side=short_side(family, sizes),
            user_picture=image_pb2.Image(encoded=brief.user_background) if brief.user_background else None,
            preferences=preferences,
            message_zone=zone_for(brief, family),
        )
        for family, sizes in group_by_family(brief, settings).items()
    ]


def set_of(brief: Brief, seed: int, colour: str, name: str) -> MadeScene:
    """Return a set by its name: as GenerateBackground would, but without asking it, since it might ask a cloud."""
    rendered = generation_pb2.RenderedSet(
        product=brief.product, audience=brief.audience, seed=seed, preferences=preferences_of(brief, colour), name=name
    )
    return MadeScene(generation_pb2.Scene(rendered_set=rendered), "")


def preferences_of(brief: Brief, colour: str) -> text_pb2.Preferences:
    """Return the user's preferences for the picture, with the colour of the brand."""
    preferences = text_pb2.Preferences(colour=colour)
    preferences.MergeFrom(brief.preferences)
    return preferences


def zone_for(brief: Brief, family: Family) -> generation_pb2.MessageZone.ValueType:
    """Return where words will stand in a background: as the layout says, else on the left, or above in tall ones."""
    if not brief.has_words:
        return generation_pb2.MESSAGE_ZONE_UNSPECIFIED
    fitting = generation_pb2.MESSAGE_ZONE_LEFT if family[0] > family[1] else generation_pb2.MESSAGE_ZONE_ABOVE
    return ZONES.get(brief.layout, fitting)


def group_by_family(brief: Brief, settings: GatewaySettings) -> dict[Family, list[AdSize]]:
    """Group ad sizes by the aspect-ratio family of the background they are cropped from."""
    if brief.user_background or settings.backgrounds == "square":
        return {SQUARE: brief.sizes}
    return {size.family: [one for one in brief.sizes if one.family == size.family] for size in brief.sizes}


def short_side(family: Family, sizes: Sequence[AdSize]) -> int:
    """Return the shorter side of a background, in pixels, from which all sizes can be cropped without enlarging."""
    ratio = family[0] / family[1]
    width, height = max(ratio, 1.0), max(1 / ratio, 1.0)
    needed = max(size.width / min(width, height * size.width / size.height) for size in sizes)
    smallest, largest = SHORT_SIDES
    return min(largest, max(smallest, math.ceil(OVERSIZE * needed)))


async def _make_scene(run: Run, request: generation_pb2.GenerateBackgroundRequest) -> MadeScene:
    """Make a background and remove what stands where the product goes."""
    async with run.stage("background") as stage:
        background = await run.clients.generation.generate_background(request)
        set_engine(stage, background.engine)
        stage.prompt = background.prompt
        stage.dollars = background.dollars
        notes = [background.note] if background.note else []
        if request.HasField("user_picture"):
            stage.inputs.extend(await run.sha256(request.user_picture))
        else:
            stage.seed = request.seed
        if background.HasField("rendered_set"):
            run.progress.expected -= 1  # nothing is looked for in it
            scene = generation_pb2.Scene(rendered_set=background.rendered_set)
            return MadeScene(scene, background.prompt, notes=notes)
        stage.outputs.extend(await run.sha256(background.picture))
        digest = stage.outputs[0]
    if not _is_usable(background.picture, background.placement):
        raise unusable("background")
    placed, found = await _place(run, request, background, digest)
    picture, origin = background.picture, background.origin
    removal, before = None, b""
    if placed.removed:
        run.progress.expected += 1
        obstacles = [found.objects[number].region for number in placed.removed]
        async with run.stage("inpainting") as stage:
            cleared = await remove_objects(run, stage, picture, digest, obstacles)
            if not _is_usable(cleared.picture, placed.placement):
                raise unusable("inpainting")
        if cleared.engine not in COPYING:
            origin.source_type = WITH_TRAINED
        if cleared.kept_picture:
            removal = record_pb2.Removal(
                sha256=digest, everywhere=_is_searched_everywhere(background), objects=placed.removed
            )
        [digest], picture, before = stage.outputs, cleared.picture, cleared.kept_picture
    scene = generation_pb2.Scene(picture=picture, placement=placed.placement, origin=origin)
    return MadeScene(scene, background.prompt, digest, [*notes, *placed.notes], removal, before)


def _is_usable(picture: image_pb2.Image, placement: generation_pb2.Placement) -> bool:
    """Return whether a response has the pixels of its size, and the product's place within them."""
    raw, box = picture.raw, placement.box
    is_whole = bool(raw.data) and len(raw.data) == 3 * raw.width * raw.height
    return is_whole and box.left < box.right <= raw.width and box.top < box.bottom <= raw.height


async def _place(
    run: Run,
    request: generation_pb2.GenerateBackgroundRequest,
    background: generation_pb2.GenerateBackgroundResponse,
    digest: str,
) -> tuple[generation_pb2.PlaceProductResponse, segmentation_pb2.FindObjectsResponse]:
    """Find what is in a background, and place the product there."""
    async with run.stage("object finding") as stage:
        found = await find_objects(
            run, stage, background.picture, digest, everywhere=_is_searched_everywhere(background)
        )
        placed = await run.clients.generation.place_product(
            generation_pb2.PlaceProductRequest(
                picture=background.picture,
                placement=background.placement,
                things=[thing.region for thing in found.objects],
                surfaces=found.surfaces,
                product=request.product,
                terms=request.terms if request.HasField("terms") else None,
                product_aspect_ratio=request.product_aspect_ratio,
            )
        )
        if not _is_usable(background.picture, placed.placement) or any(
            number >= len(found.objects) for number in placed.removed
        ):
            raise unusable("object finding")
    return placed, found


def _is_searched_everywhere(background: generation_pb2.GenerateBackgroundResponse) -> bool:
    """Return whether any thing may be in the way: not if one was asked for, which is the most salient."""
    return not background.placement.stand_in
