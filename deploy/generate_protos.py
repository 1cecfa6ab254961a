"""Generate the Python package `productimage` (messages, stubs and their types) from protos/.

The one command for every place that needs it: `make protos`, the images and CI.
"""

import shutil
import sys
import sysconfig
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parents[1]
PROTOS = ROOT / "protos"
PACKAGE = ROOT / "productimage"


def generate() -> None:
    """Replace the package by a newly generated one.

    Raises:
        SystemExit: protoc found an error, which it has printed.
    """
    shutil.rmtree(PACKAGE, ignore_errors=True)
    plugin = Path(sysconfig.get_path("scripts"), "protoc-gen-mypy")
    sources = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    status = protoc.main(
        [
            "protoc",
            f"--proto_path={PROTOS}",
            f"--proto_path={files('grpc_tools') / '_proto'}",
            f"--plugin=protoc-gen-mypy={plugin}",
            f"--plugin=protoc-gen-mypy_grpc={plugin}_grpc",
            f"--python_out={ROOT}",
            f"--grpc_python_out={ROOT}",
            f"--mypy_out=quiet:{ROOT}",
            f"--mypy_grpc_out=quiet:{ROOT}",
            *sources,
        ]
    )
    if status:
        sys.exit(status)
    for folder in [PACKAGE, *(path for path in PACKAGE.rglob("*") if path.is_dir())]:
        (folder / "__init__.py").touch()
    (PACKAGE / "py.typed").touch()


if __name__ == "__main__":
    generate()
