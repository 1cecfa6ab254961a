"""The settings of the segmentation service."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.runtime.settings import ServiceSettings


class SegmentationSettings(ServiceSettings):
    """Read from SEGMENTATION_* in the environment or in .env."""

    model_config = SettingsConfigDict(env_prefix="SEGMENTATION_", env_file=".env", extra="ignore")

    port: int = Field(50051, ge=0, le=65535, description="The port to listen on; 0: any free one.")
    workers: int = Field(1, gt=0, description="Pictures worked on at one time; each uses every core by itself.")
    engine: Literal["auto", "mobile_sam", "grabcut"] = Field(
        "auto", description="What cuts out; auto: MobileSAM when its weights are in place, else GrabCut."
    )
    weights_dir: Path = Field(Path("weights"), description="The folder that holds the model weights.")
