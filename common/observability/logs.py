"""Logs: one line per event with its request id, as JSON unless the output is a terminal."""

import io
import logging
import re
import secrets
import sys
from typing import TYPE_CHECKING, Any, TextIO

import structlog

from common.masking import masked
from common.observability.tracing import add_trace_id
from common.settings import LogSettings
from productimage.context import set_request_id

if TYPE_CHECKING:
    from structlog.typing import ExcInfo

_SAFE_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,200}")


def configure_logging(settings: LogSettings, process: str) -> None:
    """Send every log line, ours and those of libraries, to standard output in one format.

    Args:
        settings: Level and format.
        process: Name of this process, added to every line.
    """
    console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stdout.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        add_trace_id,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        _mask_passwords,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if console else "iso", utc=not console),
        lambda _logger, _method, event: {"process": process, **event},
    ]
    final: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if console:
        shared.append(_drop_process)
        # The other formatters show local variables, which may hold secrets.
        final.append(structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=_traceback))
    else:
        final += [
            structlog.processors.format_exc_info,
            _mask_passwords,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
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


def _traceback(output: TextIO, error: "ExcInfo") -> None:
    text = io.StringIO()
    structlog.dev.plain_traceback(text, error)
    output.write(masked(text.getvalue()))


def _mask_passwords(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    return {name: masked(value) if isinstance(value, str) else value for name, value in event.items()}


def _drop_process(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    event.pop("process")
    return event


def bind_request(request_id: str | None) -> str:
    """Add a request id to every log line and every call of the current context.

    Args:
        request_id: Id sent by the caller. A missing or malformed one is replaced by a new one.

    Returns:
        The id in use.
    """
    if request_id is None or not _SAFE_REQUEST_ID.fullmatch(request_id):
        request_id = secrets.token_hex(16)
    structlog.contextvars.bind_contextvars(request_id=request_id)
    set_request_id(request_id)
    return request_id
