"""Content credentials (C2PA): how an ad was made, signed with a certificate of the operator's.

https://spec.c2pa.org
"""

import io
import json
import threading
from functools import cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from common.errors import StartError
from common.labels import SOURCE_TYPES
from common.version import VERSION
from services.generation.label.label import Label
from services.generation.settings import GenerationSettings

if TYPE_CHECKING:
    pass

MEDIA_TYPES = {"jpeg": "image/jpeg", "webp": "image/webp", "png": "image/png"}
SPARE = 512
"""Bytes by which the credentials of two files of one generation may differ."""
WITHOUT_THUMBNAIL = {"builder": {"thumbnail": {"enabled": False}}}


class Credentials:
    """Signs the files of ads. Thread-safe.

    Args:
        certificate: Certificate chain, PEM.
        key: Private key of the certificate, PEM.
        algorithm: Algorithm of the key: "es256", "es384", "ps256" or "ed25519".
        timestamps: URL of a time-stamping authority; empty: none.

    Raises:
        StartError: The package c2pa-python is missing, or the certificate and the key cannot be used.
    """

    def __init__(self, certificate: bytes, key: bytes, algorithm: str = "es256", timestamps: str = "") -> None:
        try:
            import c2pa
        except ImportError:
            raise StartError(
                "GENERATION_C2PA_CERTIFICATE needs the package c2pa-python: pip install -r requirements/c2pa.txt"
            ) from None
        self._c2pa = c2pa
        self._context = c2pa.Context(c2pa.Settings.from_dict(WITHOUT_THUMBNAIL))
        self._signing = threading.Lock()
        try:
            info = c2pa.C2paSignerInfo(algorithm.encode(), certificate, key, timestamps.encode() or None)
            self._signer = c2pa.Signer.from_info(info)
            self.signed(_tiny("jpeg"), "jpeg", "compositeCapture", Label())
        except c2pa.C2paError as error:
            raise StartError(f"GENERATION_C2PA_CERTIFICATE cannot be used to sign: {error}") from None

    @classmethod
    def of(cls, settings: GenerationSettings) -> "Credentials | None":
        """Return the credentials that are configured; None if none are.

        Raises:
            StartError: They cannot be used.
        """
        if settings.c2pa_certificate is None or settings.c2pa_key is None:
            return None
        try:
            certificate, key = settings.c2pa_certificate.read_bytes(), settings.c2pa_key.read_bytes()
        except OSError as error:
            raise StartError(f"GENERATION_C2PA_*: {error.filename}: {error.strerror}") from None
        return cls(certificate, key, settings.c2pa_algorithm, settings.c2pa_timestamps)

    def signed(self, file: bytes, file_format: str, source_type: str, label: Label, origin: bytes = b"") -> bytes:
        """Return a file with its credentials.

        Args:
            file: The ad.
            file_format: "jpeg", "webp" or "png".
            source_type: IPTC digital source type of the ad.
            label: The generation.
            origin: File of the background, if it carries credentials: they are kept.
        """
        made = io.BytesIO()
        with self._signing, self._c2pa.Builder(json.dumps(_manifest(source_type, label)), self._context) as builder:
            if origin:
                background = {"title": "background", "relationship": "componentOf"}
                builder.add_ingredient(json.dumps(background), media_type_of(origin), io.BytesIO(origin))
            builder.sign(self._signer, MEDIA_TYPES[file_format], io.BytesIO(file), made)
        return made.getvalue()

    def room(self, file_format: str, source_type: str, label: Label, origin: bytes = b"") -> int:
        """Return the bytes that the credentials of a file take."""
        small = _tiny(file_format)
        return len(self.signed(small, file_format, source_type, label, origin)) - len(small) + SPARE


def media_type_of(file: bytes) -> str:
    """Return the media type of a JPEG, PNG or WebP file."""
    if file.startswith(b"\x89PNG"):
        return MEDIA_TYPES["png"]
    return MEDIA_TYPES["webp"] if file[8:12] == b"WEBP" else MEDIA_TYPES["jpeg"]


def _manifest(source_type: str, label: Label) -> dict[str, Any]:
    created = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPES + source_type}
    photo = {"title": "product photo", "relationship": "componentOf", "description": f"SHA-256 {label.photo_sha256}"}
    return {
        "claim_generator_info": [{"name": "Product Image Generator", "version": VERSION}],
        "title": label.identifier or "ad",
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [created]}}],
        "ingredients": [photo] if label.photo_sha256 else [],
    }


@cache
def _tiny(file_format: str) -> bytes:
    extension = ".jpg" if file_format == "jpeg" else f".{file_format}"
    return np.asarray(cv2.imencode(extension, np.zeros((16, 16, 3), np.uint8))[1], np.uint8).tobytes()
