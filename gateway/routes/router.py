"""The kind of router that every module of routes has."""

from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute


class Router(APIRouter):
    """Routes whose operation ids are the names of their functions: short, unique, and method names in clients."""

    def __init__(self, **options: Any) -> None:
        super().__init__(generate_unique_id_function=_operation_id, **options)

    def heads(self) -> "Router":
        """Return routes that answer HEAD wherever GET is answered (RFC 9110, 9.1), by the server without content."""
        heads = Router(include_in_schema=False)
        for route in self.routes:
            if isinstance(route, APIRoute) and "GET" in (route.methods or ()):
                heads.add_api_route(
                    route.path,
                    route.endpoint,
                    methods=["HEAD"],
                    response_model=route.response_model,
                    response_model_exclude_none=route.response_model_exclude_none,
                )
        return heads


def _operation_id(route: APIRoute) -> str:
    return route.name
