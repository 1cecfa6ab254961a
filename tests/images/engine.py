"""The container engine, through its command line."""

import json
import os
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testing.processes import ROOT

COMPOSE_FILE = ROOT / "deploy" / "docker" / "compose.yaml"
COMPOSE = str(Path(sysconfig.get_path("scripts"), "docker-compose"))
DOCKER = os.environ.get("DOCKER", "docker")


def docker(*arguments: str) -> str:
    """Run a command; return its output.

    Raises:
        AssertionError: The command failed; the message is its standard error.
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
        """Return the id of the container of a service."""
        label = f"com.docker.compose.project={self.name}", f"com.docker.compose.service={service}"
        return docker("ps", "--all", "--quiet", *(f"--filter=label={one}" for one in label)).strip()

    def inspect(self, service: str) -> dict[str, Any]:
        """Return `docker inspect` of the container of a service."""
        found: dict[str, Any] = json.loads(docker("inspect", self.container(service)))[0]
        return found

    def python(self, service: str, code: str) -> str:
        """Run Python code in the container of a service; return its output."""
        return docker("exec", self.container(service), "python", "-c", code).strip()
