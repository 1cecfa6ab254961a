"""Writing an ad as a file that ad networks take."""

from bisect import bisect_right
from typing import Literal

from services.runtime.errors import PreconditionError
from services.runtime.image import Pixels, encode_jpeg, encode_png, encode_webp

FileFormat = Literal["jpeg", "webp", "png"]
QUALITIES = range(20, 96)
_LOSSY = {"jpeg": encode_jpeg, "webp": encode_webp}


def encode_ad(pixels: Pixels, file_format: FileFormat, most_bytes: int) -> bytes:
    """Write a file: JPEG or WebP of the best quality that fits, or PNG, which has one quality and any size.

    Raises:
        PreconditionError: Not even the lowest quality fits.
    """
    if file_format == "png":
        return encode_png(pixels)
    encode = _LOSSY[file_format]
    files: dict[int, bytes] = {}

    def size(quality: int) -> int:
        files[quality] = encode(pixels, quality)
        return len(files[quality])

    fitting = bisect_right(QUALITIES, most_bytes, key=size)
    if not fitting:
        raise PreconditionError(f"An ad of this size does not fit into {most_bytes} bytes.", "CREATIVE_TOO_LARGE")
    return files[QUALITIES[fitting - 1]]
