"""`python -m services.segmentation`: the segmentation process."""

from common.serving.engines import EngineRegistry
from common.serving.server import Register, serve
from productimage.segmentation.v1.segmentation_pb2 import DESCRIPTOR
from productimage.segmentation.v1.segmentation_pb2_grpc import add_SegmentationServiceServicer_to_server
from services.segmentation.engines.registry import load_engines
from services.segmentation.servicer import SegmentationServicer
from services.segmentation.settings import SegmentationSettings

SERVICES = tuple(service.full_name for service in DESCRIPTOR.services_by_name.values())


def build(settings: SegmentationSettings, registry: EngineRegistry) -> Register:
    """Load the engines; return the function that adds the servicer to a server."""
    engines = load_engines(settings, registry)
    return lambda server, executor: add_SegmentationServiceServicer_to_server(
        SegmentationServicer(engines, settings, executor), server
    )


def main() -> None:
    """Run the process."""
    serve(SegmentationSettings, SERVICES, build)


if __name__ == "__main__":
    main()
