"""The replay pipeline: makes a record again, as far as that is possible, and compares each stage with the record."""

from dataclasses import dataclass
from typing import Literal

from gateway.ad_sizes import parse_sizes
from gateway.audiences import Audiences
from gateway.errors import ApiError, calling
from gateway.pipelines.brief import Brief
from gateway.pipelines.generate import SCENE_STAGES, STAGES, Order, make_attempt, write_copy
from gateway.pipelines.message import find_brand, message_for
from gateway.pipelines.photo import BY_HAND, find_upload
from gateway.pipelines.run import Run, engine_name
from gateway.pipelines.scene import group_by_family
from productimage.generation.v1 import generation_pb2
from productimage.provenance.v1 import provenance_pb2
from productimage.record.v1 import record_pb2
from productimage.upload.v1 import upload_pb2

State = Literal["same", "differs", "not repeated"]
CLOUDS = ("bedrock", "images", "openai")
OWN_PICTURE = "own picture"


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
        run: The run; its request id is the record's, which is in the labels of the ads.
        record: The record.
        audiences: Audience tags.

    Raises:
        ApiError: The record does not say how it was made (422), its photo is gone, or a stage failed.
    """
    made = {stage.name: stage for stage in record.manifest.stages}
    if "composition" not in made:
        raise ApiError(422, "This record does not say how it was made: it is of an earlier version.", "NO_MANIFEST")
    brief = _brief_of(record, audiences)
    run.progress.expected = STAGES + SCENE_STAGES * len(group_by_family(brief, run.settings))
    brand = await find_brand(run, brief.brand)
    upload = await find_upload(run, brief.timestamp, brief.product_image_filename)
    results = [await _cut_out(run, brief, made["cut_out"], upload)] if "cut_out" in made else []
    reason = _why_not(made.get("copy"))
    copy = generation_pb2.WriteCopyResponse(short_ad=record.short_ad, long_ad=record.long_ad)
    if not reason:
        copy = await write_copy(run, brief, brand, made["copy"].seed)
    results.append(_compared(run, made.get("copy"), reason))
    reason = _why_not(made.get("background")) or _changed_since(made.get("cut_out"), upload)
    if not reason:
        order = Order(brief, upload, copy, message_for(brief, brand, copy), record.seed, brand.primary_colour)
        await make_attempt(run, order, record.seed)
        run.provenance.add_facts(await run.facts())
    return [*results, _compared(run, made["composition"], reason)]


def _brief_of(record: record_pb2.Record, audiences: Audiences) -> Brief:
    names = [path.rpartition("_")[2].partition(".")[0] for path in record.generated_images]
    return Brief(
        timestamp=record.product_image_filename.partition("/")[0],
        product_image_filename=record.product_image_filename,
        product=generation_pb2.Product(name=record.product_name, description=record.product_describe),
        audience=audiences.parse(record.target_audience),
        target_audience=record.target_audience,
        locale=record.locale,
        sizes=parse_sizes(",".join(names)),
        user_background=b"",
        platforms=tuple(record.platforms),
        words=record.words,
        layout=record.layout,
        brand=record.brand,
        file_format=record.file_format,
        wishes=record.wishes,
    )


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


def _why_not(made: provenance_pb2.Stage | None) -> str:
    """Return why a stage cannot be repeated; empty if it can."""
    if made is None:
        return "the record does not say how it was made"
    if made.engine in CLOUDS:
        return "a model in a cloud made it" + (f", asked for: {made.prompt}" if made.prompt else "")
    return "the picture was not kept" if made.engine == OWN_PICTURE else ""


def _changed_since(made: provenance_pb2.Stage | None, upload: upload_pb2.GetUploadResponse) -> str:
    is_same = made is None or list(made.outputs) == list(upload.cutout_stage.outputs)
    return "" if is_same else "the cut-out was changed since"


def _compared(run: Run, made: provenance_pb2.Stage | None, reason: str) -> Replayed:
    """Compare the last stage of a run with that of the record."""
    name = made.name if made else "copy"
    engine = engine_name(made) if made else ""
    if reason or made is None:
        return Replayed(name, engine, "not repeated", reason)
    again = run.provenance.stages[-1]
    if list(again.outputs) == list(made.outputs):
        return Replayed(name, engine, "same")
    if made.pixels and list(again.pixels) == list(made.pixels):
        return Replayed(name, engine, "same", "its pixels are; its files were labelled or signed anew")
    engines = f"{engine_name(again)} in place of {engine}" if engine_name(again) != engine else ""
    facts = [
        f"{key}: {again.facts.get(key, 'none')} in place of {value}"
        for key, value in made.facts.items()
        if again.facts.get(key) != value
    ]
    return Replayed(name, engine, "differs", "; ".join(filter(None, [engines, *facts])))
