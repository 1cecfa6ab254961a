"""The gateway conforms to its OpenAPI document: schemathesis with every check."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection
from schemathesis.transport.serialization import Binary

from gateway.app import create_app
from gateway.settings import GatewaySettings
from testing.pictures import encoded, gradient
from testing.processes import Parts, parts

EXAMPLES = 30
KEY = "idempotency-key"
PICTURE = encoded(gradient(40, 30))
FILES = {
    name: Binary(data)
    for name, data in (("product_image", PICTURE), ("background_image", PICTURE), ("file", b"uid\n1\n"))
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    with parts(tmp_path_factory.mktemp("store"), {"FIXED_SECONDS": "0"}) as started:
        yield started


schema = schemathesis.openapi.from_dict(create_app(GatewaySettings()).openapi())


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_the_gateway_does_what_its_document_says(case: Case[Any], running: Parts) -> None:
    if case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE:
        make_possible(case)
        # Repaired cases may no longer match the document; the check is for cases meant to be rejected.
        case.call_and_validate(base_url=running.gateway.url, excluded_checks=[negative_data_rejection])
    else:
        case.call_and_validate(base_url=running.gateway.url)


def make_possible(case: Case[Any]) -> None:
    """Supply what the document cannot express: real pictures and CSV files, an audience on offer, and a new key per request."""
    if isinstance(case.body, dict):
        case.body = {name: FILES.get(name, value) for name, value in case.body.items()}
        if "target_audience" in case.body:
            case.body["target_audience"] = "女性,25-34,戶外旅遊"
    if case.query and "text" in case.query:
        case.query["text"] = "women, 30, hiking"
    if case.headers and case.headers.get(KEY):
        case.headers[KEY] = uuid.uuid4().hex
