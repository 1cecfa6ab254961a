"""The complete network (image encoder, prompt encoder, mask decoder) and its loading from checkpoints."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from common.models.checkpoint import assign_state, load_state
from common.models.device import Device
from services.segmentation.engines.sam.layers import EMBEDDING_SIZE, EMBEDDING_WIDTH, IMAGE_SIZE
from services.segmentation.engines.sam.modeling import MaskDecoder, PromptEncoder, TwoWayTransformer
from services.segmentation.engines.sam.tiny_vit import TinyViT
from services.segmentation.engines.sam.vit import SIZES, ViT

PIXEL_MEAN = (123.675, 116.28, 103.53)
PIXEL_DEVIATION = (58.395, 57.12, 57.375)
MOBILE_SAM = "mobile_sam"
# MobileSAM's checkpoint still contains the classifier that its encoder was pretrained with.
UNUSED = ("image_encoder.norm_head.", "image_encoder.head.")


class Sam(nn.Module):
    """Segment Anything with one of its encoders. Thread-safe: keeps no per-picture state."""

    def __init__(self, image_encoder: nn.Module) -> None:
        super().__init__()
        self.image_encoder = image_encoder
        self.prompt_encoder = PromptEncoder(
            embed_dim=EMBEDDING_WIDTH,
            image_embedding_size=(EMBEDDING_SIZE, EMBEDDING_SIZE),
            input_image_size=(IMAGE_SIZE, IMAGE_SIZE),
            mask_in_chans=16,
        )
        self.mask_decoder = MaskDecoder(
            num_multimask_outputs=3,
            transformer=TwoWayTransformer(depth=2, embedding_dim=EMBEDDING_WIDTH, mlp_dim=2048, num_heads=8),
            transformer_dim=EMBEDDING_WIDTH,
            iou_head_depth=3,
            iou_head_hidden_dim=256,
        )

    def decode(
        self, embedding: Tensor, points: tuple[Tensor, Tensor] | None, box: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Segment the prompted object.

        Args:
            embedding: Embedding of the picture, (1, 256, 64, 64).
            points: Positions (1, n, 2) as x, y in the 1024 frame, and labels (1, n): 1 on the object, 0 off it.
            box: (1, 4) as left, top, right, bottom in the 1024 frame.

        Returns:
            Logits of three candidates, (3, 256, 256), spanning the 1024 frame, and their predicted IoU, (3,).
        """
        sparse, dense = self.prompt_encoder(points=points, boxes=box, masks=None)
        logits, quality = self.mask_decoder(
            image_embeddings=embedding,
            image_pe=self.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=True,
        )
        return logits[0], quality[0]


def in_frame(picture: Tensor) -> Tensor:
    """Normalise a picture and zero-pad it to the frame, at the right and bottom.

    Args:
        picture: (3, h, w) float, 0 to 255, longer side 1024.

    Returns:
        (3, 1024, 1024).
    """
    mean, deviation = (picture.new_tensor(values).view(3, 1, 1) for values in (PIXEL_MEAN, PIXEL_DEVIATION))
    height, width = picture.shape[1:]
    padding = (0, IMAGE_SIZE - width, 0, IMAGE_SIZE - height)
    return nn.functional.pad((picture - mean) / deviation, padding).contiguous()


def load_sam(path: Path, device: Device) -> tuple[Sam, str]:
    """Load a Segment Anything checkpoint, strictly: missing and unknown tensors are errors.

    Args:
        path: sam_vit_h_4b8939.pth, sam_vit_l_0b3195.pth, sam_vit_b_01ec64.pth or mobile_sam.pt, under any name: the
            model is identified by its tensors.
        device: Device and precision.

    Returns:
        The model, ready to run, and its name: vit_h, vit_l, vit_b or mobile_sam.

    Raises:
        ValueError: The file is none of them, or is damaged; the message names the file and what was expected.
    """
    expected = "a checkpoint of Segment Anything (vit_h, vit_l, vit_b) or MobileSAM"
    state = load_state(path, expected)
    name = model_name(state)
    if name is None:
        raise ValueError(f"{path} is not {expected}")
    with torch.device("meta"):
        encoder = TinyViT() if name == MOBILE_SAM else ViT(SIZES[name])
    model = Sam(encoder).eval()  # small parts are not built on "meta": random numbers there import all of TorchDynamo
    wanted = {key: value for key, value in state.items() if not key.startswith(UNUSED)}
    assign_state(model, wanted, path, expected)
    model.to(device.name)
    encoder.speed_up(bfloat16=device.bfloat16)
    return model, name


def model_name(state: Mapping[str, Tensor]) -> str | None:
    """Return the name of the model that a checkpoint belongs to; None if it is unknown."""
    if "image_encoder.patch_embed.seq.0.c.weight" in state:
        return MOBILE_SAM
    positions = state.get("image_encoder.pos_embed")
    width = positions.shape[-1] if positions is not None else None
    return next((name for name, size in SIZES.items() if size.width == width), None)
