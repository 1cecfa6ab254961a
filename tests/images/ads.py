"""What a marketer does, against images that run."""

from typing import Any

import httpx

from cli.demo import FORM, SAMPLE
from testing.waiting import eventually


def make_ads(address: str, *, patience: float = 60) -> dict[str, Any]:
    """Upload a photo and make ads of it at a gateway's HOST:PORT, once it is ready; return their record."""
    with httpx.Client(base_url=f"http://{address}", trust_env=False, timeout=120) as client:
        eventually(lambda: client.get("/readyz").status_code == 200, seconds=patience)
        files = {"product_image": (SAMPLE.name, SAMPLE.read_bytes(), "image/jpeg")}
        upload = client.post("/api/upload-image", files=files).raise_for_status().json()
        form = {**FORM, "product_image_filename": upload["filename"], "timestamp": upload["timestamp"]}
        record: dict[str, Any] = client.post("/api/generate-product", data=form).raise_for_status().json()
        assert len(record["generated_images"]) == 3
        for path in record["generated_images"]:
            assert client.get(f"/static/{path}").raise_for_status().headers["content-type"] == "image/jpeg"
        kept = client.get("/api/history").json()
    assert [entry["request_id"] for entry in kept] == [record["request_id"]]
    assert record["engines"]["cut_out"] == "mobile_sam"
    return record
