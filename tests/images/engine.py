"""The container engine, by its command line."""

import json
import os
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.processes import ROOT

COMPOSE_FILE = ROOT / "deploy" / "docker" / "compose.yaml"
COMPOSE = str(Path(sysconfig.get_path("scripts"), "docker-compose"))
DOCKER = os.environ.get("DOCKER", "docker")


def docker(*arguments: str) -> str:
    """Run a command; give what it prints.

    Raises:
        AssertionError: It failed; the text is what it said.
    """
    done = subprocess.run([DOCKER, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Stack:
    """The containers of one compose project."""

    name: str
    environment: dict[str, str]

    def compose(self, *arguments: str) -> str:
        """Run compose."""
        command = [COMPOSE, "--file", str(COMPOSE_FILE), "--project-name", self.name, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **self.environment})
        assert done.returncode == 0, done.stderr
        return done.stdout

    def container(self, service: str) -> str:
        """Give the id of a service's container."""
        label = f"com.docker.compose.project={self.name}", f"com.docker.compose.service={service}"
        return docker("ps", "--all", "--quiet", *(f"--filter=label={one}" for one in label)).strip()

    def inspect(self, service: str) -> dict[str, Any]:
        """Give all that the engine knows of a service's container."""
        found: dict[str, Any] = json.loads(docker("inspect", self.container(service)))[0]
        return found

    def python(self, service: str, code: str) -> str:
        """Run a line of Python in a service's container."""
        return docker("exec", self.container(service), "python", "-c", code).strip()
