"""Number of threads of the libraries that compute: as many as the process may use, not as the machine has."""

import math
import os
import sys
from pathlib import Path

OMP_THREADS = "OMP_NUM_THREADS"
"""Standard variable of OpenMP, which libraries read when they are loaded."""
_SETTERS = {"torch": "set_num_threads", "cv2": "setNumThreads"}
CGROUP = Path("/sys/fs/cgroup")


def limit_threads(threads: int | None) -> int:
    """Set the number of threads of each library that is loaded, and of those loaded later.

    Args:
        threads: Number of threads. None: as the environment says, else as many as there are CPUs for this process.

    Returns:
        The number.
    """
    number = threads or compute_threads() or available_cpus()
    os.environ[OMP_THREADS] = str(number)
    for name, setter in _SETTERS.items():
        if name in sys.modules:
            getattr(sys.modules[name], setter)(number)
    return number


def compute_threads() -> int:
    """Return the number that was set; 0 if none was. The variable may hold one per level of nesting ("4,2")."""
    first = os.environ.get(OMP_THREADS, "").partition(",")[0].strip()
    return int(first) if first.isdecimal() else 0


def available_cpus() -> int:
    """Return how many CPUs this process may use: those it may run on, or fewer by the quota of its control group."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(CGROUP)
    return allowed if quota is None else max(1, min(allowed, math.ceil(quota)))


def _quota(folder: Path) -> float | None:
    """Return the quota of a control group in CPUs: https://docs.kernel.org/admin-guide/cgroup-v2.html, cpu.max."""
    try:
        quota, period = (folder / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:  # version 1
            quota = (folder / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (folder / "cpu/cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    return None if quota in ("max", "-1") else int(quota) / int(period)
