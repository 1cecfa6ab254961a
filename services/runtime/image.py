"""The image codec: picture files to numpy arrays and back, and arrays to and from the `Image` message.

Arrays are uint8 in sRGB, row 0 at the top: (H, W) grey or mask, (H, W, 3) RGB, (H, W, 4) RGB with straight alpha.
"""

import io
import warnings

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, ImageCms, UnidentifiedImageError
from PIL import Image as Pillow

from productimage.image.v1 import image_pb2
from services.runtime.errors import InvalidInputError
from services.runtime.settings import ImageLimits

Pixels = NDArray[np.uint8]

FORMATS = ("PNG", "JPEG", "WEBP")
_TURNS = {
    2: Pillow.Transpose.FLIP_LEFT_RIGHT,
    3: Pillow.Transpose.ROTATE_180,
    4: Pillow.Transpose.FLIP_TOP_BOTTOM,
    5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_270,
    7: Pillow.Transpose.TRANSVERSE,
    8: Pillow.Transpose.ROTATE_90,
}
"""How to bring a picture upright, by its orientation tag (EXIF 2.32, table 4)."""
_SRGB = ImageCms.createProfile("sRGB")
_CHANNELS = {
    image_pb2.PIXEL_FORMAT_GRAY8: 1,
    image_pb2.PIXEL_FORMAT_RGB8: 3,
    image_pb2.PIXEL_FORMAT_RGBA8: 4,
}
_TO_OPENCV = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
_PIXEL_FORMATS = {channels: pixel_format for pixel_format, channels in _CHANNELS.items()}

# The largest pictures are refused by our own limit; what gets past the header check must never be a mere warning.
warnings.simplefilter("error", Pillow.DecompressionBombWarning)


def decode(data: bytes, limits: ImageLimits) -> Pixels:
    """Read a picture file.

    The orientation tag is applied, a colour profile is converted to sRGB, and every pixel format (16-bit, CMYK,
    palette, grey) becomes RGB, or RGBA when a pixel is not opaque.

    Args:
        data: A whole PNG, JPEG or WebP file.
        limits: The most bytes and pixels that are read; both are checked before any pixel is decoded.

    Returns:
        (H, W, 3), or (H, W, 4) when the picture has transparency.

    Raises:
        InvalidInputError: The file is empty, too large, of another type, animated or damaged.
    """
    picture = _open(data, limits)
    try:
        picture.load()
        return _normalise(_upright(picture))
    except (OSError, SyntaxError, ValueError, Pillow.DecompressionBombError) as error:
        raise InvalidInputError(
            "The picture is damaged or incomplete: save it again and send the new file.", "DAMAGED_IMAGE"
        ) from error


def check(data: bytes, limits: ImageLimits) -> str:
    """Check a picture file by its header and limits, without decoding its pixels.

    Returns:
        Its type: "PNG", "JPEG" or "WEBP".

    Raises:
        InvalidInputError: As for `decode`, except that damage past the header is not seen.
    """
    picture_format = _open(data, limits).format
    return "JPEG" if picture_format in (None, "MPO") else picture_format


def _open(data: bytes, limits: ImageLimits) -> Pillow.Image:
    if not data:
        raise InvalidInputError("The picture is empty: choose a PNG, JPEG or WebP file.", "EMPTY_IMAGE")
    if len(data) > limits.max_image_bytes:
        raise InvalidInputError(
            f"The picture file is larger than {limits.max_image_bytes // 2**20} MB: send a smaller one.",
            "IMAGE_TOO_LARGE",
        )
    try:
        picture = Pillow.open(io.BytesIO(data), formats=FORMATS)
    except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError):
        raise _too_many_pixels(limits) from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise InvalidInputError(
            "The file is not a picture that can be read: send a PNG, JPEG or WebP file.", "UNSUPPORTED_IMAGE"
        ) from error
    if picture.width * picture.height > limits.max_image_pixels:
        raise _too_many_pixels(limits)
    # A JPEG with more than one frame is a photo with a preview or a depth map behind it, not an animation.
    if picture.format in ("PNG", "WEBP") and getattr(picture, "is_animated", False):
        raise InvalidInputError("The picture is animated: send a still one.", "ANIMATED_IMAGE")
    return picture


def _too_many_pixels(limits: ImageLimits) -> InvalidInputError:
    return InvalidInputError(
        f"The picture has more than {limits.max_image_pixels / 1e6:g} million pixels: send a smaller one.",
        "TOO_MANY_PIXELS",
    )


def _upright(picture: Pillow.Image) -> Pillow.Image:
    try:
        orientation = picture.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # noqa: BLE001  # damaged tags raise almost anything; the pixels are good all the same
        return picture
    turn = _TURNS.get(orientation) if isinstance(orientation, int) else None
    return picture if turn is None else picture.transpose(turn)


def _normalise(picture: Pillow.Image) -> Pixels:
    profile = picture.info.get("icc_profile")
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        wide = np.asarray(picture).astype(np.float32)
        return rgb(np.clip(np.round(wide / 257), 0, 255).astype(np.uint8))
    if not picture.has_transparency_data:
        return np.asarray(_to_srgb(picture, profile))
    straight = picture.convert("RGBA")
    colours = np.asarray(_to_srgb(straight.convert("RGB"), profile))
    alpha = np.asarray(straight.getchannel("A"))
    return colours if alpha.min() == 255 else np.dstack([colours, alpha])


def _to_srgb(picture: Pillow.Image, profile: bytes | None) -> Pillow.Image:
    # Profiles describe the pixels as stored; grey and palette ones are rare, and as good as sRGB once converted.
    stored = picture if picture.mode in ("RGB", "CMYK") else picture.convert("RGB")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(stored, source, _SRGB, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None  # a broken or foreign profile: the pixels are still good
        if converted is not None:
            return converted
    return stored.convert("RGB")


def encode_png(pixels: Pixels) -> bytes:
    """Write a PNG file from (H, W), (H, W, 3) or (H, W, 4)."""
    return _encode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 4])


def encode_jpeg(pixels: Pixels, quality: int) -> bytes:
    """Write a JPEG file from (H, W, 3), with full colour resolution; quality 1 to 100."""
    sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    return _encode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1, *sampling])


def encode_webp(pixels: Pixels, quality: int) -> bytes:
    """Write a WebP file from (H, W, 3) or (H, W, 4); quality 1 to 100."""
    return _encode(".webp", pixels, [cv2.IMWRITE_WEBP_QUALITY, quality])


def _encode(extension: str, pixels: Pixels, options: list[int]) -> bytes:
    ordered = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, _TO_OPENCV[pixels.shape[2]])
    done, data = cv2.imencode(extension, ordered, options)
    if not done:
        raise ValueError(f"cannot write {extension} of shape {pixels.shape}")
    return data.tobytes()


def to_pixels(message: image_pb2.Image, limits: ImageLimits) -> Pixels:
    """Read an `Image` message. Raw pixels are not copied: the array looks into the message's bytes, read-only.

    Returns:
        (H, W) for GRAY8, (H, W, 3) or (H, W, 4).

    Raises:
        InvalidInputError: The message is empty or inconsistent, or the picture is over a limit or cannot be read.
    """
    match message.WhichOneof("data"):
        case "encoded":
            return decode(message.encoded, limits)
        case "raw":
            return _raw_pixels(message.raw, limits)
        case _:
            raise InvalidInputError("A picture is missing: set `encoded` or `raw`.", "MISSING_IMAGE")


def _raw_pixels(raw: image_pb2.RawPixels, limits: ImageLimits) -> Pixels:
    channels = _CHANNELS.get(raw.format)
    if channels is None:
        raise InvalidInputError("The pixel format is not set: use GRAY8, RGB8 or RGBA8.", "MISSING_PIXEL_FORMAT")
    if raw.width * raw.height > limits.max_image_pixels:
        raise _too_many_pixels(limits)
    wanted = raw.width * raw.height * channels
    if not wanted or len(raw.data) != wanted:
        raise InvalidInputError(
            f"The pixels do not fit their size: {raw.width}x{raw.height} takes {wanted} bytes, {len(raw.data)} came.",
            "WRONG_PIXEL_COUNT",
        )
    shape = (raw.height, raw.width) if channels == 1 else (raw.height, raw.width, channels)
    return np.frombuffer(raw.data, np.uint8).reshape(shape)


def to_message(pixels: Pixels, *, png: bool = False) -> image_pb2.Image:
    """Write an `Image` message from (H, W), (H, W, 3) or (H, W, 4): raw, or a PNG file."""
    if png:
        return image_pb2.Image(encoded=encode_png(pixels))
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    raw = image_pb2.RawPixels(width=width, height=height, format=_PIXEL_FORMATS[channels], data=pixels.tobytes())
    return image_pb2.Image(raw=raw)


def rgb(pixels: Pixels) -> Pixels:
    """Drop the alpha channel of (H, W, 4), repeat the one of (H, W), give (H, W, 3)."""
    if pixels.ndim == 2:
        return np.repeat(pixels[..., None], 3, axis=2)
    return np.ascontiguousarray(pixels[..., :3])
