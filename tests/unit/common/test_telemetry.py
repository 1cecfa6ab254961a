import asyncio
import json
import logging
from typing import Literal

import pytest
import structlog

from common.observability.logs import bind_request, configure_logging
from common.settings import LogSettings
from productimage.context import current_request_id


def test_lines_are_json_with_the_request_id(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(LogSettings(log_format="json"), "testing")
    bind_request("request-7")
    structlog.get_logger("ours").info("hello", size=3)
    logging.getLogger("library").warning("careful")
    ours, library = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert ours == ours | {
        "event": "hello",
        "size": 3,
        "request_id": "request-7",
        "process": "testing",
        "level": "info",
    }
    assert library == library | {"event": "careful", "request_id": "request-7", "level": "warning"}


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_passwords_in_urls_are_masked(
    capsys: pytest.CaptureFixture[str], log_format: Literal["json", "console"]
) -> None:
    configure_logging(LogSettings(log_format=log_format), "testing")
    error = ConnectionError("cannot reach https://shop:hush-hush@s3.example:9000/bucket")
    structlog.get_logger().error("cannot start", why=str(error))
    logging.getLogger("library").warning("retrying %s", error)
    try:
        raise error
    except ConnectionError:
        structlog.get_logger().exception("failed")
    logged = capsys.readouterr().out
    assert "hush-hush" not in logged
    assert logged.count("//***@s3.example:9000/bucket") >= 3


@pytest.mark.parametrize("bad", [None, "", "a b", "x" * 201, "line\nbreak", "é"])
def test_an_unusable_request_id_is_replaced(bad: str | None) -> None:
    made = bind_request(bad)
    assert made != bad
    assert current_request_id() == made


async def test_each_task_has_its_own_request_id() -> None:
    async def bound(name: str) -> str | None:
        bind_request(name)
        await asyncio.sleep(0.01)
        return current_request_id()

    assert await asyncio.gather(*(asyncio.create_task(bound(name)) for name in ("a", "b"))) == ["a", "b"]


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_trace_shows_no_values(form: Literal["console", "json"], capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(LogSettings(log_format=form), "testing")
    secret = "-".join(["hush"] * 3)

    def fail(value: str) -> None:
        raise RuntimeError(f"{len(value)} characters")

    try:
        fail(secret)
    except RuntimeError:
        structlog.get_logger("ours").exception("failed")
    shown = capsys.readouterr().out
    assert "RuntimeError: 14 characters" in shown
    assert secret not in shown
