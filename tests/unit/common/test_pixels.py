import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.serving.executor import BoundedExecutor
from common.serving.pixels import PixelBudget, reserve_pixels
from productimage.context import set_deadline


class Held:
    """Pixels held by all jobs, and the most there ever were."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now = self.most = 0

    def work(self, *pictures: int) -> None:
        for pixels in pictures:
            reserve_pixels(pixels)
            with self.lock:
                self.now += pixels
                self.most = max(self.most, self.now)
            time.sleep(0.01)
        with self.lock:
            self.now -= sum(pictures)


async def test_jobs_together_hold_no_more_than_the_budget() -> None:
    executor, held = BoundedExecutor(8, 100, pixels=100), Held()
    await asyncio.gather(*(executor.run(held.work, pixels) for pixels in (60, 60, 30, 10, 100, 40, 60, 5) * 3))
    assert 60 < held.most <= 100
    executor.close()


async def test_jobs_with_several_pictures_never_wait_for_each_other() -> None:
    executor, held = BoundedExecutor(8, 100, pixels=100), Held()
    async with asyncio.timeout(20):
        await asyncio.gather(*(executor.run(held.work, 40, 40, 40) for _ in range(16)))
    executor.close()


async def test_one_that_is_alone_gets_what_it_needs() -> None:
    executor, held = BoundedExecutor(2, 10, pixels=100), Held()
    await executor.run(held.work, 500)
    assert held.most == 500
    executor.close()


def test_who_waits_too_long_is_told() -> None:
    budget = PixelBudget(100)

    def late() -> None:
        set_deadline(time.monotonic() + 0.1)
        with budget.job():
            reserve_pixels(80)

    with budget.job(), ThreadPoolExecutor(1) as pool:
        reserve_pixels(50)
        with pytest.raises(TimeoutError):
            pool.submit(late).result()
    with budget.job():
        reserve_pixels(100)


def test_a_job_that_fails_gives_its_pixels_back() -> None:
    budget = PixelBudget(100)

    def fail() -> None:
        with budget.job():
            reserve_pixels(90)
            raise ValueError("damaged")

    for _ in range(3):
        with pytest.raises(ValueError, match="damaged"):
            fail()


def test_outside_of_a_job_nothing_is_counted() -> None:
    reserve_pixels(10**12)
