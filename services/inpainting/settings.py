"""The settings of the inpainting service."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.runtime.settings import ServiceSettings


class InpaintingSettings(ServiceSettings):
    """Read from INPAINTING_* in the environment or in .env."""

    model_config = SettingsConfigDict(env_prefix="INPAINTING_", env_file=".env", extra="ignore")

    port: int = Field(50052, ge=0, le=65535, description="The port to listen on; 0: any free one.")
    workers: int = Field(1, gt=0, description="Pictures worked on at one time; each uses every core by itself.")
    engine: Literal["auto", "migan", "opencv"] = Field(
        "auto", description="What fills; auto: MI-GAN when its weights are in place, else OpenCV."
    )
    weights_dir: Path = Field(Path("weights"), description="The folder that holds the model weights.")
    dilation: float = Field(
        0.01, ge=0, le=0.1, description="How far a hole is widened to take shadows and fringes, as a part of its size."
    )
    context: float = Field(
        1.0, ge=0.25, le=4, description="How much surroundings an engine sees on each side of a hole, in hole sizes."
    )
