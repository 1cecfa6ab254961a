"""Client of the brand service, served by the history process."""

from typing import TYPE_CHECKING

from productimage.brand.v1 import brand_pb2
from productimage.brand.v1.brand_pb2_grpc import BrandServiceStub
from productimage.connection import Connection

if TYPE_CHECKING:  # exists for type checkers only
    from productimage.brand.v1.brand_pb2_grpc import BrandServiceAsyncStub

DEADLINE = 30.0
"""Default deadline of every method, in seconds."""


class BrandClient:
    """Stores brand kits.

    Args:
        connection: Connection to the history process.
        deadline: Deadline of every method, in seconds.
    """

    def __init__(self, connection: Connection, deadline: float = DEADLINE) -> None:
        self._connection = connection
        self._stub: BrandServiceAsyncStub = BrandServiceStub(connection.channel)
        self._deadline = deadline

    async def put_brand(self, brand: brand_pb2.Brand) -> brand_pb2.Brand:
        """Store a brand, replacing one of the same name.

        Raises:
            BrandNameError: The name is missing or too long.
            BrandFieldError: A colour, font, tone or text is not allowed.
            BrandLogoError: The logo is no PNG or WebP picture, or too large.
            ProductImageError: The call failed otherwise.
        """
        request = brand_pb2.PutBrandRequest(brand=brand)
        return (await self._connection.unary(self._stub.PutBrand, request, self._deadline)).brand

    async def get_brand(self, name: str) -> brand_pb2.Brand:
        """Return a brand.

        Raises:
            UnknownBrandError: There is none of this name.
            ProductImageError: The call failed otherwise.
        """
        request = brand_pb2.GetBrandRequest(name=name)
        return (await self._connection.unary(self._stub.GetBrand, request, self._deadline)).brand

    async def list_brands(self) -> list[str]:
        """Return the names of all brands, in order."""
        response = await self._connection.unary(self._stub.ListBrands, brand_pb2.ListBrandsRequest(), self._deadline)
        return list(response.names)

    async def delete_brand(self, name: str) -> None:
        """Delete a brand. One deleted before is not an error."""
        request = brand_pb2.DeleteBrandRequest(name=name)
        await self._connection.unary(self._stub.DeleteBrand, request, self._deadline)
