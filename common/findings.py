"""Findings: what a check found in order or not, and how to fix it. Exchanged between processes as JSON lines."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from common.masking import masked


@dataclass(frozen=True)
class Finding:
    """Result of one check.

    Attributes:
        subject: What was checked.
        ok: Whether it is in order.
        detail: What was found.
        fix: What to do; empty if it is in order.
    """

    subject: str
    ok: bool
    detail: str
    fix: str = ""


def print_findings(findings: Iterable[Finding]) -> None:
    """Write findings to standard output, one JSON object per line."""
    for finding in findings:
        sys.stdout.write(masked(json.dumps(asdict(finding), ensure_ascii=False)) + "\n")
        sys.stdout.flush()


def parse_finding(line: str) -> Finding:
    """Parse a line of `print_findings`."""
    return Finding(**json.loads(line))
