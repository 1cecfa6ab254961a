"""Reading and writing picture files as RGB."""

from pathlib import Path

import cv2
import numpy as np

from common.imaging.codec import Pixels


def read(path: Path) -> Pixels:
    """Read a file as (H, W, 3) uint8, RGB.

    Raises:
        SystemExit: The file is missing or not a picture.
    """
    picture = cv2.imread(str(path))
    if picture is None:
        raise SystemExit(f"{path} is missing or no picture.")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def write(path: Path, picture: Pixels) -> None:
    """Write (H, W, 3) RGB to a file, creating its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
