"""Picture headers: checks a file before any pixel is decoded. Needs Pillow alone."""

import io
import warnings

from PIL import Image as Pillow

from common.errors import InvalidInputError
from common.settings import ImageLimits

FORMATS = ("PNG", "JPEG", "WEBP")

# Pillow only warns about large pictures below twice its own limit; ours is stricter, and exceeding it is an error.
warnings.simplefilter("error", Pillow.DecompressionBombWarning)


def check_header(data: bytes, limits: ImageLimits) -> str:
    """Check the header of a picture file against the limits. Damage past the header is not detected.

    Returns:
        Format of the file: "PNG", "JPEG" or "WEBP".

    Raises:
        InvalidInputError: The file is empty, too large, of another format, or animated.
    """
    picture_format = open_picture(data, limits).format
    return "JPEG" if picture_format in (None, "MPO") else picture_format


def open_picture(data: bytes, limits: ImageLimits) -> Pillow.Image:
    """Open a picture file whose pixels are not decoded yet.

    Raises:
        InvalidInputError: As for `check_header`.
    """
    if not data:
        raise InvalidInputError("The picture is empty: choose a PNG, JPEG or WebP file.", "EMPTY_IMAGE")
    if len(data) > limits.max_image_bytes:
        raise InvalidInputError(
            f"The picture file is larger than {limits.max_image_bytes // 2**20} MB: send a smaller one.",
            "IMAGE_TOO_LARGE",
        )
    try:
        picture = Pillow.open(io.BytesIO(data), formats=FORMATS)
        # A JPEG with more than one frame is a photo with a preview or a depth map, not an animation.
        is_animated = picture.format in ("PNG", "WEBP") and getattr(picture, "is_animated", False)
    except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError):
        raise too_many_pixels(limits) from None
    except MemoryError:
        raise
    except Exception as error:  # damaged files make Pillow raise almost anything
        raise InvalidInputError(
            "The file is not a picture that can be read: send a PNG, JPEG or WebP file.", "UNSUPPORTED_IMAGE"
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
