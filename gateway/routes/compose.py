"""Changing ads: the product moved or scaled, other words, without a new background."""

from functools import partial

from fastapi import Request, Response

from gateway.layouts import LAYOUTS
from gateway.models import ErrorBody, RecomposeBody, RecordBody
from gateway.pipelines.recompose import Change, recompose
from gateway.routes.choices import choice
from gateway.routes.jobs import EVENTS, Job, respond
from gateway.routes.router import Router
from gateway.state import GatewayDependency, IdempotencyKey
from productimage.generation.v1 import generation_pb2

router = Router(prefix="/api", tags=["product"])

WORDS = ("headline", "call_to_action", "price", "legal")


@router.post(
    "/compose",
    response_model=RecordBody,
    responses=EVENTS | {status: {"model": ErrorBody} for status in (400, 404, 408, 409, 413, 422, 429, 503, 504)},
)
async def compose_again(
    request: Request, gateway: GatewayDependency, change: RecomposeBody, idempotency_key: IdempotencyKey = ""
) -> Response:
    """Make a variant of a record: the product moved or scaled, or other words. No new background is made or paid for.

    Ads that do not change are copied. The variant is a record of its own, which names its `parent`.

    With `Accept: text/event-stream`, `progress` events report the stages, followed by a `result` or an `error`.
    """
    wanted = Change(
        sequence=change.sequence,
        arrangements={
            one.size: generation_pb2.Arrangement(right=one.right, down=one.down, scale=one.scale)
            for one in change.moves
        },
        words={name: text.strip() for name in WORDS if (text := getattr(change, name)) is not None},
        layout=None if change.layout is None else choice("layout", change.layout, LAYOUTS),
        with_logo=change.logo,
        shadow=change.shadow,
    )
    pipeline = partial(recompose, change=wanted, audiences=gateway.audiences)
    return await respond(request, gateway, Job(pipeline, idempotency_key, ("compose", change.model_dump_json())))
