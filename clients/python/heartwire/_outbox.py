"""What is to be sent over one connection, in order, and no faster than the bridge takes it."""

from __future__ import annotations

import json
from collections import deque
from math import inf
from typing import Callable, Deque, List, Optional, Union

from ._documents import JsonObject

# Of what the bridge announces, so that the network's own jitter never exceeds it.
SHARE = 0.9


def encode(message: JsonObject) -> str:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


class Outbox:
    """A token bucket. A request is named only, and encoded when its turn comes: it may be abandoned before."""

    def __init__(self) -> None:
        self._entries: Deque[Union[JsonObject, str]] = deque()
        self._per_ms = 1.0
        self._burst = 0.0
        self._tokens = 0.0
        self._at_ms = 0.0

    def begin(self, per_second: float, burst: float, now_ms: float) -> None:
        """A connection is there."""
        self._per_ms = per_second * SHARE / 1_000
        self._tokens = self._burst = max(1.0, burst * SHARE)
        self._at_ms = now_ms

    def end(self) -> None:
        """The connection is gone, and with it what was to be sent."""
        self._entries.clear()

    def push(self, entry: Union[JsonObject, str]) -> None:
        self._entries.append(entry)

    @property
    def next_deadline(self) -> float:
        return self._at_ms + (1 - self._tokens) / self._per_ms if self._entries else inf

    def take(self, now_ms: float, message_of: Callable[[str], Optional[JsonObject]]) -> List[str]:
        """The messages whose turn is now."""
        self._tokens = min(self._burst, self._tokens + (now_ms - self._at_ms) * self._per_ms)
        self._at_ms = now_ms
        taken: List[str] = []
        while self._tokens >= 1 and self._entries:
            entry = self._entries.popleft()
            message = message_of(entry) if isinstance(entry, str) else entry
            if message is None:
                continue
            self._tokens -= 1
            taken.append(encode(message))
        return taken
