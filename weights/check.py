"""`python -m weights.check`: whether the weights files are present and intact."""

from collections.abc import Iterator
from pathlib import Path

from common.findings import Finding, print_findings
from weights.manifest import FOLDER, read_manifest


def findings(folder: Path) -> Iterator[Finding]:
    """Check every default file, and any other file that is present."""
    for name, weight in read_manifest().items():
        path, subject = weight.path(folder), f"weights {name}"
        if path.exists() and not weight.fits(path):
            yield Finding(subject, False, "damaged", f"rm {path} && python -m weights fetch {name}")
        elif path.exists():
            yield Finding(subject, ok=True, detail="present")
        elif weight.default:
            yield Finding(subject, False, "missing", f"python -m weights fetch {name}")


if __name__ == "__main__":
    print_findings(findings(FOLDER))
