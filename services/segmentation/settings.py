"""Settings of the segmentation service."""

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from common.settings import ModelSettings


class SegmentationSettings(ModelSettings):
    """Read from SEGMENTATION_* in the environment or in .env."""

    model_config = SettingsConfigDict(env_prefix="SEGMENTATION_", env_file=".env", extra="ignore")

    port: int = Field(50051, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    workers: int = Field(
        1,
        gt=0,
        description="Pictures processed at a time. One uses a whole CPU; on CUDA, set it to the batch size.",
    )
    engine: Literal["auto", "vit_h", "vit_l", "vit_b", "mobile_sam", "grabcut"] = Field(
        "auto",
        description="Cutout engine. auto: the best Segment Anything model whose weights are present (vit_h, vit_l,"
        " vit_b, MobileSAM), else GrabCut.",
    )
    net: str = Field(
        "auto",
        pattern=r"^[A-Za-z0-9._-]{1,80}$",
        description="Network that finds the product for Segment Anything. auto: the best ONNX file among the weights"
        " whose licence allows commerce; else the name of one, known (u2net, isnet-general-use, birefnet-general, ...)"
        " or described by a .toml file beside it.",
    )
    object_finder: Literal["auto", "mask_rcnn", "cut_out"] = Field(
        "auto",
        description="Detection engine. auto: Mask R-CNN if its weights are present, else the cutout engine, prompted at"
        " one place.",
    )
    compile: bool = Field(
        False, description="Compile the image encoder at start. Takes minutes and a C++ compiler; runs faster."
    )
    batch_size: int = Field(8, gt=0, description="Maximum number of pictures encoded together, on CUDA.")
    batch_wait_ms: float = Field(
        5, ge=0, description="Time a picture waits for others to be encoded with, on CUDA, in milliseconds."
    )
    working_size: int = Field(
        1536,
        ge=256,
        description="Longer side at which the matte is computed before it is applied at full size, in pixels. Larger is"
        " finer on large photos and takes more memory.",
    )
    embedding_cache_mb: int = Field(
        64, ge=0, description="Size of the embedding cache, in MiB, at 4 MiB per picture; 0 turns it off."
    )
