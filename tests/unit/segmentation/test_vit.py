import pytest
import torch
from torch import nn

from services.segmentation.engines.sam import vit
from services.segmentation.engines.sam.modeling import ImageEncoderViT
from services.segmentation.engines.sam.vit import SIZES, ViT, ViTSize

pytestmark = pytest.mark.slow

SMALL = ViTSize(width=32, depth=4, heads=2)


@pytest.fixture(scope="module")
def pair() -> tuple[nn.Module, ViT]:
    """Return small encoders, the segment-anything package's and ours, with the same random weights."""
    torch.manual_seed(0)
    reference: nn.Module = ImageEncoderViT(
        depth=SMALL.depth,
        embed_dim=SMALL.width,
        num_heads=SMALL.heads,
        norm_layer=lambda width: nn.LayerNorm(width, eps=1e-6),
        use_rel_pos=True,
        global_attn_indexes=tuple(SMALL.global_blocks),
        window_size=14,
    )
    for parameter in reference.parameters():
        nn.init.normal_(parameter, std=0.2)
    ours = ViT(SMALL)
    ours.load_state_dict(reference.state_dict())
    return reference.eval(), ours.eval()


@pytest.mark.parametrize("scores_at_once", [1, 1 << 30], ids=["row by row", "all at once"])
@pytest.mark.parametrize("batch", [1, 2])
def test_the_numbers_are_the_packages(
    pair: tuple[nn.Module, ViT], batch: int, scores_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(vit.SCORES_AT_ONCE, "cpu", scores_at_once)
    reference, ours = pair
    pictures = torch.randn(batch, 3, 1024, 1024)
    with torch.inference_mode():
        assert torch.allclose(ours(pictures), reference(pictures), atol=2e-4)


def test_bfloat16_changes_little(pair: tuple[nn.Module, ViT]) -> None:
    reference, _ = pair
    fast = ViT(SMALL).eval()
    fast.load_state_dict(reference.state_dict())
    fast.speed_up(bfloat16=True)
    picture = torch.randn(1, 3, 1024, 1024)
    with torch.inference_mode():
        wanted, found = reference(picture), fast(picture)
    assert found.dtype == torch.float32
    assert (found - wanted).norm() / wanted.norm() < 0.05


def test_global_attention_lies_where_the_checkpoints_have_it() -> None:
    assert {name: tuple(size.global_blocks) for name, size in SIZES.items()} == {
        "vit_b": (2, 5, 8, 11),
        "vit_l": (5, 11, 17, 23),
        "vit_h": (7, 15, 23, 31),
    }


@pytest.mark.parametrize(
    ("name", "parameters"), [("vit_b", 89_670_912), ("vit_l", 308_278_272), ("vit_h", 637_026_048)]
)
def test_the_encoders_are_the_published_ones(name: str, parameters: int) -> None:
    with torch.device("meta"):
        encoder = ViT(SIZES[name])
    assert sum(parameter.numel() for parameter in encoder.parameters()) == parameters
