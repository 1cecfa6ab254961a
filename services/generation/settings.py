"""The settings of the generation service."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.runtime.settings import ServiceSettings


class GenerationSettings(ServiceSettings):
    """Read from GENERATION_* in the environment or in .env."""

    model_config = SettingsConfigDict(env_prefix="GENERATION_", env_file=".env", extra="ignore")

    port: int = Field(50053, ge=0, le=65535, description="The port to listen on; 0: any free one.")
    studio_stand_in: bool = Field(
        False,
        description="Whether the rendered set has something standing where the product goes, for the later stages to "
        "find and remove, as pictures from an image model often have.",
    )
    max_creative_bytes: int = Field(150_000, ge=20_000, description="The largest an ad's file may be, in bytes.")
