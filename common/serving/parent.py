"""Ending with the process that started this one, however that one ends."""

import os
import signal
import threading
import time

END_WITH_PARENT = "PRODUCT_IMAGE_END_WITH_PARENT"
"""Environment variable that a supervisor sets for the processes it starts."""
INTERVAL_SECONDS = 0.5


def end_with_parent() -> None:
    """Send this process SIGTERM once its parent has ended, if the parent asks for it."""
    if os.environ.get(END_WITH_PARENT):
        threading.Thread(target=_watch, args=(os.getppid(),), name="parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(INTERVAL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
