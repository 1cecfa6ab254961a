"""`python -m services.generation`: the generation process."""

from common.serving.engines import EngineRegistry
from common.serving.server import Register, serve
from productimage.generation.v1.generation_pb2 import DESCRIPTOR
from productimage.generation.v1.generation_pb2_grpc import add_GenerationServiceServicer_to_server
from services.generation.engines.lifecycle import watch_ends
from services.generation.engines.registry import load_engines
from services.generation.servicer import GenerationServicer
from services.generation.settings import GenerationSettings

SERVICES = tuple(service.full_name for service in DESCRIPTOR.services_by_name.values())


def build(settings: GenerationSettings, registry: EngineRegistry) -> Register:
    """Load the engines; return the function that adds the servicer to a server."""
    engines = load_engines(settings, registry)
    watch_ends({"background": engines.background.ask_end, "copy": engines.copy.ask_end}, registry)
    return lambda server, executor: add_GenerationServiceServicer_to_server(
        GenerationServicer(engines, settings, executor), server
    )


def main() -> None:
    """Run the process."""
    serve(GenerationSettings, SERVICES, build)


if __name__ == "__main__":
    main()
