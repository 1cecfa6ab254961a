"""Errors of the clients: one class per reason, grouped by gRPC status.

    ProductImageError
    ├── InvalidArgumentError      the request is wrong; repeating it never helps
    ├── NotFoundError             what the request names does not exist
    ├── FailedPreconditionError   well formed, but impossible in the current state
    ├── AbortedError              others changed the same thing; try again
    ├── ResourceExhaustedError    busy; try again after `retry_after` seconds
    ├── UnavailableError          the service cannot be reached, after retries
    ├── DeadlineExceededError     the deadline passed
    ├── DataLossError             stored data is damaged; an operator has to mend it
    └── InternalError             a fault of the service, or a status that no service of ours returns

A service states its reason in `google.rpc.ErrorInfo`; a reason this version does not know becomes the class of its
status, with `reason` as the service sent it.
"""

from typing import ClassVar

import grpc
from google.rpc import error_details_pb2, status_pb2

STATUS_DETAILS = "grpc-status-details-bin"
TOO_LARGE = "message larger than max"
"""In gRPC's own text for a message that is too large; its status is that of a service that is busy."""


class ProductImageError(Exception):
    """A call failed.

    Attributes:
        code: gRPC status code.
        reason: Stable UPPER_SNAKE_CASE reason; empty if the service gave none, e.g. because it was not reached.
        message: Text of the service: neutral, without internal details.
        retry_after: Seconds to wait before trying again, if the service named a time.
        request_id: Request id under which the service logged the call, if it was reached.
    """

    code: ClassVar[grpc.StatusCode] = grpc.StatusCode.UNKNOWN
    reason: str = ""

    def __init_subclass__(cls, *, reason: str = "") -> None:
        cls.reason = reason

    def __init__(
        self, message: str, *, reason: str = "", retry_after: float | None = None, request_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.reason
        self.retry_after = retry_after
        self.request_id = request_id


class InvalidArgumentError(ProductImageError):
    """The request itself is wrong; the same request will never work."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class NotFoundError(ProductImageError):
    """What the request names does not exist."""

    code = grpc.StatusCode.NOT_FOUND


class FailedPreconditionError(ProductImageError):
    """The request is well formed, but cannot be served with this content or in this state."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class AbortedError(ProductImageError):
    """Others kept changing the same thing; nothing was changed. Trying again may work."""

    code = grpc.StatusCode.ABORTED


class ResourceExhaustedError(ProductImageError):
    """The service is busy; nothing was started."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED


class UnavailableError(ProductImageError):
    """The service, or something it depends on, does not respond."""

    code = grpc.StatusCode.UNAVAILABLE


class DeadlineExceededError(ProductImageError):
    """The deadline passed before the call was finished."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED


class DataLossError(ProductImageError):
    """Stored data is damaged; nothing was changed."""

    code = grpc.StatusCode.DATA_LOSS


class InternalError(ProductImageError):
    """The service failed unexpectedly, or returned a status that no service of ours returns."""

    code = grpc.StatusCode.INTERNAL


class InvalidInputError(InvalidArgumentError, reason="INVALID_INPUT"):
    """The request is malformed."""


class NotFiniteError(InvalidArgumentError, reason="NOT_FINITE"):
    """A number is not finite."""


class TextTooLongError(InvalidArgumentError, reason="TEXT_TOO_LONG"):
    """A text is too long."""


class TooManyEntriesError(InvalidArgumentError, reason="TOO_MANY_ENTRIES"):
    """A list has too many entries."""


class ProductAspectRatioError(InvalidArgumentError, reason="PRODUCT_ASPECT_RATIO"):
    """The proportions of the product are out of range."""


class MessageTooLargeError(InvalidArgumentError, reason="MESSAGE_TOO_LARGE"):
    """A request, or the response to it, is larger than a message may be; raised by the client."""


class MissingImageError(InvalidArgumentError, reason="MISSING_IMAGE"):
    """An image message has neither `encoded` nor `raw`."""


class MissingPixelFormatError(InvalidArgumentError, reason="MISSING_PIXEL_FORMAT"):
    """Raw pixels have no format."""


class WrongPixelCountError(InvalidArgumentError, reason="WRONG_PIXEL_COUNT"):
    """Raw pixels do not fit their width, height and format."""


class EmptyImageError(InvalidArgumentError, reason="EMPTY_IMAGE"):
    """An image file is empty."""


class UnsupportedImageError(InvalidArgumentError, reason="UNSUPPORTED_IMAGE"):
    """A file is not a picture of a format that is read."""


class DamagedImageError(InvalidArgumentError, reason="DAMAGED_IMAGE"):
    """An image file is damaged or incomplete."""


class AnimatedImageError(InvalidArgumentError, reason="ANIMATED_IMAGE"):
    """An image file is animated."""


class ImageTooLargeError(InvalidArgumentError, reason="IMAGE_TOO_LARGE"):
    """An image file has too many bytes."""


class TooManyPixelsError(InvalidArgumentError, reason="TOO_MANY_PIXELS"):
    """An image has too many pixels."""


class BadBaseMaskError(InvalidArgumentError, reason="BAD_BASE_MASK"):
    """The mask to change is not of the photo's size."""


class TooManyStrokesError(InvalidArgumentError, reason="TOO_MANY_STROKES"):
    """A request has more strokes than it may."""


class PromptOutsideError(InvalidArgumentError, reason="PROMPT_OUTSIDE"):
    """A point or box prompt lies outside the photo."""


class TooManyPointsError(InvalidArgumentError, reason="TOO_MANY_POINTS"):
    """There are too many point prompts."""


class BadScoreError(InvalidArgumentError, reason="BAD_SCORE"):
    """The minimum score is not within 0 to 1."""


class MaskSizeError(InvalidArgumentError, reason="MASK_SIZE"):
    """The mask and the picture differ in size."""


class MaskColoursError(InvalidArgumentError, reason="MASK_COLOURS"):
    """The mask is not grey."""


class RegionOutsideError(InvalidArgumentError, reason="REGION_OUTSIDE"):
    """The box of a region lies outside the picture, or its mask has another size."""


class TooManyObjectsError(InvalidArgumentError, reason="TOO_MANY_OBJECTS"):
    """There are too many objects in one call."""


class EmptyRegionError(InvalidArgumentError, reason="EMPTY_REGION"):
    """The mask of a region marks nothing."""


class NameLengthError(InvalidArgumentError, reason="NAME_LENGTH"):
    """The product name is empty or too long."""


class DescriptionLengthError(InvalidArgumentError, reason="DESCRIPTION_LENGTH"):
    """The product description is too long."""


class AspectRatioError(InvalidArgumentError, reason="ASPECT_RATIO"):
    """The aspect ratio is out of range."""


class ShortSideError(InvalidArgumentError, reason="SHORT_SIDE"):
    """The target for the shorter side is out of range."""


class UnknownLocaleError(InvalidArgumentError, reason="UNKNOWN_LOCALE"):
    """The locale is not offered."""


class UnknownPlatformError(InvalidArgumentError, reason="UNKNOWN_PLATFORM"):
    """No platform has this name."""


class UnknownToneError(InvalidArgumentError, reason="UNKNOWN_TONE"):
    """The tone is not offered."""


class MessageTextError(InvalidArgumentError, reason="MESSAGE_TEXT"):
    """A text for the picture is too long."""


class UnknownLayoutError(InvalidArgumentError, reason="UNKNOWN_LAYOUT"):
    """There is no such layout."""


class UnknownFontError(InvalidArgumentError, reason="UNKNOWN_FONT"):
    """There is no such typeface."""


class BadColourError(InvalidArgumentError, reason="BAD_COLOUR"):
    """A colour is not written as #RRGGBB."""


class PreferenceLengthError(InvalidArgumentError, reason="PREFERENCE_LENGTH"):
    """A preference for the picture is too long."""


class ShadowError(InvalidArgumentError, reason="SHADOW"):
    """The share of a shadow is not from 0 to 1."""


class UnknownStyleError(InvalidArgumentError, reason="UNKNOWN_STYLE"):
    """There is no such style."""


class LabelError(InvalidArgumentError, reason="LABEL"):
    """The identifier for the label of the ads is too long."""


class BrandNameError(InvalidArgumentError, reason="BRAND_NAME"):
    """The name of a brand is missing or too long."""


class BrandFieldError(InvalidArgumentError, reason="BRAND_FIELD"):
    """A colour, font, tone or text of a brand is not allowed."""


class BrandLogoError(InvalidArgumentError, reason="BRAND_LOGO"):
    """The logo of a brand is no PNG or WebP picture, is too large, or has no visible pixel."""


class NoSceneError(InvalidArgumentError, reason="NO_SCENE"):
    """There is no scene to compose on."""


class SizeCountError(InvalidArgumentError, reason="SIZE_COUNT"):
    """There are no sizes, or too many."""


class SizeRangeError(InvalidArgumentError, reason="SIZE_RANGE"):
    """A size is out of range."""


class PlacementOutsideError(InvalidArgumentError, reason="PLACEMENT_OUTSIDE"):
    """A placement lies outside its background."""


class BadPitchError(InvalidArgumentError, reason="BAD_PITCH"):
    """The angle by which a camera looks down is out of range."""


class BackgroundCountError(InvalidArgumentError, reason="BACKGROUND_COUNT"):
    """A record lists other backgrounds than come with it."""


class RemovalCountError(InvalidArgumentError, reason="REMOVAL_COUNT"):
    """A record lists other removals than come with it."""


class BadArrangementError(InvalidArgumentError, reason="BAD_ARRANGEMENT"):
    """A product is moved or scaled by too much."""


class BadLightError(InvalidArgumentError, reason="BAD_LIGHT"):
    """The light of a placement is out of range."""


class NoAlphaError(InvalidArgumentError, reason="NO_ALPHA"):
    """The cutout has no alpha channel."""


class PromptFilteredError(InvalidArgumentError, reason="PROMPT_FILTERED"):
    """The content filter of the image model rejected the prompt."""


class PictureFilteredError(InvalidArgumentError, reason="PICTURE_FILTERED"):
    """The content filter of the image model rejected its picture."""


class RefusedError(InvalidArgumentError, reason="REFUSED"):
    """The language model refused to write about the product."""


class NotAcceptedError(InvalidArgumentError, reason="NOT_ACCEPTED"):
    """A model rejected the request."""


class BadRequestIdError(InvalidArgumentError, reason="BAD_REQUEST_ID"):
    """The request_id is missing or malformed."""


class BadTimestampError(InvalidArgumentError, reason="BAD_TIMESTAMP"):
    """The timestamp is not that of an upload."""


class BadPictureNameError(InvalidArgumentError, reason="BAD_PICTURE_NAME"):
    """The name of a picture is malformed."""


class PictureCountError(InvalidArgumentError, reason="PICTURE_COUNT"):
    """There are no pictures to save, or too many."""


class PictureNamesError(InvalidArgumentError, reason="PICTURE_NAMES"):
    """Two pictures have the same name."""


class MissingCutoutError(InvalidArgumentError, reason="MISSING_CUTOUT"):
    """The cutout or its engine is missing."""


class MissingFingerprintError(InvalidArgumentError, reason="MISSING_FINGERPRINT"):
    """The fingerprint of a request is missing."""


class FilterTextError(InvalidArgumentError, reason="FILTER_TEXT"):
    """The filter text is too long."""


class FilterDayError(InvalidArgumentError, reason="FILTER_DAY"):
    """A day of the filter is not written as YYYYMMDD."""


class OrderByError(InvalidArgumentError, reason="ORDER_BY"):
    """The order is not supported."""


class PageSizeError(InvalidArgumentError, reason="PAGE_SIZE"):
    """The page size is out of range."""


class PageTokenError(InvalidArgumentError, reason="PAGE_TOKEN"):
    """The page token was not returned by this call."""


class ResourceNotFoundError(NotFoundError, reason="NOT_FOUND"):
    """The requested resource does not exist."""


class UnknownBrandError(NotFoundError, reason="UNKNOWN_BRAND"):
    """There is no brand of this name."""


class UnknownUploadError(NotFoundError, reason="UNKNOWN_UPLOAD"):
    """There is no upload with this timestamp."""


class PreconditionError(FailedPreconditionError, reason="FAILED_PRECONDITION"):
    """The request cannot be served in the current state."""


class NothingFoundError(FailedPreconditionError, reason="NOTHING_FOUND"):
    """No product stands out from the background."""


class NothingKnownError(FailedPreconditionError, reason="NOTHING_KNOWN"):
    """The mask covers the whole picture."""


class NoSetsError(FailedPreconditionError, reason="NO_SETS"):
    """The process renders no sets: another engine makes its backgrounds."""


class NoFontsError(FailedPreconditionError, reason="NO_FONTS"):
    """The fonts for words on pictures are not installed."""


class EmptyCutoutError(FailedPreconditionError, reason="EMPTY_CUTOUT"):
    """The cutout has no visible pixel."""


class CreativeTooLargeError(FailedPreconditionError, reason="CREATIVE_TOO_LARGE"):
    """A creative does not fit the file size limit at any quality."""


class NoCutoutError(FailedPreconditionError, reason="NO_CUTOUT"):
    """The upload has no cutout."""


class NoSuchCutoutError(FailedPreconditionError, reason="NO_SUCH_CUTOUT"):
    """There is no earlier or later cutout to return to."""


class NothingLeftError(FailedPreconditionError, reason="NOTHING_LEFT"):
    """Nothing would be left of the product."""


class RequestIdReusedError(FailedPreconditionError, reason="REQUEST_ID_REUSED"):
    """The request_id was used for another request."""


class ModelGoneError(FailedPreconditionError, reason="MODEL_GONE"):
    """The configured model does not exist."""


class AccessDeniedError(FailedPreconditionError, reason="ACCESS_DENIED"):
    """The credentials do not allow the model."""


class BadCredentialsError(FailedPreconditionError, reason="BAD_CREDENTIALS"):
    """The cloud rejects the credentials."""


class NoCredentialsError(FailedPreconditionError, reason="NO_CREDENTIALS"):
    """There are no credentials for the cloud."""


class BadKeyError(FailedPreconditionError, reason="BAD_KEY"):
    """The language model rejects the API key."""


class NoCreditError(FailedPreconditionError, reason="NO_CREDIT"):
    """The account of the language model has no credit left."""


class ContentionError(AbortedError, reason="CONTENTION"):
    """Too many writers competed; nothing was changed."""


class InProgressError(AbortedError, reason="IN_PROGRESS"):
    """A request with this id is being worked on."""


class BeingClearedError(AbortedError, reason="BEING_CLEARED"):
    """The upload is being removed."""


class BeingSavedError(AbortedError, reason="BEING_SAVED"):
    """A generation of the upload is being saved."""


class OverloadedError(ResourceExhaustedError, reason="OVERLOADED"):
    """The queue of the service is full."""


class ModelBusyError(ResourceExhaustedError, reason="MODEL_BUSY"):
    """The cloud model is busy."""


class DependencyUnavailableError(UnavailableError, reason="DEPENDENCY_UNAVAILABLE"):
    """A dependency of the service does not respond."""


class StorageFullError(UnavailableError, reason="STORAGE_FULL"):
    """There is no room left in the object store."""


class ModelSlowError(UnavailableError, reason="MODEL_SLOW"):
    """The cloud model did not respond in time."""


class UnreadableError(UnavailableError, reason="UNREADABLE"):
    """The response of the cloud model could not be read."""


class PictureElsewhereError(UnavailableError, reason="PICTURE_ELSEWHERE"):
    """The image server named a picture on another server, which is not fetched."""


class StoreDamagedError(DataLossError, reason="STORE_DAMAGED"):
    """A stored file cannot be read."""


class ServiceDeadlineError(DeadlineExceededError, reason="DEADLINE"):
    """The service ran out of time."""


class InternalServiceError(InternalError, reason="INTERNAL"):
    """The service failed unexpectedly."""


def _reasons(kind: type[ProductImageError]) -> dict[str, type[ProductImageError]]:
    return {error.reason: error for error in kind.__subclasses__()}


BY_CODE: dict[grpc.StatusCode, type[ProductImageError]] = {
    kind.code: kind for kind in ProductImageError.__subclasses__()
}
BY_REASON: dict[tuple[grpc.StatusCode, str], type[ProductImageError]] = {
    (code, reason): error for code, kind in BY_CODE.items() for reason, error in _reasons(kind).items()
}


def from_rpc_error(error: grpc.aio.AioRpcError) -> ProductImageError:
    """Return the error of a failed call.

    The richer error model is described at https://grpc.io/docs/guides/error.
    """
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    details = dict(error.trailing_metadata() or ()).get(STATUS_DETAILS)
    if isinstance(details, bytes):
        for detail in status_pb2.Status.FromString(details).details:
            for known in (info, retry):
                detail.Unpack(known)
    if not info.reason and TOO_LARGE in (error.details() or ""):
        return MessageTooLargeError("The message is too large.")
    kind = BY_REASON.get((error.code(), info.reason)) or BY_CODE.get(error.code(), InternalError)
    delay = retry.retry_delay.ToTimedelta().total_seconds()
    return kind(
        error.details() or "",
        reason=info.reason,
        retry_after=delay or None,
        request_id=info.metadata.get("request_id"),
    )
