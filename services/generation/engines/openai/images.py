"""Backgrounds from any server that speaks OpenAI's images API: a cloud's, or one's own.

https://platform.openai.com/docs/api-reference/images
"""

import base64
import binascii
import json
import math
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from urllib.parse import urlsplit

import cv2
import httpx2
import numpy as np
import openai

from common.errors import UnavailableError
from common.imaging.codec import Pixels, decode, encode_png, rgb
from common.labels import carries_credentials
from services.generation.background.background import Background, BackgroundRequest, Origin
from services.generation.background.prompt import Prompt, build_prompt
from services.generation.engines.cloud_metrics import COST, counted
from services.generation.engines.crop import cropped
from services.generation.engines.models import check_alive, price_of_picture
from services.generation.engines.openai.access import Access, end_of
from services.generation.engines.openai.calls import patiently, time_left
from services.generation.engines.openai.dialects import DIALECTS
from services.generation.geometry import Box
from services.generation.label.label import TRAINED
from services.generation.placement.calmest import find_placement
from services.generation.settings import GenerationSettings

MULTIPLE = 16
"""Pixels by which sides of pictures are multiples."""
WIDEST = 3.0
"""Proportions of the widest picture that models make."""
SPARE = 2**20
"""Bytes of an answer beside its picture."""
FREED = Prompt("The same picture; here the surface is empty, with nothing on it.", "objects, products, text")


class Images:
    """A server of pictures. Thread-safe.

    Args:
        access: Where it is, and as whom it is asked.
        settings: Dialect, sizes, price and limits.

    Raises:
        EndedModelError: The model has ended.
    """

    def __init__(self, access: Access, settings: GenerationSettings) -> None:
        check_alive(access.engine)
        self.name = access.engine
        self._access = access
        self._settings = settings
        self._price = price_of_picture(access.engine, settings.images_dollars_per_picture)
        self._edits = settings.images_edit and not settings.prompt_stand_in
        self.dollars_per_picture = 2 * self._price if self._edits else self._price
        self._dialect = DIALECTS[settings.images_dialect]
        self._most_bytes = settings.max_image_bytes * 4 // 3 + SPARE

    def ask_end(self) -> date | None:
        """See BackgroundEngine."""
        return end_of(self._access)

    def generate(self, request: BackgroundRequest) -> Background:
        """See BackgroundEngine.

        Raises:
            ServiceError: The server made no picture; the message says what to do.
            AbandonedError: The caller disconnected, or the deadline is too close.
        """
        settings = self._settings
        stand_in = settings.prompt_stand_in
        prompt = build_prompt(
            request.product, request.audience, request.terms, request.preferences, stand_in=stand_in, zone=request.zone
        )
        file = patiently(self._access, self._made, prompt, request)
        pixels = cropped(rgb(decode(file, settings)), request.aspect_ratio)
        placement = find_placement(pixels, request.product_aspect_ratio)
        if self._edits:
            edited = patiently(self._access, self._freed, pixels, placement.box, request.seed)
            pixels, file = _like(rgb(decode(edited, settings)), pixels), edited
        placement = replace(placement, stand_in=stand_in)
        origin = Origin(TRAINED[0], file if carries_credentials(file) else b"")
        return Background(pixels, placement, prompt.recorded, self.name, self.dollars_per_picture, origin)

    def _made(self, prompt: Prompt, request: BackgroundRequest) -> bytes:
        width, height = size_for(request.aspect_ratio, self._settings)
        extra = self._dialect.fields(prompt, request.seed) | self._settings.images_extra_body
        with (
            counted(self.name),
            self._access.client.images.with_streaming_response.generate(
                prompt=self._dialect.prompt(prompt, request.seed),
                model=self._access.model or openai.omit,
                n=1,
                size=f"{width}x{height}",
                extra_body=extra or None,
                timeout=time_left(self._settings.images_timeout_seconds),
            ) as response,
        ):
            return self._picture_in(response.iter_bytes())

    def _freed(self, picture: Pixels, place: Box, seed: int) -> bytes:
        """Have the product's place redrawn as an empty surface."""
        mask = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
        mask[place.top : place.bottom, place.left : place.right, 3] = 0
        with (
            counted(self.name),
            self._access.client.images.with_streaming_response.edit(
                image=("picture.png", encode_png(picture), "image/png"),
                mask=("mask.png", encode_png(mask), "image/png"),
                prompt=self._dialect.prompt(FREED, seed),
                model=self._access.model or openai.omit,
                n=1,
                extra_body=self._dialect.fields(FREED, seed) or None,
                timeout=time_left(self._settings.images_timeout_seconds),
            ) as response,
        ):
            return self._picture_in(response.iter_bytes())

    def _picture_in(self, chunks: Iterable[bytes]) -> bytes:
        """Return the picture file of an answer, which holds it or names its address."""
        try:
            entry = json.loads(self._bounded(chunks))["data"][0]
            encoded, url = entry.get("b64_json"), entry.get("url")
            picture = base64.b64decode(str(encoded).rpartition(",")[2], validate=True) if encoded else b""
        except (ValueError, TypeError, LookupError, AttributeError, binascii.Error) as error:
            raise UnavailableError("The image model's answer could not be read.", "UNREADABLE") from error
        picture = picture or self._fetched(str(url or ""))
        COST.labels(self.name).inc(self._price)
        return picture

    def _fetched(self, url: str) -> bytes:
        """Fetch a picture from the server that was asked, and from no other: an answer must not lead us elsewhere."""
        asked = self._access.client.base_url
        where = urlsplit(url)
        if (where.scheme, where.hostname, where.port) != (asked.scheme, asked.host, asked.port):
            raise UnavailableError(
                "The image server names a picture on another server, which is not fetched: have it answer with the"
                ' picture itself, such as by GENERATION_IMAGES_EXTRA_BODY={"response_format": "b64_json"}.',
                "PICTURE_ELSEWHERE",
            )
        timeout = time_left(self._settings.images_timeout_seconds)
        with self._access.http.stream("GET", url, timeout=timeout, follow_redirects=False) as response:
            if response.status_code != 200:
                raise UnavailableError("The image server does not hand out the picture that it made.")
            return self._bounded(response.iter_bytes())

    def _bounded(self, chunks: Iterable[bytes]) -> bytes:
        """Read an answer: no more than a picture may have, and no longer than a request may take."""
        end = time.monotonic() + self._settings.images_timeout_seconds
        read = bytearray()
        try:
            for chunk in chunks:
                read += chunk
                if len(read) > self._most_bytes:
                    raise UnavailableError("The image server's answer is too large.", "UNREADABLE")
                if time.monotonic() > end:
                    raise UnavailableError("The image model took too long.", "MODEL_SLOW")
                time_left(1)
        except httpx2.TransportError as error:
            raise openai.APIConnectionError(request=error.request) from error
        return bytes(read)


def size_for(aspect_ratio: float, settings: GenerationSettings) -> tuple[int, int]:
    """Return the size to ask for: the offered one with the nearest proportions, else any by its pixels.

    Args:
        aspect_ratio: Width over height that is wanted.
        settings: Sizes that the server offers, or the pixels of a picture.
    """
    if settings.images_sizes:
        return min(settings.offered_images, key=lambda size: abs(math.log(size[0] / size[1] / aspect_ratio)))
    ratio = min(max(aspect_ratio, 1 / WIDEST), WIDEST)
    width = math.sqrt(settings.images_pixels * ratio)
    return _rounded(width), _rounded(width / ratio)


def _rounded(side: float) -> int:
    return max(1, round(side / MULTIPLE)) * MULTIPLE


def _like(edited: Pixels, picture: Pixels) -> Pixels:
    """Return an edited picture in the size of the one that was sent: servers answer in sizes of their own."""
    height, width = picture.shape[:2]
    whole = cropped(edited, width / height)
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
