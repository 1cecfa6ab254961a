"""Object stores that count, delay or fail their calls."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from enum import Enum
from typing import TypeVar

from common.errors import UnavailableError
from services.history.storage.base import MAX_BYTES, ConflictError, Listed, ObjectStore, OpenObject, StoredObject

T = TypeVar("T")


class InterceptedStore:
    """A store that passes every call through one method.

    Args:
        store: The store that does the work.
    """

    name = "intercepted"

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def around(self, method: str, key: str, call: Callable[[], T]) -> T:
        """Make a call. Subclasses do something about it."""
        raise NotImplementedError

    def get(self, key: str, max_bytes: int = MAX_BYTES) -> StoredObject:
        """See ObjectStore."""
        return self.around("get", key, lambda: self._store.get(key, max_bytes))

    def open(self, key: str) -> AbstractContextManager[OpenObject]:
        """See ObjectStore."""
        return self.around("open", key, lambda: self._store.open(key))

    def sign(self, key: str, valid_seconds: int) -> str | None:
        """See ObjectStore."""
        return self.around("sign", key, lambda: self._store.sign(key, valid_seconds))

    def put(self, key: str, data: bytes, content_type: str) -> None:
        """See ObjectStore."""
        self.around("put", key, lambda: self._store.put(key, data, content_type))

    def create(self, key: str, data: bytes, content_type: str) -> None:
        """See ObjectStore."""
        self.around("create", key, lambda: self._store.create(key, data, content_type))

    def replace(self, key: str, data: bytes, content_type: str, etag: str) -> None:
        """See ObjectStore."""
        self.around("replace", key, lambda: self._store.replace(key, data, content_type, etag))

    def delete(self, keys: Iterable[str]) -> None:
        """See ObjectStore."""
        wanted = list(keys)
        self.around("delete", " ".join(wanted), lambda: self._store.delete(wanted))

    def list(self, prefix: str) -> Iterator[Listed]:
        """See ObjectStore."""
        return iter(self.around("list", prefix, lambda: list(self._store.list(prefix))))

    def free_bytes(self) -> int | None:
        """See ObjectStore."""
        return self._store.free_bytes()


class CountingStore(InterceptedStore):
    """Counts its calls.

    Attributes:
        calls: Number of calls by method.
    """

    def __init__(self, store: ObjectStore) -> None:
        super().__init__(store)
        self.calls: Counter[str] = Counter()

    def around(self, method: str, _key: str, call: Callable[[], T]) -> T:
        """Count a call."""
        self.calls[method] += 1
        return call()


class DelayedStore(InterceptedStore):
    """Takes a while for every call, as a store across a network does.

    Args:
        store: The store that does the work.
        seconds: Delay of a call.
    """

    def __init__(self, store: ObjectStore, seconds: float) -> None:
        super().__init__(store)
        self._seconds = seconds

    def around(self, _method: str, _key: str, call: Callable[[], T]) -> T:
        """Delay a call."""
        time.sleep(self._seconds)
        return call()


class Fault(Enum):
    """What can happen to a call."""

    FAILS = "fails"
    """Nothing is done, and the caller is told."""
    HANGS = "hangs"
    """Nothing is done, and the caller is not told anything until the test is over."""
    LOSES_ANSWER = "loses the answer"
    """It is done, but the caller is told that it failed."""
    CONFLICTS = "conflicts"
    """Nothing is done, and the caller of a conditional write is told that someone else was first."""


class FaultyStore(InterceptedStore):
    """Lets something happen to one call, and to every later one if asked.

    Args:
        store: The store that does the work.
        fault: What happens.
        at: Number of the call, from 0.
        onwards: Whether it happens to all later calls, too.

    Attributes:
        calls: Number of calls so far.
        over: Set it to let calls that hang go on.
    """

    def __init__(self, store: ObjectStore, fault: Fault, at: int, *, onwards: bool = False) -> None:
        super().__init__(store)
        self._fault = fault
        self._at = at
        self._onwards = onwards
        self._lock = threading.Lock()
        self.calls = 0
        self.over = threading.Event()

    def around(self, method: str, key: str, call: Callable[[], T]) -> T:
        """Make a call, or let something happen to it."""
        with self._lock:
            number, self.calls = self.calls, self.calls + 1
        if self.over.is_set() or number < self._at or (number > self._at and not self._onwards):
            return call()
        if self._fault is Fault.CONFLICTS:
            if method in ("create", "replace"):
                raise ConflictError(key)
            return call()
        if self._fault is Fault.HANGS:
            self.over.wait()
        elif self._fault is Fault.LOSES_ANSWER:
            call()
        raise UnavailableError("no answer")
