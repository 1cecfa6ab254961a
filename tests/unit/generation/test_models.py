"""Models that end: by what is known, and by what their vendors say."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from typing import Any

import pytest
from openai import OpenAI

from common.errors import StartError
from common.serving.engines import Choice, EngineRegistry, Reason
from services.generation.engines import models
from services.generation.engines.bedrock.bedrock import Bedrock
from services.generation.engines.lifecycle import ENDS, note_end, watch_ends
from services.generation.engines.models import EndedModelError, check_alive, known_model, living, read_on
from services.generation.engines.openai import access
from services.generation.engines.openai.access import directly
from services.generation.engines.openai.language_model import LanguageModel
from services.generation.engines.registry import load_engines
from services.generation.settings import GenerationSettings
from testing.scripted_http import Reply, scripted


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("IMAGES_BASE_URL", "OPENAI_KEY", "AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN", "AWS_BEARER_TOKEN_BEDROCK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ExitStack() as stack:
        monkeypatch.setattr(access, "OpenAI", lambda **options: stack.enter_context(OpenAI(**options)))
        yield


def test_the_defaults_are_known_alive_and_priced() -> None:
    settings = GenerationSettings()
    for engine in (
        f"openai/{settings.openai_model}",
        f"bedrock/{settings.bedrock_copy_model}",
        f"bedrock/{settings.bedrock_model}",
        f"images/{settings.images_model}",
    ):
        model = known_model(engine)
        check_alive(engine)
        assert model.ends is None
        assert model.dollars_per_picture + model.dollars_per_million_out > 0
    assert read_on() >= date(2026, 11, 1)


def test_a_model_lives_on_its_last_day_and_not_on_the_next() -> None:
    check_alive("openai/gpt-5-mini", date(2026, 12, 10))
    with pytest.raises(EndedModelError, match=r"2026-12-10.*gpt-6-luna"):
        check_alive("openai/gpt-5-mini", date(2026, 12, 11))
    check_alive("openai/a-model-of-next-year", date(2030, 1, 1))


def test_models_to_choose_from_are_of_the_same_kind() -> None:
    assert "stability" in living("bedrock/stability.x")
    assert "openai" not in living("bedrock/stability.x")
    assert "stability" not in living("bedrock/openai.x")
    assert "openai" not in living("bedrock/amazon.nova-canvas-v1:0")
    assert "gpt-6-luna" in living("openai/gpt-5")
    assert "gpt-5 " not in living("openai/gpt-6-luna")


@pytest.mark.parametrize(
    ("chosen", "setting"),
    [
        ({"background_engine": "images", "images_model": "dall-e-3"}, "GENERATION_IMAGES_MODEL"),
        ({"background_engine": "bedrock", "bedrock_model": "amazon.nova-canvas-v1:0"}, "GENERATION_BEDROCK_MODEL"),
        ({"copy_engine": "openai", "openai_key": "k", "openai_model": "gpt-5-mini"}, "GENERATION_OPENAI_MODEL"),
    ],
)
def test_a_named_model_that_has_ended_is_refused_at_start(
    chosen: dict[str, Any], setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "_today", lambda: date(2027, 6, 1))
    settings = GenerationSettings(**{"background_engine": "set", "copy_engine": "templates", **chosen})
    with pytest.raises(StartError, match=f"{setting}: .* these are active"):
        load_engines(settings, EngineRegistry())


def test_under_auto_a_model_that_has_ended_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "_today", lambda: date(2027, 6, 1))
    chosen: dict[str, Any] = {
        "images_base_url": "http://localhost:1/v1",
        "images_model": "gpt-image-1.5",
        "openai_key": "k",
        "openai_model": "gpt-5-mini",
    }
    engines = load_engines(GenerationSettings(**chosen), EngineRegistry())
    assert (engines.background.name, engines.copy.name) == ("set", "templates")


def registry_with(engine: str) -> EngineRegistry:
    registry = EngineRegistry()
    registry.report_choice(Choice("copy", engine, Reason.AVAILABLE, "x"))
    return registry


def test_openai_says_when_a_model_ends() -> None:
    body = {"id": "m", "object": "model", "created": 1, "owned_by": "openai", "shutdown_date": "2027-03-01"}
    with scripted([Reply(body=json.dumps(body).encode())]) as server:
        settings = GenerationSettings(openai_base_url=f"{server.url}/v1", openai_model="m")
        engine = LanguageModel(directly("k", settings), settings)
        registry = registry_with(engine.name)
        note_end("copy", engine.ask_end, registry)
    assert server.asked[0].path == "/v1/models/m"
    assert registry.choices[0].ends == "2027-03-01"
    assert ENDS.labels("openai/m")._value.get() == 1_803_859_200


@pytest.mark.parametrize("body", [b'{"id": "m", "shutdown_date": null}', b'{"id": "m"}', b"no JSON"])
def test_where_nothing_is_announced_nothing_is_noted(body: bytes) -> None:
    with scripted([Reply(body=body)]) as server:
        settings = GenerationSettings(openai_base_url=f"{server.url}/v1", openai_model="m")
        registry = registry_with("openai/m")
        note_end("copy", LanguageModel(directly("k", settings), settings).ask_end, registry)
    assert registry.choices[0].ends == ""


def test_bedrock_says_when_a_model_ends() -> None:
    life = {"status": "LEGACY", "endOfLifeTime": "2027-02-03T00:00:00Z"}
    details = {"modelArn": "arn:aws:bedrock:us-west-2::foundation-model/x", "modelId": "x", "modelLifecycle": life}
    with scripted([Reply(body=json.dumps({"modelDetails": details}).encode())]) as server:
        settings = GenerationSettings(
            bedrock_endpoint_url=server.url,
            aws_access_key_id="a",
            aws_secret_access_key="b",
        )
        assert Bedrock(settings).ask_end() == date(2027, 2, 3)
    assert server.asked[0].path == "/foundation-models/stability.stable-image-core-v1%3A1"


def test_a_vendor_that_does_not_answer_changes_nothing() -> None:
    registry = registry_with("openai/m")
    asked = threading.Event()

    def failing() -> date:
        asked.set()
        raise OSError("no route")

    watch_ends({"copy": failing}, registry)
    assert asked.wait(10)
    assert registry.choices[0].ends == ""
