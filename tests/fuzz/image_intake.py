"""Fuzz the decoding of picture files.

    python -m tests.fuzz.image_intake [libFuzzer's options] CORPUS

Any bytes must give a picture of the promised shape or one of the intended errors. Half of the mutations are followed by a
lie in the header or by mended checksums, which plain ones hardly ever get past. libFuzzer detects crashes, hangs and
memory use (`-rss_limit_mb`, `-malloc_limit_mb`).
"""

import random
import sys
import warnings
from pathlib import Path

import atheris

from common.imaging.header import FORMATS, check_header

with atheris.instrument_imports(include=["PIL", "common.imaging.codec"]):
    import numpy as np
    from PIL import Image

    from common.errors import InvalidInputError
    from common.imaging.codec import decode
    from common.settings import ImageLimits

from testing.damage import lying, mended

LIMITS = ImageLimits(max_image_bytes=1 << 16, max_image_pixels=250_000)

INTENDED = {
    *("EMPTY_IMAGE", "UNSUPPORTED_IMAGE", "DAMAGED_IMAGE", "ANIMATED_IMAGE"),
    *("IMAGE_TOO_LARGE", "TOO_MANY_PIXELS"),
}
"""Reasons for which a file is refused."""


def seeds(folder: Path) -> None:
    """Write a seed corpus: every format, mode and feature that we read."""
    from testing import heic
    from testing.pictures import disc_cutout, encoded, gradient

    photo, cutout = gradient(24, 16), disc_cutout(16)
    turned = Image.Exif()
    turned[0x0112] = 6
    files = {
        "rgb.png": encoded(photo),
        "rgba.png": encoded(cutout),
        "grey.png": encoded(photo[..., 0]),
        "photo.jpg": encoded(photo, "JPEG"),
        "grey.jpg": encoded(photo[..., 0], "JPEG"),
        "progressive.jpg": encoded(photo, "JPEG", progressive=True),
        "turned.jpg": encoded(photo, "JPEG", exif=turned.tobytes()),
        "photo.webp": encoded(photo, "WEBP"),
        "lossless.webp": encoded(cutout, "WEBP", lossless=True),
        "plain.heic": heic.PLAIN,
        "alpha.heic": heic.ALPHA,
        "photo.avif": encoded(photo, "AVIF"),
        "photo.tiff": encoded(photo, "TIFF", compression="tiff_lzw"),
        "photo.bmp": encoded(photo, "BMP"),
        "photo.gif": encoded(photo, "GIF"),
        "half.png": encoded(photo)[:100],
        "text": b"not a picture",
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    for mode in ("1", "P", "CMYK"):
        target = folder / f"{mode}.{'jpg' if mode == 'CMYK' else 'png'}"
        Image.fromarray(photo).convert(mode).save(target)
    Image.fromarray(photo[..., 0].astype(np.uint16) * 257).save(folder / "deep.png")


def take_in(data: bytes) -> None:
    """Check and decode bytes as an upload does."""
    try:
        found = check_header(data, LIMITS)
        pixels = decode(data, LIMITS)
    except InvalidInputError as error:
        if error.reason not in INTENDED:
            raise
        return
    assert found in FORMATS
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.shape[2] in (3, 4)
    assert pixels.shape[0] * pixels.shape[1] <= LIMITS.max_image_pixels


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Mutate a file; often past what protects it."""
    draw = random.Random(seed)
    changed: bytes = data if draw.random() < 0.2 else atheris.Mutate(data, max_size)
    if draw.random() < 0.3:
        changed = lying(changed, draw)
    elif changed.startswith(b"\x89PNG") and draw.random() < 0.5:
        changed = mended(changed)
    return changed[:max_size]


def main() -> None:
    """Fuzz with the options of libFuzzer."""
    warnings.simplefilter("ignore")  # Pillow warns about damaged files
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    corpus = Path(sys.argv[-1])
    corpus.mkdir(parents=True, exist_ok=True)
    seeds(corpus)
    atheris.Setup(sys.argv, take_in, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
