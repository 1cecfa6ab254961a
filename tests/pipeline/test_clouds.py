"""The five processes with scripted servers in place of Bedrock and OpenAI."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from cli.demo import SAMPLE
from testing.pictures import decoded, encoded
from testing.scripted_http import Asked, Reply, ScriptedServer, scripted
from testing.system import INSTANT, System, started
from tests.unit.generation.test_openai import answered, failed

SIDES = {"5:4": (640, 512), "2:3": (416, 624), "1:1": (560, 560)}
MODEL = "stability.stable-image-core-v1:1"
ALONE = {"GENERATION_BACKGROUND_FALLBACK": "false"}
"""Starts sooner: no renderer is loaded."""
DENIED = {"x-amzn-ErrorType": "AccessDeniedException"}


def paint(asked: Asked) -> Reply:
    """Reply with a plain room of the requested aspect ratio."""
    width, height = SIDES[asked.json["aspect_ratio"]]
    picture = np.full((height, width, 3), (200, 190, 175), np.uint8)
    picture[height * 3 // 5 :] = (150, 130, 110)
    images = [base64.b64encode(encoded(picture)).decode()]
    return Reply(body=json.dumps({"seeds": [1], "finish_reasons": [None], "images": images}).encode())


class Clouds:
    """The scripted clouds and their current replies."""

    def __init__(self) -> None:
        self.bedrock_says: Callable[[Asked], Reply] = paint
        self.openai_says = answered()
        self.bedrock: ScriptedServer
        self.openai: ScriptedServer

    @property
    def pictures(self) -> list[Asked]:
        """Pictures that were asked for."""
        return [asked for asked in self.bedrock.asked if asked.path.endswith("/invoke")]


@pytest.fixture(scope="module")
def clouds() -> Iterator[Clouds]:
    clouds = Clouds()
    with (
        scripted(lambda asked: clouds.bedrock_says(asked)) as clouds.bedrock,
        scripted(lambda _: clouds.openai_says) as clouds.openai,
    ):
        yield clouds


def environment(clouds: Clouds) -> dict[str, str]:
    return {
        **INSTANT,
        "GENERATION_BACKGROUND_ENGINE": "auto",
        "GENERATION_COPY_ENGINE": "auto",
        "GENERATION_BEDROCK_ENDPOINT_URL": clouds.bedrock.url,
        "GENERATION_OPENAI_BASE_URL": f"{clouds.openai.url}/v1",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "hush-hush-aws",
        "AWS_ROLE_ARN": "",
        "OPENAI_KEY": "sk-hush-hush-openai",
        "NO_PROXY": "127.0.0.1",
    }


@pytest.fixture(scope="module")
def system(clouds: Clouds, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with started(tmp_path_factory.mktemp("store"), environment(clouds)) as running:
        yield running


def test_words_come_first_and_backgrounds_are_asked_for_in_their_terms(system: System, clouds: Clouds) -> None:
    clouds.bedrock.asked.clear()
    record = system.generate(system.upload().json(), sizes="").json()
    assert record["engines"]["background"] == f"bedrock/{MODEL}"
    assert record["engines"]["copy"] == "openai/gpt-6-luna"
    assert (record["short_ad"], record["long_ad"], record["notes"]) == ("山" * 60, "海" * 240, [])
    assert sorted(asked.json["aspect_ratio"] for asked in clouds.pictures) == ["2:3", "5:4"]
    assert {asked.json["seed"] for asked in clouds.pictures} == {record["seed"] % 4294967295}
    for asked in clouds.pictures:
        assert '"insulated steel bottle"' in asked.json["prompt"]
        assert any(prompt.startswith(asked.json["prompt"]) for prompt in record["prompts"])


def test_a_filter_is_told_to_the_user_and_the_upload_is_kept(system: System, clouds: Clouds) -> None:
    upload = system.upload().json()
    filtered = Reply(body=b'{"seeds": [1], "finish_reasons": ["Filter reason: prompt"], "images": []}')
    clouds.bedrock_says = lambda _: filtered
    answer = system.generate(upload)
    assert answer.status_code == 400
    assert answer.json()["detail"] == (
        "The image model's filter refused the words: describe the product in other words."
    )
    clouds.bedrock_says = paint
    assert system.generate(upload).status_code == 200


def test_without_openai_templates_write_and_the_record_says_so(system: System, clouds: Clouds) -> None:
    clouds.openai_says = failed(401)
    record = system.generate(system.upload().json(), sizes="").json()
    clouds.openai_says = answered()
    assert record["engines"]["copy"] == "templates"
    assert record["notes"] == ["Written from templates. OpenAI does not accept the key: check OPENAI_KEY."]
    assert system.client.get("/api/history").json()[-1]["notes"] == record["notes"]


def test_if_the_image_model_fails_ads_are_made_in_a_set_and_the_record_says_so(system: System, clouds: Clouds) -> None:
    clouds.bedrock_says = lambda asked: (
        paint(asked) if asked.json["aspect_ratio"] == "5:4" else Reply(403, b"{}", DENIED)
    )
    record = system.generate(system.upload().json(), sizes="300x250,320x480").json()
    clouds.bedrock_says = paint
    assert record["engines"]["composition"].startswith("set/")
    [note] = record["notes"]
    assert note.startswith("Rendered as a set. AWS does not let these credentials use")
    engines = {stage["engine"] for stage in record["manifest"]["stages"] if stage["name"] == "background"}
    assert engines == {"bedrock", "set"}, "what was paid for is told, too"
    assert record["dollars"] >= 0.04


def test_no_secret_is_logged_or_kept(system: System) -> None:
    logged = "\n".join(system.lines)
    assert MODEL in logged
    kept = [Path(system.store, name).read_bytes() for name in system.stored()]
    for secret in ("hush-hush-aws", "sk-hush-hush-openai"):
        assert secret not in logged
        assert not any(secret.encode() in data for data in kept)


@pytest.mark.slow
def test_one_square_background_can_serve_all_sizes(clouds: Clouds, tmp_path: Path) -> None:
    clouds.bedrock.asked.clear()
    with started(tmp_path, {**environment(clouds), **ALONE, "GATEWAY_BACKGROUNDS": "square"}) as system:
        record = system.generate(system.upload().json(), sizes="").json()
        pictures = [decoded(system.client.get(f"/static/{path}").content) for path in record["generated_images"]]
    assert [asked.json["aspect_ratio"] for asked in clouds.pictures] == ["1:1"]
    assert [picture.shape[:2] for picture in pictures] == [(250, 300), (480, 320), (280, 336)]


def paint_stand_in(asked: Asked) -> Reply:
    """Reply with the same room and a yellow ball on its floor, left of the middle."""
    width, height = SIDES[asked.json["aspect_ratio"]]
    picture = np.full((height, width, 3), (200, 190, 175), np.uint8)
    picture[height * 3 // 5 :] = (150, 130, 110)
    y, x = np.mgrid[:height, :width]
    picture[np.hypot(x - 0.42 * width, y - 0.62 * height) < 0.14 * height] = (240, 220, 20)
    images = [base64.b64encode(encoded(picture)).decode()]
    return Reply(body=json.dumps({"seeds": [1], "finish_reasons": [None], "images": images}).encode())


@pytest.mark.slow
def test_the_product_takes_the_place_of_the_stand_in_that_was_asked_for(clouds: Clouds, tmp_path: Path) -> None:
    clouds.bedrock.asked.clear()
    clouds.bedrock_says = paint_stand_in
    environ = {**environment(clouds), **ALONE, "GENERATION_PROMPT_STAND_IN": "true", "SEGMENTATION_ENGINE": "auto"}
    with started(tmp_path, environ) as system:
        upload = system.upload(SAMPLE.read_bytes(), "flask.jpg").json()
        record = system.generate(upload, sizes="300x250,320x480").json()
        pictures = [decoded(picture) for picture in system.pictures(record)]
    clouds.bedrock_says = paint
    assert all("stands one plain unbranded object" in asked.json["prompt"] for asked in clouds.pictures)
    assert record["engines"]["inpainting"] == "opencv"
    for picture in pictures:
        assert (np.abs(picture.astype(int) - (240, 220, 20)).max(axis=2) < 50).mean() < 0.002
        teal = (picture[..., 2].astype(int) > picture[..., 0].astype(int) + 40).nonzero()
        foot, middle = teal[0].max() / picture.shape[0], teal[1].mean() / picture.shape[1]
        assert foot > 0.7
        assert 0.3 < middle < 0.62
