"""When models end: asked of their vendors at start and once a day, for status, metric and log."""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

import structlog
from prometheus_client import Gauge

from common.serving.engines import EngineRegistry
from services.generation.engines.models import WARNING_DAYS, days_left

log = structlog.get_logger()

ENDS = Gauge(
    "productimage_model_ends_timestamp_seconds",
    "Time at which a model in a cloud ends, by its vendor; absent if none is announced.",
    ["engine"],
)
INTERVAL_SECONDS = 86_400
AskEnd = Callable[[], date | None]
"""Asks a vendor on which day a model ends; None if none is announced. May raise anything: then nothing is known."""


def watch_ends(ask: Mapping[str, AskEnd], registry: EngineRegistry) -> None:
    """Ask for the end of each model now and once a day, in a thread that ends with the process.

    Args:
        ask: How to ask, by the capability that the model has.
        registry: Where the answer is listed.
    """
    if ask:
        threading.Thread(target=_watch, args=(ask, registry), name="model-ends", daemon=True).start()


def _watch(ask: Mapping[str, AskEnd], registry: EngineRegistry) -> None:
    waiting = threading.Event()
    while True:
        for capability, function in ask.items():
            note_end(capability, function, registry)
        waiting.wait(INTERVAL_SECONDS)


def note_end(capability: str, ask: AskEnd, registry: EngineRegistry) -> None:
    """Ask for the end of a model; list it, and warn if it is near."""
    engine = next(choice.engine for choice in registry.choices if choice.capability == capability)
    try:
        ends = ask()
    except Exception as error:  # noqa: BLE001  # clients of clouds raise almost anything, and nothing depends on it
        log.info("end of model unknown", engine=engine, error=type(error).__name__)
        return
    if ends is None:
        return
    registry.note_end(capability, ends.isoformat())
    ENDS.labels(engine).set(datetime(ends.year, ends.month, ends.day, tzinfo=UTC).timestamp())
    if days_left(ends) <= WARNING_DAYS:
        log.warning("model ends", engine=engine, ends=ends.isoformat(), days=days_left(ends))
