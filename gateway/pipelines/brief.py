"""What a user wants."""

from dataclasses import dataclass

from gateway.sizes import AdSize
from productimage.generation.v1 import generation_pb2


@dataclass(frozen=True)
class Brief:
    """What the user wants.

    Attributes:
        timestamp: The upload to make ads of.
        product_image_filename: Its photo's path, as the upload gave it.
        product: The product.
        audience: Whom the ads are for.
        target_audience: The same as the user chose it.
        locale: Of the words; empty: the default.
        sizes: Of the ads.
        own_background: A picture file to use as the background; empty: one is made.
    """

    timestamp: str
    product_image_filename: str
    product: generation_pb2.Product
    audience: generation_pb2.Audience
    target_audience: str
    locale: str
    sizes: list[AdSize]
    own_background: bytes
