"""What happens on a topic: events, broadcasts, and gaps where some of them will not come."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Callable, Deque, Dict, Optional, Tuple, Union

from ._documents import JsonObject


@dataclass(frozen=True)
class Event:
    """Something that happened. `at` is when the bridge said it, in ms since the Unix epoch."""

    topic: str
    device: Optional[str]
    at: float
    seq: int
    data: JsonObject
    kind: str = "event"


@dataclass(frozen=True)
class Broadcast:
    """What the client with the id `sender` sent to all others."""

    topic: str
    sender: str
    at: float
    seq: int
    data: Any
    kind: str = "broadcast"


@dataclass(frozen=True)
class Gap:
    """Events of a topic that will not come. `reason` is the bridge's word, or `slow_reader`: this program took them
    too slowly from a queue of its own."""

    topic: str
    device: Optional[str]
    from_seq: int
    to_seq: int
    reason: str
    kind: str = "gap"


Item = Union[Event, Broadcast, Gap]

# Called once, with whether the program has dealt with the item.
Done = Callable[[bool], None]


class ItemQueue:
    """Items on their way to one reader. An item counts as dealt with when the next one is asked for. Beyond the bound
    the oldest go, and a `Gap` says which before anything that follows."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._entries: Deque[Tuple[Item, Done]] = deque()
        self._lost: Dict[str, Gap] = {}
        self._current: Optional[Done] = None

    def push(self, item: Item, done: Done) -> None:
        self._entries.append((item, done))
        if len(self._entries) > self._most:
            self._drop_oldest()

    def take(self) -> Optional[Item]:
        if self._current is not None:
            self._current(True)
            self._current = None
        if self._lost:
            return self._lost.pop(next(iter(self._lost)))
        if not self._entries:
            return None
        item, self._current = self._entries.popleft()
        return item

    def clear(self) -> None:
        """The last item counts as dealt with, the items left as dropped."""
        if self._current is not None:
            self._current(True)
            self._current = None
        while self._entries:
            self._entries.popleft()[1](False)

    def _drop_oldest(self) -> None:
        item, done = self._entries.popleft()
        done(False)
        first, last = (item.from_seq, item.to_seq) if isinstance(item, Gap) else (item.seq, item.seq)
        known = self._lost.get(item.topic)
        device = None if isinstance(item, Broadcast) else item.device
        self._lost[item.topic] = Gap(
            item.topic, device, first if known is None else known.from_seq, last, "slow_reader"
        )
