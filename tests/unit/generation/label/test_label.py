import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from services.generation.background.user_background import place_in
from services.generation.compose.compose import Order, Output, Scene, compose
from services.generation.compose.files import FileFormat, encode_ad
from services.generation.geometry import Size
from services.generation.label.label import Label, composite_type, source_type_in, xmp_of
from testing.pictures import decoded, disc_cutout, texture

BASE = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def description(file: bytes) -> dict[str, Any]:
    """Return what Pillow reads in the XMP packet of a file."""
    read: dict[str, Any] = Image.open(io.BytesIO(file)).getxmp()["xmpmeta"]["RDF"]["Description"]
    return read


@pytest.mark.parametrize("file_format", ["jpeg", "webp", "png"])
def test_every_format_carries_the_label(file_format: FileFormat) -> None:
    pixels = texture(60, 40)
    xmp = xmp_of(Label('a"<&b', "0f" * 32), "compositeSynthetic")
    file, bare = encode_ad(pixels, file_format, 50_000, xmp), encode_ad(pixels, file_format, 50_000)
    read = description(file)
    assert read["DigitalSourceType"] == BASE + "compositeSynthetic"
    assert read["CreatorTool"].startswith("Product Image Generator ")
    assert read["identifier"] == 'a"<&b'
    assert read["Ingredients"]["Bag"]["li"]["documentID"] == "sha256:" + "0f" * 32
    assert np.array_equal(decoded(file), decoded(bare))
    assert len(file) - len(bare) < 1000


def test_the_label_counts_towards_the_limit() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    for most in range(60_000, 63_000, 250):
        assert len(encode_ad(pixels, "jpeg", most, xmp_of(Label("x" * 100), "compositeSynthetic"))) <= most


@pytest.mark.parametrize(
    ("background", "ad"),
    [
        ("", "compositeCapture"),
        ("digitalCapture", "compositeCapture"),
        ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"),
        ("compositeWithTrainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"),
        ("algorithmicMedia", "compositeSynthetic"),
        ("compositeSynthetic", "compositeSynthetic"),
        ("somethingNew", "compositeCapture"),
    ],
)
def test_the_type_of_an_ad_follows_from_its_background(background: str, ad: str) -> None:
    assert composite_type(background) == ad


@pytest.mark.parametrize("file_format", ["jpeg", "webp", "png"])
@pytest.mark.parametrize("known", ["trainedAlgorithmicMedia", "digitalCapture", ""])
def test_what_a_picture_of_the_user_says_of_itself_is_kept(file_format: FileFormat, known: str) -> None:
    file = encode_ad(texture(300, 300), file_format, 150_000, xmp_of(Label(), known) if known else b"")
    assert source_type_in(file) == known
    background = place_in(decoded(file), 1.0, file)
    assert background.origin.source_type == known
    scene = Scene(background.pixels, background.placement, background.origin)
    [ad] = compose([scene], disc_cutout(100), [Order(Size(300, 250))], Output(file_format))
    assert description(ad.file)["DigitalSourceType"] == BASE + composite_type(known)


def test_of_several_types_the_one_that_says_most_counts() -> None:
    both = (BASE + "digitalCapture " + BASE + "trainedAlgorithmicMedia").encode()
    assert source_type_in(both) == "trainedAlgorithmicMedia"
    assert source_type_in(b"no metadata") == ""
