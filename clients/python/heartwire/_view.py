"""The subscriber's side of the feed: the present documents, kept by the client's rule (docs/reference/feed.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

from ._documents import JsonObject, apply_patch, matches_topic

Position = Dict[str, int]

# Ids of acknowledged events and of broadcasts that are remembered; the bridge has far fewer out.
MAX_IDS = 1_000
# Topics that are gone, and topics of events, whose last `seq` is remembered.
MAX_REMEMBERED = 10_000


@dataclass(frozen=True)
class ViewChange:
    """One document changed; `document` is None where the topic is gone."""

    topic: str
    document: Optional[JsonObject]


@dataclass(frozen=True)
class ViewResult:
    """What a message means for a subscriber of the feed.

    `resync` names topics to ask for, each once until its document has come. `repeated` says of an event or a gap
    that it came before.
    """

    changes: List[ViewChange]
    resync: List[str]
    repeated: bool


class FeedView:
    """Within one epoch, a `seq` at or below the known one is ignored, a full update applies, and a patch applies to
    exactly the document before it. Of another epoch only a full update applies. What does not apply asks for the
    document. A removed topic keeps its `seq`, because it goes on if the topic returns.
    """

    def __init__(self) -> None:
        self._known: Dict[str, Tuple[str, int, Optional[JsonObject]]] = {}
        # Dicts stand for ordered sets: the oldest key comes first.
        self._gone: Dict[str, None] = {}
        self._received: Dict[Optional[str], set] = {}
        self._asked: set = set()
        self._covered: Dict[str, None] = {}
        # The position is one of this connection.
        self._is_here = False
        # By epoch and topic: what one owner of a device said may come again after the next one spoke.
        self._last_events: Dict[Tuple[str, str], int] = {}
        self._event_ids: Dict[str, None] = {}
        # Very many events may come between a broadcast that came early and the same again.
        self._broadcast_ids: Dict[str, None] = {}
        self._changes: List[ViewChange] = []
        self._resync: List[str] = []
        self.position: Position = {}

    def since(self, patterns: Iterable[str]) -> Optional[Position]:
        """The position from which these patterns can be followed on; None where one of them is new."""
        return self.position if all(pattern in self._covered for pattern in patterns) else None

    def first_missing(self, gap: JsonObject) -> int:
        """The first `seq` that is really missing of a gap: the bridge does not know what is known here."""
        return max(gap["from_seq"], self._last_events.get((gap["epoch"], gap["topic"]), 0) + 1)

    def document(self, topic: str) -> Optional[JsonObject]:
        known = self._known.get(topic)
        return None if known is None else known[2]

    def topics(self) -> List[str]:
        """The topics that have a document."""
        # Copied in one step, because another thread may look while a message is applied.
        return [topic for topic, known in list(self._known.items()) if known[2] is not None]

    def connected(self) -> None:
        """For each new connection, before its first message: nothing asked for on the former one will come."""
        self._received.clear()
        self._asked.clear()
        self._is_here = False

    def subscribing(self, request: Optional[str]) -> None:
        """A `subscribe` with this id is sent."""
        self._received[request] = set()

    def refused(self, request: str) -> None:
        """The bridge refused the `subscribe` with this id."""
        self._received.pop(request, None)

    def not_resynced(self, topics: Iterable[str]) -> None:
        """The bridge did not take a `resync` of these; what does not apply asks for them again."""
        self._asked.difference_update(topics)

    def not_taken(self, message: JsonObject) -> None:
        """An acknowledged event was not dealt with: it counts as new when it is sent again."""
        self._ids_of(message).pop(message["id"], None)

    def keep_only(self, patterns: Iterable[str]) -> List[ViewChange]:
        """Only these patterns are followed any more: drops what none of them covers, and says what."""
        wanted = list(patterns)
        for pattern in [each for each in self._covered if each not in wanted]:
            del self._covered[pattern]

        def is_gone(topic: str) -> bool:
            return not _is_covered(wanted, topic)

        self._changes = []
        self._drop(is_gone)
        for key in [each for each in self._last_events if is_gone(each[1])]:
            del self._last_events[key]
        return self._changes

    def apply(self, message: JsonObject) -> ViewResult:
        self._changes, self._resync = [], []
        repeated = self._take(message)
        return ViewResult(self._changes, self._resync, repeated)

    def _ids_of(self, message: JsonObject) -> Dict[str, None]:
        return self._broadcast_ids if message["type"] == "broadcast" else self._event_ids

    def _take(self, message: JsonObject) -> bool:
        kind, payload = message["type"], message["payload"]
        if kind == "update":
            self._update(payload)
        elif kind == "snapshot":
            for item in payload["items"]:
                self._whole(item, item["state"])
            for version in payload["removed"]:
                self._whole(version, None)
        elif kind == "synced":
            self._synced(payload)
        elif kind == "position":
            # Before anything is synced here, it says nothing of what is known here.
            if self._is_here:
                self.position = payload["position"]
        elif kind in ("event", "broadcast"):
            return not self._is_new(message)
        elif kind == "gap":
            return self.first_missing(payload) > payload["to_seq"]
        return False

    def _update(self, update: JsonObject) -> None:
        if "full" in update:
            return self._whole(update, update["state"])
        topic = update["topic"]
        known = self._known.get(topic)
        is_same = known is not None and known[0] == update["epoch"]
        if known is not None and is_same and update["seq"] <= known[1]:
            return None
        if "removed" in update:
            if is_same or known is None:
                return self._whole(update, None)
        elif known is not None and is_same and known[2] is not None and update["prev"] == known[1]:
            return self._know(update, apply_patch(known[2], update["patch"]))
        if topic not in self._asked:
            self._asked.add(topic)
            self._resync.append(topic)
        return None

    def _whole(self, update: JsonObject, document: Optional[JsonObject]) -> None:
        """The whole truth about a topic, which needs nothing before it."""
        topic = update["topic"]
        known = self._known.get(topic)
        self._asked.discard(topic)
        for received in self._received.values():
            received.add(topic)
        if known is not None and known[0] == update["epoch"] and update["seq"] <= known[1]:
            return
        # The instance that gave the position may know it better, and has no reason to say it again.
        if known is not None and known[0] != update["epoch"] and not self._is_here:
            self._covered.clear()
        self._gone.pop(topic, None)
        self._know(update, document)
        if document is not None:
            return
        # It goes on counting if it returns; but not so many of them, and not for ever.
        self._gone[topic] = None
        if len(self._gone) > MAX_REMEMBERED:
            self._forget(next(iter(self._gone)))

    def _know(self, update: JsonObject, document: Optional[JsonObject]) -> None:
        topic = update["topic"]
        # The end of what was never known is no news.
        if document is not None or self.document(topic) is not None:
            self._changes.append(ViewChange(topic, document))
        self._known[topic] = (update["epoch"], update["seq"], document)

    def _is_new(self, message: JsonObject) -> bool:
        # Acknowledged events are sent again, and a broadcast may come before the earlier ones are recovered.
        if message.get("ack_required") is True or message["type"] == "broadcast":
            ids = self._ids_of(message)
            if message["id"] in ids:
                return False
            ids[message["id"]] = None
            _drop_oldest(ids, MAX_IDS)
            return True
        payload = message["payload"]
        key = (payload["epoch"], payload["topic"])
        seq = payload["seq"]
        if seq <= self._last_events.get(key, 0):
            return False
        # Set again, so that the topic which was silent for longest is the first to go.
        self._last_events.pop(key, None)
        self._last_events[key] = seq
        _drop_oldest(self._last_events, MAX_REMEMBERED)
        return True

    def _synced(self, payload: JsonObject) -> None:
        # What was synced on an earlier connection only is not known up to a position of this one.
        if not self._is_here:
            self._covered.clear()
        self._is_here = True
        self.position = payload["position"]
        patterns = payload["topics"]
        for pattern in patterns:
            self._covered[pattern] = None
        received = self._received.pop(payload.get("reply_to"), None)
        # After a full answer, what it covers and did not hold is gone; there is nothing to remember of it.
        if received is not None and payload["mode"] != "since":
            self._drop(lambda topic: topic not in received and _is_covered(patterns, topic))

    def _drop(self, is_gone: Callable[[str], bool]) -> None:
        for topic, (_, _, document) in list(self._known.items()):
            if not is_gone(topic):
                continue
            self._forget(topic)
            if document is not None:
                self._changes.append(ViewChange(topic, None))

    def _forget(self, topic: str) -> None:
        self._known.pop(topic, None)
        self._gone.pop(topic, None)
        self._asked.discard(topic)


def _is_covered(patterns: Iterable[str], topic: str) -> bool:
    return any(matches_topic(pattern, topic) for pattern in patterns)


def _drop_oldest(entries: Dict[str, Any], most: int) -> None:
    """Keeps a collection to which something was added within its bound."""
    if len(entries) > most:
        del entries[next(iter(entries))]
