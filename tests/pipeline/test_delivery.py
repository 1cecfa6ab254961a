"""Delivery of pictures: through the gateway, or from S3 directly."""

from pathlib import Path

import httpx

from services.history.settings import HistorySettings
from testing.pictures import SAMPLE
from testing.processes import parts
from tests.unit.history.conftest import s3_client, s3_settings, s3_url

__all__ = ["s3_client", "s3_settings", "s3_url"]

REDIRECT = {"GATEWAY_STATIC_DELIVERY": "redirect"}


def upload(url: str) -> str:
    files = {"product_image": ("flask.jpg", SAMPLE.read_bytes())}
    answer = httpx.post(f"{url}/api/upload-image", files=files, trust_env=False, timeout=30)
    return f"{url}/static/{answer.json()['filename']}"


def test_pictures_can_come_from_s3_itself(tmp_path: Path, s3_settings: HistorySettings) -> None:
    environment = {
        **REDIRECT,
        "HISTORY_STORE": "s3",
        "S3_BUCKET_NAME": s3_settings.s3_bucket_name,
        "S3_ENDPOINT_URL": s3_settings.s3_endpoint_url or "",
        "S3_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_ROLE_ARN": "",
        "NO_PROXY": "127.0.0.1",
    }
    with parts(tmp_path, environment) as running:
        address = upload(running.gateway.url)
        answer = httpx.get(address, trust_env=False)
        assert answer.status_code == 302
        assert answer.headers["cache-control"] == "private, max-age=1800"
        assert answer.headers["location"].startswith(environment["S3_ENDPOINT_URL"])
        assert httpx.get(answer.headers["location"], trust_env=False).content == SAMPLE.read_bytes()
        missing = httpx.get(address.replace("flask", "other"), trust_env=False)
        assert missing.status_code == 404
        assert missing.json()["detail"] == "There is no picture at this address."
        hidden = httpx.get(f"{running.gateway.url}/static/history_setting.json", trust_env=False)
        assert hidden.status_code == 404


def test_pictures_on_a_disk_come_through_us_all_the_same(tmp_path: Path) -> None:
    with parts(tmp_path, REDIRECT) as running:
        answer = httpx.get(upload(running.gateway.url), trust_env=False)
    assert answer.status_code == 200
    assert answer.content == SAMPLE.read_bytes()
