import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from common.models.device import Device
from services.segmentation.engines.sam.model import Sam, load_sam, model_name
from services.segmentation.engines.sam.vit import SIZES, ViT

pytestmark = pytest.mark.slow

EXACT = Device("cpu", bfloat16=False)


@pytest.mark.parametrize("name", SIZES)
def test_the_checkpoint_tells_which_model_it_is(name: str) -> None:
    with torch.device("meta"):
        state = Sam(ViT(SIZES[name])).state_dict()
    assert model_name(state) == name


def test_vit_b_is_loaded_whatever_its_file_is_called(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = Sam(ViT(SIZES["vit_b"]))
    torch.save(model.state_dict(), tmp_path / "renamed.pth")
    loaded, name = load_sam(tmp_path / "renamed.pth", EXACT)
    assert name == "vit_b"
    assert torch.equal(
        loaded.state_dict()["image_encoder.neck.0.weight"], model.state_dict()["image_encoder.neck.0.weight"]
    )


def test_mobile_sam_keeps_its_precision_whatever_is_chosen() -> None:
    torch.manual_seed(0)
    picture = torch.randn(1, 3, 1024, 1024)
    exact, fast = (
        load_sam(Path("weights/mobile_sam.pt"), device)[0] for device in (EXACT, Device("cpu", bfloat16=True))
    )
    with torch.inference_mode():
        wanted, found = (model.image_encoder(picture) for model in (exact, fast))
    assert torch.equal(found, wanted)


def _without_one(state: dict[str, Tensor]) -> object:
    return {name: tensor for name, tensor in state.items() if name != "mask_decoder.iou_token.weight"}


def _with_one_more(state: dict[str, Tensor]) -> object:
    return {**state, "extra": torch.zeros(1)}


def _with_another_shape(state: dict[str, Tensor]) -> object:
    return {**state, "mask_decoder.iou_token.weight": torch.zeros(2, 256)}


def _another_network(_: dict[str, Tensor]) -> object:
    return {"layer.weight": torch.zeros(3)}


def _not_only_tensors(state: dict[str, Tensor]) -> object:
    return {"model": state}


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_without_one, "lacks mask_decoder.iou_token.weight"),
        (_with_one_more, "has unknown extra"),
        (_with_another_shape, "has other shapes of mask_decoder.iou_token.weight"),
        (_another_network, "is not a checkpoint of Segment Anything"),
        (_not_only_tensors, "holds more than named tensors"),
    ],
)
def test_a_wrong_file_is_told_in_one_line(
    tmp_path: Path, spoil: Callable[[dict[str, Tensor]], object], told: str
) -> None:
    file = tmp_path / "mobile_sam.pt"
    torch.save(spoil(torch.load("weights/mobile_sam.pt", weights_only=True)), file)
    with pytest.raises(ValueError, match=told) as error:
        load_sam(file, EXACT)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_pickle_that_runs_code_is_not_run(tmp_path: Path) -> None:
    file = tmp_path / "evil.pth"

    class Evil:
        def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
            return eval, (f"open({str(tmp_path / 'ran')!r}, 'w')",)

    torch.save({"image_encoder.pos_embed": Evil()}, file)
    with pytest.raises(ValueError, match=r"evil\.pth cannot be read"):
        load_sam(file, EXACT)
    assert not (tmp_path / "ran").exists()


def test_loading_brings_no_compiler_along() -> None:
    """Importing it would double the start time of the service."""
    load = "load_sam(Path('weights/mobile_sam.pt'), Device('cpu', bfloat16=True)); assert 'torch._dynamo' not in sys.modules"
    imports = (
        "import sys; from pathlib import Path; from common.models.device import Device;"
        " from services.segmentation.engines.sam.model import load_sam; "
    )
    subprocess.run([sys.executable, "-c", imports + load], check=True)
