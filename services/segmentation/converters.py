"""Conversion between segmentation messages and the domain."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from common.errors import InvalidInputError
from common.imaging.codec import Pixels
from common.imaging.messages import to_message, to_pixels, to_region
from common.settings import ImageLimits
from productimage.image.v1 import image_pb2
from productimage.segmentation.v1 import segmentation_pb2
from services.segmentation.cutout.cutout import Cutout, Hand
from services.segmentation.cutout.edit import Drawn
from services.segmentation.cutout.matting import Plane
from services.segmentation.engines.base import Box, DetectionQuery, FoundObject, Prompt, PromptPoint

MAX_POINTS, MAX_STROKES = 64, 64
DEFAULT_SCORE = 0.5
DEFAULT_OBJECTS = 20


def hand(request: segmentation_pb2.CutOutRequest, size: tuple[int, int], limits: ImageLimits) -> Hand:
    """Return what a person says about the photo of a request.

    Args:
        request: The request.
        size: Height and width of the upright photo.
        limits: Limits of pictures.

    Raises:
        InvalidInputError: There are too many points or strokes, the base is of another size, or a stroke lies outside.
    """
    if len(request.strokes) > MAX_STROKES:
        raise InvalidInputError(f"A request takes at most {MAX_STROKES} strokes.", "TOO_MANY_STROKES")
    base = _base(request.base_mask, size, limits) if request.HasField("base_mask") else None
    return Hand(_prompt(request), base, _drawn(request.strokes, size, limits) if request.strokes else None)


def _base(message: image_pb2.Image, size: tuple[int, int], limits: ImageLimits) -> Plane:
    mask = _as_mask(to_pixels(message, limits))
    if mask.shape != size:
        height, width = size
        raise InvalidInputError(f"The base mask must have the size of the photo, {width}x{height}.", "BAD_BASE_MASK")
    return np.multiply(mask, 1 / 255, dtype=np.float32)


def _drawn(strokes: Iterable[segmentation_pb2.Stroke], size: tuple[int, int], limits: ImageLimits) -> Drawn:
    height, width = size
    drawn = np.zeros(size, np.int8)
    for stroke in strokes:
        box, mask = stroke.region.box, _as_mask(to_pixels(stroke.region.mask, limits))
        if not (box.left < box.right <= width and box.top < box.bottom <= height):
            raise InvalidInputError(f"A stroke does not lie in the photo, which is {width}x{height}.", "PROMPT_OUTSIDE")
        enlarged = cv2.resize(mask, (box.right - box.left, box.bottom - box.top), interpolation=cv2.INTER_LINEAR)
        drawn[box.top : box.bottom, box.left : box.right][enlarged >= 128] = 1 if stroke.on_product else -1
    return drawn


def _as_mask(pixels: Pixels) -> Pixels:
    """Return the mask that a picture means: a grey one itself, of another the alpha, if it has any."""
    if pixels.ndim == 2:
        return pixels
    return np.ascontiguousarray(pixels[..., 3 if pixels.shape[2] == 4 else 0])


def _prompt(request: segmentation_pb2.CutOutRequest) -> Prompt | None:
    if len(request.points) > MAX_POINTS:
        raise InvalidInputError(f"A request takes at most {MAX_POINTS} points.", "TOO_MANY_POINTS")
    points = tuple(PromptPoint(point.at.x, point.at.y, point.on_product) for point in request.points)
    box = None
    if request.HasField("box"):
        box = Box(request.box.left, request.box.top, request.box.right, request.box.bottom)
    return Prompt(points, box) if points or box else None


def place(request: segmentation_pb2.FindObjectsRequest) -> PromptPoint | None:
    """Return the point to search at, if any."""
    return PromptPoint(request.at.x, request.at.y, on_object=True) if request.HasField("at") else None


def detection_query(request: segmentation_pb2.FindObjectsRequest) -> DetectionQuery:
    """Return the query of a request, with defaults for zeros.

    Raises:
        InvalidInputError: min_score is not within 0 to 1.
    """
    if not 0 <= request.min_score <= 1:
        raise InvalidInputError("min_score must be within 0 to 1.", "BAD_SCORE")
    return DetectionQuery(
        frozenset(request.labels), request.min_score or DEFAULT_SCORE, request.max_objects or DEFAULT_OBJECTS
    )


def cut_out_response(cutout: Cutout, encoding: "image_pb2.ImageEncoding.ValueType") -> segmentation_pb2.CutOutResponse:
    """Return the response to a CutOut call."""
    return segmentation_pb2.CutOutResponse(
        cutout=to_message(cutout.pixels, png=encoding == image_pb2.IMAGE_ENCODING_PNG),
        bounds=_box_message(cutout.bounds),
        score=cutout.score,
        engine=cutout.engine,
        notes=cutout.notes,
    )


def find_objects_response(
    objects: Sequence[FoundObject], surfaces: Sequence[FoundObject], engine: str
) -> segmentation_pb2.FindObjectsResponse:
    """Return the response to a FindObjects call."""
    return segmentation_pb2.FindObjectsResponse(
        objects=[
            segmentation_pb2.FoundObject(
                label=found.label, score=found.score, region=to_region(found.mask, _box_message(found.box))
            )
            for found in objects
        ],
        surfaces=[to_region(found.mask, _box_message(found.box)) for found in surfaces],
        engine=engine,
    )


def _box_message(box: Box) -> image_pb2.Box:
    return image_pb2.Box(left=box.left, top=box.top, right=box.right, bottom=box.bottom)
