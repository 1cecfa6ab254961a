"""Where the models run, and how exactly: decided once, at start."""

from dataclasses import dataclass

import torch

from services.runtime.server import StartError
from services.runtime.settings import ModelSettings


@dataclass(frozen=True)
class Device:
    """A place to run models.

    Attributes:
        name: As torch names it: cpu or cuda.
        bfloat16: Whether the bulk of a model runs in bfloat16.
    """

    name: str
    bfloat16: bool


def choose_device(settings: ModelSettings) -> Device:
    """Take the device and the precision that the settings ask for; auto: the fastest that is there.

    Raises:
        StartError: CUDA was asked for by name and is not there.
    """
    name = settings.device
    if name == "cuda" and not torch.cuda.is_available():
        prefix = settings.model_config["env_prefix"]
        raise StartError(f"{prefix}DEVICE=cuda: no CUDA device is there, or this torch is built without CUDA")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    precision = settings.precision
    return Device(name, _is_fast_in_bfloat16(name) if precision == "auto" else precision == "bfloat16")


def _is_fast_in_bfloat16(device: str) -> bool:
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))
