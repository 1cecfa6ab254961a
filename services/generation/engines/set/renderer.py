"""Which variant of Mitsuba works on this machine.

The fast variant compiles its kernels with libLLVM, found at run time. Some builds of it cannot compile them and end the
process, so each candidate renders a small picture in a process of its own first.
"""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

log = structlog.get_logger()

FAST, PLAIN = "llvm_ad_rgb", "scalar_rgb"
LIBRARY = "DRJIT_LIBLLVM_PATH"
CACHE = "DRJIT_CACHE_DIR"
OLDEST = 17
"""Release of LLVM; 15 ends the process."""
SECONDS = 60
"""Time that a trial may take."""
FOLDERS = ("/usr/lib/*-linux-gnu", "/usr/lib/llvm-*/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/opt/llvm*/lib")
VERSION = re.compile(r"libLLVM(?:-|\.so\.|\.)(\d+)")


@dataclass(frozen=True)
class Renderer:
    """A variant of Mitsuba, and the libLLVM that it needs; empty for the plain one."""

    variant: str
    library: str = ""

    @property
    def is_fast(self) -> bool:
        """Whether it compiles."""
        return self.variant == FAST


def prepare(cache: Path) -> Renderer:
    """Choose the renderer of this process, and set the environment it needs. Call before Mitsuba is imported.

    Args:
        cache: Folder for compiled kernels and the result of the trials; if it cannot be written, neither is kept.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        log.warning("kernels are not kept", folder=str(cache), reason=error.strerror)
    os.environ[CACHE] = str(cache)
    renderer = _remembered(cache) or _tried()
    _remember(cache, renderer)
    if renderer.library:
        os.environ[LIBRARY] = renderer.library
    return renderer


def candidates() -> Iterator[Path]:
    """Yield the libraries to try, best first: the one that is named, the one that set-up brought, the system's."""
    if named := os.environ.get(LIBRARY):
        yield Path(named)
    brought = [*Path(sys.prefix, "lib").glob("libLLVM.so.*"), *Path(sys.prefix, "lib").glob("libLLVM.*dylib")]
    system = [file for folder in FOLDERS for file in Path("/").glob(f"{folder[1:]}/libLLVM*") if _release(file)]
    seen: set[Path] = set()
    for file in (*brought, *sorted(system, key=_release, reverse=True)):
        real = file.resolve()
        if _release(real) >= OLDEST and real not in seen and real.is_file():
            seen.add(real)
            yield real


def _release(file: Path) -> int:
    found = VERSION.search(file.name)
    return int(found[1]) if found else 0


def _tried() -> Renderer:
    for library in candidates():
        if _works(library):
            return Renderer(FAST, str(library))
        log.warning("libLLVM does not work", library=str(library))
    return Renderer(PLAIN)


def _works(library: Path) -> bool:
    """Return whether the fast variant renders with a library: tried in a process of its own, which it may end."""
    command = [sys.executable, "-m", "services.generation.engines.set.trial"]
    environment = {**os.environ, LIBRARY: str(library)}
    try:
        return not subprocess.run(  # noqa: S603
            command, env=environment, capture_output=True, timeout=SECONDS, check=False
        ).returncode
    except (OSError, subprocess.TimeoutExpired):
        return False


def _signature(renderer: Renderer) -> dict[str, object]:
    """Return what a trial's result depends on."""
    changed = Path(renderer.library).stat().st_mtime_ns if renderer.library else 0
    versions = {name: importlib.metadata.version(name) for name in ("mitsuba", "drjit")}
    return {**asdict(renderer), "changed": changed, **versions}


def _remembered(cache: Path) -> Renderer | None:
    try:
        known = json.loads((cache / "renderer.json").read_text(encoding="utf-8"))
        renderer = Renderer(known["variant"], known["library"])
        is_asked_for = os.environ.get(LIBRARY, renderer.library) == renderer.library
        return renderer if renderer.is_fast and is_asked_for and _signature(renderer) == known else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(cache: Path, renderer: Renderer) -> None:
    try:
        (cache / "renderer.json").write_text(json.dumps(_signature(renderer)), encoding="utf-8")
    except OSError:
        log.debug("the renderer is tried again at the next start", folder=str(cache))
