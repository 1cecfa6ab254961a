"""Device and precision of the models, chosen once at start."""

import os
from dataclasses import dataclass

import torch

from common.errors import StartError
from common.settings import ModelSettings

# Asks the system for large pages: in small ones, a quarter of an encoder's time on CPUs goes to getting memory.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


@dataclass(frozen=True)
class Device:
    """Where models run.

    Attributes:
        name: Name of the torch device: cpu or cuda.
        bfloat16: Whether the bulk of a model runs in bfloat16.
    """

    name: str
    bfloat16: bool


def choose_device(settings: ModelSettings) -> Device:
    """Return the configured device and precision; auto picks the fastest available.

    Raises:
        StartError: CUDA is configured but not available.
    """
    name = settings.device
    if name == "cuda" and not torch.cuda.is_available():
        prefix = settings.model_config["env_prefix"]
        raise StartError(f"{prefix}DEVICE=cuda: there is no CUDA device, or this torch is built without CUDA")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    precision = settings.precision
    return Device(name, _is_fast_in_bfloat16(name) if precision == "auto" else precision == "bfloat16")


def _is_fast_in_bfloat16(device: str) -> bool:
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))
