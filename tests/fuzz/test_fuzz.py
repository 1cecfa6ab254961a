"""Every fuzzer for a bounded number of mutations, with a new seed each time; to search longer, run one by hand."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

RUNS = 20_000
MEMORY_MB = 700
MAX_SECONDS = 10


def test_no_picture_file_crashes_hangs_or_fills_the_memory(tmp_path: Path) -> None:
    bounds = [f"-runs={RUNS}", "-max_total_time=60", f"-rss_limit_mb={MEMORY_MB}", f"-timeout={MAX_SECONDS}"]
    command = [sys.executable, "-m", "tests.fuzz.image_intake", *bounds, f"-artifact_prefix={tmp_path}/"]
    # Through a shell: on Linux, the peak memory of a child starts at the memory of its parent.
    shell = ["sh", "-c", '"$@"; exit $?', "sh"]
    done = subprocess.run(
        [*shell, *command, str(tmp_path / "corpus")], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr[-3000:]
    tried = re.search(r"Done (\d+) runs", done.stderr)
    assert tried is not None
    assert int(tried[1]) >= RUNS
