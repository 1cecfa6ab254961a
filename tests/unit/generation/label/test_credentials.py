import io
import json
from pathlib import Path
from typing import Any

import c2pa
import numpy as np
import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from cli.check import violations
from common.errors import StartError
from common.imaging.messages import to_message
from common.settings import ImageLimits
from productimage.generation.v1 import generation_pb2
from productimage.image.v1 import image_pb2
from services.generation import converters
from services.generation.background.background import Origin
from services.generation.compose.compose import Creative, Order, Output, Scene, compose
from services.generation.compose.files import FileFormat
from services.generation.geometry import Box, Size
from services.generation.label.credentials import Credentials
from services.generation.label.label import Label
from services.generation.placement.placement import Placement, SceneLight
from services.generation.settings import GenerationSettings
from testing.pictures import decoded, disc_cutout, texture

LABEL = Label("20261126093000-4f1c2d3e5a6b7c8d/request-1", "ab" * 32)
BASE = "http://cv.iptc.org/newscodes/digitalsourcetype/"


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    """Return credentials with a certificate as the command makes it."""
    folder = tmp_path_factory.mktemp("certificate")
    chain, key = folder / "chain.pem", folder / "key.pem"
    made = CliRunner().invoke(app, ["certificate", str(chain), str(key)])
    assert made.exit_code == 0, made.output
    assert key.stat().st_mode & 0o077 == 0, "nobody else reads the key"
    found = Credentials.of(GenerationSettings(c2pa_certificate=chain, c2pa_key=key))
    assert found is not None
    return found


def read(file: bytes, media_type: str = "image/jpeg") -> tuple[str, dict[str, Any]]:
    """Return the state of the credentials of a file, and its active manifest."""
    with c2pa.Reader(media_type, io.BytesIO(file)) as reader:
        manifest: dict[str, Any] = reader.get_active_manifest()
        return reader.get_validation_state(), manifest


def ad(
    credentials: Credentials | None, file_format: FileFormat = "jpeg", origin: Origin | None = None, most: int = 0
) -> Creative:
    scene = Scene(texture(400, 320), Placement(Box(100, 40, 300, 260), SceneLight()), origin or Origin())
    output = Output(file_format, label=LABEL, credentials=credentials)
    [creative] = compose([scene], disc_cutout(200), [Order(Size(300, 250), most)], output)
    return creative


@pytest.mark.parametrize("file_format", ["jpeg", "webp", "png"])
def test_an_ad_tells_how_it_was_made_and_the_signature_holds(credentials: Credentials, file_format: FileFormat) -> None:
    signed, plain = ad(credentials, file_format), ad(None, file_format)
    state, manifest = read(signed.file, f"image/{file_format}")
    assert state == "Valid"
    [actions] = [one for one in manifest["assertions"] if one["label"].startswith("c2pa.actions")]
    assert actions["data"]["actions"][0]["digitalSourceType"] == BASE + "compositeCapture"
    assert manifest["title"] == LABEL.identifier
    assert manifest["claim_generator_info"][0]["name"] == "Product Image Generator"
    assert LABEL.photo_sha256 in json.dumps(manifest["ingredients"])
    assert "thumbnail" not in manifest
    assert np.array_equal(decoded(signed.file), decoded(plain.file))
    assert signed.pixels_sha256 == plain.pixels_sha256
    assert len(signed.file) - len(plain.file) < 20_000


def test_what_is_changed_after_signing_is_found(credentials: Credentials) -> None:
    file = bytearray(ad(credentials).file)
    file[-200] ^= 0xFF
    assert read(bytes(file))[0] == "Invalid"


def test_the_credentials_count_towards_the_limit(credentials: Credentials) -> None:
    for most in range(40_000, 44_000, 500):
        assert len(ad(credentials, most=most).file) <= most


def test_credentials_of_the_background_are_kept(credentials: Credentials) -> None:
    background = ad(credentials).file
    state, manifest = read(ad(credentials, origin=Origin("trainedAlgorithmicMedia", background)).file)
    assert state == "Valid"
    [kept] = [one for one in manifest["ingredients"] if one["title"] == "background"]
    assert kept["active_manifest"]
    assert "digitalSourceType" in json.dumps(manifest["assertions"])


def test_an_ad_made_of_an_earlier_one_keeps_the_credentials_of_its_background(credentials: Credentials) -> None:
    background = ad(credentials).file
    first = ad(credentials, origin=Origin("trainedAlgorithmicMedia", background)).file
    state, manifest = read(ad(credentials, origin=Origin("trainedAlgorithmicMedia", first)).file)
    assert state == "Valid"
    [kept] = [one for one in manifest["ingredients"] if one["title"] == "background"]
    with c2pa.Reader("image/jpeg", io.BytesIO(ad(credentials, origin=Origin("", first)).file)) as reader:
        manifests = json.loads(reader.json())["manifests"]
    assert kept["active_manifest"]
    assert len(manifests) == 3, "its own, that of the earlier ad, that of the background"


def test_the_check_of_packs_reads_them(credentials: Credentials, tmp_path: Path) -> None:
    folder = tmp_path / "iab"
    folder.mkdir()
    good = ad(credentials).file
    (folder / "ad_300x250.jpg").write_bytes(good)
    assert not [one for one in violations(tmp_path) if "credentials" in one.problem or "label" in one.problem]
    broken = bytearray(good)
    broken[-200] ^= 0xFF
    (folder / "ad_300x250.jpg").write_bytes(bytes(broken))
    assert [one for one in violations(tmp_path) if "do not hold: Invalid" in one.problem]
    (folder / "ad_300x250.jpg").write_bytes(ad(None).file.replace(b"digitalsourcetype", b"x" * 17))
    assert [one for one in violations(tmp_path) if "no label" in one.problem]


@pytest.mark.parametrize(("certificate", "key"), [(b"no certificate", b"no key"), (b"", b"")])
def test_what_cannot_sign_is_refused_at_start(certificate: bytes, key: bytes) -> None:
    with pytest.raises(StartError, match="GENERATION_C2PA_CERTIFICATE cannot be used"):
        Credentials(certificate, key)


def test_missing_files_are_named(tmp_path: Path) -> None:
    settings = GenerationSettings(c2pa_certificate=tmp_path / "none.pem", c2pa_key=tmp_path / "none.key")
    with pytest.raises(StartError, match=r"none\.pem"):
        Credentials.of(settings)
    assert Credentials.of(GenerationSettings()) is None


def test_a_certificate_is_never_overwritten(tmp_path: Path) -> None:
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_text("mine")
    made = CliRunner().invoke(app, ["certificate", str(chain), str(key)])
    assert made.exit_code == 1
    assert chain.read_text() == "mine"
    assert not key.exists()


def test_only_a_file_with_credentials_is_kept_as_the_origin(credentials: Credentials) -> None:
    picture = to_message(texture(64, 48))
    place = generation_pb2.Placement(box=image_pb2.Box(left=8, top=8, right=40, bottom=40))
    for creative, is_kept in ((ad(credentials), True), (ad(None), False)):
        origin = generation_pb2.Origin(source_type="trainedAlgorithmicMedia", file=creative.file)
        request = generation_pb2.ComposeCreativesRequest(
            scenes=[generation_pb2.Scene(picture=picture, placement=place, origin=origin)]
        )
        [scene] = converters.scenes(request, ImageLimits())
        assert scene.origin == Origin("trainedAlgorithmicMedia", creative.file if is_kept else b"")
