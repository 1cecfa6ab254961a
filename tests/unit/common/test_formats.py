"""Files of every format that phones, cameras and scanners write."""

import io
import random
import struct
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from common.errors import InvalidInputError
from common.imaging.codec import decode
from common.imaging.header import FORMATS, KINDS, check_header
from common.settings import ImageLimits
from services.history.paths import content_type, photo_name
from testing import heic
from testing.pictures import Pixels, encoded

LIMITS = ImageLimits(max_image_bytes=2_000_000, max_image_pixels=1_000_000)
MUTATIONS = 250
CLOSE = 12


def ramp() -> Pixels:
    y, x = np.mgrid[:24, :36]
    return np.stack([40 + 5 * x, 60 + 6 * y, np.full_like(x, 180)], -1).astype(np.uint8)


FILES = {
    "PNG": encoded(ramp()),
    "JPEG": encoded(ramp(), "JPEG", quality=95),
    "WEBP": encoded(ramp(), "WEBP", quality=95),
    "HEIF": heic.PLAIN,
    "AVIF": encoded(ramp(), "AVIF", quality=95),
    "TIFF": encoded(ramp(), "TIFF", compression="tiff_lzw"),
    "BMP": encoded(ramp(), "BMP"),
    "GIF": encoded(ramp(), "GIF"),
}


def reason(data: bytes) -> str:
    with pytest.raises(InvalidInputError) as caught:
        decode(data, LIMITS)
    return caught.value.reason


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_file_of_every_format_is_read_named_and_served(file_format: str) -> None:
    file = FILES[file_format]
    assert check_header(file, LIMITS) == file_format
    assert np.abs(decode(file, LIMITS).astype(int) - ramp()).max() <= CLOSE
    name = photo_name("IMG 0001.whatever", file_format)
    assert name.startswith("IMG_0001.")
    assert content_type(name) in {f"image/{file_format.lower()}", "image/heic"}


def test_every_format_is_named_for_people() -> None:
    named = KINDS.replace(" or ", ", ").upper().split(", ")
    assert sorted(named) == sorted(one.replace("HEIF", "HEIC") for one in FORMATS)


def test_a_photo_that_a_phone_stored_on_its_side_is_upright() -> None:
    found = decode(heic.TURNED, LIMITS)
    assert found.shape == (36, 24, 3)
    assert np.abs(found.astype(int) - np.rot90(ramp(), 3)).max() <= CLOSE


def test_transparency_is_kept() -> None:
    gif = io.BytesIO()
    palette = Image.fromarray(ramp()).quantize(32)
    palette.save(gif, "GIF", transparency=int(np.asarray(palette)[0, 0]))
    cutout = np.dstack([ramp(), np.where(np.arange(36) < 18, 255, 0).astype(np.uint8)[None].repeat(24, 0)])
    for file in (heic.ALPHA, encoded(cutout, "AVIF"), encoded(cutout, "TIFF")):
        found = decode(file, LIMITS)
        assert (found[:, :16, 3] > 250).all()
        assert (found[:, 20:, 3] < 5).all()
    assert decode(gif.getvalue(), LIMITS)[0, 0, 3] == 0


@pytest.mark.parametrize("file_format", ["GIF", "AVIF"])
def test_an_animation_is_refused(file_format: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    file = io.BytesIO()
    frames[0].save(file, file_format, save_all=True, append_images=frames[1:], duration=50)
    assert reason(file.getvalue()) == "ANIMATED_IMAGE"


def test_of_several_pages_the_first_is_taken() -> None:
    pages = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    file = io.BytesIO()
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
    assert decode(file.getvalue(), LIMITS)[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    ("mode", "value", "wanted"),
    [("L", 200, (200, 200, 200)), ("I;16", 200 * 257, (200, 200, 200)), ("CMYK", (0, 255, 255, 0), (254, 0, 0))],
)
def test_scans_of_every_kind_are_read(mode: str, value: int | tuple[int, ...], wanted: tuple[int, int, int]) -> None:
    file = io.BytesIO()
    Image.new(mode, (8, 8), value).save(file, "TIFF")
    assert np.abs(decode(file.getvalue(), LIMITS)[4, 4].astype(int) - wanted).max() < 40


def with_size(file: bytes, at: int, form: str) -> bytes:
    """Return a file whose header lies about its width and height."""
    return file[:at] + struct.pack(form, 60_000, 60_000) + file[at + struct.calcsize(form) :]


def test_a_bomb_is_refused_by_its_header() -> None:
    assert reason(with_size(FILES["BMP"], 18, "<ii")) == "TOO_MANY_PIXELS"
    assert reason(with_size(FILES["GIF"], 6, "<HH")) == "TOO_MANY_PIXELS"
    for kind in ("HEIF", "AVIF"):
        file = FILES[kind]
        lying = with_size(file, file.index(b"ispe") + 8, ">II")
        assert reason(lying) in {"TOO_MANY_PIXELS", "DAMAGED_IMAGE", "UNSUPPORTED_IMAGE"}
    tiff = io.BytesIO()
    Image.new("1", (2_000, 2_000)).save(tiff, "TIFF", compression="group4")
    assert reason(tiff.getvalue()) == "TOO_MANY_PIXELS"


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("file_format", FORMATS)
def test_damage_anywhere_is_told_in_words(file_format: str) -> None:
    whole = FILES[file_format]
    for seed in range(MUTATIONS):
        draw = random.Random(f"{file_format}{seed}")
        data = bytearray(whole[: draw.randint(len(whole) // 2, len(whole))] if draw.random() < 0.2 else whole)
        for _ in range(draw.randint(1, 4)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        with suppress(InvalidInputError):
            found = decode(bytes(data), LIMITS)
            assert found.ndim == 3
            assert found.shape[0] * found.shape[1] <= LIMITS.max_image_pixels
