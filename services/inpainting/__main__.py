"""`python -m services.inpainting`: the inpainting process."""

from common.serving.engines import EngineRegistry
from common.serving.server import Register, serve
from productimage.inpainting.v1.inpainting_pb2 import DESCRIPTOR
from productimage.inpainting.v1.inpainting_pb2_grpc import add_InpaintingServiceServicer_to_server
from services.inpainting.engines.registry import load_engine
from services.inpainting.servicer import InpaintingServicer
from services.inpainting.settings import InpaintingSettings

SERVICES = tuple(service.full_name for service in DESCRIPTOR.services_by_name.values())


def build(settings: InpaintingSettings, registry: EngineRegistry) -> Register:
    """Load the engine; return the function that adds the servicer to a server."""
    engine = load_engine(settings, registry)
    return lambda server, executor: add_InpaintingServiceServicer_to_server(
        InpaintingServicer(engine, settings, executor), server
    )


def main() -> None:
    """Run the process."""
    serve(InpaintingSettings, SERVICES, build)


if __name__ == "__main__":
    main()
