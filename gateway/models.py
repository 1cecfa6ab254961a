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


class RecordBody(BaseModel):
    """One generation. Paths are relative to /static/."""

    write_date: str = Field(description="YYYYMMDDHHMMSS.", examples=["20261123093012"])
    product_name: str = Field(examples=["保溫瓶"])
    product_describe: str = Field(examples=["24小時保冷，不鏽鋼瓶身"])
    target_audience: str = Field(examples=["男性,25-34,戶外旅遊"])
    product_image_filename: str = Field(examples=["20261123093000-4f1c2d3e5a6b7c8d/upload/flask.jpg"])
    generated_images: list[str] = Field(
        description="The ads: 300x250, 320x480, 336x280.",
        examples=[["20261123093000-4f1c2d3e5a6b7c8d/generated/9a0b1c2d3e4f5a6b_300x250.jpg"]],
    )
    short_ad: str = Field(examples=["山海在呼喚，出發吧！保溫瓶——24小時保冷。馬上收進行囊，說走就走！"])
    long_ad: str
    request_id: str
    engines: dict[str, str] = Field(description="Which engine did what.", examples=[{"background": "studio"}])
    seed: int = Field(description="Of the backgrounds.")
    prompts: list[str] = Field(description="What the backgrounds were made from.")
    notes: list[str] = Field(description="What is not as it should be, for people; mostly none.")

    @classmethod
    def of(cls, record: history_pb2.Record) -> "RecordBody":
        """Make the body of a record."""
        fields = MessageToDict(record, always_print_fields_with_no_presence=True, preserving_proto_field_name=True)
        return cls.model_validate(fields)


class ReadyBody(BaseModel):
    """Whether everything is up."""

    ready: bool
    services: dict[str, bool] = Field(examples=[{"segmentation": True, "history": False}])
