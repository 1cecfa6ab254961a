"""Client of the generation service."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from productimage.connection import Connection
from productimage.generation.v1 import generation_pb2
from productimage.generation.v1.generation_pb2_grpc import GenerationServiceStub
from productimage.image.v1 import image_pb2

if TYPE_CHECKING:  # exists for type checkers only
    from productimage.generation.v1.generation_pb2_grpc import GenerationServiceAsyncStub


@dataclass(frozen=True)
class GenerationDeadlines:
    """Deadline of each method, in seconds."""

    generate_background: float = 150
    place_product: float = 60
    write_copy: float = 60
    compose_creatives: float = 60
    estimate_costs: float = 10


class GenerationClient:
    """Makes backgrounds, copy and creatives.

    Args:
        connection: Connection to the service.
        deadlines: Deadline of each method.
    """

    def __init__(self, connection: Connection, deadlines: GenerationDeadlines | None = None) -> None:
        self._connection = connection
        self._stub: GenerationServiceAsyncStub = GenerationServiceStub(connection.channel)
        self._deadlines = deadlines or GenerationDeadlines()

    async def generate_background(
        self, request: generation_pb2.GenerateBackgroundRequest
    ) -> generation_pb2.GenerateBackgroundResponse:
        """Make a background and place the product in it.

        Raises:
            PromptFilteredError: The content filter of the image model rejected the prompt.
            FailedPreconditionError: The image model cannot be used.
            ProductImageError: The call failed otherwise.
        """
        return await self._connection.unary(self._stub.GenerateBackground, request, self._deadlines.generate_background)

    async def place_product(self, request: generation_pb2.PlaceProductRequest) -> generation_pb2.PlaceProductResponse:
        """Place the product in a picture in which things and surfaces were found.

        Raises:
            InvalidArgumentError: A picture cannot be read, or a region or the placement lies outside the picture.
            ProductImageError: The call failed otherwise.
        """
        return await self._connection.unary(self._stub.PlaceProduct, request, self._deadlines.place_product)

    async def write_copy(
        self,
        product: generation_pb2.Product,
        audience: generation_pb2.Audience,
        locale: str = "",
        *,
        platforms: Iterable[str] = (),
        brand: str = "",
        tone: str = "",
        seed: int = 0,
    ) -> generation_pb2.WriteCopyResponse:
        """Write the short and the long copy, the words for pictures, and the text fields of platforms.

        Args:
            product: Product to write about.
            audience: Audience to address.
            locale: "zh-TW" or "en"; empty means "zh-TW".
            platforms: Platforms whose text fields are wanted, such as "google".
            brand: Name of the advertiser.
            tone: "lively" or "calm"; empty means that of the audience.
            seed: Another seed gives other words.

        Raises:
            InvalidArgumentError: The product has no name, a text is too long, or a locale, platform or tone is not
                offered.
            FailedPreconditionError: The language model cannot be used.
            ProductImageError: The call failed otherwise.
        """
        request = generation_pb2.WriteCopyRequest(
            product=product, audience=audience, locale=locale, platforms=platforms, brand=brand, tone=tone, seed=seed
        )
        return await self._connection.unary(self._stub.WriteCopy, request, self._deadlines.write_copy)

    async def estimate_costs(
        self,
        product: generation_pb2.Product,
        audience: generation_pb2.Audience,
        locale: str = "",
        *,
        platforms: Iterable[str] = (),
    ) -> generation_pb2.EstimateCostsResponse:
        """Return what models in clouds cost, as far as prices are known; no model is asked.

        Args:
            product: Product to write about.
            audience: Audience to address.
            locale: "zh-TW" or "en"; empty means "zh-TW".
            platforms: Platforms whose text fields are wanted, such as "google".

        Raises:
            InvalidArgumentError: As for `write_copy`.
            ProductImageError: The call failed otherwise.
        """
        copy = generation_pb2.WriteCopyRequest(product=product, audience=audience, locale=locale, platforms=platforms)
        request = generation_pb2.EstimateCostsRequest(copy=copy)
        return await self._connection.unary(self._stub.EstimateCosts, request, self._deadlines.estimate_costs)

    async def compose_creatives(
        self,
        scenes: Sequence[generation_pb2.Scene],
        cutout: bytes,
        sizes: Sequence[generation_pb2.CreativeSize],
        *,
        message: generation_pb2.Message | None = None,
        file_format: generation_pb2.FileFormat.ValueType = generation_pb2.FILE_FORMAT_UNSPECIFIED,
        label: generation_pb2.Label | None = None,
        keep_backgrounds: bool = False,
    ) -> generation_pb2.ComposeCreativesResponse:
        """Place the product on a background in every size, and set the message beside it.

        Args:
            scenes: At least one; each size uses the one with the nearest proportions.
            cutout: A PNG file with alpha.
            sizes: Sizes to make, 1 to 40.
            message: Words and logo; none if left out.
            file_format: File format; unspecified: as the service is configured.
            label: What the files are labelled with, besides how they were made.
            keep_backgrounds: Whether the pictures of the scenes are returned as files, to be kept.

        Raises:
            EmptyCutoutError: The cutout has no visible pixel.
            NoFontsError: There are words to set, and no fonts.
            InvalidArgumentError: A picture cannot be read, a size or placement is out of range, or a text is too long.
            ProductImageError: The call failed otherwise.
        """
        request = generation_pb2.ComposeCreativesRequest(
            scenes=scenes,
            cutout=image_pb2.Image(encoded=cutout),
            sizes=sizes,
            message=message,
            file_format=file_format,
            label=label,
            keep_backgrounds=keep_backgrounds,
        )
        return await self._connection.unary(self._stub.ComposeCreatives, request, self._deadlines.compose_creatives)
