"""Stability's text-to-image models on Amazon Bedrock, their requests and their responses.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-stability-diffusion.html
"""

import base64
import binascii
import json
import math
from typing import Any

from common.errors import InvalidInputError, UnavailableError
from services.generation.background.prompt import Prompt
from services.generation.engines.models import EndedModelError, living

FAMILY = "stability."
ASPECT_RATIOS = ((16, 9), (1, 1), (21, 9), (2, 3), (3, 2), (4, 5), (5, 4), (9, 16), (9, 21))
MAX_PROMPT = 10_000
SEEDS = 4294967295
"""Exclusive upper bound of seeds."""
FILTERED_PROMPT = "Filter reason: prompt"
FILTERED_PICTURE = "Filter reason: output image"


def check_model(model: str) -> None:
    """Refuse a model that speaks otherwise; one newer than what is known here is accepted.

    Raises:
        EndedModelError: It is not one of Stability's.
    """
    if not model.startswith(FAMILY):
        raise EndedModelError(f"{model} is none of Stability's text-to-image models; {living(f'bedrock/{FAMILY}')}")


def nearest_ratio(aspect_ratio: float) -> tuple[int, int]:
    """Return the offered aspect ratio nearest to width / height."""
    return min(ASPECT_RATIOS, key=lambda ratio: abs(math.log(ratio[0] / ratio[1] / aspect_ratio)))


def request_body(prompt: Prompt, aspect_ratio: float, seed: int) -> bytes:
    """Build the request body; the same prompt, aspect ratio and seed give the same bytes."""
    width, height = nearest_ratio(aspect_ratio)
    body = {
        "prompt": prompt.text[:MAX_PROMPT],
        "negative_prompt": prompt.negative[:MAX_PROMPT],
        "seed": seed % SEEDS,
        "aspect_ratio": f"{width}:{height}",
        "output_format": "png",
    }
    return json.dumps(body, sort_keys=True).encode()


def picture_in(answer: bytes) -> bytes:
    """Extract the picture file from a response.

    Raises:
        InvalidInputError: A filter rejected the prompt or the picture; Bedrock reports that with HTTP 200.
        UnavailableError: The response is unreadable or has no picture for another reason.
    """
    try:
        body: Any = json.loads(answer)
        reason = (body.get("finish_reasons") or [None])[0]
        images = body.get("images") or [None]
        picture = base64.b64decode(images[0], validate=True) if images[0] else b""
    except (ValueError, TypeError, AttributeError, binascii.Error) as error:
        raise UnavailableError("The image model's answer could not be read.") from error
    if reason == FILTERED_PROMPT:
        raise InvalidInputError(
            "The image model's filter refused the words: describe the product in other words.", "PROMPT_FILTERED"
        )
    if reason == FILTERED_PICTURE:
        raise InvalidInputError(
            "The image model's filter refused the picture it had made: try again, or describe the product in other"
            " words.",
            "PICTURE_FILTERED",
        )
    if reason or not picture:
        raise UnavailableError("The image model made no picture.")
    return picture
