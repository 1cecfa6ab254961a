"""Logs: one line per event, the request's id on each, JSON unless a person is reading."""

import logging
import re
import secrets
import sys
from typing import Any

import structlog

from services.runtime.settings import LogSettings
from services.runtime.tracing import add_trace_id

REQUEST_ID = "x-request-id"
_SAFE_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,200}")


def configure_logging(settings: LogSettings, process: str) -> None:
    """Send our own and every library's log lines to standard output in one form.

    Args:
        settings: The level and the form.
        process: The name of this process, put on every line.
    """
    console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stdout.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        add_trace_id,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if console else "iso", utc=not console),
        lambda _logger, _method, event: {"process": process, **event},
    ]
    final: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if console:
        shared.append(_drop_process)
        # The other formatters show local variables, which may be anybody's secrets.
        plain = structlog.dev.plain_traceback
        final.append(structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=plain))
    else:
        final += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=final, foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level)
    logging.captureWarnings(capture=True)
    for chatty in ("botocore", "boto3", "urllib3", "s3transfer", "PIL"):
        logging.getLogger(chatty).setLevel(max(logging.INFO, root.level))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(root.level),
        cache_logger_on_first_use=True,
    )


def _drop_process(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    event.pop("process")
    return event


def bind_request(request_id: str | None) -> str:
    """Put the request's id on every log line from here on in this task.

    Args:
        request_id: The caller's id; None, or one with odd characters in it, is replaced by a new one.

    Returns:
        The id in use.
    """
    if request_id is None or not _SAFE_REQUEST_ID.fullmatch(request_id):
        request_id = secrets.token_hex(16)
    structlog.contextvars.bind_contextvars(request_id=request_id)
    return request_id


def current_request_id() -> str | None:
    """Give the id bound in this task, None outside any request."""
    bound = structlog.contextvars.get_contextvars().get("request_id")
    return bound if isinstance(bound, str) else None
