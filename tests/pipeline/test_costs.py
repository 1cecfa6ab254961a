"""Costs before, during and after, with engines that take a price and make nothing."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from gateway.api_keys import digest_of
from testing.pictures import SAMPLE
from testing.processes import Parts, parts
from testing.system import FORM

KEYS = {"shop": "pig_shop", "rich": "pig_rich"}
ENVIRONMENT = {
    "FIXED_DOLLARS": "0.1",
    "GATEWAY_BUDGETS": json.dumps({"shop": 0.25}),
    "GATEWAY_API_KEYS": json.dumps({name: digest_of(key) for name, key in KEYS.items()}),
}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    with parts(tmp_path_factory.mktemp("store"), ENVIRONMENT) as running:
        yield running


def client(system: Parts, owner: str) -> httpx.Client:
    return httpx.Client(base_url=system.gateway.url, headers={"X-API-Key": KEYS[owner]}, timeout=60, trust_env=False)


def estimated(client: httpx.Client, **form: Any) -> dict[str, Any]:
    answer = client.post("/api/estimate", json=form)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_what_it_will_cost_is_told_before(system: Parts) -> None:
    with client(system, "rich") as http:
        body = estimated(http)
        assert (body["least"], body["most"], body["pictures"]) == (0.2, 0.4, 2)
        assert (body["background_engine"], body["prices_read"]) == ("fixed", "2026-11-26")
        assert estimated(http, sizes="300x250,336x280")["least"] == 0.1
        assert estimated(http, own_background=True)["least"] == 0
        assert http.post("/api/estimate", json={"sizes": "1x1"}).status_code == 400
        for wrong in (
            {"texts": "nowhere"},
            {"style": "mars"},
            {"layout": "upside"},
            {"format": "gif"},
            {"target_audience": "?"},
        ):
            assert http.post("/api/estimate", json=wrong).status_code in (400, 422), wrong


def test_what_it_has_cost_is_in_the_record_and_the_budget_holds(system: Parts) -> None:
    with client(system, "shop") as shop, client(system, "rich") as rich:
        upload = shop.post("/api/upload-image", files={"product_image": ("a.jpg", SAMPLE.read_bytes())}).json()
        form = {**FORM, "product_image_filename": upload["filename"], "timestamp": upload["timestamp"]}
        first = shop.post("/api/generate-product", data=form)
        assert first.json()["dollars"] == pytest.approx(0.2)
        refused = shop.post("/api/generate-product", data=form)
        assert (refused.status_code, refused.json()["reason"]) == (429, "BUDGET")
        assert "$0.05 of today's budget of $0.25" in refused.json()["detail"]
        assert int(refused.headers["Retry-After"]) <= 86_400
        assert shop.get(f"/static/{upload['trans_path']}").status_code == 200, "the upload is kept"
        assert rich.post("/api/generate-product", data=form).status_code == 200


def test_a_catalogue_is_estimated_as_a_whole(system: Parts, tmp_path: Path) -> None:
    catalogue = tmp_path / "catalogue.csv"
    catalogue.write_text("photo,name,sizes\na.jpg,A,\nb.jpg,B,300x250\n")
    command = ["--gateway", system.gateway.url, "--key", KEYS["rich"], "--json", "batch", str(catalogue), "--dry-run"]
    told = CliRunner().invoke(app, command)
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout) == {"products": 2, "least": 0.3, "most": 0.6, "engines": ["fixed"]}
