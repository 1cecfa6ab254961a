"""The generate pipeline: copy, then scenes, then the creatives, saved as one record."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from common.version import VERSION
from gateway.ad_sizes import BESIDE_BYTES
from gateway.errors import ApiError, as_api_error, unusable
from gateway.notes import sentences_on, together
from gateway.pipelines.brief import FORMATS, Brief
from gateway.pipelines.costs import within_budget
from gateway.pipelines.kept import KeptFiles
from gateway.pipelines.message import find_brand, message_for
from gateway.pipelines.photo import discard, find_upload
from gateway.pipelines.run import Run, set_engine
from gateway.pipelines.scene import SCENE_STAGES, SETS, MadeScene, SceneRequest, group_by_family, make_scenes
from productimage.brand.v1 import brand_pb2
from productimage.generation.v1 import generation_pb2
from productimage.provenance.v1 import provenance_pb2
from productimage.record.v1 import record_pb2
from productimage.upload.v1 import upload_pb2

log = structlog.get_logger()

STAGES = 4
"""Reading the upload, writing the copy, composing and saving."""
MOST_REMOVAL_BYTES = BESIDE_BYTES // 2
"""Of pictures from which something was removed; the other half is for backgrounds and texts."""
MAX_IDENTIFIER = 100
"""Characters of the identifier in the label of ads."""
REPEATABLE = (400, 409, 413, 429)
"""Errors after which the same upload is needed again: a field to correct, or a moment to wait."""


@dataclass(frozen=True)
class Attempt:
    """Creatives from one seed, and their flaws.

    Attributes:
        seed: The seed.
        scenes: Scenes they were made in.
        composed: One creative per size, and the backgrounds to keep.
    """

    seed: int
    scenes: list[MadeScene]
    composed: generation_pb2.ComposeCreativesResponse

    @property
    def creatives(self) -> Sequence[generation_pb2.Creative]:
        """One per size."""
        return self.composed.creatives

    @property
    def flaws(self) -> list[str]:
        """Flaws that another seed may avoid."""
        return [flaw for creative in self.creatives for flaw in creative.quality.flaws]

    @property
    def notes(self) -> list[str]:
        """Remarks for people."""
        of_scenes = [note for made in self.scenes for note in made.notes]
        of_creatives = [note for one in self.creatives for note in (*one.quality.flaws, *one.quality.notes)]
        return list(dict.fromkeys([*of_scenes, *together(of_creatives)]))

    @property
    def pictures(self) -> list[MadeScene]:
        """Scenes that are pictures."""
        return [made for made in self.scenes if made.scene.HasField("picture")]

    @property
    def keeps_removals(self) -> bool:
        """Whether the pictures from which something was removed fit beside the ads."""
        return sum(len(made.before) for made in self.pictures) <= MOST_REMOVAL_BYTES

    @property
    def rank(self) -> tuple[int, float]:
        """Lower is better: first fewer flaws, then more contrast."""
        return len(self.flaws), -min(creative.quality.contrast for creative in self.creatives)


@dataclass(frozen=True)
class Order:
    """What creatives are made from.

    Attributes:
        brief: What the user asks for.
        upload: The photo and its cutout.
        message: What is set on the creatives.
        seed: Seed of the creatives.
        arrangements: How the product is moved, by the name of the creative.
    """

    brief: Brief
    upload: upload_pb2.GetUploadResponse
    message: generation_pb2.Message | None
    seed: int
    arrangements: Mapping[str, generation_pb2.Arrangement] = field(default_factory=dict)


async def generate(run: Run, brief: Brief) -> record_pb2.Record:
    """Make the creatives and save them.

    Raises:
        ApiError: The request is wrong or came at a bad moment, and can be repeated. Or a stage failed: then an upload
            that has no results yet is removed.
    """
    run.progress.expected = STAGES + SCENE_STAGES * len(group_by_family(brief, run.settings))
    brand = await find_brand(run, brief.brand)
    upload = await find_upload(run, brief.timestamp, brief.product_image_filename)
    try:
        async with within_budget(run, brief):
            record, best = await _make(run, brief, brand, upload)
    except Exception as failure:
        error = as_api_error(failure)
        # A background of the user's own may be what is wrong; the photo is not.
        is_at_fault = error.status in REPEATABLE or brief.user_background
        if not is_at_fault and await discard(run, brief.timestamp):
            text = f"{error.detail} Then upload the photo again: it was not kept."
            raise ApiError(error.status, text, error.reason) from failure
        raise error from failure
    # Whether a failed save was committed cannot be told from here, so the upload stays: for a retry, or for the sweep.
    return await _save(run, brief, record, best)


async def _make(
    run: Run, brief: Brief, brand: brand_pb2.Brand, upload: upload_pb2.GetUploadResponse
) -> tuple[record_pb2.Record, Attempt]:
    # The copy comes first: with it come the English terms for the background prompts.
    seed = run.seeds.getrandbits(32)
    engines = asyncio.create_task(run.engines())
    copy = await write_copy(run, brief, brand, seed)
    order = Order(brief, upload, message_for(brief, brand, copy), seed)
    known = await engines
    wanted = SceneRequest(
        brief,
        copy.terms if copy.HasField("terms") else None,
        upload.product_aspect_ratio,
        seed,
        brand.primary_colour,
        known["background"].name if "background" in known and not brief.user_background else "",
    )
    if wanted.engine == SETS:
        run.progress.expected -= SCENE_STAGES * (len(group_by_family(brief, run.settings)) - 1)
    best = await _best_attempt(run, order, wanted)
    run.provenance.add_facts(known)
    record = record_pb2.Record(
        product_name=brief.product.name,
        product_describe=brief.product.description,
        target_audience=brief.target_audience,
        short_ad=copy.short_ad,
        long_ad=copy.long_ad,
        engines={"cut_out": upload.cutout_engine, **run.provenance.engines()},
        seed=best.seed,
        prompts=[scene.prompt for scene in best.scenes if scene.prompt],
        notes=[*sentences_on(upload.upload.notes), *([copy.note] if copy.note else []), *best.notes],
        manifest=provenance_pb2.Manifest(
            software_version=VERSION, stages=[upload.cutout_stage, *run.provenance.stages]
        ),
        texts=copy.fields,
        words=order.message.words if order.message else None,
        brand=brand.name,
        platforms=brief.platforms,
        placed=[creative.placed for creative in best.creatives if creative.HasField("placed")],
        preferences=brief.preferences if brief.preferences.ListFields() else None,
        fidelity=[creative.fidelity for creative in best.creatives if creative.HasField("fidelity")],
        dollars=run.provenance.dollars,
        locale=brief.locale,
        layout=brief.layout,
        file_format=brief.file_format,
        products=[
            record_pb2.ShownProduct(picture=size.name, box=creative.product)
            for size, creative in zip(brief.sizes, best.creatives, strict=True)
            if creative.HasField("product")
        ],
        backgrounds=_kept(best),
    )
    return record, best


def _kept(best: Attempt) -> list[record_pb2.KeptBackground]:
    """Return the backgrounds to keep: those that are pictures. Services of release 0.2 return none."""
    return [
        record_pb2.KeptBackground(
            placement=kept.placement,
            source_type=made.scene.origin.source_type,
            removal=made.removal if best.keeps_removals else None,
        )
        for made, kept in zip(best.pictures, best.composed.kept_scenes, strict=False)
    ]


async def write_copy(run: Run, brief: Brief, brand: brand_pb2.Brand, seed: int) -> generation_pb2.WriteCopyResponse:
    """Write the copy.

    Raises:
        ApiError: The stage failed.
    """
    async with run.stage("copy") as stage:
        copy = await run.clients.generation.write_copy(
            brief.product,
            brief.audience,
            brief.locale,
            platforms=brief.platforms,
            brand=brand.name,
            tone=brand.tone,
            seed=seed,
        )
        set_engine(stage, copy.engine)
        stage.seed, stage.dollars = seed, copy.dollars
        stage.outputs.extend(await run.sha256(copy.short_ad, copy.long_ad))
        if not (copy.short_ad and copy.long_ad):
            raise unusable("copy")
    return copy


async def _best_attempt(run: Run, order: Order, wanted: SceneRequest) -> Attempt:
    """Make creatives, retrying with a new seed while they have flaws; return the best attempt."""
    seed = order.seed
    allowed = 1 if order.brief.user_background else 1 + run.settings.regenerations
    attempts: list[Attempt] = []
    while len(attempts) < allowed and not (attempts and not attempts[-1].flaws):
        scenes = await make_scenes(run, replace(wanted, seed=seed))
        composed = await compose(run, replace(order, seed=seed), scenes, keep_backgrounds=True)
        attempts.append(Attempt(seed, scenes, composed))
        if attempts[-1].flaws and len(attempts) < allowed:
            run.progress.expected += 1 + SCENE_STAGES * len(attempts[-1].scenes)
        log.info("attempt", seed=seed, flaws=attempts[-1].flaws)
        seed = run.seeds.getrandbits(32)
    return min(attempts, key=lambda attempt: attempt.rank)


async def compose(
    run: Run, order: Order, scenes: list[MadeScene], *, keep_backgrounds: bool = False
) -> generation_pb2.ComposeCreativesResponse:
    """Compose the creatives: one per size, and the backgrounds that are pictures as files, if they are to be kept.

    Raises:
        ApiError: The stage failed.
    """
    brief, cutout = order.brief, order.upload.cutout
    sizes = [
        generation_pb2.CreativeSize(
            width=size.width,
            height=size.height,
            most_bytes=size.most_bytes,
            arrangement=order.arrangements.get(size.name),
        )
        for size in brief.sizes
    ]
    async with run.stage("composition") as stage:
        stage.seed = order.seed
        composed = await run.clients.generation.compose_creatives(
            [made.scene for made in scenes],
            cutout,
            sizes,
            message=order.message,
            file_format=FORMATS[brief.file_format],
            label=generation_pb2.Label(
                identifier=f"{brief.timestamp}/{run.request_id}"[:MAX_IDENTIFIER],
                photo_sha256=next(iter(order.upload.cutout_stage.inputs), ""),
            ),
            keep_backgrounds=keep_backgrounds,
        )
        if len(composed.creatives) != len(sizes) or not all(creative.file for creative in composed.creatives):
            raise unusable("composition")
        sets = {creative.set for creative in composed.creatives if creative.set}
        if sets:
            set_engine(stage, f"set/{min(sets)}")
        stage.inputs.extend([*await run.sha256(cutout), *(scene.sha256 for scene in scenes if scene.sha256)])
        stage.outputs.extend(await run.sha256(*(creative.file for creative in composed.creatives)))
        stage.pixels.extend(creative.pixels_sha256 for creative in composed.creatives)
    return composed


async def _save(run: Run, brief: Brief, record: record_pb2.Record, best: Attempt) -> record_pb2.Record:
    pictures = [
        record_pb2.Picture(name=size.name, file=creative.file)
        for size, creative in zip(brief.sizes, best.creatives, strict=True)
    ]
    kept = list(zip(record.backgrounds, best.composed.kept_scenes, best.pictures, strict=False))
    files = KeptFiles(
        [scene.file for _, scene, _ in kept], [made.before for one, _, made in kept if one.HasField("removal")]
    )
    async with run.stage("history", recorded=False):
        return await run.clients.records.save_generation(
            run.request_id, brief.timestamp, record, pictures, *files.pictures
        )
