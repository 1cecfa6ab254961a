"""A client generated from the OpenAPI schema uploads, generates and downloads."""

import importlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from gateway.app import create_app
from gateway.settings import GatewaySettings
from testing.pictures import ball, encoded
from testing.processes import parts

NAME = "generated_client"
CONFIG = {
    "project_name_override": NAME,
    "package_name_override": NAME,
    "post_hooks": [],
    # The generator knows no other binary type; docs/api.md tells its users.
    "content_type_overrides": dict.fromkeys(
        ("image/png", "image/jpeg", "image/webp", "application/zip"), "application/octet-stream"
    ),
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_text(json.dumps(create_app(GatewaySettings()).openapi()), encoding="utf-8")
    (folder / "config.yaml").write_text(json.dumps(CONFIG), encoding="utf-8")  # JSON is YAML
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", "openapi.json", "--meta", "none"]
    done = subprocess.run(
        [*command, "--config", "config.yaml"], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    return importlib.import_module(NAME)


def operation(tag: str, name: str) -> ModuleType:
    return importlib.import_module(f"{NAME}.api.{tag}.{name}")


def test_it_uploads_generates_and_downloads(client: ModuleType, tmp_path: Path) -> None:
    models = importlib.import_module(f"{NAME}.models")
    types = importlib.import_module(f"{NAME}.types")
    photo = io.BytesIO(encoded(ball(320, 240)[0], "JPEG"))
    with parts(tmp_path) as running, client.Client(base_url=running.gateway.url) as gateway:
        body = models.BodyUploadImage(product_image=types.File(photo, "ball.jpg", "image/jpeg"))
        upload = operation("product", "upload_image").sync(client=gateway, body=body)
        assert upload.filename, upload
        form = models.GenerateForm(
            product_name="Ball",
            target_audience="女性,25-34,戶外旅遊",
            product_image_filename=upload.filename,
            timestamp=upload.timestamp,
        )
        record = operation("product", "generate_product").sync(client=gateway, body=form)
        assert record.product_name == "Ball"
        picture = operation("pictures", "static").sync(record.generated_images[0], client=gateway)
        assert picture.payload.read().startswith(b"\xff\xd8\xff")
        archive = operation("product", "record_archive").sync(record.sequence, client=gateway)
        assert "record.json" in zipfile.ZipFile(archive.payload).namelist()
        status = operation("health", "status").sync(client=gateway)
        assert all(status.services.additional_properties.values())
