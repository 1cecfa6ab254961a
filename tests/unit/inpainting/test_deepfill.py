"""DeepFill v2 against a slow NumPy reference and against outputs of TensorFlow."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from services.inpainting.engines.deepfill.attention import ContextualAttention, queries_seen_by, shrink
from services.inpainting.engines.deepfill.gated import GatedConv
from services.inpainting.engines.deepfill.generator import Generator
from services.inpainting.engines.deepfill.variant import CONVERTED, PYTORCH, TENSORFLOW, Padding, Variant
from tests.unit.inpainting import deepfill_reference as reference
from tests.unit.inpainting.deepfill_weights import generator_with, random_weights

pytestmark = pytest.mark.slow

VARIANTS = [TENSORFLOW, CONVERTED, PYTORCH]
NAMES = [variant.name for variant in VARIANTS]
CLOSE = 1e-4
BY_TENSORFLOW = Path(__file__).parent / "tensorflow" / "outputs.npz"


def distance(ours: Tensor, wanted: NDArray[np.float64]) -> float:
    """Return the maximum absolute error relative to the largest wanted value."""
    return float(np.abs(ours.double().numpy() - wanted).max() / np.abs(wanted).max())


def tensor(values: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))[None]


def square(height: int, width: int, top: int, left: int, side: int) -> NDArray[np.float64]:
    hole = np.zeros((1, height, width))
    hole[:, top : top + side, left : left + side] = 1
    return hole


def test_the_published_count_of_parameters() -> None:
    generator = Generator(TENSORFLOW)
    assert sum(parameter.numel() for parameter in generator.parameters()) == 4_052_478
    assert sum(parameter.numel() for parameter in generator.coarse.parameters()) == 1_631_151
    assert sum(isinstance(module, torch.nn.Conv2d) for module in generator.modules()) == 42


@pytest.mark.parametrize("rule", ["same", "symmetric"])
@pytest.mark.parametrize("activation", ["elu", "relu"])
@pytest.mark.parametrize(("kernel", "stride", "rate"), [(5, 1, 1), (3, 1, 1), (3, 2, 1), (3, 1, 2), (3, 1, 16)])
@pytest.mark.parametrize(("height", "width"), [(16, 24), (13, 9), (7, 18)])
def test_a_gated_convolution(
    rule: Padding, activation: str, kernel: int, stride: int, rate: int, height: int, width: int
) -> None:
    torch.manual_seed(0)
    layer = GatedConv(4, 6, kernel, stride, rate, padding=rule, activation=getattr(torch.nn.functional, activation))
    x = np.random.default_rng(0).normal(size=(4, height, width))
    assert layer.bias is not None
    weight, bias = (part.detach().double().numpy() for part in (layer.weight, layer.bias))
    wanted = reference.gate(reference.convolve(x, weight, bias, stride, rate, rule), activation)
    with torch.inference_mode():
        assert distance(layer(tensor(x))[0], wanted) < CLOSE


def test_the_reference_that_is_faster_is_the_same() -> None:
    random = np.random.default_rng(0)
    x, weights = random.normal(size=(12, 11, 14)), random_weights()
    weight, bias = (weights[f"conv17.{part}"].astype(np.float64) for part in ("weight", "bias"))
    for rule in ("same", "symmetric"):
        for stride, rate in ((1, 1), (2, 1), (1, 4)):
            slow = reference.convolve(x, weight, bias, stride, rate, rule)
            np.testing.assert_allclose(reference.convolve_by_taps(x, weight, bias, stride, rate, rule), slow, atol=1e-9)


@pytest.mark.parametrize("side", [8, 13, 16, 31, 64, 127, 128, 512])
@pytest.mark.parametrize("factor", [2, 4, 8])
@pytest.mark.parametrize("variant", VARIANTS, ids=NAMES)
def test_shrinking_keeps_the_right_rows_and_columns(side: int, factor: int, variant: Variant) -> None:
    if variant.resize == "floor":
        side -= side % factor
    x = np.arange(side * 16, dtype=np.float64).reshape(1, side, 16)
    wanted = reference.smaller(x, factor, variant.resize)
    assert np.array_equal(shrink(tensor(x), factor, variant.resize)[0].numpy(), wanted)


@pytest.mark.parametrize("variant", VARIANTS, ids=NAMES)
@pytest.mark.parametrize(
    ("height", "width", "hole"), [(64, 64, (16, 16, 24)), (40, 72, (0, 30, 20)), (56, 24, (30, 3, 9))]
)
@pytest.mark.parametrize("scores_at_once", [1 << 23, 500], ids=["at once", "in chunks"])
def test_contextual_attention(
    variant: Variant, height: int, width: int, hole: tuple[int, int, int], scores_at_once: int
) -> None:
    features = np.random.default_rng(0).normal(size=(5, height // 4, width // 4)) * 0.3
    mask = square(height, width, *hole)
    wanted = reference.attend(features, mask, variant)
    attention = ContextualAttention(variant, scores_at_once)
    with torch.inference_mode():
        ours = attention(tensor(features), tensor(mask))[0]
    seen = ours.abs().sum(0) > 0
    assert seen.any()
    inside = complete(mask, seen)
    assert distance(ours[:, inside], wanted[:, inside.numpy()]) < CLOSE


def complete(mask: NDArray[np.float64], seen: Tensor) -> Tensor:
    """Return the places in reach of the hole: the layers that follow see at most four places around."""
    hole = torch.nn.functional.max_pool2d(tensor(mask), 4)
    return (torch.nn.functional.max_pool2d(hole, 9, 1, 4)[0, 0] > 0) & seen


@pytest.mark.parametrize("variant", VARIANTS, ids=NAMES)
@pytest.mark.parametrize(
    ("height", "width", "hole"), [(64, 64, (20, 16, 28)), (72, 104, (40, 60, 32)), (128, 64, (0, 0, 17))]
)
def test_the_whole_generator(variant: Variant, height: int, width: int, hole: tuple[int, int, int]) -> None:
    weights = random_weights()
    picture, mask = np.random.default_rng(1).uniform(-1, 1, (3, height, width)), square(height, width, *hole)
    wanted = reference.generate(picture, mask, weights, variant)
    with torch.inference_mode():
        ours = generator_with(weights, variant)(tensor(picture), tensor(mask))[0]
    assert distance(ours, wanted) < CLOSE


def test_what_tensorflow_gave() -> None:
    """The outputs come from tensorflow/write.py, which builds the authors' graph from TensorFlow's own operations."""
    given = np.load(BY_TENSORFLOW)
    generator = generator_with(random_weights(), TENSORFLOW)
    with torch.inference_mode():
        ours = generator(tensor(given["picture"]), tensor(given["hole"]))[0]
    assert distance(ours, given["output"].astype(np.float64)) < CLOSE


@pytest.mark.parametrize("variant", VARIANTS, ids=NAMES)
def test_leaving_out_queries_changes_nothing(variant: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    picture = tensor(random.uniform(-1, 1, (3, 192, 256)))
    hole = tensor(np.maximum(square(192, 256, 100, 30, 21), square(192, 256, 0, 200, 9)))
    generator = generator_with(random_weights(), variant)
    with torch.inference_mode():
        some = generator(picture, hole)
        asked = queries_seen_by(hole)
        everything = torch.arange(24 * 32)
        monkeypatch.setattr("services.inpainting.engines.deepfill.attention.queries_seen_by", lambda _: everything)
        all_of_them = generator(picture, hole)
    assert len(asked) < 0.4 * len(everything)
    torch.testing.assert_close(some, all_of_them, rtol=0, atol=1e-5)


def test_every_query_that_is_asked_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is tight: without the first or the last query, the filled hole differs."""
    hole = tensor(square(128, 128, 60, 60, 5))
    asked = queries_seen_by(hole)
    generator = generator_with(random_weights(), TENSORFLOW)
    picture = tensor(np.random.default_rng(0).uniform(-1, 1, (3, 128, 128)))
    with torch.inference_mode():
        whole = generator(picture, hole)
        for left_out in (0, len(asked) - 1):
            fewer = torch.cat([asked[:left_out], asked[left_out + 1 :]])
            monkeypatch.setattr(
                "services.inpainting.engines.deepfill.attention.queries_seen_by", lambda _, fewer=fewer: fewer
            )
            assert not torch.equal(generator(picture, hole), whole)


def test_a_batch_is_the_same_as_one_by_one() -> None:
    random = np.random.default_rng(0)
    pictures = torch.cat([tensor(random.uniform(-1, 1, (3, 64, 96))) for _ in range(3)])
    holes = torch.cat([tensor(square(64, 96, top, left, 20)) for top, left in ((0, 0), (30, 40), (44, 70))])
    generator = generator_with(random_weights(), TENSORFLOW)
    with torch.inference_mode():
        together = generator(pictures, holes)
        apart = torch.cat([generator(pictures[i : i + 1], holes[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(together, apart, rtol=0, atol=1e-5)


@pytest.mark.parametrize("variant", [TENSORFLOW, replace(PYTORCH, fuse=False)], ids=["fused", "plain"])
def test_bfloat16_is_good_enough(variant: Variant) -> None:
    random = np.random.default_rng(0)
    picture, hole = tensor(random.uniform(-1, 1, (3, 64, 64))), tensor(square(64, 64, 16, 16, 32))
    weights = random_weights()
    with torch.inference_mode():
        exact = generator_with(weights, variant)(picture, hole)
        rounded = generator_with(weights, variant).in_bfloat16()(picture, hole)
    error = ((exact - rounded)[hole.expand_as(exact) > 0] ** 2).mean()
    assert 10 * torch.log10(2**2 / error) > 40
