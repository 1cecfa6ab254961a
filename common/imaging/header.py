"""Picture headers: checks a file before any pixel is decoded. Needs Pillow and its reader of HEIF alone."""

import io
import warnings

import pi_heif
from PIL import Image as Pillow

from common.errors import InvalidInputError
from common.settings import ImageLimits

FORMATS = ("PNG", "JPEG", "WEBP", "HEIF", "AVIF", "TIFF", "BMP", "GIF")
"""Formats that are read, as Pillow names them."""
KINDS = "PNG, JPEG, WebP, HEIC, AVIF, TIFF, BMP or GIF"
"""The same for people."""
ANIMATED = ("PNG", "WEBP", "AVIF", "GIF")
"""Formats whose further frames are an animation; others hold previews, bursts or pages besides the picture."""
STANDARD = {None: "JPEG", "MPO": "JPEG"}
"""Format of pictures that Pillow names otherwise."""

# The picture alone is wanted; threads follow the process's own settings.
for extra in ("THUMBNAILS", "DEPTH_IMAGES", "AUX_IMAGES"):
    setattr(pi_heif.options, extra, False)
pi_heif.options.DECODE_THREADS = 1
pi_heif.register_heif_opener()

# Pillow only warns about large pictures below twice its own limit; ours is stricter, and exceeding it is an error.
warnings.simplefilter("error", Pillow.DecompressionBombWarning)


def check_header(data: bytes, limits: ImageLimits) -> str:
    """Check the header of a picture file against the limits. Damage past the header is not detected.

    Returns:
        Format of the file, one of FORMATS.

    Raises:
        InvalidInputError: The file is empty, too large, of another format, or animated.
    """
    picture_format = open_picture(data, limits).format
    return STANDARD.get(picture_format) or str(picture_format)


def open_picture(data: bytes, limits: ImageLimits) -> Pillow.Image:
    """Open a picture file whose pixels are not decoded yet.

    Raises:
        InvalidInputError: As for `check_header`.
    """
    if not data:
        raise InvalidInputError(f"The picture is empty: choose a {KINDS} file.", "EMPTY_IMAGE")
    if len(data) > limits.max_image_bytes:
        raise InvalidInputError(
            f"The picture file is larger than {limits.max_image_bytes // 2**20} MB: send a smaller one.",
            "IMAGE_TOO_LARGE",
        )
    try:
        picture = Pillow.open(io.BytesIO(data), formats=FORMATS)
        is_animated = picture.format in ANIMATED and getattr(picture, "is_animated", False)
    except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError):
        raise too_many_pixels(limits) from None
    except MemoryError:
        raise
    except Exception as error:  # damaged files make Pillow raise almost anything
        raise InvalidInputError(
            f"The file is not a picture that can be read: send a {KINDS} file.", "UNSUPPORTED_IMAGE"
        ) from error
    if picture.width * picture.height > limits.max_image_pixels:
        raise too_many_pixels(limits)
    if is_animated:
        raise InvalidInputError("The picture is animated: send a still one.", "ANIMATED_IMAGE")
    return picture


def too_many_pixels(limits: ImageLimits) -> InvalidInputError:
    """Return the error for a picture with more pixels than the limit."""
    return InvalidInputError(
        f"The picture has more than {limits.max_image_pixels / 1e6:g} million pixels: send a smaller one.",
        "TOO_MANY_PIXELS",
    )
