"""Settings of the inpainting service."""

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from common.settings import ModelSettings


class InpaintingSettings(ModelSettings):
    """Read from INPAINTING_* in the environment or in .env."""

    model_config = SettingsConfigDict(env_prefix="INPAINTING_", env_file=".env", extra="ignore")

    port: int = Field(50052, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    workers: int = Field(1, gt=0, description="Pictures processed at a time; each uses every core.")
    engine: Literal["auto", "deepfill", "migan", "opencv"] = Field(
        "auto",
        description="Inpainting engine. auto: DeepFill v2 if its weights are present, else MI-GAN, else OpenCV.",
    )
    deepfill_channels: Literal["rgb", "bgr"] = Field(
        "bgr",
        description="Channel order of DeepFill v2 weights that were converted from TensorFlow to PyTorch. The authors"
        " trained on BGR; the public loader of the converted file feeds RGB, so choose rgb to reproduce it.",
    )
    attention_mb: int = Field(
        128, gt=0, description="Memory for the attention scores of DeepFill v2, in MiB; less is slower."
    )
    batch_size: int = Field(4, gt=0, description="Maximum number of holes of one picture filled together.")
    compile: bool = Field(
        False, description="Compile DeepFill v2 at start. Takes half a minute and a C++ compiler; runs faster."
    )
    removal_fringe: float = Field(
        0.02,
        ge=0,
        le=0.2,
        description="Width of the fringe that is removed around an object, as a fraction of the longer image side. Its"
        " shadow is detected and removed as well.",
    )
    dilation: float = Field(
        0.01,
        ge=0,
        le=0.1,
        description="Width of the band around a hole that the engine does not see, as a fraction of the size of the"
        " hole, so that it does not continue traces of what is removed. Pixels outside the mask stay unchanged.",
    )
    context: float = Field(
        1.5, ge=0.25, le=4, description="Context that the engine sees on each side of a hole, in sizes of the hole."
    )
