"""The settings of the generation service."""

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from services.runtime.aws import AwsSettings
from services.runtime.settings import ServiceSettings


class GenerationSettings(ServiceSettings, AwsSettings):
    """Read from GENERATION_* in the environment or in .env."""

    model_config = SettingsConfigDict(env_prefix="GENERATION_", env_file=".env", extra="ignore", populate_by_name=True)

    port: int = Field(50053, ge=0, le=65535, description="The port to listen on; 0: any free one.")
    workers: int = Field(4, gt=0, description="Calls worked on at one time; those to image models mostly wait.")
    background_engine: Literal["auto", "bedrock", "studio"] = Field(
        "auto",
        description="What makes backgrounds; auto: Bedrock when AWS_ACCESS_KEY_ID or AWS_ROLE_ARN is set, else the"
        " rendered studio set.",
    )
    bedrock_model: str = Field(
        "stability.stable-image-core-v1:1", description="One of Stability's text-to-image models, by its Bedrock id."
    )
    bedrock_region: str = Field("us-west-2", description="Where that model is; S3 may be elsewhere.")
    bedrock_endpoint_url: str | None = Field(None, description="Where Bedrock is, when it is not at its own address.")
    bedrock_dollars_per_picture: float = Field(
        0.04, ge=0, description="The model's price, for the metric of costs: https://aws.amazon.com/bedrock/pricing"
    )
    copy_engine: Literal["auto", "openai", "templates"] = Field(
        "auto", description="What writes the words; auto: OpenAI when OPENAI_KEY is set, else templates."
    )
    copy_fallback: bool = Field(
        True,
        description="Whether templates write when OpenAI fails, with a note that says so; otherwise the generation"
        " fails.",
    )
    openai_key: SecretStr | None = Field(None, validation_alias="OPENAI_KEY", description="The key to OpenAI's API.")
    openai_model: str = Field("gpt-5-mini", description="The language model, by OpenAI's id.")
    openai_base_url: str | None = Field(None, description="Where the API is, when it is not at OpenAI's own address.")
    openai_timeout_seconds: float = Field(30, gt=0, description="How long one answer may take.")
    openai_dollars_per_million_in: float = Field(
        0.25, ge=0, description="The price of a million tokens that the model reads: https://openai.com/api/pricing"
    )
    openai_dollars_per_million_out: float = Field(
        2.0, ge=0, description="The price of a million tokens that it writes, those it thinks in included."
    )
    prompt_stand_in: bool = Field(
        False,
        description="Whether image models are asked for something of the product's kind at its place, which is removed"
        " later, instead of an empty place: light and scale suit the product better, and every picture is inpainted.",
    )
    studio_stand_in: bool = Field(
        False,
        description="Whether the rendered set has something standing where the product goes, for the later stages to "
        "find and remove, as pictures from an image model often have.",
    )
    creative_format: Literal["jpeg", "webp", "png"] = Field("jpeg", description="What files ads are written as.")
    max_creative_bytes: int = Field(
        150_000,
        ge=20_000,
        description="The largest an ad's file may be, in bytes; JPEG and WebP files are made to fit, a larger PNG file"
        " is noted in the record.",
    )
    least_fill: float = Field(
        0.12,
        ge=0,
        le=1,
        description="An ad whose product is shown smaller, as a part of the area that its margins allow, is flawed.",
    )
    least_contrast: float = Field(
        8,
        ge=0,
        description="An ad whose product's outline is nearer to the colours behind it is flawed; a CIE76 difference, of"
        " which people see 2.",
    )
