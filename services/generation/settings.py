"""Settings of the generation service."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import SettingsConfigDict

from common.aws import AwsSettings
from common.settings import Address, Secret, ServiceSettings

BEARER_TOKEN = "AWS_BEARER_TOKEN_BEDROCK"  # noqa: S105  # the variable's name
FORMER_NAMES = {"studio": "set"}
"""Names of engines in release 0.1."""

BackgroundEngineName = Annotated[
    Literal["auto", "bedrock", "images", "set"], BeforeValidator(lambda name: FORMER_NAMES.get(name, name))
]


class GenerationSettings(ServiceSettings, AwsSettings):
    """Read from GENERATION_* in the environment or in .env."""

    model_config = SettingsConfigDict(env_prefix="GENERATION_", env_file=".env", extra="ignore", populate_by_name=True)

    port: int = Field(50053, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    workers: int = Field(4, gt=0, description="Calls processed at a time; those to image models mostly wait.")
    background_engine: BackgroundEngineName = Field(
        "auto",
        description="Background engine. auto: images if IMAGES_BASE_URL is set, Bedrock if AWS_BEARER_TOKEN_BEDROCK,"
        " AWS_ACCESS_KEY_ID or AWS_ROLE_ARN is set, else rendered sets.",
    )
    aws_bearer_token_bedrock: Secret = Field(
        None,
        validation_alias=BEARER_TOKEN,
        description="API key of Bedrock, in place of an access key. It is read again when .env changes, so that"
        " short-lived keys can be renewed.",
    )
    bedrock_model: str = Field(
        "stability.stable-image-core-v1:1", description="Bedrock id of one of Stability's text-to-image models."
    )
    bedrock_region: str = Field("us-west-2", description="Region of the model; S3 may be elsewhere.")
    bedrock_endpoint_url: str | None = Field(None, description="Endpoint of Bedrock. Unset: the region's own.")
    bedrock_dollars_per_picture: float | None = Field(
        None, ge=0, description="Price of a picture of Bedrock, for costs. Unset: as known of the model."
    )
    images_base_url: Address = Field(
        None,
        validation_alias="IMAGES_BASE_URL",
        description="Base URL of a server that speaks OpenAI's images API, such as http://localhost:8080/v1. Unset:"
        " OpenAI's own.",
    )
    images_key: Secret = Field(
        None,
        validation_alias="IMAGES_KEY",
        description="API key of that server, if it wants one. Unset: for OpenAI's own, OPENAI_KEY.",
    )
    images_model: str = Field("gpt-image-2", description="Id of the image model there; empty: not sent.")
    images_dialect: Literal["openai", "sd-server", "vllm-omni", "sglang", "localai"] = Field(
        "openai",
        description="How the server takes seeds and what to avoid: openai (OpenAI, Azure, LiteLLM: neither),"
        " sd-server (stable-diffusion.cpp), vllm-omni, sglang or localai.",
    )
    images_sizes: str = Field(
        "",
        pattern=r"^(\d+x\d+(,\d+x\d+)*)?$",
        description="Sizes that the model makes, such as 1024x1024,1536x1024. Empty: any whose sides are multiples of"
        " 16.",
    )
    images_pixels: int = Field(
        1_048_576,
        ge=65_536,
        le=8_294_400,
        description="Pixels of a picture to ask for, where the model makes any size.",
    )
    images_extra_body: dict[str, Any] = Field(
        {}, description='Further fields of the request, as JSON: {"quality": "low"} or {"num_inference_steps": 4}.'
    )
    images_edit: bool = Field(
        False,
        description="Have the model redraw the product's place as an empty surface, in a second request with a mask."
        " It costs a second picture.",
    )
    images_timeout_seconds: float = Field(
        120, gt=0, description="Timeout of one request to the image server, in seconds."
    )
    images_dollars_per_picture: float | None = Field(
        None, ge=0, description="Price of a picture of that server, for costs. Unset: as known of the model."
    )
    background_fallback: bool = Field(
        True,
        description="Render a set if the image model does not answer or cannot be used, with a note in the record. Off:"
        " the generation fails, and less memory is needed.",
    )
    copy_engine: Literal["auto", "openai", "bedrock", "templates"] = Field(
        "auto",
        description="Copy engine. auto: OpenAI if OPENAI_KEY is set, else OpenAI's model on Bedrock if Bedrock can be"
        " used, else templates.",
    )
    copy_fallback: bool = Field(
        True,
        description="Write from templates if the language model fails, with a note in the record. Off: the generation"
        " fails.",
    )
    bedrock_copy_model: str = Field("openai.gpt-6-luna", description="Bedrock's id of the language model of OpenAI.")
    bedrock_copy_region: str = Field("us-east-1", description="Region of the language model on Bedrock.")
    bedrock_copy_base_url: str | None = Field(
        None, description="Base URL of OpenAI's API on Bedrock. Unset: the region's own."
    )
    openai_key: Secret = Field(None, validation_alias="OPENAI_KEY", description="API key of OpenAI.")
    openai_model: str = Field("gpt-6-luna", description="OpenAI's id of the language model.")
    openai_reasoning_effort: Literal["", "none", "low", "medium", "high", "xhigh", "max"] = Field(
        "low",
        description="How long the model thinks before it writes; more is slower and costs more. none: not at all."
        " Empty: not sent, for models that do not reason.",
    )
    openai_base_url: str | None = Field(None, description="Base URL of the API. Unset: OpenAI's own.")
    openai_timeout_seconds: float = Field(
        30, gt=0, description="Timeout of one request to the language model, in seconds."
    )
    openai_dollars_per_million_in: float | None = Field(
        None, ge=0, description="Price of a million input tokens, for costs. Unset: as known of the model."
    )
    openai_dollars_per_million_out: float | None = Field(
        None, ge=0, description="Price of a million output tokens, reasoning included. Unset: as known of the model."
    )
    prompt_stand_in: bool = Field(
        False,
        description="Ask image models for a stand-in of the product's kind where the product goes, instead of an empty"
        " place. Light and scale fit better; every picture is inpainted.",
    )
    weights_dir: Path = Field(
        Path("weights"), description="Folder of panoramas and fonts; sets whose panorama is missing rest."
    )
    kernel_cache_dir: Path = Field(
        Path("var/kernels"),
        description="Folder for what the renderer compiles, which takes up to 40 s at the first start. If it cannot be"
        " written, that is done at every start.",
    )
    set_samples: int = Field(
        4, ge=1, le=512, description="Samples per pixel of rendered sets: more are slower and less noisy."
    )
    creative_format: Literal["jpeg", "webp", "png"] = Field("jpeg", description="File format of creatives.")
    max_creative_bytes: int = Field(
        150_000,
        ge=20_000,
        description="Maximum file size of a creative, in bytes. JPEG and WebP are compressed to fit; a larger PNG is"
        " noted in the record.",
    )
    c2pa_certificate: Path | None = Field(
        None,
        description="Certificate chain (PEM) with which ads get content credentials; `product-image certificate` makes"
        " one to try. Unset: none.",
    )
    c2pa_key: Path | None = Field(None, description="Private key of that certificate (PEM).")
    c2pa_algorithm: Literal["es256", "es384", "es512", "ps256", "ps384", "ps512", "ed25519"] = Field(
        "es256", description="Algorithm of that key."
    )
    c2pa_timestamps: str = Field(
        "", description="URL of a time-stamping authority for content credentials. Empty: none; ads are made offline."
    )
    min_fill: float = Field(
        0.12,
        ge=0,
        le=1,
        description="Minimum area of the product, as a fraction of the area the margins allow. Less is a flaw.",
    )
    min_contrast: float = Field(
        8,
        ge=0,
        description="Minimum CIE76 colour difference across the outline of the product. Less is a flaw; people notice a"
        " difference of 2.",
    )

    @property
    def can_use_bedrock(self) -> bool:
        """Whether credentials for Bedrock are configured, so that it is meant to be used."""
        return self.names_aws_identity or self.aws_bearer_token_bedrock is not None

    @property
    def offered_images(self) -> list[tuple[int, int]]:
        """Sizes that the image model makes, as width and height; empty: any."""
        sizes = [size.split("x") for size in self.images_sizes.split(",") if size]
        return [(int(width), int(height)) for width, height in sizes]
