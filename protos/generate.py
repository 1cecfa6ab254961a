"""Generate the stubs of the `productimage-client` distribution (messages, services and their types) from protos/."""

import shutil
import sys
import sysconfig
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

PROTOS = Path(__file__).resolve().parent
AREAS = PROTOS / "productimage"
TARGET = PROTOS / "python"


def generate() -> None:
    """Replace the generated packages, one per folder of protos/productimage.

    Raises:
        SystemExit: protoc found an error, which it has printed.
    """
    packages = [TARGET / "productimage" / area.name for area in sorted(AREAS.iterdir())]
    for package in packages:
        shutil.rmtree(package, ignore_errors=True)
    plugin = Path(sysconfig.get_path("scripts"), "protoc-gen-mypy")
    status = protoc.main(
        [
            "protoc",
            f"--proto_path={PROTOS}",
            f"--proto_path={files('grpc_tools') / '_proto'}",
            f"--plugin=protoc-gen-mypy={plugin}",
            f"--plugin=protoc-gen-mypy_grpc={plugin}_grpc",
            f"--python_out={TARGET}",
            f"--grpc_python_out={TARGET}",
            f"--mypy_out=quiet:{TARGET}",
            f"--mypy_grpc_out=quiet:{TARGET}",
            *sorted(str(path.relative_to(PROTOS)) for path in AREAS.rglob("*.proto")),
        ]
    )
    if status:
        sys.exit(status)
    for package in packages:
        for folder in (package, package / "v1"):
            (folder / "__init__.py").touch()


if __name__ == "__main__":
    generate()
