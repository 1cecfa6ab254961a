"""Loading of matterport's weights, converted to safetensors by `python -m weights convert`."""

from pathlib import Path

import torch

from common.models.checkpoint import assign_state, load_state
from services.segmentation.engines.mask_rcnn.matterport import MaskRcnn

EXPECTED = "a converted checkpoint of matterport's Mask R-CNN (ResNet-50 or -101, 81 classes)"
LAST_BLOCK_OF_101 = "resnet.stages.2.22.branch2a.conv.weight"
COUNTER = "num_batches_tracked"


def load_matterport(path: Path) -> tuple[MaskRcnn, int]:
    """Load a checkpoint, detecting the depth of its ResNet from its tensors.

    Returns:
        The model, in evaluation mode, and the depth of its ResNet, 50 or 101.

    Raises:
        ValueError: The file is not such a checkpoint, or is damaged; the message names it and what was expected.
    """
    state = dict(load_state(path, EXPECTED))
    depth = 101 if LAST_BLOCK_OF_101 in state else 50
    with torch.device("meta"):
        model = MaskRcnn(depth).eval()
    # Keras does not store counters of training steps.
    state |= {name: torch.tensor(0) for name in model.state_dict() if name.endswith(COUNTER)}
    assign_state(model, state, path, EXPECTED)
    return model, depth
