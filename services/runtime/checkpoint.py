"""Reading PyTorch checkpoints: only tensors, only whole ones, and every one accounted for."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

NAMES_SHOWN = 3


def sha256_of(path: Path) -> str:
    """Give the hash of a file, in hexadecimal, as the manifest of the weights writes it."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def load_state(path: Path, expected: str, inside: str | None = None) -> Mapping[str, Tensor]:
    """Read a state dict. Nothing but tensors is ever unpickled.

    Args:
        path: The file.
        expected: What it should be, for the error's text.
        inside: The name under which the file keeps it; None: the file is nothing else.

    Raises:
        ValueError: The file is damaged or something else; the text names it and what was expected.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError(
            f"{path} cannot be read: expected {expected}; it is damaged, cut short or something else, fetch it anew"
        ) from error
    if inside is not None:
        state = state.get(inside) if isinstance(state, Mapping) else None
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"{path} is not {expected}: it holds more than tensors by name")
    return state


def put_into(model: nn.Module, state: Mapping[str, Tensor], path: Path, expected: str) -> None:
    """Give a model, built on the meta device, its tensors: all that it has, and no others.

    Raises:
        ValueError: Names or shapes differ; the text names the file, what was expected and the first differences.
    """
    own = model.state_dict()
    missing = [name for name in own if name not in state]
    unknown = [name for name in state if name not in own]
    misshapen = [name for name in own if name in state and state[name].shape != own[name].shape]
    for what, names in (("lacks", missing), ("has unknown", unknown), ("has other shapes of", misshapen)):
        if names:
            shown = ", ".join(names[:NAMES_SHOWN]) + (", ..." if len(names) > NAMES_SHOWN else "")
            raise ValueError(f"{path} is not {expected}: it {what} {shown}")
    model.load_state_dict(state, assign=True)
    model.requires_grad_(requires_grad=False)
