"""The replay pipeline: makes a record again, as far as that is possible, and compares each stage with the record."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gateway.audiences import Audiences
from gateway.errors import ApiError, calling
from gateway.pipelines.brief import Brief, brief_of
from gateway.pipelines.generate import Order, compose, write_copy
from gateway.pipelines.kept import KeptFiles, kept_files, kept_scenes, removals_of
from gateway.pipelines.message import find_brand, message_for
from gateway.pipelines.photo import BY_HAND, find_upload
from gateway.pipelines.removal import find_objects, remove_objects
from gateway.pipelines.run import Run, engine_name
from gateway.pipelines.scene import set_of
from productimage.engine.v1 import engine_pb2
from productimage.generation.v1 import generation_pb2
from productimage.image.v1 import image_pb2
from productimage.provenance.v1 import provenance_pb2
from productimage.record.v1 import record_pb2
from productimage.upload.v1 import upload_pb2

State = Literal["same", "differs", "not repeated"]
CLOUDS = ("bedrock", "images", "openai")
OF_ATTEMPTS = ("background", "composition")
"""Stages that each attempt has; the record is of one of them."""


@dataclass(frozen=True)
class Replayed:
    """A stage that was made again.

    Attributes:
        stage: Its name, such as "copy".
        engine: Engine of the record.
        state: Whether the result has the same bytes.
        detail: What differs, or why it was not repeated; may be empty.
    """

    stage: str
    engine: str
    state: State
    detail: str = ""


async def replay(run: Run, record: record_pb2.Record, audiences: Audiences) -> list[Replayed]:
    """Make a record again; nothing is stored.

    Args:
        run: The run; its request id is the record's, which is in the labels of the ads. No model in a cloud is asked.
        record: The record.
        audiences: Audience tags.

    Raises:
        ApiError: The record does not say how it was made (422), its photo is gone, or a stage failed.
    """
    made = _made(record)
    if "composition" not in made:
        raise ApiError(422, "This record does not say how it was made: it is of an earlier version.", "NO_MANIFEST")
    brief = brief_of(record, audiences)
    brand = await find_brand(run, brief.brand)
    upload = await find_upload(run, brief.timestamp, brief.product_image_filename)
    engines = await run.engines()
    results = [await _cut_out(run, brief, made["cut_out"], upload)] if "cut_out" in made else []
    copy = generation_pb2.WriteCopyResponse(short_ad=record.short_ad, long_ad=record.long_ad)
    reason = _why_not_copy(made.get("copy"), engines)
    if not reason:
        copy = await write_copy(run, brief, brand, made["copy"].seed)
    results.append(_compared(run, made.get("copy"), engines, reason))
    kept = await kept_files(run, record)
    results += [*_removals_not_kept(record, made["composition"]), *await _removals(run, record, kept, engines)]
    reason = _why_not_ads(record, made, engines) or _changed_since(made.get("cut_out"), upload)
    if not reason:
        if record.without_logo:
            brand.logo = b""
        moved = {shown.picture: shown.arrangement for shown in record.products}
        order = Order(brief, upload, message_for(brief, brand, copy), record.seed, moved)
        scenes = kept_scenes(record, kept)
        rendered = set_of(brief, record.seed, brand.primary_colour, made["composition"].model)
        await compose(run, order, scenes or [rendered])
    return [*results, _compared(run, made["composition"], engines, reason)]


def _made(record: record_pb2.Record) -> dict[str, provenance_pb2.Stage]:
    """Return the stages that the record's ads are of, by name: not those of attempts that were worse."""
    return {
        stage.name: stage
        for stage in record.manifest.stages
        if stage.name not in OF_ATTEMPTS or not stage.HasField("seed") or stage.seed == record.seed
    }


async def _cut_out(
    run: Run, brief: Brief, made: provenance_pb2.Stage, upload: upload_pb2.GetUploadResponse
) -> Replayed:
    if BY_HAND in made.notes:
        return Replayed("cut_out", engine_name(made), "not repeated", "it was changed by hand")
    async with calling("cut-out"):
        photo = await run.clients.objects.read_object(brief.product_image_filename)
        cut = await run.clients.segmentation.cut_out(photo)
    [digest] = await run.sha256(cut.cutout)
    state: State = "same" if [digest] == list(made.outputs) else "differs"
    return Replayed("cut_out", engine_name(made), state, _changed_since(made, upload))


async def _removals(
    run: Run, record: record_pb2.Record, kept: KeptFiles, engines: Mapping[str, engine_pb2.Engine]
) -> list[Replayed]:
    """Find and remove again what was removed from pictures."""
    results = []
    for removal, file in zip(removals_of(record), kept.removals, strict=True):
        picture = image_pb2.Image(encoded=file)
        finding, removing = (_stage_on(record, name, removal.sha256) for name in ("object_finding", "inpainting"))
        async with run.stage("object finding") as stage:
            found = await find_objects(run, stage, picture, removal.sha256, everywhere=removal.everywhere)
        results.append(_compared(run, finding, engines))
        reason = "" if all(number < len(found.objects) for number in removal.objects) else "other objects are found now"
        if not reason:
            objects = [found.objects[number].region for number in removal.objects]
            async with run.stage("inpainting") as stage:
                await remove_objects(run, stage, picture, removal.sha256, objects)
        results.append(_compared(run, removing, engines, reason))
    return results


def _removals_not_kept(record: record_pb2.Record, composition: provenance_pb2.Stage) -> list[Replayed]:
    """Return the removals of the ads' pictures that cannot be repeated."""
    repeatable = [removal.sha256 for removal in removals_of(record)]
    return [
        Replayed(stage.name, engine_name(stage), "not repeated", "the picture before it was not kept")
        for stage in record.manifest.stages
        if stage.name == "inpainting"
        and stage.inputs[0] not in repeatable
        and set(stage.outputs) & set(composition.inputs)
    ]


def _stage_on(record: record_pb2.Record, name: str, digest: str) -> provenance_pb2.Stage:
    """Return the stage of a record that worked on a picture; one without a result if there is none."""
    stages = [stage for stage in record.manifest.stages if stage.name == name and list(stage.inputs[:1]) == [digest]]
    return stages[0] if stages else provenance_pb2.Stage(name=name)


def _why_not_copy(made: provenance_pb2.Stage | None, engines: Mapping[str, engine_pb2.Engine]) -> str:
    """Return why the copy cannot be written again; empty if it can."""
    if made is None:
        return "the record does not say how it was written"
    if made.engine in CLOUDS:
        return "a model in a cloud wrote it"
    now = engines["copy"].name if "copy" in engines else "nothing"
    return "" if now == engine_name(made) else f"{now} writes now"


def _why_not_ads(
    record: record_pb2.Record, made: Mapping[str, provenance_pb2.Stage], engines: Mapping[str, engine_pb2.Engine]
) -> str:
    """Return why the ads cannot be made again; empty if they can."""
    if record.backgrounds:
        return ""
    if made["composition"].engine != "set":
        background = made.get("background", provenance_pb2.Stage())
        if background.engine in CLOUDS:
            return f"a model in a cloud made the background, asked for: {background.prompt}"
        return "the picture was not kept"
    return "" if "renderer" in engines else "nothing renders sets now"


def _changed_since(made: provenance_pb2.Stage | None, upload: upload_pb2.GetUploadResponse) -> str:
    is_same = made is None or list(made.outputs) == list(upload.cutout_stage.outputs)
    return "" if is_same else "the cut-out was changed since"


def _compared(
    run: Run, made: provenance_pb2.Stage | None, engines: Mapping[str, engine_pb2.Engine], reason: str = ""
) -> Replayed:
    """Compare the last stage of a run with that of the record."""
    name = made.name if made else "copy"
    engine = engine_name(made) if made else ""
    if reason or made is None:
        return Replayed(name, engine, "not repeated", reason)
    run.provenance.add_facts(engines)
    again = run.provenance.stages[-1]
    if list(again.outputs) == list(made.outputs):
        return Replayed(name, engine, "same")
    if made.pixels and list(again.pixels) == list(made.pixels):
        return Replayed(name, engine, "same", "its pixels are; its files were labelled or signed again")
    other = f"{engine_name(again)} in place of {engine}" if engine_name(again) != engine else ""
    facts = [
        f"{key}: {again.facts.get(key, 'none')} in place of {value}"
        for key, value in made.facts.items()
        if again.facts.get(key) != value
    ]
    return Replayed(name, engine, "differs", "; ".join(filter(None, [other, *facts])))
