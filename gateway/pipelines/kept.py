"""Backgrounds that are kept with a record: ads are made again in them, and what was removed is removed again."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.errors import calling
from gateway.pipelines.run import Run
from gateway.pipelines.scene import MadeScene
from productimage.generation.v1 import generation_pb2
from productimage.image.v1 import image_pb2
from productimage.record.v1 import record_pb2


@dataclass(frozen=True)
class KeptFiles:
    """Files that are kept with a record beside its ads.

    Attributes:
        backgrounds: One for each of its backgrounds.
        removals: Pictures as they were before a removal, one for each of its removals.
    """

    backgrounds: list[bytes]
    removals: list[bytes]

    @property
    def pictures(self) -> tuple[list[record_pb2.Picture], list[record_pb2.Picture]]:
        """Backgrounds and removals as SaveGeneration takes them."""
        return _named("background", self.backgrounds), _named("removal", self.removals)


async def kept_files(run: Run, record: record_pb2.Record) -> KeptFiles:
    """Read the files that are kept with a record.

    Raises:
        ApiError: One of them cannot be read.
    """
    read = run.clients.objects.read_object
    async with calling("history"):
        return KeptFiles(
            [await read(background.path) for background in record.backgrounds],
            [await read(removal.path) for removal in removals_of(record)],
        )


def removals_of(record: record_pb2.Record) -> list[record_pb2.Removal]:
    """Return the removals of a record that can be repeated."""
    return [background.removal for background in record.backgrounds if background.HasField("removal")]


def kept_scenes(record: record_pb2.Record, files: KeptFiles, origin: bytes = b"") -> list[MadeScene]:
    """Return the scenes of the backgrounds that are kept with a record; none if it is of a set.

    Args:
        record: The record.
        files: What is kept with it.
        origin: An ad of the record: if it carries content credentials, so does what is made in the scenes.
    """
    return [
        MadeScene(
            generation_pb2.Scene(
                picture=image_pb2.Image(encoded=file),
                placement=kept.placement,
                origin=generation_pb2.Origin(source_type=kept.source_type, file=origin),
            ),
            prompt="",
        )
        for file, kept in zip(files.backgrounds, record.backgrounds, strict=True)
    ]


def _named(name: str, files: Iterable[bytes]) -> list[record_pb2.Picture]:
    return [record_pb2.Picture(name=f"{name}{number}", file=file) for number, file in enumerate(files)]
