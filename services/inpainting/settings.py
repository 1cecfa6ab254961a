"""The settings of the inpainting service."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.runtime.settings import ModelSettings


class InpaintingSettings(ModelSettings):
    """Read from INPAINTING_* in the environment or in .env."""

    model_config = SettingsConfigDict(env_prefix="INPAINTING_", env_file=".env", extra="ignore")

    port: int = Field(50052, ge=0, le=65535, description="The port to listen on; 0: any free one.")
    workers: int = Field(1, gt=0, description="Pictures worked on at one time; each uses every core by itself.")
    engine: Literal["auto", "deepfill", "migan", "opencv"] = Field(
        "auto",
        description="What fills; auto: the first of DeepFill v2 and MI-GAN whose weights are in place, else OpenCV.",
    )
    deepfill_channels: Literal["rgb", "bgr"] = Field(
        "bgr",
        description="The order of colours of DeepFill v2's weights that were converted from TensorFlow to PyTorch. The"
        " authors trained on BGR, as OpenCV reads pictures; the public loader of the converted file gives it RGB, so"
        " choose rgb to get what that one gives.",
    )
    attention_mb: int = Field(
        128, gt=0, description="What the scores of DeepFill v2's attention may take at one time; less is slower."
    )
    batch_size: int = Field(4, gt=0, description="How many holes of one picture are filled together at most.")
    compile: bool = Field(
        False, description="Whether to compile DeepFill v2 at start: half a minute, and a C++ compiler, for some speed."
    )
    weights_dir: Path = Field(Path("weights"), description="The folder that holds the model weights.")
    dilation: float = Field(
        0.01,
        ge=0,
        le=0.1,
        description="How far around a hole the picture is not trusted, as a part of the hole's size: engines do not see"
        " the fringe of what is to go, and so do not continue it. What is outside the mask stays all the same.",
    )
    context: float = Field(
        1.5, ge=0.25, le=4, description="How much surroundings an engine sees on each side of a hole, in hole sizes."
    )
