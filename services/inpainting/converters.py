"""Conversion between inpainting messages and the domain."""

from common.errors import InvalidInputError
from common.imaging.codec import Mask, Pixels
from common.imaging.messages import to_mask, to_pixels
from common.settings import ImageLimits
from productimage.image.v1 import image_pb2
from productimage.inpainting.v1 import inpainting_pb2

MAX_OBJECTS = 20


def mask(message: image_pb2.Image, limits: ImageLimits) -> Mask:
    """Return the mask of a request: (H, W) bool; True marks pixels to fill.

    Raises:
        InvalidInputError: The mask cannot be decoded, or is not grey.
    """
    pixels = to_pixels(message, limits)
    if pixels.ndim == 3:
        if (pixels[..., :1] != pixels[..., :3]).any():
            raise InvalidInputError("The mask has colours: send a grey picture, 255 = fill.", "MASK_COLOURS")
        pixels = pixels[..., 0]
    return pixels >= 128


def objects(request: inpainting_pb2.RemoveObjectsRequest, picture: Pixels, limits: ImageLimits) -> list[Mask]:
    """Return the masks of the objects to remove, each (H, W) bool of the size of the picture.

    Raises:
        InvalidInputError: There are too many objects, or one does not lie in the picture.
    """
    if len(request.objects) > MAX_OBJECTS:
        raise InvalidInputError(f"A request removes at most {MAX_OBJECTS} objects.", "TOO_MANY_OBJECTS")
    height, width = picture.shape[:2]
    return [to_mask(region, height, width, limits) for region in request.objects]
