"""Typed async clients of the Product Image Generator services.

    async with connect("dns:///localhost:50051") as connection:
        response = await SegmentationClient(connection).cut_out(photo)

`connect` opens a connection, a client per service calls its methods, and `errors` has one class per reason.
"""

from productimage import errors
from productimage.clients.brand import BrandClient
from productimage.clients.engine import EngineClient
from productimage.clients.generation import GenerationClient
from productimage.clients.health import HealthClient
from productimage.clients.inpainting import InpaintingClient
from productimage.clients.object import ObjectClient
from productimage.clients.record import RecordClient
from productimage.clients.segmentation import SegmentationClient
from productimage.clients.upload import UploadClient
from productimage.connection import Connection, Options, connect
from productimage.errors import ProductImageError
from productimage.tls import Tls

__all__ = [
    "BrandClient",
    "Connection",
    "EngineClient",
    "GenerationClient",
    "HealthClient",
    "InpaintingClient",
    "ObjectClient",
    "Options",
    "ProductImageError",
    "RecordClient",
    "SegmentationClient",
    "Tls",
    "UploadClient",
    "connect",
    "errors",
]
