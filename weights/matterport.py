"""Layers of matterport's Mask R-CNN (Keras), and the modules of ours that they belong to."""

from collections.abc import Iterator

BLOCKS = {50: 6, 101: 23}
"""Blocks of the fourth stage, by the depth of the ResNet."""
PARTS = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
"""Names of the tensors of a layer in Keras and in PyTorch."""


def layer_modules(depth: int) -> dict[str, str]:
    """Return the path of our module for each layer of the file.

    Args:
        depth: Depth of the ResNet, 50 or 101.
    """
    return dict(_layers(depth))


def _layers(depth: int) -> Iterator[tuple[str, str]]:
    yield "conv1", "resnet.conv1.conv"
    yield "bn_conv1", "resnet.conv1.bn"
    for stage, count in zip((2, 3, 4, 5), (3, 4, BLOCKS[depth], 3), strict=True):
        for block in range(count):
            for branch in ("2a", "2b", "2c", *(["1"] if block == 0 else [])):
                keras = f"{stage}{chr(ord('a') + block)}_branch{branch}"
                ours = f"resnet.stages.{stage - 2}.{block}.branch{branch}"
                yield f"res{keras}", f"{ours}.conv"
                yield f"bn{keras}", f"{ours}.bn"
    for level in range(2, 6):
        yield f"fpn_c{level}p{level}", f"pyramid.lateral.{level - 2}"
        yield f"fpn_p{level}", f"pyramid.smooth.{level - 2}"
    yield "rpn_conv_shared", "rpn.shared"
    yield "rpn_class_raw", "rpn.classes"
    yield "rpn_bbox_pred", "rpn.boxes"
    for number in (1, 2):
        yield f"mrcnn_class_conv{number}", f"box_head.conv{number}.conv"
        yield f"mrcnn_class_bn{number}", f"box_head.conv{number}.bn"
    yield "mrcnn_class_logits", "box_head.logits"
    yield "mrcnn_bbox_fc", "box_head.boxes"
    for number in range(1, 5):
        yield f"mrcnn_mask_conv{number}", f"mask_head.convs.{number - 1}.conv"
        yield f"mrcnn_mask_bn{number}", f"mask_head.convs.{number - 1}.bn"
    yield "mrcnn_mask_deconv", "mask_head.deconv"
    yield "mrcnn_mask", "mask_head.masks"
