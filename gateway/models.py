"""Bodies of REST requests and responses, with examples for the OpenAPI description."""

from typing import Literal

from google.protobuf.json_format import MessageToDict
from pydantic import Base64Bytes, BaseModel, Field, StrictBool, computed_field

from common.platforms import platforms
from common.words import half_widths
from gateway.layouts import PATTERN as LAYOUT
from gateway.notes import NOTES
from productimage.brand.v1 import brand_pb2
from productimage.engine.v1 import engine_pb2
from productimage.record.v1 import record_pb2
from productimage.upload.v1 import upload_pb2

BINARY = {"format": "binary"}
"""Marks a file in the schema, for client generators that do not know OpenAPI 3.1's contentMediaType."""


class ErrorBody(BaseModel):
    """An error."""

    detail: str = Field(description="What is wrong and what to do.", examples=["The picture is empty: choose a file."])
    reason: str | None = Field(
        None, description="Stable reason for programs, if one is known.", examples=["EMPTY_IMAGE"]
    )
    timestamp: str | None = Field(
        None, description="Of an upload in which no product was found: it is kept, to be marked by POST /api/cut-out."
    )
    filename: str | None = Field(None, description="Path of the photo of that upload.")


class ChartBody(BaseModel):
    """Counts for a bar chart."""

    labels: list[str] = Field(examples=[["男性", "女性"]])
    values: list[int] = Field(description="One count per label.", examples=[[12, 30]])


class AudienceCounts(BaseModel):
    """The audience of an uploaded list."""

    gender_data: ChartBody
    age_data: ChartBody
    interest_data: ChartBody


class AudienceBody(BaseModel):
    """An audience, in the labels of the choices on offer."""

    gender: str = Field(examples=["女性"])
    age: str = Field(examples=["25-34"])
    interest: str = Field(examples=["戶外旅遊"])


class NoteBody(BaseModel):
    """Something to look at."""

    reason: str = Field(description="Stable reason for programs.", examples=["GROUND_INSIDE"])
    en: str = Field(description="What it is and what to do, in English.")
    zh: str = Field(description="The same in Traditional Chinese.")


class UploadBody(BaseModel):
    """A stored photo. Paths are relative to /static/."""

    filename: str = Field(examples=["20261123093000-4f1c2d3e5a6b7c8d/upload/flask.jpg"])
    timestamp: str = Field(examples=["20261123093000-4f1c2d3e5a6b7c8d"])
    trans_path: str = Field(
        description="The cut-out: a PNG file with transparency.",
        examples=["20261123093000-4f1c2d3e5a6b7c8d/upload/flask_transparent.png"],
    )
    earlier_cutouts: int = Field(description="How often the cut-out can be undone.", examples=[0])
    later_cutouts: int = Field(description="How often it can be redone.", examples=[0])
    notes: list[NoteBody] = Field(description="What to look at in the cut-out; usually empty.")

    @classmethod
    def of(cls, upload: upload_pb2.Upload) -> "UploadBody":
        """Return the body of an upload."""
        return cls(
            filename=upload.photo_path,
            timestamp=upload.timestamp,
            trans_path=upload.cutout_path,
            earlier_cutouts=upload.earlier_cutouts,
            later_cutouts=upload.later_cutouts,
            notes=[NoteBody(reason=reason, **NOTES[reason]) for reason in upload.notes if reason in NOTES],
        )


class StageBody(BaseModel):
    """One step of a generation."""

    name: str = Field(examples=["background"])
    engine: str = Field(examples=["bedrock"])
    model: str = Field(description="Model of the engine, if it has several.", examples=["stability.sd3-5-large-v1:0"])
    seed: int | None = None
    prompt: str
    seconds: float = Field(description="Duration including queueing, in seconds.", examples=[4.2])
    inputs: list[str] = Field(description="SHA-256 of each input: of the file, or of the raw pixels.")
    outputs: list[str] = Field(description="SHA-256 of each output.")
    notes: list[str] = Field([], description="Reasons to look at the result; usually empty.")
    facts: dict[str, str] = Field(
        {}, description="What the result depends on beside the seed: digests of weights, versions of libraries."
    )
    dollars: float = Field(0, description="What it cost, in US dollars, as far as it is known.")
    pixels: list[str] = Field([], description="SHA-256 of the pixels of each ad before it was compressed.")


class ManifestBody(BaseModel):
    """How a generation was made."""

    software_version: str = Field(examples=["0.2.0"])
    stages: list[StageBody] = Field(description="In the order in which they finished.")


class TextFieldBody(BaseModel):
    """Texts for one field of a platform; each fits it."""

    platform: str = Field(examples=["google"])
    name: str = Field(examples=["headline"])
    texts: list[str] = Field(examples=[["保溫瓶：24小時保冷"]])

    @computed_field(description="Half-widths of each text, of which a full-width character has two.")  # type: ignore[prop-decorator]
    @property
    def half_widths(self) -> list[int]:
        """Width of each text."""
        return [half_widths(text) for text in self.texts]

    @computed_field(description="The most half-widths that the platform takes; 0 if the field is unknown.")  # type: ignore[prop-decorator]
    @property
    def most(self) -> int:
        """Width that the platform takes."""
        platform = platforms().get(self.platform)
        rule = platform.texts.get(self.name) if platform else None
        return rule.width if rule else 0


class WordsBody(BaseModel):
    """Words on the ads."""

    headline: str = ""
    call_to_action: str = ""
    price: str = ""
    legal: str = ""


class BoxBody(BaseModel):
    """A rectangle in a photo, in pixels; right and bottom are exclusive."""

    left: int = Field(ge=0, lt=2**31, examples=[300])
    top: int = Field(ge=0, lt=2**31, examples=[100])
    right: int = Field(gt=0, lt=2**31, examples=[900])
    bottom: int = Field(gt=0, lt=2**31, examples=[1100])


class PlaceBody(BaseModel):
    """Where something is in a picture, in pixels, as a record tells; right and bottom are exclusive."""

    left: int = Field(0, examples=[30])
    top: int = Field(0, examples=[20])
    right: int = Field(0, examples=[270])
    bottom: int = Field(0, examples=[230])


class PlacedElementBody(BaseModel):
    """Where an element of the words stands in an ad."""

    element: str = Field(examples=["headline"])
    box: PlaceBody


class PlacedBody(BaseModel):
    """Where the words stand in an ad."""

    picture: str = Field(description="Its size.", examples=["300x250"])
    layout: str = Field(examples=["left"])
    elements: list[PlacedElementBody]


class PreferencesBody(BaseModel):
    """What the user asked of the picture around the product."""

    scene: str = ""
    avoid: str = ""
    style: str = ""
    shadow: float | None = Field(None, description="How much of its shadow a set shows, 0 to 1; absent: all of it.")


class FidelityBody(BaseModel):
    """How true the product in an ad is to its photo: CIE76 colour differences, of which people notice 2."""

    picture: str = Field(description="Size of the ad.", examples=["300x250"])
    largest: float = Field(description="Largest inside the product, before the file was compressed.", examples=[0.4])
    mean: float = Field(description="Mean inside the product, in the file.", examples=[0.9])
    edge: float = Field(description="Mean over its edge, in the file.", examples=[3.1])


class ArrangementBody(BaseModel):
    """How the product was moved from where it would stand in an ad."""

    right: float = Field(0, description="Fraction of the ad's width.", examples=[0.1])
    down: float = Field(0, description="Fraction of the ad's height.", examples=[-0.05])
    scale: float = Field(1, description="Factor of its size, about its foot.", examples=[1.2])


class ShownProductBody(BaseModel):
    """Where the product is in an ad."""

    picture: str = Field(description="Size of the ad.", examples=["300x250"])
    box: PlaceBody
    arrangement: ArrangementBody | None = Field(None, description="How it was moved; absent if it was not.")


class LightBody(BaseModel):
    """Main light of a picture, as the direction towards it, and the shadow it casts."""

    right: float = 0
    up: float = 0
    towards: float = 0
    shadow: float = 0
    softness: float = 0


class PlacementBody(BaseModel):
    """Where the product goes in a picture, and how light falls there."""

    box: PlaceBody
    light: LightBody | None = None
    estimated: bool = False
    reflectance: float = 0
    stand_in: bool = False
    pitch: float = 0


class RemovalBody(BaseModel):
    """What was removed from a background, so that it can be repeated."""

    path: str = Field(description="Path of the picture as it was, relative to /static/.")
    sha256: str = Field(description="SHA-256 of its pixels.")
    everywhere: bool = False
    objects: list[int] = []


class BackgroundBody(BaseModel):
    """A background without the product, kept so that the product can be moved in it."""

    path: str = Field(description="Path relative to /static/.")
    placement: PlacementBody
    source_type: str = Field(description="IPTC digital source type; empty if unknown.")
    removal: RemovalBody | None = Field(None, description="What was removed from it, if anything.")


LATER = (
    *("texts", "brand", "platforms", "placed", "fidelity", "dollars", "locale", "layout", "file_format"),
    *("products", "backgrounds", "without_logo"),
)
"""Fields of records that release 0.2 did not have: left out where they are empty, as in the history."""


class RecordBody(BaseModel):
    """One generation. Paths are relative to /static/."""

    write_date: str = Field(description="YYYYMMDDHHMMSS.", examples=["20261123093012"])
    product_name: str = Field(examples=["保溫瓶"])
    product_describe: str = Field(examples=["24小時保冷，不鏽鋼瓶身"])
    target_audience: str = Field(examples=["男性,25-34,戶外旅遊"])
    product_image_filename: str = Field(examples=["20261123093000-4f1c2d3e5a6b7c8d/upload/flask.jpg"])
    generated_images: list[str] = Field(
        description="The ads, in the order of the sizes asked for: 300x250, 320x480, 336x280 by default.",
        examples=[["20261123093000-4f1c2d3e5a6b7c8d/generated/9a0b1c2d3e4f5a6b_300x250.jpg"]],
    )
    short_ad: str = Field(examples=["山海在呼喚，出發吧！保溫瓶——24小時保冷。馬上收進行囊，說走就走！"])
    long_ad: str
    request_id: str
    sequence: int = Field(description="Number in the history, from 0.")
    engines: dict[str, str] = Field(description="Engine of each stage.", examples=[{"background": "set"}])
    seed: int = Field(description="Seed of the backgrounds.")
    prompts: list[str] = Field(description="Prompts of the backgrounds.")
    notes: list[str] = Field(description="Remarks for people; usually empty.")
    manifest: ManifestBody | None = Field(None, description="How it was made; absent in records of earlier versions.")
    texts: list[TextFieldBody] | None = Field(None, description="Texts for the platforms asked for, if any were.")
    words: WordsBody | None = Field(None, description="Words on the ads; absent if there are none.")
    brand: str | None = Field(None, description="Name of the brand, if one was chosen.")
    platforms: list[str] | None = Field(None, description="Platforms whose sizes or texts were asked for by name.")
    placed: list[PlacedBody] | None = Field(None, description="Where the words stand in each ad that has some.")
    preferences: PreferencesBody | None = Field(None, description="What the user asked of the background, if anything.")
    fidelity: list[FidelityBody] | None = Field(None, description="How true the product is to its photo in each ad.")
    dollars: float | None = Field(None, description="What models in a cloud cost, in US dollars, if they were used.")
    locale: str | None = Field(None, description="Language of the copy, if one was chosen.")
    layout: str | None = Field(None, description="Layout of the words, if one was chosen.")
    file_format: str | None = Field(None, description="File format of the ads, if one was chosen.")
    products: list[ShownProductBody] | None = Field(None, description="Where the product is in each ad.")
    backgrounds: list[BackgroundBody] | None = Field(
        None, description="Backgrounds that were kept, if they are pictures."
    )
    parent: int | None = Field(None, description="Number of the record of which this is a variant.")
    without_logo: bool | None = Field(None, description="Whether the logo of the brand was left out.")

    @classmethod
    def of(cls, record: record_pb2.Record) -> "RecordBody":
        """Return the body of a record."""
        fields = MessageToDict(record, always_print_fields_with_no_presence=True, preserving_proto_field_name=True)
        return cls.model_validate({name: value for name, value in fields.items() if value or name not in LATER})


class PlatformBody(BaseModel):
    """An ad platform."""

    name: str = Field(examples=["google"])
    title: str = Field(examples=["Google responsive display ads"])
    sizes: list[str] = Field(examples=[["1200x628", "1200x1200"]])

    @classmethod
    def of(cls, name: str) -> "PlatformBody":
        """Return the body of a platform."""
        found = platforms()[name]
        return cls(name=name, title=found.title, sizes=[rule.name for rule in found.pictures])


class StyleBody(BaseModel):
    """A style of the picture around the product."""

    name: str = Field(examples=["seaside"])
    en: str = Field(description="Title in English.", examples=["Seaside"])
    zh: str = Field(description="Title in Traditional Chinese.", examples=["海邊"])
    thumbnail: str = Field(
        description="Path of a small picture: a WebP file.", examples=["/web/0123456789abcdef/seaside.webp"]
    )


class StylesBody(BaseModel):
    """The styles on offer."""

    styles: list[StyleBody]


class BrandBody(BaseModel):
    """A brand kit."""

    name: str = Field(examples=["露露"])
    logo: Base64Bytes = Field(b"", description="A PNG or WebP file in base64; empty if there is none.")
    primary_colour: str = Field("", description="Colour of buttons.", examples=["#C8102E"])
    secondary_colour: str = Field("", description="Colour of badges.", examples=["#1B365D"])
    font: str = Field("", description="sans or serif; empty means sans.", examples=["sans"])
    tone: str = Field("", description="lively or calm; empty means that of the audience.", examples=["calm"])
    legal: str = Field("", description="Legal line on every ad.")

    @classmethod
    def of(cls, brand: brand_pb2.Brand) -> "BrandBody":
        """Return the body of a brand."""
        fields = {field.name: getattr(brand, field.name) for field in brand.DESCRIPTOR.fields}
        return cls.model_construct(**fields)


class BrandsBody(BaseModel):
    """The brands that are stored."""

    names: list[str] = Field(examples=[["露露"]])


class SizesBody(BaseModel):
    """The sizes of ads, as "{width}x{height}" in pixels."""

    offered: list[str] = Field(examples=[["300x250", "728x90"]])
    default: list[str] = Field(examples=[["300x250"]])
    platforms: list[PlatformBody] = Field(description="Platforms, whose names stand for all of their sizes.")
    most_photo_bytes: int = Field(description="Bytes of the largest photo that is taken.", examples=[20971520])


class RecordPage(BaseModel):
    """A page of records, newest first."""

    records: list[RecordBody]
    next_page_token: str = Field(description="Token of the next page; empty on the last page.", examples=["480"])


class PointBody(BaseModel):
    """A position in a photo, in pixels from its top left corner."""

    x: int = Field(ge=0, lt=2**31, examples=[600])
    y: int = Field(ge=0, lt=2**31, examples=[420])
    on_product: StrictBool = Field(True, description="Whether the product is there.")


TIMESTAMP = r"^\d{14}(-[0-9a-f]{16})?$"
"""Pattern of timestamps, for the OpenAPI description: others are rejected further on, with a more helpful text."""


BASE64 = r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"


class StrokeBody(BaseModel):
    """A stroke of a brush."""

    box: BoxBody = Field(description="Where in the photo it was drawn.")
    mask: Base64Bytes = Field(
        description="A grey PNG file that is white where it was drawn, in base64; it is enlarged to the box.",
        json_schema_extra={"pattern": BASE64},
    )
    on_product: StrictBool


class RecutBody(BaseModel):
    """What to change in the cut-out of an uploaded photo."""

    timestamp: str = Field(
        min_length=1,
        max_length=100,
        description="Timestamp of the upload.",
        examples=["20261123093000-4f1c2d3e5a6b7c8d"],
        json_schema_extra={"pattern": TIMESTAMP},
    )
    product_image_filename: str = Field(
        min_length=1, max_length=300, description="`filename` from the response to the upload."
    )
    points: list[PointBody] = Field([], max_length=64, description="What to add, and what to take away.")
    box: BoxBody | None = Field(None, description="Around what to add.")
    strokes: list[StrokeBody] = Field([], max_length=64)
    start_over: StrictBool = Field(
        False,
        description="Cut the photo out from scratch: at the prompts, or without any wherever a product is found.",
    )
    revert: Literal["earlier", "later"] | None = Field(
        None, description="Undo the last change, or redo the one undone last, in place of anything else."
    )


class MovedBody(BaseModel):
    """How to move the product in an ad, from where it would stand by itself."""

    size: str = Field(max_length=20, description="Size of the ad.", examples=["300x250"])
    right: float = Field(0, ge=-1, le=1, description="Fraction of the ad's width.", examples=[0.1])
    down: float = Field(0, ge=-1, le=1, description="Fraction of the ad's height.", examples=[-0.05])
    scale: float = Field(1, ge=0.25, le=4, description="Factor of its size, about its foot.", examples=[1.2])


class RecomposeBody(BaseModel):
    """What to change in the ads of a record. What is left out stays as it is."""

    sequence: int = Field(ge=0, lt=2**32, description="`sequence` of the record.")
    moves: list[MovedBody] = Field([], max_length=40)
    headline: str | None = Field(None, max_length=60, description="Headline; empty takes it away.")
    call_to_action: str | None = Field(None, max_length=30, description="Button; empty takes it away.")
    price: str | None = Field(None, max_length=20, description="Price or badge; empty takes it away.")
    legal: str | None = Field(None, max_length=120, description="Legal line; empty: that of the brand.")
    layout: str | None = Field(
        None,
        max_length=20,
        description="Where the words stand, as in a generation.",
        json_schema_extra={"pattern": LAYOUT},
    )
    logo: StrictBool | None = Field(None, description="Whether the brand's logo is shown.")
    shadow: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Darkness of the product's shadow on a picture; in a set, how much of what its light makes.",
    )


class EstimateBody(BaseModel):
    """What a generation costs, in US dollars, as far as prices are known; 0 if no model in a cloud is used."""

    least: float = Field(description="If everything succeeds at once.", examples=[0.082])
    most: float = Field(description="If the copy is corrected and every allowed retry is made.", examples=[0.164])
    pictures: int = Field(description="Pictures that an image model makes at least.", examples=[2])
    background_engine: str = Field(examples=["bedrock/stability.stable-image-core-v1:1"])
    copy_engine: str = Field(examples=["openai/gpt-6-luna"])
    prices_read: str = Field(description="Day on which the prices were read.", examples=["2026-11-26"])


class ReplayedBody(BaseModel):
    """A stage that was made again."""

    stage: str = Field(examples=["composition"])
    engine: str = Field(description="Engine of the record.", examples=["set/forest_table"])
    state: Literal["same", "differs", "not repeated"]
    detail: str = Field(description="What differs, or why it was not repeated; may be empty.")


class ReplayBody(BaseModel):
    """A record that was made again, stage by stage; nothing was stored."""

    same: bool = Field(description="Whether everything that was repeated has the same bytes.")
    stages: list[ReplayedBody]


class EngineBody(BaseModel):
    """An engine and why it was selected."""

    capability: str = Field(examples=["background"])
    engine: str = Field(examples=["set"])
    reason: Literal["requested", "available", "fallback", "unspecified"] = Field(
        description="A setting names it; everything it needs is present; or a better engine lacks something."
    )
    subject: str = Field(description="The setting or file behind the reason.", examples=["OPENAI_KEY"])
    remedy: str = Field(description="What enables a better engine; empty if nothing does.", examples=["OPENAI_KEY=..."])
    facts: dict[str, str] = Field({}, description="What its results depend on: digests of weights, versions.")
    ends: str = Field("", description="Day on which its model ends, as its vendor says; empty if none is announced.")

    @classmethod
    def of(cls, engine: engine_pb2.Engine) -> "EngineBody":
        """Return the body of an engine."""
        reason = engine_pb2.Reason.Name(engine.reason).removeprefix("REASON_").lower()
        fields = {"capability": engine.capability, "engine": engine.name, "reason": reason}
        more = {"subject": engine.subject, "remedy": engine.remedy, "facts": dict(engine.facts), "ends": engine.ends}
        return cls.model_validate({**fields, **more})


class StatusBody(BaseModel):
    """What the system runs on."""

    version: str = Field(examples=["0.2.0"])
    services: dict[str, bool] = Field(description="Whether each service is ready.", examples=[{"segmentation": True}])
    engines: list[EngineBody]
    free_bytes: int | None = Field(None, description="Room left for photos and ads; absent where there is no limit.")


class ProblemBody(BaseModel):
    """What keeps a service from being ready."""

    service: str = Field(examples=["history"])
    subject: str = Field(examples=["static/history_setting.json"])
    detail: str = Field(examples=["cannot be read"])
    remedy: str = Field(examples=["restore the file from a backup"])

    @classmethod
    def of(cls, service: str, problem: engine_pb2.Problem) -> "ProblemBody":
        """Return the body of a problem of a service."""
        return cls(service=service, subject=problem.subject, detail=problem.detail, remedy=problem.remedy)


class ReadyBody(BaseModel):
    """Readiness of every service."""

    ready: bool
    services: dict[str, bool] = Field(examples=[{"segmentation": True, "history": False}])
    problems: list[ProblemBody] = Field([], description="What keeps services from being ready, where they say.")
