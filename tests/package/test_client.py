"""`productimage-client`, alone in a bare environment, against running services."""

import io
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import trustme
from PIL import Image

from cli.ports import Ports
from testing.bare_environment import BareEnvironment, build_wheel, install_alone
from testing.pictures import ball, encoded
from testing.processes import ROOT, Process, all_running

pytestmark = pytest.mark.slow

PROJECT = ROOT / "protos" / "python"
TARGET = 'connect("dns:///localhost:50051")'


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> BareEnvironment:
    folder = tmp_path_factory.mktemp("client")
    return install_alone(build_wheel(PROJECT, folder / "dist"), folder / "venv")


def readme() -> str:
    """The example of the README."""
    [code] = re.findall(r"```python\n(.*?)```", (PROJECT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    assert TARGET in code
    return str(code)


def segmentation(port: int, **environment: str) -> Process:
    settings = {"SEGMENTATION_PORT": str(port), "SEGMENTATION_ENGINE": "grabcut", "SEGMENTATION_STOP_WAIT_SECONDS": "0"}
    return Process("services.segmentation", port, {**settings, **environment})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photo.jpg").write_bytes(encoded(ball(320, 240)[0], "JPEG"))
    return tmp_path


def assert_cut_out(folder: Path) -> None:
    pixels = np.asarray(Image.open(io.BytesIO((folder / "cutout.png").read_bytes())))
    truth = ball(320, 240)[1]
    assert pixels.shape == (240, 320, 4)
    assert ((pixels[..., 3] > 127) == truth).mean() > 0.97


def test_the_readmes_ten_lines_cut_a_photo_out(bare: BareEnvironment, folder: Path) -> None:
    port = Ports.free().segmentation
    with all_running([segmentation(port)]):
        done = bare.run("-c", readme().replace("localhost:50051", f"127.0.0.1:{port}"), folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert_cut_out(folder)


def test_the_same_over_mutual_tls(bare: BareEnvironment, folder: Path) -> None:
    authority, port = trustme.CA(), Ports.free().segmentation
    for name in ("service", "caller"):
        issued = authority.issue_cert("localhost", "127.0.0.1")
        issued.cert_chain_pems[0].write_to_path(str(folder / f"{name}.pem"))
        issued.private_key_pem.write_to_path(str(folder / f"{name}.key"))
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    settings = {"CA": "ca.pem", "CERTIFICATE": "service.pem", "KEY": "service.key"}
    tls = {f"SEGMENTATION_TLS_{name}": str(folder / file) for name, file in settings.items()}
    secure = 'Options(tls=Tls(Path("ca.pem"), Path("caller.pem"), Path("caller.key")))'
    code = readme().replace("SegmentationClient, connect", "Options, SegmentationClient, Tls, connect")
    with all_running([segmentation(port, **tls)]):
        done = bare.run("-c", code.replace(TARGET, f'connect("127.0.0.1:{port}", {secure})'), folder=folder)
        plain = bare.run("-c", code.replace(TARGET, f'connect("127.0.0.1:{port}")'), folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert_cut_out(folder)
    assert "UnavailableError" in plain.stderr


def test_errors_are_classes(bare: BareEnvironment, folder: Path) -> None:
    port = Ports.free().segmentation
    (folder / "photo.jpg").write_bytes(b"GIF89a")
    with all_running([segmentation(port)]):
        done = bare.run("-c", readme().replace("localhost:50051", f"127.0.0.1:{port}"), folder=folder)
    assert "productimage.errors.UnsupportedImageError" in done.stderr


def test_types_come_with_it(bare: BareEnvironment, folder: Path) -> None:
    shutil.copy(PROJECT / "README.md", folder)
    done = bare.run("-c", "import productimage; print(productimage.__file__)", folder=folder)
    package = Path(done.stdout.strip()).parent
    assert (package / "py.typed").is_file()
    assert (package / "segmentation" / "v1" / "segmentation_pb2.pyi").is_file()
    assert "site-packages" in package.parts
