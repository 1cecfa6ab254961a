"""`product-image doctor`: what is in order on this machine and in its configuration, and how to fix what is not."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict

import httpx
import typer
from rich.console import Console

from cli.connect import is_local, local_address
from cli.output import exit_if_failed, options, show
from cli.ports import ROOT, Ports, is_taken
from cli.supervisor import is_installed
from common.findings import Finding, parse_finding

CHECKS = ("weights.check", "services.history.check", "services.generation.check", "gateway.check")
"""Modules that check what they are responsible for, each in a process of its own."""
CHECK_SECONDS = 120


def doctor() -> None:
    """Check ports, services, weights, disk space, clouds, keys and shared counters; say how to fix what is wrong."""
    findings = []
    for finding in examine(options.gateway or local_address()):
        findings.append(finding)
        if not options.json:
            _print(finding)
    if options.json:
        show([asdict(finding) for finding in findings], [])
    exit_if_failed(not all(finding.ok for finding in findings))


def examine(address: str) -> Iterator[Finding]:
    """Check everything that is here.

    Args:
        address: Address of the gateway. If it is on this machine, so is the configuration of the processes.
    """
    yield from _services(address)
    for module in CHECKS if is_local(address) and is_installed() else ():
        yield from run_check(module)


def run_check(module: str) -> Iterator[Finding]:
    """Return what one of the modules finds."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", module], cwd=ROOT, capture_output=True, text=True, timeout=CHECK_SECONDS, check=False
    )
    yield from map(parse_finding, done.stdout.splitlines())
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        yield Finding(module, ok=False, detail=reason, fix="correct it in the environment or in .env")


def _services(address: str) -> Iterator[Finding]:
    try:
        services = httpx.get(f"{address}/readyz", timeout=5, trust_env=False).json()["services"]
    except httpx.TransportError:
        fix = "make run" if is_local(address) and is_installed() else "start it, or name another one with --gateway"
        yield Finding("gateway", ok=False, detail=f"nothing responds at {address}", fix=fix)
        if is_local(address):
            yield from _ports()
        return
    except (ValueError, KeyError, TypeError):
        detail = f"{address} is not a Product Image Generator gateway"
        yield Finding("gateway", ok=False, detail=detail, fix="stop it, or set GATEWAY_PORT")
        return
    for name, ready in services.items():
        fix = "" if ready else f"look at its log; start it with python -m services.{name}"
        yield Finding(f"service {name}", ready, "ready" if ready else "does not respond", fix)


def _ports() -> Iterator[Finding]:
    for name, port in vars(Ports.of_settings()).items():
        taken = is_taken(port)
        detail, fix = ("taken", f"stop what uses it, or set {name.upper()}_PORT") if taken else ("free", "")
        yield Finding(f"port {port} ({name})", not taken, detail, fix)


def _print(finding: Finding) -> None:
    console = Console()
    console.print("[green]ok[/] " if finding.ok else "[red]!![/] ", end="")
    fix = f"\n   fix: {finding.fix}" if finding.fix else ""
    console.print(f"{finding.subject}: {finding.detail}{fix}", markup=False, highlight=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)
