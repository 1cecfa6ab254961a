"""The bodies of the REST answers, with examples for the API's description."""

from typing import Literal

from google.protobuf.json_format import MessageToDict
from pydantic import BaseModel, Field

from productimage.engine.v1 import engine_pb2
from productimage.history.v1 import history_pb2


class ErrorBody(BaseModel):
    """Every error."""

    detail: str = Field(description="What is wrong and what to do.", examples=["The picture is empty: choose a file."])
    reason: str | None = Field(None, description="The same for programs, where it is known.", examples=["EMPTY_IMAGE"])


class ChartBody(BaseModel):
    """Counts for a bar chart."""

    labels: list[str] = Field(examples=[["男性", "女性"]])
    values: list[int] = Field(description="One count per label.", examples=[[12, 30]])


class AudienceCounts(BaseModel):
    """The audience of an uploaded list."""

    gender_data: ChartBody
    age_data: ChartBody
    interest_data: ChartBody


class UploadBody(BaseModel):
    """A stored photo. Paths are relative to /static/."""

    filename: str = Field(examples=["20261123093000-4f1c2d3e5a6b7c8d/upload/flask.jpg"])
    timestamp: str = Field(examples=["20261123093000-4f1c2d3e5a6b7c8d"])
    trans_path: str = Field(
        description="The cut-out: a PNG file with transparency.",
        examples=["20261123093000-4f1c2d3e5a6b7c8d/upload/flask_transparent.png"],
    )


class StageBody(BaseModel):
    """One step of a generation."""

    name: str = Field(examples=["background"])
    engine: str = Field(examples=["bedrock"])
    model: str = Field(description="Of the engine, where it has several.", examples=["stability.sd3-5-large-v1:0"])
    seed: int | None = None
    prompt: str
    seconds: float = Field(description="How long it took, waiting included.", examples=[4.2])
    inputs: list[str] = Field(description="SHA-256 of what went in: files, or the bytes of raw pixels.")
    outputs: list[str] = Field(description="The same of what came out.")


class ManifestBody(BaseModel):
    """How a generation was made."""

    software_version: str = Field(examples=["0.1.0"])
    stages: list[StageBody] = Field(description="In the order in which they ended.")


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
    sequence: int = Field(description="Its number in the history, from 0.")
    engines: dict[str, str] = Field(description="Which engine did what.", examples=[{"background": "studio"}])
    seed: int = Field(description="Of the backgrounds.")
    prompts: list[str] = Field(description="What the backgrounds were made from.")
    notes: list[str] = Field(description="What is not as it should be, for people; mostly none.")
    manifest: ManifestBody | None = Field(None, description="How it was made; none for what earlier versions stored.")

    @classmethod
    def of(cls, record: history_pb2.Record) -> "RecordBody":
        """Make the body of a record."""
        fields = MessageToDict(record, always_print_fields_with_no_presence=True, preserving_proto_field_name=True)
        return cls.model_validate(fields)


class SizesBody(BaseModel):
    """The sizes of ads, as "{width}x{height}" in pixels."""

    offered: list[str] = Field(examples=[["300x250", "728x90"]])
    default: list[str] = Field(examples=[["300x250"]])


class RecordPage(BaseModel):
    """Some of the records, newest first."""

    records: list[RecordBody]
    next_page_token: str = Field(description="For the next page; empty on the last.", examples=["480"])


class PointBody(BaseModel):
    """A place in a photo, in pixels from its top left corner."""

    x: int = Field(ge=0, lt=2**31, examples=[600])
    y: int = Field(ge=0, lt=2**31, examples=[420])
    on_product: bool = Field(True, description="Whether the product is there, or something else.")


class BoxBody(BaseModel):
    """A rectangle in a photo, in pixels; right and bottom lie outside."""

    left: int = Field(ge=0, lt=2**31, examples=[300])
    top: int = Field(ge=0, lt=2**31, examples=[100])
    right: int = Field(gt=0, lt=2**31, examples=[900])
    bottom: int = Field(gt=0, lt=2**31, examples=[1100])


class RecutBody(BaseModel):
    """Where the product is in an uploaded photo."""

    timestamp: str = Field(
        min_length=1, max_length=100, description="Of the upload.", examples=["20261123093000-4f1c2d3e5a6b7c8d"]
    )
    product_image_filename: str = Field(min_length=1, max_length=300, description="`filename` of the upload's answer.")
    points: list[PointBody] = Field([], max_length=64)
    box: BoxBody | None = None


class EngineBody(BaseModel):
    """An engine, and why it was chosen."""

    capability: str = Field(examples=["background"])
    engine: str = Field(examples=["studio"])
    reason: Literal["asked_for", "found", "lacking", "unspecified"] = Field(
        description="A setting names it; what it needs is there; or what a better one needs is not."
    )
    subject: str = Field(description="What was asked for, found or lacking.", examples=["OPENAI_KEY"])
    remedy: str = Field(description="What gives a better engine; empty when nothing does.", examples=["OPENAI_KEY=..."])

    @classmethod
    def of(cls, engine: engine_pb2.Engine) -> "EngineBody":
        """Make the body of an engine."""
        reason = engine_pb2.Reason.Name(engine.reason).removeprefix("REASON_").lower()
        fields = {"capability": engine.capability, "engine": engine.name, "reason": reason}
        return cls.model_validate({**fields, "subject": engine.subject, "remedy": engine.remedy})


class StatusBody(BaseModel):
    """What the system runs on."""

    version: str = Field(examples=["0.1.0"])
    services: dict[str, bool] = Field(description="Which are ready.", examples=[{"segmentation": True}])
    engines: list[EngineBody]


class ReadyBody(BaseModel):
    """Whether everything is up."""

    ready: bool
    services: dict[str, bool] = Field(examples=[{"segmentation": True, "history": False}])
