"""The bodies of the REST answers, with examples for the API's description."""

from google.protobuf.json_format import MessageToDict
from pydantic import BaseModel, Field

from productimage.history.v1 import history_pb2


class ErrorBody(BaseModel):
    """Every error."""

    detail: str = Field(description="What is wrong and what to do.", examples=["The picture is empty: choose a file."])


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


class ReadyBody(BaseModel):
    """Whether everything is up."""

    ready: bool
    services: dict[str, bool] = Field(examples=[{"segmentation": True, "history": False}])
