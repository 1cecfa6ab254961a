"""The generate pipeline: words, then scenes, then the ads, kept as one record."""

import secrets
from dataclasses import dataclass

import structlog

from gateway.errors import ApiError
from gateway.pipelines.brief import Brief
from gateway.pipelines.journal import Journal, sha256, sign
from gateway.pipelines.scene import Commission, Scene, families, make_scenes
from gateway.pipelines.upload import discard
from gateway.services import Services
from gateway.settings import GatewaySettings
from productimage.generation.v1 import generation_pb2
from productimage.history.v1 import history_pb2
from productimage.image.v1 import image_pb2
from services.runtime.version import VERSION

log = structlog.get_logger()

STAGES = 4
"""Reading the upload, writing the words, composing and saving."""
SCENE_STAGES = 2
"""For each scene: its background, and what stands in it."""
TO_BE_SENT_AGAIN = (400, 409, 429)
"""Errors after which the same upload is needed again: a field to correct, or a moment to wait."""


@dataclass(frozen=True)
class _Attempt:
    """Ads of one seed, and what is wrong with them."""

    seed: int
    scenes: list[Scene]
    creatives: list[generation_pb2.Creative]

    @property
    def flaws(self) -> list[str]:
        return [flaw for creative in self.creatives for flaw in creative.quality.flaws]

    @property
    def badness(self) -> tuple[int, float]:
        return len(self.flaws), -min(creative.quality.contrast for creative in self.creatives)


async def generate(
    brief: Brief, services: Services, settings: GatewaySettings, journal: Journal, request_id: str
) -> history_pb2.Record:
    """Make the ads and keep them.

    Raises:
        ApiError: The request is wrong, or came at a bad moment: it can be sent again. Or a stage failed: then an
            upload that has no results yet is removed.
    """
    scenes = len(families(brief, settings))
    journal.expected = STAGES + SCENE_STAGES * scenes
    async with journal.asking("history"):
        upload = await services.history.GetUpload(
            history_pb2.GetUploadRequest(timestamp=brief.timestamp), timeout=settings.history_deadline_seconds
        )
    if brief.product_image_filename != upload.upload.photo_path:
        raise ApiError(400, "product_image_filename is not the one that the upload of this timestamp gave.")
    try:
        record, creatives = await _make(brief, upload, services, settings, journal)
    except ApiError as error:
        if error.status not in TO_BE_SENT_AGAIN and await discard(brief.timestamp, services, settings):
            raise ApiError(
                error.status, f"{error.detail} Then upload the photo again: it was not kept.", error.reason
            ) from error
        raise
    # Whether a save that failed was one cannot be told from here, so the upload is left: to a new try, or to the sweep.
    return await _save(brief, record, creatives, services, settings, journal, request_id)


async def _make(
    brief: Brief,
    upload: history_pb2.GetUploadResponse,
    services: Services,
    settings: GatewaySettings,
    journal: Journal,
) -> tuple[history_pb2.Record, list[generation_pb2.Creative]]:
    # The words come first: with them come the English terms that the backgrounds are asked for in.
    copy = await _write_copy(brief, services, settings, journal)
    best = await _best_attempt(brief, upload, copy, services, settings, journal)
    record = history_pb2.Record(
        product_name=brief.product.name,
        product_describe=brief.product.description,
        target_audience=brief.target_audience,
        short_ad=copy.short_ad,
        long_ad=copy.long_ad,
        engines={"cut_out": upload.cutout_engine, **journal.engines()},
        seed=best.seed,
        prompts=[scene.prompt for scene in best.scenes if scene.prompt],
        notes=[*([copy.note] if copy.note else []), *best.flaws],
        manifest=history_pb2.Manifest(software_version=VERSION, stages=[upload.cutout_stage, *journal.stages]),
    )
    return record, best.creatives


async def _write_copy(
    brief: Brief, services: Services, settings: GatewaySettings, journal: Journal
) -> generation_pb2.WriteCopyResponse:
    async with journal.making("copy") as entry:
        copy = await services.generation.WriteCopy(
            generation_pb2.WriteCopyRequest(product=brief.product, audience=brief.audience, locale=brief.locale),
            timeout=settings.copy_deadline_seconds,
        )
        sign(entry, copy.engine)
        entry.outputs.extend([sha256(copy.short_ad.encode()), sha256(copy.long_ad.encode())])
    return copy


async def _best_attempt(
    brief: Brief,
    upload: history_pb2.GetUploadResponse,
    copy: generation_pb2.WriteCopyResponse,
    services: Services,
    settings: GatewaySettings,
    journal: Journal,
) -> _Attempt:
    """Make ads until they have no flaw, a few times at most, and give the best."""
    terms = copy.terms if copy.HasField("terms") else None
    tries = 1 if brief.own_background else 1 + settings.regenerations
    attempts: list[_Attempt] = []
    while len(attempts) < tries and not (attempts and not attempts[-1].flaws):
        commission = Commission(brief, terms, upload.product_aspect_ratio, secrets.randbits(32))
        scenes = await make_scenes(commission, services, settings, journal)
        creatives = await _compose(brief, upload.cutout, scenes, services, settings, journal)
        attempts.append(_Attempt(commission.seed, scenes, creatives))
        if attempts[-1].flaws and len(attempts) < tries:
            journal.expected += 1 + SCENE_STAGES * len(scenes)
        log.info("attempt", seed=commission.seed, flaws=attempts[-1].flaws)
    return min(attempts, key=lambda attempt: attempt.badness)


async def _compose(
    brief: Brief,
    cutout: bytes,
    scenes: list[Scene],
    services: Services,
    settings: GatewaySettings,
    journal: Journal,
) -> list[generation_pb2.Creative]:
    async with journal.making("composition") as entry:
        composed = await services.generation.ComposeCreatives(
            generation_pb2.ComposeCreativesRequest(
                backdrops=[scene.backdrop for scene in scenes],
                cutout=image_pb2.Image(encoded=cutout),
                sizes=[generation_pb2.CreativeSize(width=size.width, height=size.height) for size in brief.sizes],
            ),
            timeout=settings.composition_deadline_seconds,
        )
        entry.inputs.extend([sha256(cutout), *(scene.sha256 for scene in scenes)])
        entry.outputs.extend(sha256(creative.file) for creative in composed.creatives)
    return list(composed.creatives)


async def _save(
    brief: Brief,
    record: history_pb2.Record,
    creatives: list[generation_pb2.Creative],
    services: Services,
    settings: GatewaySettings,
    journal: Journal,
    request_id: str,
) -> history_pb2.Record:
    pictures = [
        history_pb2.Picture(name=size.name, file=creative.file)
        for size, creative in zip(brief.sizes, creatives, strict=True)
    ]
    async with journal.asking("history"):
        saved = await services.history.SaveGeneration(
            history_pb2.SaveGenerationRequest(
                request_id=request_id, timestamp=brief.timestamp, record=record, pictures=pictures
            ),
            timeout=settings.history_deadline_seconds,
        )
    return saved.record
