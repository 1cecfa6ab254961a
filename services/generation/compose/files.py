"""Encoding of creatives as files that ad networks accept."""

from bisect import bisect_right
from typing import Literal

from common.errors import PreconditionError
from common.imaging.codec import Pixels, encode_jpeg, encode_png, encode_webp

FileFormat = Literal["jpeg", "webp", "png"]
QUALITIES = range(20, 96)
_LOSSY = {"jpeg": encode_jpeg, "webp": encode_webp}


def encode_ad(pixels: Pixels, file_format: FileFormat, most_bytes: int, xmp: bytes = b"") -> bytes:
    """Encode a creative: JPEG or WebP at the best quality that fits, or PNG, which ignores the size limit.

    Args:
        pixels: (H, W, 3).
        file_format: File format.
        most_bytes: The most bytes of the file, metadata included.
        xmp: XMP packet; empty: none.

    Raises:
        PreconditionError: Even the lowest quality is too large.
    """
    if file_format == "png":
        return encode_png(pixels, xmp)
    encode = _LOSSY[file_format]
    files: dict[int, bytes] = {}

    def size(quality: int) -> int:
        files[quality] = encode(pixels, quality, xmp)
        return len(files[quality])

    if size(QUALITIES[-1]) <= most_bytes:
        return files[QUALITIES[-1]]
    fitting = bisect_right(QUALITIES, most_bytes, key=size)
    if not fitting:
        raise PreconditionError(f"An ad of this size does not fit into {most_bytes} bytes.", "CREATIVE_TOO_LARGE")
    return files[QUALITIES[fitting - 1]]
