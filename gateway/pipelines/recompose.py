"""The recompose pipeline: ads of a record with the product moved, or other words; no background is made for them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from common.version import VERSION
from gateway.ad_sizes import AdSize
from gateway.audiences import Audiences
from gateway.errors import ApiError, calling
from gateway.layouts import NO_WORDS
from gateway.notes import together
from gateway.pipelines.brief import Brief, brief_of
from gateway.pipelines.generate import Order, compose
from gateway.pipelines.kept import KeptFiles, kept_files, kept_scenes
from gateway.pipelines.message import find_brand, message_for
from gateway.pipelines.photo import find_upload
from gateway.pipelines.run import Run
from gateway.pipelines.scene import set_of
from productimage.brand.v1 import brand_pb2
from productimage.generation.v1 import generation_pb2
from productimage.provenance.v1 import provenance_pb2
from productimage.record.v1 import record_pb2
from productimage.text.v1 import text_pb2

_OF_ADS = re.compile(r"(\d+x\d+(?:, \d+x\d+)*): (.+)", re.DOTALL)
"""A note on single ads, as `together` writes it."""
COMPOSITION = "composition"
STAGES = 3
"""Reading the upload, composing and saving."""
MOST_HEADLINE = 60
"""Characters of a headline."""


@dataclass(frozen=True)
class Change:
    """What to change. What is None stays as it is in the record.

    Attributes:
        sequence: Number of the record.
        arrangements: How the product is moved from where it would stand, by the name of the ad.
        words: Words to replace, by name; empty ones are taken away.
        layout: Layout of the words.
        with_logo: Whether the brand's logo is shown.
        shadow: Darkness of the product's shadow where it is painted, 0 to 1; in a set, how much of it is shown.
    """

    sequence: int
    arrangements: Mapping[str, generation_pb2.Arrangement] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    layout: str | None = None
    with_logo: bool | None = None
    shadow: float | None = None


@dataclass(frozen=True)
class Variant:
    """The record to be, while it is made.

    Attributes:
        record: The record, as far as it is known.
        brief: What it is made from.
        sizes: Its ads, in order.
        remade: Those that are made again.
    """

    record: record_pb2.Record
    brief: Brief
    sizes: Sequence[AdSize]
    remade: Sequence[AdSize]


async def recompose(run: Run, change: Change, audiences: Audiences) -> record_pb2.Record:
    """Make a variant of a record, and save it as a record of its own.

    Only ads that change are made again; the others are copied, unless the cut-out was changed since.

    Raises:
        ApiError: There is no such record, its background was not kept (422), an ad is not one of its (400), or a stage
            failed. Nothing is saved then.
    """
    async with calling("history"):
        parent = await run.clients.records.get_record(change.sequence)
    _check(parent, change)
    variant = _variant_of(parent, change, audiences)
    run.progress.expected = STAGES
    brand = await find_brand(run, variant.brief.brand)
    if variant.record.without_logo:
        brand.logo = b""
    upload = await find_upload(run, variant.brief.timestamp, variant.brief.product_image_filename)
    if _stage_of(parent, "cut_out").outputs != upload.cutout_stage.outputs:
        variant = replace(variant, remade=variant.sizes)
    message = _message(variant.brief, brand)
    variant.record.ClearField("words")
    if message:
        variant.record.words.CopyFrom(message.words)
    order = Order(
        replace(variant.brief, sizes=list(variant.remade)),
        upload,
        message,
        parent.seed,
        {shown.picture: shown.arrangement for shown in variant.record.products},
    )
    files, first = await kept_files(run, parent), await _first_ad(run, parent)
    rendered = set_of(order.brief, parent.seed, brand.primary_colour, _set_of(parent))
    composed = await compose(run, order, kept_scenes(variant.record, files, first) or [rendered])
    run.provenance.add_facts(await run.engines())
    variant.record.engines["cut_out"] = upload.cutout_engine
    _tell_how(run, variant, parent, upload.cutout_stage)
    return await _save(run, variant, parent, composed.creatives, files)


def _check(parent: record_pb2.Record, change: Change) -> None:
    if not parent.products or not (parent.backgrounds or _set_of(parent)):
        raise ApiError(422, "The background of this record was not kept: generate new ads instead.", "NOT_EDITABLE")
    names = [shown.picture for shown in parent.products]
    strangers = [name for name in change.arrangements if name not in names]
    if strangers:
        text = f"The record has no ad of the size {strangers[0][:20]!r}: it has {', '.join(names)}."
        raise ApiError(400, text, "UNKNOWN_SIZE")


def _variant_of(parent: record_pb2.Record, change: Change, audiences: Audiences) -> Variant:
    record = record_pb2.Record()
    record.CopyFrom(parent)
    record.parent = parent.sequence
    record.dollars = 0
    for name, text in change.words.items():
        setattr(record.words, name, text)
    record.layout = parent.layout if change.layout is None else change.layout
    record.without_logo = parent.without_logo if change.with_logo is None else not change.with_logo
    for shown in record.products:
        if shown.picture in change.arrangements:
            shown.arrangement.CopyFrom(change.arrangements[shown.picture])
    if change.shadow is not None:
        if _set_of(parent):
            record.preferences.shadow = change.shadow
        for background in record.backgrounds:
            background.placement.light.shadow = change.shadow
    brief = brief_of(record, audiences)
    is_all_new = (
        (record.words, record.layout, record.without_logo) != (parent.words, parent.layout, parent.without_logo)
        or (record.backgrounds, record.preferences) != (parent.backgrounds, parent.preferences)
        or not change.arrangements
    )
    moved = {
        new.picture
        for new, old in zip(record.products, parent.products, strict=True)
        if new.arrangement != old.arrangement
    }
    remade = [size for size in brief.sizes if is_all_new or size.name in moved]
    return Variant(record, brief, brief.sizes, remade or brief.sizes)


async def _first_ad(run: Run, parent: record_pb2.Record) -> bytes:
    """Read an ad of a record whose backgrounds were kept: they were compressed anew, and only ads carry credentials."""
    async with calling("history"):
        return await run.clients.objects.read_object(parent.generated_images[0]) if parent.backgrounds else b""


def _message(brief: Brief, brand: brand_pb2.Brand) -> generation_pb2.Message | None:
    """Return what to set on the ads: the words of the record, or the product's name where a layout has none."""
    if brief.layout not in ("", NO_WORDS) and not brief.words.ListFields():
        brief = replace(brief, words=text_pb2.Words(headline=brief.product.name[:MOST_HEADLINE]))
    return message_for(brief, brand, generation_pb2.WriteCopyResponse())


def _set_of(parent: record_pb2.Record) -> str:
    """Return the name of the set that the ads of a record were made in; empty if they were not."""
    made = _stage_of(parent, COMPOSITION)
    return made.model if made.engine == "set" else ""


def _stage_of(record: record_pb2.Record, name: str) -> provenance_pb2.Stage:
    """Return the last stage of this name; an empty one if there is none."""
    made = [stage for stage in record.manifest.stages if stage.name == name]
    return made[-1] if made else provenance_pb2.Stage()


async def _save(
    run: Run,
    variant: Variant,
    parent: record_pb2.Record,
    creatives: Sequence[generation_pb2.Creative],
    kept: KeptFiles,
) -> record_pb2.Record:
    """Save the variant: the ads that changed, and the rest as in its parent."""
    record, names = variant.record, [size.name for size in variant.sizes]
    new = {size.name: creative for size, creative in zip(variant.remade, creatives, strict=True)}
    old_files = {name: path for name, path in zip(names, parent.generated_images, strict=True) if name not in new}
    async with calling("history"):
        files = {name: await run.clients.objects.read_object(path) for name, path in old_files.items()}
    files |= {name: creative.file for name, creative in new.items()}
    for field_name in ("placed", "fidelity"):
        told = {one.picture: one for one in getattr(parent, field_name) if one.picture not in new}
        told |= {name: getattr(one, field_name) for name, one in new.items() if one.HasField(field_name)}
        del getattr(record, field_name)[:]
        getattr(record, field_name).extend(told[name] for name in names if name in told)
    for shown in record.products:
        if shown.picture in new:
            shown.box.CopyFrom(new[shown.picture].product)
    fresh = [note for creative in creatives for note in (*creative.quality.flaws, *creative.quality.notes)]
    del record.notes[:]
    record.notes.extend(_notes(parent.notes, set(new), fresh))
    async with run.stage("history", recorded=False):
        return await run.clients.records.save_generation(
            run.request_id,
            variant.brief.timestamp,
            record,
            [record_pb2.Picture(name=name, file=files[name]) for name in names],
            *kept.pictures,
        )


def _notes(before: Iterable[str], remade: set[str], fresh: Iterable[str]) -> list[str]:
    """Return the notes of a variant: those of its parent, except on ads that were made again, and new ones."""
    of_all, of_ads = [], []
    for note in before:
        told = _OF_ADS.fullmatch(note)
        if told:
            of_ads += [f"{name}: {told[2]}" for name in told[1].split(", ") if name not in remade]
        else:
            of_all.append(note)
    return list(dict.fromkeys([*of_all, *together([*of_ads, *fresh])]))


def _tell_how(run: Run, variant: Variant, parent: record_pb2.Record, cutout: provenance_pb2.Stage) -> None:
    """Write down how the variant was made: as its parent, but for the composition, of the present cut-out."""
    [composition], earlier = run.provenance.stages, _stage_of(parent, COMPOSITION)
    for name in ("outputs", "pixels"):
        known = dict(zip(variant.sizes, getattr(earlier, name), strict=False))
        known |= zip(variant.remade, getattr(composition, name), strict=True)
        del getattr(composition, name)[:]
        getattr(composition, name).extend(known.get(size, "") for size in variant.sizes)
    manifest = variant.record.manifest
    manifest.software_version = VERSION
    others = [stage for stage in parent.manifest.stages if stage.name not in ("cut_out", COMPOSITION)]
    del manifest.stages[:]
    manifest.stages.extend([cutout, *others, composition])
