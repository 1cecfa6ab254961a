"""The segmentation service's process: `python -m services.segmentation`."""

import grpc

from productimage.segmentation.v1.segmentation_pb2_grpc import add_SegmentationServiceServicer_to_server
from services.runtime.executor import BoundedExecutor
from services.runtime.server import Register, run
from services.runtime.settings import read_settings
from services.segmentation.engine import choose_engines
from services.segmentation.servicer import SegmentationServicer
from services.segmentation.settings import SegmentationSettings

SERVICE = "productimage.segmentation.v1.SegmentationService"


def load(settings: SegmentationSettings) -> Register:
    """Load the engines and give the function that adds the servicer to a server."""
    engines = choose_engines(settings)

    def register(server: grpc.aio.Server, executor: BoundedExecutor) -> None:
        add_SegmentationServiceServicer_to_server(SegmentationServicer(engines, settings, executor), server)

    return register


if __name__ == "__main__":
    _settings = read_settings(SegmentationSettings)
    run(_settings, SERVICE, lambda: load(_settings))
