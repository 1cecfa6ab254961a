"""The whole network: image encoder, prompt encoder, mask decoder, and loading its checkpoint."""

from pathlib import Path

import torch
from torch import Tensor, nn

from services.segmentation.sam.segment_anything_modeling import MaskDecoder, PromptEncoder, TwoWayTransformer
from services.segmentation.sam.tiny_vit import EMBEDDING_WIDTH, IMAGE_SIZE, TinyViT

EMBEDDING_SIZE = IMAGE_SIZE // 16
# MobileSAM's checkpoint still holds the classifier that its encoder was first trained with.
UNUSED = ("image_encoder.norm_head.", "image_encoder.head.")


class MobileSam(nn.Module):
    """MobileSAM. Holds no state of any picture: safe to call from several threads."""

    pixel_mean: Tensor
    pixel_std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.image_encoder = TinyViT()
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
        self.register_buffer("pixel_mean", torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1), persistent=False)
        self.register_buffer("pixel_std", torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1), persistent=False)

    def embed(self, picture: Tensor) -> Tensor:
        """Encode a picture.

        Args:
            picture: (3, h, w) float, 0 to 255, its longer side 1024.

        Returns:
            (1, 256, 64, 64).
        """
        normalised = (picture - self.pixel_mean) / self.pixel_std
        height, width = picture.shape[1:]
        padded = nn.functional.pad(normalised, (0, IMAGE_SIZE - width, 0, IMAGE_SIZE - height))
        return self.image_encoder(padded[None])  # type: ignore[no-any-return]

    def decode(
        self, embedding: Tensor, points: tuple[Tensor, Tensor] | None, box: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Segment what the prompt means.

        Args:
            embedding: Of the picture.
            points: Places (1, n, 2) as x, y in the 1024 frame, and labels (1, n): 1 on the object, 0 off it.
            box: (1, 4) as left, top, right, bottom in the 1024 frame.

        Returns:
            Three candidates' logits (3, 256, 256) in the 1024 frame, and their predicted IoU (3,).
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


def load_mobile_sam(path: Path) -> MobileSam:
    """Load MobileSAM's checkpoint, strictly: every tensor must find its place.

    Raises:
        ValueError: The file is not MobileSAM's checkpoint, or is damaged; the text names the file.
    """
    model = MobileSam()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        model.load_state_dict({name: tensor for name, tensor in state.items() if not name.startswith(UNUSED)})
    except Exception as error:
        raise ValueError(
            f"{path} is not a whole MobileSAM checkpoint: fetch it anew (python -m weights fetch)"
        ) from error
    return model.eval()
