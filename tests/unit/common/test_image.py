import io
import random
import struct
import zlib
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from common.errors import InvalidInputError
from common.imaging.codec import decode, encode_jpeg, encode_png, rgb
from common.imaging.header import check_header
from common.imaging.messages import to_message, to_pixels
from common.settings import ImageLimits
from productimage.image.v1 import image_pb2
from testing.damage import mended
from testing.pictures import decoded, encoded, gradient

MUTATIONS = 500
LIMITS = ImageLimits(max_image_bytes=2_000_000, max_image_pixels=1_000_000)


def reason(data: bytes, limits: ImageLimits = LIMITS) -> str:
    with pytest.raises(InvalidInputError) as caught:
        decode(data, limits)
    return caught.value.reason


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_a_lossless_file_is_read_exactly(file_format: str) -> None:
    pixels = gradient(31, 17)
    assert np.array_equal(decode(encoded(pixels, file_format, lossless=True), LIMITS), pixels)


def test_a_jpeg_is_read_closely() -> None:
    pixels = np.full((40, 60, 3), (200, 90, 30), np.uint8)
    assert np.abs(decode(encoded(pixels, "JPEG", quality=95), LIMITS).astype(int) - pixels).max() <= 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_applied_as_pillow_does(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(gradient(9, 5), "PNG", exif=exif)
    assert np.array_equal(decode(data, LIMITS), np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data)))))


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@given(tags=st.binary(min_size=1, max_size=80), head=st.sampled_from([b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"]))
@settings(max_examples=200, deadline=None)
def test_damaged_tags_do_not_spoil_a_photo(tags: bytes, head: bytes) -> None:
    pixels = gradient(8, 8)
    for file_format in ("JPEG", "WEBP"):
        data = encoded(pixels, file_format, exif=b"Exif\0\0" + head + tags)
        assert decode(data, LIMITS).shape == pixels.shape


@pytest.mark.parametrize(("orientation", "turns"), [(3, 2), (6, 3), (8, 1)])
def test_the_orientation_tag_is_applied(orientation: int, turns: int) -> None:
    pixels = np.zeros((16, 32, 3), np.uint8)
    pixels[:8, :16] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = decode(encoded(pixels, "JPEG", exif=exif, quality=100, subsampling=0), LIMITS)
    wanted = np.rot90(pixels, turns)
    assert found.shape == wanted.shape
    assert np.abs(found.astype(int) - wanted).mean() < 8


def test_a_colour_profile_is_converted_to_srgb() -> None:
    # Swapped primaries make it obvious whether the profile is applied.
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"tmp_").replace(b"gXYZ", b"rXYZ").replace(b"tmp_", b"gXYZ")
    pixels = np.full((8, 8, 3), (250, 0, 0), np.uint8)
    red, green, blue = decode(encoded(pixels, icc_profile=swapped), LIMITS)[0, 0]
    assert green > 200 > red
    assert blue < 100


def test_a_broken_colour_profile_is_ignored() -> None:
    pixels = gradient(8, 8)
    assert np.array_equal(decode(encoded(pixels, icc_profile=b"not a profile"), LIMITS), pixels)


def with_chunk(png: bytes, kind: bytes, contents: bytes) -> bytes:
    """Return a PNG file with another chunk behind its header."""
    chunk = struct.pack(">I", len(contents)) + kind + contents + struct.pack(">I", zlib.crc32(kind + contents))
    return png[:33] + chunk + png[33:]


@pytest.mark.parametrize(
    ("kind", "contents", "wanted"),
    [
        (b"gAMA", struct.pack(">I", 45455), (200, 100, 50)),
        (b"gAMA", struct.pack(">I", 100000), (228, 168, 122)),
        (b"gAMA", struct.pack(">I", 0), (200, 100, 50)),
        (b"cICP", bytes((1, 13, 0, 1)), (200, 100, 50)),
        (b"cICP", bytes((12, 13, 0, 1)), (215, 93, 31)),
        (b"cICP", bytes((1, 8, 0, 1)), (228, 168, 122)),
        (b"cICP", bytes((99, 99, 0, 1)), (200, 100, 50)),
    ],
)
def test_how_a_png_stores_its_colours_is_heeded_as_browsers_do(
    kind: bytes, contents: bytes, wanted: tuple[int, int, int]
) -> None:
    file = encoded(np.full((5, 7, 3), (200, 100, 50), np.uint8))
    assert np.abs(decode(with_chunk(file, kind, contents), LIMITS).astype(int) - wanted).max() <= 2


def test_a_newer_way_to_say_it_comes_before_an_older_one() -> None:
    file = encoded(np.full((5, 7, 3), (200, 100, 50), np.uint8))
    linear = with_chunk(file, b"gAMA", struct.pack(">I", 100000))
    assert (decode(with_chunk(linear, b"sRGB", b"\0"), LIMITS) == (200, 100, 50)).all()
    assert (
        np.abs(
            decode(with_chunk(linear, b"cICP", bytes((12, 13, 0, 1))), LIMITS).astype(int)[0, 0] - (215, 93, 31)
        ).max()
        <= 2
    )


def test_transparency_survives_a_change_of_colours() -> None:
    cutout = np.dstack([np.full((4, 4, 3), 100, np.uint8), np.arange(0, 160, 10, dtype=np.uint8).reshape(4, 4)])
    found = decode(with_chunk(encoded(cutout), b"gAMA", struct.pack(">I", 100000)), LIMITS)
    assert np.array_equal(found[..., 3], cutout[..., 3])
    assert abs(int(found[0, 0, 0]) - 168) <= 1


@pytest.mark.parametrize("subsampling", [0, 2])
def test_a_jpeg_without_its_end_marker_has_all_its_pixels(subsampling: int) -> None:
    photo = gradient(64, 480)
    file = encoded(photo, "JPEG", quality=92, subsampling=subsampling)
    assert file.endswith(b"\xff\xd9")
    assert np.array_equal(decode(file[:-2], LIMITS), decode(file, LIMITS))
    assert np.array_equal(decode(file + b"trailing", LIMITS), decode(file, LIMITS))
    for part in (0.5, 0.9):
        assert reason(file[: int(part * len(file))]) == "DAMAGED_IMAGE"


def test_a_palette_picture_without_its_palette_is_damaged() -> None:
    file = io.BytesIO()
    Image.fromarray(gradient(9, 9)).convert("P").save(file, "PNG")
    data = file.getvalue()
    start = data.index(b"PLTE") - 4
    length = struct.unpack_from(">I", data, start)[0]
    assert reason(data[:start] + data[start + 12 + length :]) == "DAMAGED_IMAGE"


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "1", "I;16"])
def test_lies_past_the_checksums_are_refused_in_words(mode: str) -> None:
    if mode == "I;16":
        picture = Image.fromarray(gradient(12, 9)[..., 0].astype(np.uint16) * 257)
    else:
        picture = Image.fromarray(gradient(12, 9)).convert(mode)
    file = io.BytesIO()
    picture.save(file, "PNG")
    whole = file.getvalue()
    for seed in range(MUTATIONS):
        draw = random.Random(f"{mode}{seed}")
        data = bytearray(whole)
        for _ in range(draw.randint(1, 4)):
            data[draw.randrange(8, len(data))] = draw.randrange(256)
        with suppress(InvalidInputError):
            assert decode(mended(bytes(data)), LIMITS).ndim == 3


def test_sixteen_bits_become_eight() -> None:
    ramp = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    buffer = io.BytesIO()
    Image.fromarray(ramp).save(buffer, "PNG")
    found = decode(buffer.getvalue(), LIMITS)
    assert np.abs(found[..., 0].astype(float) - ramp / 257).max() <= 0.51


def test_cmyk_becomes_rgb() -> None:
    buffer = io.BytesIO()
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(buffer, "JPEG", quality=95)
    red, green, blue = decode(buffer.getvalue(), LIMITS)[4, 4]
    assert red > 200
    assert green < 60
    assert blue < 60


def test_a_palette_becomes_rgb() -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:4] = (10, 200, 30)
    buffer = io.BytesIO()
    Image.fromarray(pixels).quantize(4).save(buffer, "PNG")
    assert np.array_equal(decode(buffer.getvalue(), LIMITS), pixels)


@pytest.mark.parametrize("mode", ["L", "1"])
def test_grey_becomes_rgb(mode: str) -> None:
    buffer = io.BytesIO()
    Image.new(mode, (4, 4), 255).save(buffer, "PNG")
    assert decode(buffer.getvalue(), LIMITS).shape == (4, 4, 3)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_kept(mode: str) -> None:
    pixels = np.dstack([gradient(8, 8), np.full((8, 8), 255, np.uint8)])
    pixels[:4, :, 3] = 0
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, "PNG")
    found = decode(buffer.getvalue(), LIMITS)
    assert found.shape == (8, 8, 4)
    assert (found[:4, :, 3] == 0).all()
    assert (found[4:, :, 3] == 255).all()


def test_transparency_of_an_opaque_picture_is_dropped() -> None:
    pixels = np.dstack([gradient(8, 8), np.full((8, 8), 255, np.uint8)])
    assert decode(encoded(pixels), LIMITS).shape == (8, 8, 3)


def test_bad_files_are_told_apart() -> None:
    good = encoded(gradient(64, 64))
    assert reason(b"") == "EMPTY_IMAGE"
    assert reason(b"GIF89a and so on") == "UNSUPPORTED_IMAGE"
    assert reason(b"<svg xmlns='http://www.w3.org/2000/svg'/>") == "UNSUPPORTED_IMAGE"
    assert reason(encoded(gradient(8, 8), "TGA")) == "UNSUPPORTED_IMAGE"
    assert reason(good[: len(good) // 2]) == "DAMAGED_IMAGE"
    assert reason(good, ImageLimits(max_image_bytes=100)) == "IMAGE_TOO_LARGE"
    assert reason(good, ImageLimits(max_image_pixels=4095)) == "TOO_MANY_PIXELS"


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_an_animation_is_rejected(file_format: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, file_format, save_all=True, append_images=frames[1:], duration=50)
    assert reason(buffer.getvalue()) == "ANIMATED_IMAGE"


def test_a_bomb_is_refused_by_its_header() -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )
    assert reason(bomb) == "TOO_MANY_PIXELS"


def test_a_jpeg_with_a_second_picture_is_read() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "MPO", save_all=True, append_images=frames[1:])
    assert check_header(buffer.getvalue(), LIMITS) == "JPEG"
    assert decode(buffer.getvalue(), LIMITS)[0, 0, 0] > 240


@given(data=st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_noise_is_refused_in_words(data: bytes) -> None:
    for prefix in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\0\0\0\0WEBP"):
        with pytest.raises(InvalidInputError):
            decode(prefix + data, LIMITS)


@given(cut=st.integers(1, 4000), flip=st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_damaged_files_never_crash(cut: int, flip: int) -> None:
    for file_format in ("PNG", "JPEG", "WEBP"):
        data = bytearray(encoded(gradient(40, 30), file_format))
        data[cut % len(data)] ^= flip
        try:
            found = decode(bytes(data), LIMITS)
        except InvalidInputError:
            continue
        assert found.dtype == np.uint8


@given(width=st.integers(1, 40), height=st.integers(1, 40), channels=st.sampled_from([1, 3, 4]))
@settings(deadline=None)
def test_raw_pixels_survive_a_round_trip(width: int, height: int, channels: int) -> None:
    shape = (height, width) if channels == 1 else (height, width, channels)
    pixels = np.random.default_rng(width * height).integers(0, 256, shape, dtype=np.uint8)
    message = image_pb2.Image.FromString(to_message(pixels).SerializeToString())
    assert np.array_equal(to_pixels(message, LIMITS), pixels)


def test_raw_pixels_are_not_copied_when_read() -> None:
    message = to_message(gradient(8, 8))
    found = to_pixels(message, LIMITS)
    assert not found.flags.owndata
    assert not found.flags.writeable


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ({"width": 2, "height": 2, "data": b"\0" * 12}, "MISSING_PIXEL_FORMAT"),
        ({"width": 2, "height": 2, "data": b"\0" * 11, "format": "PIXEL_FORMAT_RGB8"}, "WRONG_PIXEL_COUNT"),
        ({"width": 0, "height": 2, "data": b"", "format": "PIXEL_FORMAT_RGB8"}, "WRONG_PIXEL_COUNT"),
        ({"width": 4_000_000_000, "height": 4_000_000_000, "format": "PIXEL_FORMAT_GRAY8"}, "TOO_MANY_PIXELS"),
    ],
)
def test_inconsistent_raw_pixels_are_rejected(raw: dict[str, Any], wanted: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        to_pixels(image_pb2.Image(raw=image_pb2.RawPixels(**raw)), LIMITS)
    assert caught.value.reason == wanted


def test_a_message_without_a_picture_is_rejected() -> None:
    with pytest.raises(InvalidInputError, match="missing"):
        to_pixels(image_pb2.Image(), LIMITS)


def test_png_keeps_the_order_of_channels() -> None:
    pixels = np.dstack([gradient(9, 7), np.arange(63, dtype=np.uint8).reshape(7, 9)])
    assert np.array_equal(decoded(encode_png(pixels)), pixels)
    assert np.array_equal(decoded(encode_png(pixels[..., :3])), pixels[..., :3])
    assert np.array_equal(decoded(encode_png(pixels[..., 3])), pixels[..., 3])


def test_jpeg_keeps_colours() -> None:
    pixels = np.full((16, 16, 3), (30, 120, 220), np.uint8)
    assert np.abs(decoded(encode_jpeg(pixels, 90)).astype(int) - pixels).max() <= 3


def test_rgb_takes_every_shape() -> None:
    assert rgb(np.full((2, 3), 7, np.uint8)).tolist() == [[[7, 7, 7]] * 3] * 2
    assert rgb(np.zeros((2, 3, 4), np.uint8)).shape == (2, 3, 3)
