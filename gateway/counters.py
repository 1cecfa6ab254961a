"""What the gateways count for their limits: each for itself, or together in a Valkey (or Redis) that they share."""

import asyncio
import math
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import structlog
from cachetools import TTLCache
from limits import RateLimitItem
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from prometheus_client import Counter as Metric
from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

log = structlog.get_logger()

FAILURES = Metric(
    "productimage_counter_failures", "Calls of the shared counters that failed; each gateway counts alone."
)
PREFIX = "productimage"
TIMEOUT_SECONDS = 0.5
AWAY_SECONDS = 5.0
"""After a failure the shared counters are left alone for so long: nobody waits for them twice."""
KEPT_SECONDS = 2 * 24 * 60 * 60
"""How long a day's spending is kept."""

ROUNDING = 1e-9
"""Sums of dollars may exceed a limit by so much."""

T = TypeVar("T")


@dataclass(frozen=True)
class Slot:
    """A slot that a request holds.

    Attributes:
        keys: Names of the slots of everybody and of one caller.
        holder: Id of the request; empty if this process alone counts it.
    """

    keys: tuple[str, str]
    holder: str = ""

    @classmethod
    def of(cls, kind: str, caller: str, holder: str = "") -> "Slot":
        """Return a slot for work of a kind."""
        return cls((f"{PREFIX}:slots:{kind}", f"{PREFIX}:slots:{kind}:{caller}"), holder)


@dataclass(frozen=True)
class Spending:
    """What came of an attempt to spend.

    Attributes:
        before: What the account had spent before.
        granted: Whether it was added.
        alone: Whether this process alone has counted it.
    """

    before: float
    granted: bool
    alone: bool = False


class Counters(Protocol):
    """What is counted."""

    async def seconds_over(self, rate: RateLimitItem, owner: str) -> int:
        """Count a call of an owner; return how many seconds it must wait if it is above its rate, else 0."""

    async def spend(self, account: str, dollars: float, limit: float) -> Spending:
        """Add to what an account has spent, unless that would exceed the limit."""

    async def correct(self, account: str, dollars: float, *, alone: bool) -> None:
        """Add to what an account has spent, or take from it, whatever its limit, where the spending was counted."""

    async def take(self, kind: str, caller: str, most: int, share: int) -> "Slot | None":
        """Take one of `most` slots for work of a kind, of which a caller gets its share; None: there is none."""

    async def release(self, slot: "Slot") -> None:
        """Give a slot back."""

    async def close(self) -> None:
        """Close the connections."""


class OwnCounters:
    """Counts in this process."""

    def __init__(self) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._spent: TTLCache[str, float] = TTLCache(math.inf, KEPT_SECONDS)
        self._taken: Counter[str] = Counter()

    async def seconds_over(self, rate: RateLimitItem, owner: str) -> int:
        """See Counters."""
        return await _seconds_over(self._limiter, rate, owner)

    async def spend(self, account: str, dollars: float, limit: float) -> Spending:
        """See Counters."""
        spent = self._spent.get(account, 0.0)
        granted = dollars <= 0 or spent + dollars <= limit + ROUNDING
        if granted:
            self._spent[account] = spent + dollars
        return Spending(spent, granted, alone=True)

    async def correct(self, account: str, dollars: float, *, alone: bool = True) -> None:  # noqa: ARG002 -- it is
        """See Counters."""
        self._spent[account] = max(0.0, self._spent.get(account, 0.0) + dollars)

    async def take(self, kind: str, caller: str, most: int, share: int) -> Slot | None:
        """See Counters."""
        slot = Slot.of(kind, caller)
        if any(self._taken[key] >= number for key, number in zip(slot.keys, (most, share), strict=True)):
            return None
        self._taken.update(slot.keys)
        return slot

    async def release(self, slot: Slot) -> None:
        """See Counters."""
        self._taken.subtract(slot.keys)
        self._taken = +self._taken

    async def close(self) -> None:
        """See Counters."""


_SPEND = """
local spent = redis.call('GET', KEYS[1]) or '0'
local granted = tonumber(ARGV[1]) <= 0 or tonumber(spent) + tonumber(ARGV[1]) <= tonumber(ARGV[2])
if granted then redis.call('INCRBYFLOAT', KEYS[1], ARGV[1]) end
redis.call('EXPIRE', KEYS[1], ARGV[3])
return {spent, granted and 1 or 0}
"""
_CORRECT = """
local spent = tonumber(redis.call('GET', KEYS[1]) or '0') + tonumber(ARGV[1])
redis.call('SET', KEYS[1], tostring(math.max(0, spent)), 'EX', ARGV[2])
"""
# Places of gateways that have ended without giving them back are free after a while.
_TAKE = """
local now = tonumber(redis.call('TIME')[1])
for _, key in ipairs(KEYS) do redis.call('ZREMRANGEBYSCORE', key, '-inf', now) end
for number, key in ipairs(KEYS) do
    if redis.call('ZCARD', key) >= tonumber(ARGV[number]) then return 0 end
end
for _, key in ipairs(KEYS) do
    redis.call('ZADD', key, now + tonumber(ARGV[3]), ARGV[4])
    redis.call('EXPIRE', key, ARGV[3])
end
return 1
"""


class SharedCounters:
    """Counts together with other gateways; while the shared counters are away, alone.

    Args:
        url: Of a Valkey or Redis: valkey://, valkeys://, redis:// or rediss://.
        longest_seconds: After which a slot is free although nobody has given it back, in seconds.
    """

    def __init__(self, url: str, longest_seconds: float) -> None:
        self._alone = OwnCounters()
        self._valkey = Valkey.from_url(url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS)
        pool: Any = self._valkey.connection_pool
        rates = RedisStorage(f"async+{url}", True, "valkey", f"{PREFIX}:rates", connection_pool=pool)
        self._limiter = SlidingWindowCounterRateLimiter(rates)
        self._spend = self._valkey.register_script(_SPEND)
        self._correct = self._valkey.register_script(_CORRECT)
        self._take = self._valkey.register_script(_TAKE)
        self._longest = math.ceil(longest_seconds)
        self._away_until = 0.0
        self._owed: TTLCache[str, float] = TTLCache(math.inf, KEPT_SECONDS)

    async def seconds_over(self, rate: RateLimitItem, owner: str) -> int:
        """See Counters."""
        return await self._asked(
            lambda: _seconds_over(self._limiter, rate, owner), lambda: self._alone.seconds_over(rate, owner)
        )

    async def spend(self, account: str, dollars: float, limit: float) -> Spending:
        """See Counters."""

        async def together() -> Spending:
            if account in self._owed:
                await self._correct_together(account, 0.0)
            before, granted = await self._spend(
                keys=[f"{PREFIX}:spent:{account}"], args=[dollars, limit + ROUNDING, KEPT_SECONDS]
            )
            return Spending(float(before), granted == 1)

        return await self._asked(together, lambda: self._alone.spend(account, dollars, limit))

    async def correct(self, account: str, dollars: float, *, alone: bool) -> None:
        """See Counters. While the shared counters are away, they are owed what was counted in them."""
        if alone:
            await self._alone.correct(account, dollars)
            return

        async def owed() -> None:
            self._owed[account] = self._owed.get(account, 0.0) + dollars

        await self._asked(lambda: self._correct_together(account, dollars), owed)

    async def _correct_together(self, account: str, dollars: float) -> None:
        owed = self._owed.pop(account, 0.0)
        try:
            await self._correct(keys=[f"{PREFIX}:spent:{account}"], args=[dollars + owed, KEPT_SECONDS])
        except BaseException:
            self._owed[account] = self._owed.get(account, 0.0) + owed
            raise

    async def take(self, kind: str, caller: str, most: int, share: int) -> Slot | None:
        """See Counters."""
        slot = Slot.of(kind, caller, uuid.uuid4().hex)

        async def together() -> Slot | None:
            numbers = [most, share, self._longest, slot.holder]
            return slot if await self._take(keys=slot.keys, args=numbers) else None

        return await self._asked(together, lambda: self._alone.take(kind, caller, most, share))

    async def release(self, slot: Slot) -> None:
        """See Counters."""

        async def together() -> None:
            async with self._valkey.pipeline() as pipeline:
                for key in slot.keys:
                    pipeline.zrem(key, slot.holder)
                await pipeline.execute()

        if slot.holder:
            await self._asked(together, _nothing)
        else:  # taken while the shared counters were away
            await self._alone.release(slot)

    async def close(self) -> None:
        """See Counters."""
        await self._valkey.aclose()

    async def _asked(self, together: Callable[[], Awaitable[T]], alone: Callable[[], Awaitable[T]]) -> T:
        if time.monotonic() < self._away_until:
            return await alone()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await together()
        except (ValkeyError, StorageError, OSError, TimeoutError) as error:
            FAILURES.inc()
            self._away_until = time.monotonic() + AWAY_SECONDS
            log.warning("the shared counters are away: counting alone", why=type(error).__name__)
            return await alone()


async def _nothing() -> None:
    """A slot that cannot be given back is free after a while."""


async def _seconds_over(limiter: SlidingWindowCounterRateLimiter, rate: RateLimitItem, owner: str) -> int:
    if await limiter.hit(rate, owner):
        return 0
    until = (await limiter.get_window_stats(rate, owner)).reset_time
    return max(1, math.ceil(until - time.time()))


def open_counters(url: str, longest_seconds: float) -> Counters:
    """Return the counters of a gateway.

    Args:
        url: Of the shared counters; empty: it counts by itself.
        longest_seconds: The longest that a request may take.
    """
    return SharedCounters(url, longest_seconds) if url else OwnCounters()
