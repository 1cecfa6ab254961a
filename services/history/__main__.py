"""`python -m services.history`: the history process, with uploads, records, objects and brands as gRPC services."""

import grpc

from common.serving.engines import EngineRegistry
from common.serving.executor import BoundedExecutor
from common.serving.readiness import Check
from common.serving.server import Register, serve
from productimage.brand.v1.brand_pb2 import DESCRIPTOR as BRAND
from productimage.brand.v1.brand_pb2_grpc import add_BrandServiceServicer_to_server
from productimage.object.v1.object_pb2 import DESCRIPTOR as OBJECT
from productimage.object.v1.object_pb2_grpc import add_ObjectServiceServicer_to_server
from productimage.record.v1.record_pb2 import DESCRIPTOR as RECORD
from productimage.record.v1.record_pb2_grpc import add_RecordServiceServicer_to_server
from productimage.upload.v1.upload_pb2 import DESCRIPTOR as UPLOAD
from productimage.upload.v1.upload_pb2_grpc import add_UploadServiceServicer_to_server
from services.history.downloads import Downloads
from services.history.history import History
from services.history.servicer import BrandServicer, ObjectServicer, RecordServicer, UploadServicer
from services.history.settings import HistorySettings
from services.history.storage.registry import open_store

SERVICES = tuple(
    service.full_name for file in (UPLOAD, RECORD, OBJECT, BRAND) for service in file.services_by_name.values()
)


def build(settings: HistorySettings, registry: EngineRegistry) -> Register:
    """Open the store; return the function that adds the servicers to a server."""
    history = History(open_store(settings, registry), settings)
    registry.room = history.room

    def register(server: grpc.aio.Server, executor: BoundedExecutor) -> Check:
        downloads = Downloads(settings.download_workers, settings.max_downloads)
        add_UploadServiceServicer_to_server(UploadServicer(history, settings, executor), server)
        add_RecordServiceServicer_to_server(RecordServicer(history, settings, executor, downloads), server)
        add_ObjectServiceServicer_to_server(ObjectServicer(history, settings, executor, downloads), server)
        add_BrandServiceServicer_to_server(BrandServicer(history, executor), server)
        history.sweeper.start()
        return history.problems

    return register


def main() -> None:
    """Run the process."""
    serve(HistorySettings, SERVICES, build)


if __name__ == "__main__":
    main()
