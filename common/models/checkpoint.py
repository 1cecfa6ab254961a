"""Loading PyTorch checkpoints, `.pth` or safetensors: nothing but tensors, and every one accounted for."""

from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

NAMES_SHOWN = 3


def load_state(path: Path, expected: str, inside: str | None = None) -> Mapping[str, Tensor]:
    """Load a state dict. Nothing but tensors is ever unpickled.

    Args:
        path: A safetensors file, or a file written by `torch.save`.
        expected: What the file should be, for error texts.
        inside: Key under which a `torch.save` file holds the state dict. None: the file is the state dict.

    Raises:
        ValueError: The file is damaged or something else; the text names it and what was expected.
    """
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError(
            f"{path} cannot be read: expected {expected}; it is damaged, truncated or something else, fetch it again"
        ) from error
    if inside is not None:
        state = state.get(inside) if isinstance(state, Mapping) else None
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"{path} is not {expected}: it holds more than named tensors")
    return state


def assign_state(model: nn.Module, state: Mapping[str, Tensor], path: Path, expected: str) -> None:
    """Give a model built on the meta device its tensors: all of its own, and no others.

    Raises:
        ValueError: Names or shapes differ; the text names the file, what was expected and the first differences.
    """
    own = model.state_dict()
    missing = [name for name in own if name not in state]
    unknown = [name for name in state if name not in own]
    misshapen = [name for name in own if name in state and state[name].shape != own[name].shape]
    for problem, names in (("lacks", missing), ("has unknown", unknown), ("has other shapes of", misshapen)):
        if names:
            shown = ", ".join(names[:NAMES_SHOWN]) + (", ..." if len(names) > NAMES_SHOWN else "")
            raise ValueError(f"{path} is not {expected}: it {problem} {shown}")
    model.load_state_dict(state, assign=True)
    model.requires_grad_(requires_grad=False)
