"""Conversion between segmentation messages and the domain."""

from collections.abc import Sequence

from common.errors import InvalidInputError
from common.imaging.messages import to_message, to_region
from productimage.image.v1 import image_pb2
from productimage.segmentation.v1 import segmentation_pb2
from services.segmentation.cutout.cutout import Cutout
from services.segmentation.engines.base import Box, DetectionQuery, FoundObject, Prompt, PromptPoint

MAX_POINTS = 64
DEFAULT_SCORE = 0.5
DEFAULT_OBJECTS = 20


def prompt(request: segmentation_pb2.CutOutRequest) -> Prompt | None:
    """Return the prompt of a request; None if it has none.

    Raises:
        InvalidInputError: There are too many points.
    """
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
