"""Image codec: picture files to arrays and back.

Arrays are uint8 in sRGB, row 0 at the top: (H, W) grey, (H, W, 3) RGB, (H, W, 4) RGB with straight alpha. Masks are
(H, W) bool.
"""

import io
import struct
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, ImageCms, ImageFile
from PIL import Image as Pillow

from common.errors import InvalidInputError
from common.imaging.header import open_picture
from common.imaging.png_colour import SourceColour, source_colour, to_srgb
from common.settings import ImageLimits

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_TRANSPOSE = {
    2: Pillow.Transpose.FLIP_LEFT_RIGHT,
    3: Pillow.Transpose.ROTATE_180,
    4: Pillow.Transpose.FLIP_TOP_BOTTOM,
    5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_270,
    7: Pillow.Transpose.TRANSVERSE,
    8: Pillow.Transpose.ROTATE_90,
}
"""Transposition that makes a picture upright, by its orientation tag (EXIF 2.32, table 4)."""
JPEG_END = b"\xff\xd9"
JPEG_BLOCKS = 32
"""Height of two rows of blocks, in pixels: the decoder keeps as many back until it knows what follows."""
PNG_HEAD = 33
"""Bytes of a PNG file's signature and header."""
XMP_IN_JPEG = b"http://ns.adobe.com/xap/1.0/\0"
_SRGB = ImageCms.createProfile("sRGB")
_TO_OPENCV = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}


def decode(data: bytes, limits: ImageLimits) -> Pixels:
    """Decode a picture file.

    The orientation tag is applied, a colour profile is converted to sRGB, and every pixel format (16-bit, CMYK,
    palette, grey) becomes RGB, or RGBA if any pixel is not opaque.

    Args:
        data: A file of one of the formats of header.py.
        limits: Maximum bytes and pixels, checked before any pixel is decoded.

    Returns:
        (H, W, 3), or (H, W, 4) if the picture has transparency.

    Raises:
        InvalidInputError: The file is empty, too large, of another format, animated or damaged.
    """
    picture = open_picture(data, limits)
    try:
        picture = _loaded(picture, data, limits)
        return _normalise(_upright(picture), source_colour(data) if picture.format == "PNG" else None)
    except MemoryError:
        raise
    except Exception as error:  # damaged files make Pillow raise almost anything
        raise InvalidInputError(
            "The picture is damaged or incomplete: save it again and send the new file.", "DAMAGED_IMAGE"
        ) from error


def _loaded(picture: Pillow.Image, data: bytes, limits: ImageLimits) -> Pillow.Image:
    """Decode the pixels. A JPEG that lacks no more than its end marker has them all."""
    try:
        picture.load()
    except OSError:
        if picture.format not in ("JPEG", "MPO") or not _nearly_reached_the_end(picture):
            raise
        picture = open_picture(data + JPEG_END, limits)
        picture.load()
    return picture


def _nearly_reached_the_end(picture: Pillow.Image) -> bool:
    """Return whether all rows of a JPEG were decoded but the last blocks; rows that were not reached are zero."""
    if getattr(picture, "_im", None) is None or not isinstance(picture, ImageFile.ImageFile):
        return False
    picture.tile = []  # nothing more is decoded from here on
    last_rows = picture.crop((0, max(0, picture.height - JPEG_BLOCKS), picture.width, picture.height))
    return bool(np.asarray(last_rows).any())


def _upright(picture: Pillow.Image) -> Pillow.Image:
    try:
        orientation = picture.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # noqa: BLE001  # damaged tags raise almost anything; the pixels are fine
        return picture
    transpose = _TRANSPOSE.get(orientation) if isinstance(orientation, int) else None
    return picture if transpose is None else picture.transpose(transpose)


def _normalise(picture: Pillow.Image, colour: SourceColour | None) -> Pixels:
    pixels = _eight_bits(picture, None if colour else picture.info.get("icc_profile"))
    if colour is None:
        return pixels
    return np.dstack([to_srgb(rgb(pixels), colour), pixels[..., 3:]])


def _eight_bits(picture: Pillow.Image, profile: bytes | None) -> Pixels:
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
    # Profiles describe the stored pixels. Grey and palette profiles are rare, and close to sRGB once converted.
    stored = picture if picture.mode in ("RGB", "CMYK") else picture.convert("RGB")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(stored, source, _SRGB, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None  # a damaged or foreign profile; the pixels are fine
        if converted is not None:
            return converted
    return stored.convert("RGB")


def encode_png(pixels: Pixels, xmp: bytes = b"") -> bytes:
    """Encode (H, W), (H, W, 3) or (H, W, 4) as PNG, with an XMP packet if there is one."""
    file = _encode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 4])
    return _with_text(file, xmp) if xmp else file


def encode_jpeg(pixels: Pixels, quality: int, xmp: bytes = b"") -> bytes:
    """Encode (H, W, 3) as JPEG without chroma subsampling, with an XMP packet if there is one; quality 1 to 100."""
    sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1, *sampling]
    return _encode(".jpg", pixels, options, XMP_IN_JPEG + xmp if xmp else b"")


def encode_webp(pixels: Pixels, quality: int, xmp: bytes = b"") -> bytes:
    """Encode (H, W, 3) or (H, W, 4) as WebP, with an XMP packet if there is one; quality 1 to 100."""
    return _encode(".webp", pixels, [cv2.IMWRITE_WEBP_QUALITY, quality], xmp)


def encode_lossless(pixels: Pixels) -> bytes:
    """Encode (H, W, 3) as lossless WebP: two thirds of the bytes of a PNG, in the same time."""
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, "WEBP", lossless=True, quality=0, method=0)
    return buffer.getvalue()


def _encode(extension: str, pixels: Pixels, options: list[int], xmp: bytes = b"") -> bytes:
    ordered = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, _TO_OPENCV[pixels.shape[2]])
    packets = [np.frombuffer(xmp, np.uint8)] if xmp else []
    done, data = cv2.imencodeWithMetadata(extension, ordered, [cv2.IMAGE_METADATA_XMP] * len(packets), packets, options)
    if not done:
        raise ValueError(f"cannot encode {extension} of shape {pixels.shape}")
    return np.asarray(data, np.uint8).tobytes()


def _with_text(png: bytes, xmp: bytes) -> bytes:
    """Return a PNG file with an XMP packet as the XMP specification (part 3) wants it, unlike OpenCV."""
    kind, data = b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return png[:PNG_HEAD] + chunk + png[PNG_HEAD:]


def rgb(pixels: Pixels) -> Pixels:
    """Return (H, W, 3): drop the alpha channel of (H, W, 4), repeat the channel of (H, W)."""
    if pixels.ndim == 2:
        return np.repeat(pixels[..., None], 3, axis=2)
    return np.ascontiguousarray(pixels[..., :3])
