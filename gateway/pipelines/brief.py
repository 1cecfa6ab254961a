"""The brief: what a user asks for."""

from dataclasses import dataclass

from gateway.ad_sizes import AdSize
from productimage.generation.v1 import generation_pb2


@dataclass(frozen=True)
class Brief:
    """What a user asks for.

    Attributes:
        timestamp: Timestamp of the upload.
        product_image_filename: Path of its photo, as the upload returned it.
        product: Product to advertise.
        audience: Audience of the ads.
        target_audience: Audience as the user chose it.
        locale: Locale of the copy; empty means the default.
        sizes: Sizes of the ads.
        user_background: Picture file to use as the background; empty: one is made.
    """

    timestamp: str
    product_image_filename: str
    product: generation_pb2.Product
    audience: generation_pb2.Audience
    target_audience: str
    locale: str
    sizes: list[AdSize]
    user_background: bytes
