"""The generate pipeline: words, and per family of proportions a background cleared for the product; then the ads."""

import asyncio
import secrets
import uuid
from dataclasses import dataclass

from gateway.errors import ApiError
from gateway.pipelines.clearing import mask_of, standing_place
from gateway.pipelines.stage import stage
from gateway.pipelines.upload import discard
from gateway.services import Services
from gateway.settings import GatewaySettings
from productimage.generation.v1 import generation_pb2
from productimage.history.v1 import history_pb2
from productimage.image.v1 import image_pb2
from productimage.inpainting.v1 import inpainting_pb2
from productimage.segmentation.v1 import segmentation_pb2

SIZES = ((300, 250), (320, 480), (336, 280))
"""The ads, in the order that the frontend shows them."""
FAMILIES = {"per_aspect": ((5, 4), (2, 3)), "square": ((1, 1),)}
"""The proportions of the backgrounds that those sizes are cut from, by the setting."""


TO_BE_SENT_AGAIN = (400, 409, 429)
"""Errors after which the same upload is needed again: a field to correct, or a moment to wait."""


@dataclass(frozen=True)
class Brief:
    """What the user wants.

    Attributes:
        timestamp: The upload to make ads of.
        product_image_filename: Its photo's path, as the upload gave it.
        product: The product.
        audience: Whom the ads are for.
        target_audience: The same as the user chose it.
        locale: Of the words; empty: the default.
    """

    timestamp: str
    product_image_filename: str
    product: generation_pb2.Product
    audience: generation_pb2.Audience
    target_audience: str
    locale: str


@dataclass(frozen=True)
class _Scene:
    """A background with nothing in the product's way, and who made it."""

    backdrop: generation_pb2.Backdrop
    prompt: str
    engines: dict[str, str]


async def generate(brief: Brief, services: Services, settings: GatewaySettings) -> history_pb2.Record:
    """Make the ads and keep them.

    Raises:
        ApiError: The request is wrong, or came at a bad moment: it can be sent again. Or a stage failed: then an
            upload that has no results yet is removed.
    """
    async with stage("history"):
        upload = await services.history.GetUpload(
            history_pb2.GetUploadRequest(timestamp=brief.timestamp), timeout=settings.history_deadline_seconds
        )
    if brief.product_image_filename != upload.upload.photo_path:
        raise ApiError(400, "product_image_filename is not the one that the upload of this timestamp gave.")
    try:
        record, creatives = await _make(brief, upload, services, settings)
    except ApiError as error:
        if error.status not in TO_BE_SENT_AGAIN and await discard(brief.timestamp, services, settings):
            raise ApiError(error.status, f"{error.detail} Then upload the photo again: it was not kept.") from error
        raise
    # Whether a save that failed was one cannot be told from here, so the upload is left: to a new try, or to the sweep.
    return await _save(brief.timestamp, record, creatives, services, settings)


async def _make(
    brief: Brief, upload: history_pb2.GetUploadResponse, services: Services, settings: GatewaySettings
) -> tuple[history_pb2.Record, list[generation_pb2.Creative]]:
    seed = secrets.randbits(32)
    # The words come first: with them come the English terms that the backgrounds are asked for in.
    copy = await _write_copy(brief, services, settings)
    terms = copy.terms if copy.HasField("terms") else None
    scenes = await _make_scenes(brief, terms, seed, services, settings)
    creatives = await _compose(upload.cutout, [scene.backdrop for scene in scenes], services, settings)
    engines = {"cut_out": upload.cutout_engine, "copy": copy.engine}
    for scene in scenes:
        engines |= scene.engines
    record = history_pb2.Record(
        product_name=brief.product.name,
        product_describe=brief.product.description,
        target_audience=brief.target_audience,
        short_ad=copy.short_ad,
        long_ad=copy.long_ad,
        engines=engines,
        seed=seed,
        prompts=[scene.prompt for scene in scenes],
        notes=[copy.note] if copy.note else [],
    )
    return record, creatives


async def _make_scenes(
    brief: Brief, terms: generation_pb2.Terms | None, seed: int, services: Services, settings: GatewaySettings
) -> list[_Scene]:
    """Make all at once; the first failure ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            scenes = [
                group.create_task(_make_scene(brief, terms, family, seed, services, settings))
                for family in FAMILIES[settings.backgrounds]
            ]
    except ExceptionGroup as failures:
        failure = next((error for error in failures.exceptions if isinstance(error, ApiError)), None)
        raise failure or failures from None
    return [scene.result() for scene in scenes]


async def _write_copy(brief: Brief, services: Services, settings: GatewaySettings) -> generation_pb2.WriteCopyResponse:
    async with stage("copy"):
        return await services.generation.WriteCopy(
            generation_pb2.WriteCopyRequest(product=brief.product, audience=brief.audience, locale=brief.locale),
            timeout=settings.model_deadline_seconds,
        )


async def _make_scene(
    brief: Brief,
    terms: generation_pb2.Terms | None,
    family: tuple[int, int],
    seed: int,
    services: Services,
    settings: GatewaySettings,
) -> _Scene:
    """Make a background and clear away what stands where the product goes."""
    deadline = settings.model_deadline_seconds
    width, height = family
    async with stage("background"):
        background = await services.generation.GenerateBackground(
            generation_pb2.GenerateBackgroundRequest(
                product=brief.product,
                audience=brief.audience,
                aspect_ratio=generation_pb2.AspectRatio(width=width, height=height),
                seed=seed,
                terms=terms,
            ),
            timeout=deadline,
        )
    engines = {"background": background.engine}
    async with stage("object finding"):
        found = await services.segmentation.FindObjects(
            segmentation_pb2.FindObjectsRequest(
                picture=background.picture, at=standing_place(background.placement.zone)
            ),
            timeout=deadline,
        )
    engines["object_finding"] = found.engine
    picture = background.picture
    mask = await asyncio.to_thread(mask_of, found.objects, background.placement.zone, picture, settings)
    if mask is not None:
        async with stage("inpainting"):
            cleared = await services.inpainting.Inpaint(
                inpainting_pb2.InpaintRequest(picture=picture, mask=mask), timeout=deadline
            )
        engines["inpainting"] = cleared.engine
        picture = cleared.picture
    backdrop = generation_pb2.Backdrop(picture=picture, placement=background.placement)
    return _Scene(backdrop, background.prompt, engines)


async def _compose(
    cutout: bytes, backdrops: list[generation_pb2.Backdrop], services: Services, settings: GatewaySettings
) -> list[generation_pb2.Creative]:
    async with stage("composition"):
        composed = await services.generation.ComposeCreatives(
            generation_pb2.ComposeCreativesRequest(
                backdrops=backdrops,
                cutout=image_pb2.Image(encoded=cutout),
                sizes=[generation_pb2.CreativeSize(width=width, height=height) for width, height in SIZES],
            ),
            timeout=settings.model_deadline_seconds,
        )
    return list(composed.creatives)


async def _save(
    timestamp: str,
    record: history_pb2.Record,
    creatives: list[generation_pb2.Creative],
    services: Services,
    settings: GatewaySettings,
) -> history_pb2.Record:
    pictures = [
        history_pb2.Picture(name=f"{creative.size.width}x{creative.size.height}", jpeg=creative.jpeg)
        for creative in creatives
    ]
    async with stage("history"):
        saved = await services.history.SaveGeneration(
            history_pb2.SaveGenerationRequest(
                request_id=uuid.uuid4().hex, timestamp=timestamp, record=record, pictures=pictures
            ),
            timeout=settings.history_deadline_seconds,
        )
    return saved.record
