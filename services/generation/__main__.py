"""The generation service's process: `python -m services.generation`."""

import grpc

from productimage.generation.v1.generation_pb2_grpc import add_GenerationServiceServicer_to_server
from services.generation.engines import choose_engines
from services.generation.servicer import GenerationServicer
from services.generation.settings import GenerationSettings
from services.runtime.executor import BoundedExecutor
from services.runtime.server import Register, run
from services.runtime.settings import read_settings

SERVICE = "productimage.generation.v1.GenerationService"


def load(settings: GenerationSettings) -> Register:
    """Make the engines and give the function that adds the servicer to a server."""
    engines = choose_engines(settings)

    def register(server: grpc.aio.Server, executor: BoundedExecutor) -> None:
        add_GenerationServiceServicer_to_server(GenerationServicer(engines, settings, executor), server)

    return register


if __name__ == "__main__":
    _settings = read_settings(GenerationSettings)
    run(_settings, SERVICE, lambda: load(_settings))
