"""The generation service's process: `python -m services.generation`."""

import grpc
import structlog

from productimage.generation.v1.generation_pb2_grpc import add_GenerationServiceServicer_to_server
from services.generation.background.studio import Studio
from services.generation.copy.templates import Templates
from services.generation.servicer import Engines, GenerationServicer
from services.generation.settings import GenerationSettings
from services.runtime.executor import BoundedExecutor
from services.runtime.server import Register, run

SERVICE = "productimage.generation.v1.GenerationService"

log = structlog.get_logger()


def load(settings: GenerationSettings) -> Register:
    """Make the engines and give the function that adds the servicer to a server."""
    engines = Engines(Studio(stand_in=settings.studio_stand_in), Templates())
    log.info("engine", capability="background", engine=engines.background.name, why="needs no key")
    log.info("engine", capability="copy", engine=engines.copy.name, why="needs no key")

    def register(server: grpc.aio.Server, executor: BoundedExecutor) -> None:
        add_GenerationServiceServicer_to_server(GenerationServicer(engines, settings, executor), server)

    return register


if __name__ == "__main__":
    _settings = GenerationSettings()
    run(_settings, SERVICE, lambda: load(_settings))
