"""Reading and writing pictures of any kind, as RGB."""

from pathlib import Path

import cv2
import numpy as np

from services.runtime.image import Pixels


def read(path: Path) -> Pixels:
    """Read a file as (H, W, 3).

    Raises:
        SystemExit: It is missing, or no picture.
    """
    picture = cv2.imread(str(path))
    if picture is None:
        raise SystemExit(f"{path} is missing or no picture.")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def write(path: Path, picture: Pixels) -> None:
    """Write (H, W, 3) to a file; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
