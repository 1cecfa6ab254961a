"""The parts of segment-anything that are used as they are."""

from services.segmentation.engines.without_torchvision import import_sam_modeling

_modeling = import_sam_modeling()
ImageEncoderViT = _modeling.ImageEncoderViT
MaskDecoder = _modeling.MaskDecoder
PromptEncoder = _modeling.PromptEncoder
TwoWayTransformer = _modeling.TwoWayTransformer
