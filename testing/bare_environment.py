"""Bare environments: a wheel alone with the packages it declares, and nothing else.

Packages are taken from the environment that runs the tests, so that no index is needed: whatever the wheel does not declare
is missing in the bare one.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement


@dataclass(frozen=True)
class BareEnvironment:
    """An environment with one wheel.

    Attributes:
        python: Its interpreter.
    """

    python: Path

    def run(
        self, *arguments: str, folder: Path, environment: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run its interpreter in a folder, without the paths and settings of this process."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return subprocess.run(
            [str(self.python), *arguments],
            cwd=folder,
            env={**kept, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def build_wheel(project: Path, folder: Path) -> Path:
    """Build the wheel of a project, with the build backend of this environment."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(project)]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    [wheel] = folder.glob("*.whl")
    return wheel


def install_alone(wheel: Path, folder: Path) -> BareEnvironment:
    """Create an environment with a wheel and what it declares."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=60)
    python = folder / "bin" / "python"
    install = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--offline",
        "--python",
        str(python),
    ]
    subprocess.run([*install, str(wheel)], check=True, timeout=60)
    [packages] = folder.glob("lib/python*/site-packages")
    [metadata] = packages.glob(f"{wheel.name.split('-')[0]}-*.dist-info")
    for found in _required(Distribution.at(metadata)):
        _link(found, packages)
    return BareEnvironment(python)


def _required(wheel: Distribution) -> Iterator[Distribution]:
    """Yield every distribution that a wheel needs, directly or through others."""
    waiting, seen = [wheel], set[str]()
    while waiting:
        for text in waiting.pop().requires or ():
            requirement = Requirement(text)
            if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
                continue
            name = re.sub(r"[-_.]+", "-", requirement.name).lower()
            if name not in seen:
                seen.add(name)
                found = distribution(name)
                waiting.append(found)
                yield found


def _link(found: Distribution, packages: Path) -> None:
    """Link the files of a distribution, one by one: folders may be shared."""
    for file in found.files or ():
        source, target = Path(str(found.locate_file(file))), packages / str(file)
        if ".." in Path(str(file)).parts or not source.is_file():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            target.symlink_to(source)
