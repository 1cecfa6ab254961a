"""The brief: what a user asks for."""

from dataclasses import dataclass, field

from gateway.ad_sizes import AdSize, parse_sizes
from gateway.audiences import Audiences
from gateway.layouts import NO_WORDS
from productimage.generation.v1 import generation_pb2
from productimage.record.v1 import record_pb2
from productimage.text.v1 import text_pb2

FORMATS = {
    "": generation_pb2.FILE_FORMAT_UNSPECIFIED,
    "jpeg": generation_pb2.FILE_FORMAT_JPEG,
    "webp": generation_pb2.FILE_FORMAT_WEBP,
    "png": generation_pb2.FILE_FORMAT_PNG,
}
"""File formats of ads; empty: as the generation service is configured."""


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
        platforms: Platforms whose text fields are wanted.
        words: Words on the ads, as far as the user wrote them.
        layout: One of LAYOUTS, or empty: auto if there are words of the user, else none.
        brand: Name of the brand; empty: none.
        file_format: One of FORMATS.
        preferences: What the user asks of the picture around the product.
    """

    timestamp: str
    product_image_filename: str
    product: generation_pb2.Product
    audience: generation_pb2.Audience
    target_audience: str
    locale: str
    sizes: list[AdSize]
    user_background: bytes
    platforms: tuple[str, ...] = ()
    words: text_pb2.Words = field(default_factory=text_pb2.Words)
    layout: str = ""
    brand: str = ""
    file_format: str = ""
    preferences: text_pb2.Preferences = field(default_factory=text_pb2.Preferences)

    @property
    def has_words(self) -> bool:
        """Whether words are set on the ads."""
        return self.layout != NO_WORDS and bool(self.layout or self.words.ListFields())


def brief_of(record: record_pb2.Record, audiences: Audiences) -> Brief:
    """Return the brief that a record was made from; a picture of the user's own is not part of it."""
    names = [path.rpartition("_")[2].partition(".")[0] for path in record.generated_images]
    return Brief(
        timestamp=record.product_image_filename.partition("/")[0],
        product_image_filename=record.product_image_filename,
        product=generation_pb2.Product(name=record.product_name, description=record.product_describe),
        audience=audiences.parse(record.target_audience),
        target_audience=record.target_audience,
        locale=record.locale,
        sizes=parse_sizes(",".join(names)),
        user_background=b"",
        platforms=tuple(record.platforms),
        words=record.words,
        layout=record.layout,
        brand=record.brand,
        file_format=record.file_format,
        preferences=record.preferences,
    )
