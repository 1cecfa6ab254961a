"""The settings of the segmentation service."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.runtime.settings import ModelSettings


class SegmentationSettings(ModelSettings):
    """Read from SEGMENTATION_* in the environment or in .env."""

    model_config = SettingsConfigDict(env_prefix="SEGMENTATION_", env_file=".env", extra="ignore")

    port: int = Field(50051, ge=0, le=65535, description="The port to listen on; 0: any free one.")
    workers: int = Field(
        1, gt=0, description="Pictures worked on at one time. A CPU is used whole by one; on CUDA set it to batch_size."
    )
    engine: Literal["auto", "vit_h", "vit_l", "vit_b", "mobile_sam", "grabcut"] = Field(
        "auto",
        description="What cuts out; auto: the first of Segment Anything's vit_h, vit_l, vit_b and MobileSAM whose"
        " weights are in place, else GrabCut.",
    )
    object_finder: Literal["auto", "mask_rcnn", "cut_out"] = Field(
        "auto",
        description="What finds objects in a picture; auto: Mask R-CNN when its weights are in place, else what cuts"
        " out, at the most salient object.",
    )
    compile: bool = Field(
        False,
        description="Whether to compile Segment Anything's encoder at start: minutes, and a C++ compiler, for speed.",
    )
    batch_size: int = Field(8, gt=0, description="On CUDA: the most pictures encoded together.")
    batch_wait_ms: float = Field(
        5, ge=0, description="On CUDA: how long a picture waits for others to be encoded with."
    )
    working_size: int = Field(
        1536,
        ge=256,
        description="The longer side at which a matte is worked out before it is applied at the photo's own size: more"
        " is finer on large photos, and takes more memory.",
    )
    embedding_cache_mb: int = Field(
        64, ge=0, description="What the embeddings of the pictures seen last may take: 4 MB each; 0: keep none."
    )
    weights_dir: Path = Field(Path("weights"), description="The folder that holds the model weights.")
