"""API keys of Amazon Bedrock, of which short-lived ones last up to 12 hours and are renewed in .env.

https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html
"""

import os
import threading
from pathlib import Path

from botocore.session import Session
from botocore.tokens import FrozenAuthToken
from dotenv import dotenv_values

from services.generation.settings import BEARER_TOKEN, GenerationSettings

ENVIRONMENT_FILE = Path(".env")


class ApiKey:
    """An API key that is read again whenever the .env file has changed. Thread-safe.

    Args:
        first: The key at start.
        file: The environment's file. What the process's own environment sets comes before it, and does not change.
    """

    def __init__(self, first: str, file: Path = ENVIRONMENT_FILE) -> None:
        self._key = first
        self._file = file
        self._seen = _changed(file)
        self._reading = threading.Lock()

    @classmethod
    def of(cls, settings: GenerationSettings) -> "ApiKey | None":
        """Return the key that is configured; None if none is."""
        key = settings.aws_bearer_token_bedrock
        return cls(key.get_secret_value()) if key else None

    def current(self) -> str:
        """Return the current key."""
        if BEARER_TOKEN in os.environ:
            return self._key
        with self._reading:
            changed = _changed(self._file)
            if changed != self._seen:
                self._key = dotenv_values(self._file).get(BEARER_TOKEN) or self._key
                self._seen = changed
            return self._key

    def load_token(self, **_context: object) -> FrozenAuthToken:
        """Return the current key, as botocore's token providers do."""
        return FrozenAuthToken(self.current())

    def add_to(self, session: Session) -> None:
        """Make clients of a session that sign with "bearer" send the key."""
        session.register_component("token_provider", self)


def _changed(file: Path) -> float:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
