"""The supervisor: nothing outlives it, and no line of a log stops it."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from cli.supervisor import MAX_LINE, lines_of
from common.serving.parent import END_WITH_PARENT
from testing.waiting import eventually

CHILD = "import time; from common.serving.parent import end_with_parent; end_with_parent(); time.sleep(60)"
PARENT = f"""\
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}], start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat", encoding="utf-8") as status:  # noqa: PTH123
            return status.read().split(") ")[1][0] != "Z"
    return False


@pytest.mark.parametrize("asked", [True, False])
def test_a_process_ends_with_the_supervisor_that_asks_for_it(*, asked: bool) -> None:
    environment = {**os.environ, END_WITH_PARENT: "1" if asked else ""}
    with subprocess.Popen([sys.executable, "-c", PARENT], env=environment, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        time.sleep(2)
        parent.kill()
    if asked:
        eventually(lambda: not is_alive(child))
    assert is_alive(child) is not asked
    if not asked:
        os.kill(child, signal.SIGKILL)


async def test_no_line_is_too_long() -> None:
    stream = asyncio.StreamReader()
    long = b"x" * (3 * MAX_LINE)
    stream.feed_data(b"first\n" + long + b"\nlast\nunfinished")
    stream.feed_eof()
    lines = [line async for line in lines_of(stream)]
    assert lines[0] == b"first"
    assert b"".join(lines[1:-2]) == long
    assert lines[-2:] == [b"last", b"unfinished"]
    assert max(map(len, lines)) < 2 * MAX_LINE
