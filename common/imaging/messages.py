"""Conversion between arrays and the messages of image.proto."""

import numpy as np

from common.errors import InvalidInputError
from common.imaging.codec import Mask, Pixels, decode, encode_png
from common.imaging.header import open_picture, too_many_pixels
from common.serving.pixels import reserve_pixels
from common.settings import ImageLimits
from productimage.image.v1 import image_pb2

_CHANNELS = {
    image_pb2.PIXEL_FORMAT_GRAY8: 1,
    image_pb2.PIXEL_FORMAT_RGB8: 3,
    image_pb2.PIXEL_FORMAT_RGBA8: 4,
}
_PIXEL_FORMATS = {channels: pixel_format for pixel_format, channels in _CHANNELS.items()}


def to_pixels(message: image_pb2.Image, limits: ImageLimits) -> Pixels:
    """Return the pixels of an `Image` message, once there is room for them in the budget of the process.

    Raw pixels are not copied: the array is a read-only view.

    Returns:
        (H, W) for GRAY8, (H, W, 3) or (H, W, 4) uint8.

    Raises:
        InvalidInputError: The message is empty or inconsistent, or the picture exceeds a limit or cannot be decoded.
    """
    match message.WhichOneof("data"):
        case "encoded":
            size = open_picture(message.encoded, limits).size
            reserve_pixels(size[0] * size[1])
            return decode(message.encoded, limits)
        case "raw":
            reserve_pixels(message.raw.width * message.raw.height)
            return _raw_pixels(message.raw, limits)
        case _:
            raise InvalidInputError("A picture is missing: set `encoded` or `raw`.", "MISSING_IMAGE")


def _raw_pixels(raw: image_pb2.RawPixels, limits: ImageLimits) -> Pixels:
    channels = _CHANNELS.get(raw.format)
    if channels is None:
        raise InvalidInputError("The pixel format is not set: use GRAY8, RGB8 or RGBA8.", "MISSING_PIXEL_FORMAT")
    if raw.width * raw.height > limits.max_image_pixels:
        raise too_many_pixels(limits)
    expected = raw.width * raw.height * channels
    if not expected or len(raw.data) != expected:
        raise InvalidInputError(
            f"The pixels do not fit their size: {raw.width}x{raw.height} takes {expected} bytes, got {len(raw.data)}.",
            "WRONG_PIXEL_COUNT",
        )
    shape = (raw.height, raw.width) if channels == 1 else (raw.height, raw.width, channels)
    return np.frombuffer(raw.data, np.uint8).reshape(shape)


def to_message(pixels: Pixels, *, png: bool = False) -> image_pb2.Image:
    """Return an `Image` message of (H, W), (H, W, 3) or (H, W, 4) uint8: raw pixels, or a PNG file."""
    if png:
        return image_pb2.Image(encoded=encode_png(pixels))
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    raw = image_pb2.RawPixels(width=width, height=height, format=_PIXEL_FORMATS[channels], data=pixels.tobytes())
    return image_pb2.Image(raw=raw)


def to_region(mask: Mask, box: image_pb2.Box) -> image_pb2.Region:
    """Crop a mask of a whole picture to a box.

    Args:
        mask: (H, W) bool.
        box: Bounding box of the mask, in its pixels.
    """
    cropped = mask[box.top : box.bottom, box.left : box.right]
    return image_pb2.Region(box=box, mask=to_message(cropped.astype(np.uint8) * 255))


def to_mask(region: image_pb2.Region, height: int, width: int, limits: ImageLimits) -> Mask:
    """Return the mask of a region in a picture of (height, width) pixels.

    Returns:
        (height, width) bool; True marks the region.

    Raises:
        InvalidInputError: The box lies outside the picture, or the mask is not grey or does not fit the box.
    """
    box, cropped = region.box, to_pixels(region.mask, limits)
    is_inside = box.left < box.right <= width and box.top < box.bottom <= height
    if not is_inside or cropped.shape != (box.bottom - box.top, box.right - box.left):
        raise InvalidInputError(
            f"A region must lie in the {width}x{height} picture, with a grey mask of the size of its box.",
            "REGION_OUTSIDE",
        )
    mask = np.zeros((height, width), np.bool_)
    mask[box.top : box.bottom, box.left : box.right] = cropped >= 128
    return mask
