"""MI-GAN (Sargsyan et al., "MI-GAN: A Simple Baseline for Image Inpainting on Mobile Devices", ICCV 2023), as ONNX."""

from pathlib import Path

import numpy as np
import onnxruntime

from common.imaging.codec import Mask, Pixels
from common.models.weights import check_weights


class MiGan:
    """The published pipeline, which itself crops, scales to 512 pixels and blends.

    Args:
        session: onnxruntime session: uint8 `image` (1, 3, H, W) and `mask` (1, 1, H, W), 255 = keep, to uint8.
    """

    name = "migan"
    native_size = 512
    largest_hole = None

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session

    @classmethod
    def load(cls, path: Path) -> "MiGan":
        """Load the model and run it once.

        Raises:
            ValueError: The file is not the MI-GAN pipeline, or is damaged; the text names the file.
        """
        check_weights(path)
        try:
            engine = cls(onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]))
            hole = np.zeros((1, 512, 512), np.bool_)
            hole[:, 200:300, 200:300] = True
            engine.fill(np.zeros((*hole.shape, 3), np.uint8), hole)
        except Exception as error:
            raise ValueError(
                f"{path} is not a whole MI-GAN pipeline: fetch it again (python -m weights fetch)"
            ) from error
        return engine

    def fill(self, pictures: Pixels, holes: Mask) -> Pixels:
        """See Inpainter. One picture at a time: the pipeline crops a batch to one hole."""
        return np.stack([self._fill(picture, hole) for picture, hole in zip(pictures, holes, strict=True)])

    def _fill(self, picture: Pixels, hole: Mask) -> Pixels:
        keep = np.where(hole, 0, 255).astype(np.uint8)
        inputs = {"image": picture.transpose(2, 0, 1)[None], "mask": keep[None, None]}
        [result] = self._session.run(None, inputs)
        return np.asarray(result[0].transpose(1, 2, 0), np.uint8)
