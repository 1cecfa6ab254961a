"""Speed-up of our image encoders over those of the segment-anything package, on the same weights and picture.

vit_b, vit_l and vit_h get seeded random weights, written to a checkpoint and loaded as a user's would be; the reference
is the package's encoder in float32, on the same device. MobileSAM has its real weights; its reference is the same
network in float32, as defined. Each runs in its own process, in turn, so that noise affects both alike; memory is the
peak while encoding. The masks compared are those of a box prompt.

    python -m bench.sam_encoder [vit_b|vit_l|vit_h|mobile_sam] [RUNS]
"""

import json
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bench.turns import by_turns
from common.models.device import Device, choose_device
from common.observability.logs import configure_logging
from common.settings import LogSettings
from services.segmentation.engines.registry import SAM_FILES
from services.segmentation.engines.sam.layers import IMAGE_SIZE
from services.segmentation.engines.sam.model import MOBILE_SAM, Sam, in_frame, load_sam
from services.segmentation.engines.sam.modeling import ImageEncoderViT
from services.segmentation.engines.sam.tiny_vit import TinyViT
from services.segmentation.engines.sam.vit import SIZES, WINDOW
from services.segmentation.settings import SegmentationSettings

SAMPLE = Path("gateway/web/sample.jpg")
BOX = torch.tensor([[256.0, 256.0, 768.0, 768.0]])
SEED = 0


def package_encoder(name: str) -> nn.Module:
    """Return the package's encoder, configured as in its build_sam."""
    size = SIZES[name]
    encoder: nn.Module = ImageEncoderViT(
        depth=size.depth,
        embed_dim=size.width,
        img_size=IMAGE_SIZE,
        mlp_ratio=4,
        norm_layer=partial(nn.LayerNorm, eps=1e-6),
        num_heads=size.heads,
        patch_size=16,
        qkv_bias=True,
        use_rel_pos=True,
        global_attn_indexes=tuple(size.global_blocks),
        window_size=WINDOW,
        out_chans=256,
    )
    return encoder


def random_weights(name: str) -> dict[str, Tensor]:
    """Return a seeded checkpoint, with random positional embeddings, which the package initialises to zero."""
    torch.manual_seed(SEED)
    model = Sam(package_encoder(name))
    for key, parameter in model.named_parameters():
        if "rel_pos" in key or "pos_embed" in key:
            nn.init.normal_(parameter, std=0.1)
    return model.state_dict()


def reference_model(name: str, checkpoint: Path) -> Sam:
    """Return the reference model in float32."""
    model = Sam(TinyViT() if name == MOBILE_SAM else package_encoder(name))
    state = torch.load(checkpoint, weights_only=True)
    model.load_state_dict(state, strict=name != MOBILE_SAM)
    return model.eval()


def picture() -> Tensor:
    """Return the sample photo in its frame, (1, 3, 1024, 1024)."""
    photo = cv2.cvtColor(np.asarray(cv2.imread(str(SAMPLE)), np.uint8), cv2.COLOR_BGR2RGB)
    scale = IMAGE_SIZE / max(photo.shape[:2])
    resized = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return in_frame(torch.from_numpy(resized).permute(2, 0, 1).float())[None]


@torch.inference_mode()
def prepare(
    name: str, checkpoint: Path, device: Device, *, is_reference: bool
) -> tuple[Callable[[], object], NDArray[np.bool_]]:
    """Load ours or the reference on a device; return the encoding to time, and its bool masks."""
    model = reference_model(name, checkpoint) if is_reference else load_sam(checkpoint, device)[0]
    model.to(device.name)
    pixels = picture().to(device.name)
    logits, _ = model.decode(model.image_encoder(pixels), None, BOX.to(pixels.device))

    def encode() -> Tensor:
        with torch.inference_mode():
            embedding: Tensor = model.image_encoder(pixels)
        return embedding.cpu()

    return encode, np.asarray((logits > 0).cpu().numpy(), np.bool_)


def measure(name: str, runs: int) -> dict[str, Any]:
    """Time both in turn; return the figures of one model."""
    device = choose_device(SegmentationSettings())
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path("weights", SAM_FILES[name])
        if name != MOBILE_SAM:
            checkpoint = Path(folder, SAM_FILES[name])
            torch.save(random_weights(name), checkpoint)
        ways = [partial(prepare, name, checkpoint, device, is_reference=which) for which in (False, True)]
        ours, reference = by_turns(ways, runs)
    found, wanted = ours.answer, reference.answer
    return {
        "model": name,
        "device": device.name,
        "ratio": round(reference.seconds / ours.seconds, 2),
        "iou": round(float((found & wanted).sum() / max(1, (found | wanted).sum())), 4),
        "peak_mb": ours.peak_mb,
        "reference_peak_mb": reference.peak_mb,
        "seconds": round(ours.seconds, 3),
        "reference_seconds": round(reference.seconds, 3),
    }


def main() -> None:
    """Print a table and, as the last line, the figures as JSON."""
    configure_logging(LogSettings(), "bench")
    name = sys.argv[1] if len(sys.argv) > 1 else MOBILE_SAM
    figures = measure(name, int(sys.argv[2]) if len(sys.argv) > 2 else 5)
    for key, value in figures.items():
        print(f"{key:20} {value}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
