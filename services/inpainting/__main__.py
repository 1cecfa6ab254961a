"""The inpainting service's process: `python -m services.inpainting`."""

import grpc

from productimage.inpainting.v1.inpainting_pb2_grpc import add_InpaintingServiceServicer_to_server
from services.inpainting.engine import choose_inpainter
from services.inpainting.servicer import InpaintingServicer
from services.inpainting.settings import InpaintingSettings
from services.runtime.executor import BoundedExecutor
from services.runtime.server import Register, run
from services.runtime.settings import read_settings

SERVICE = "productimage.inpainting.v1.InpaintingService"


def load(settings: InpaintingSettings) -> Register:
    """Load the engine and give the function that adds the servicer to a server."""
    engine = choose_inpainter(settings)

    def register(server: grpc.aio.Server, executor: BoundedExecutor) -> None:
        add_InpaintingServiceServicer_to_server(InpaintingServicer(engine, settings, executor), server)

    return register


if __name__ == "__main__":
    _settings = read_settings(InpaintingSettings)
    run(_settings, SERVICE, lambda: load(_settings))
