"""Saliency by U2-Net-p (Qin et al., "U2-Net: Going Deeper with Nested U-Structure", 2020) on onnxruntime."""

from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from common.imaging.codec import Pixels
from common.models.weights import check_weights
from common.serving.threads import compute_threads
from services.segmentation.engines.base import Probability

SIZE = 320
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


class U2Net:
    """Saliency network. Thread-safe.

    Args:
        session: Maps (1, 3, 320, 320) float32 to (1, 1, 320, 320), 0 to 1, as its first output.
    """

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self._output = session.get_outputs()[0].name

    @classmethod
    def load(cls, path: Path) -> "U2Net":
        """Load the network.

        Raises:
            ValueError: The file is not an ONNX model, or is damaged; the message names the file.
        """
        check_weights(path)
        try:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = compute_threads()
            options.enable_cpu_mem_arena = False  # free the memory after each run, for the other models
            return cls(onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]))
        except Exception as error:
            raise ValueError(f"{path} is not a whole U2-Net model: fetch it anew (python -m weights fetch)") from error

    def find(self, picture: Pixels) -> Probability:
        """See SaliencyFinder."""
        height, width = picture.shape[:2]
        small = cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA).astype(np.float32)
        normalised = (small / max(float(small.max()), 1.0) - MEAN) / DEVIATION
        [saliency] = self._session.run([self._output], {self._input: normalised.transpose(2, 0, 1)[None]})
        resized = cv2.resize(saliency[0, 0], (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(np.clip(resized, 0, 1), np.float32)
