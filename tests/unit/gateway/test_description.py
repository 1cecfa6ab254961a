"""The OpenAPI description: a gateway with keys says that calls need one, and nothing else changes."""

from gateway.app import create_app
from gateway.settings import GatewaySettings


def test_with_keys_every_call_of_the_api_says_so() -> None:
    plain = create_app(GatewaySettings(api_keys={})).openapi()
    guarded = create_app(GatewaySettings(api_keys={"shop": "0" * 64})).openapi()
    assert set(guarded["components"]["securitySchemes"]) == {"HTTPBearer", "APIKeyHeader"}
    assert "securitySchemes" not in plain["components"]
    for path, operations in guarded["paths"].items():
        for method, operation in operations.items():
            is_guarded = path.startswith("/api/")
            assert ("security" in operation) is is_guarded, path
            assert ({"401", "429"} <= set(operation["responses"])) or not is_guarded, path
            assert operation["operationId"] == plain["paths"][path][method]["operationId"]
    assert guarded["paths"].keys() == plain["paths"].keys()
