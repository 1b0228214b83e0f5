"""The subscriptions of a client: the wanted patterns, the view of their topics, and the requests that both need."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import inf
from typing import Callable, Dict, Iterable, List, Optional, Tuple

from ._documents import JsonObject
from ._errors import ClientError
from ._requests import Outcome
from ._view import FeedView

# Acknowledgements of so long go in one message.
ACK_EVERY_MS = 20


@dataclass(frozen=True)
class Wanted:
    """What one handle wants."""

    topics: Tuple[str, ...]
    max_hz: Optional[float] = None
    ack: bool = False
    raw: bool = False


class Subscriptions:
    """`send(type, fields)` returns the id of the message; `effect(name, *args)` reports; `give_up(error)` says that
    this connection is of no use."""

    def __init__(
        self,
        send: Callable[[str, JsonObject], str],
        effect: Callable[..., None],
        give_up: Callable[[ClientError], None],
    ) -> None:
        self.view = FeedView()
        self._send = send
        self._effect = effect
        self._give_up = give_up
        self._wanted = _WantedTopics()
        # Requests about topics that are not answered yet: type and topics by id.
        self._pending: Dict[str, Tuple[str, List[str]]] = {}
        # The connection is authorized, so requests can be sent.
        self._active = False
        self._acks: List[str] = []
        self._ack_at = inf

    @property
    def synced(self) -> bool:
        """Everything that is wanted was synced on this connection."""
        return self._wanted.synced

    @property
    def next_deadline(self) -> float:
        return self._ack_at

    def begin(self) -> None:
        """A connection is there, and the bridge has let it in."""
        self.view.connected()
        self._active = True

    def end(self) -> None:
        self._active = False
        self._wanted.disconnected()
        self._pending.clear()
        self._acks = []
        self._ack_at = inf

    def add(self, handle: int, wanted: Wanted) -> None:
        self._wanted.add(handle, wanted)
        self._report_synced([])

    def remove(self, handle: int) -> None:
        self._wanted.remove(handle)
        if not self._active:
            self._drop_unwanted()

    def receive(self, message: JsonObject) -> None:
        """Applies a message to the view, and reports the changes."""
        known = message
        if message["type"] == "gap":
            # The bridge knows what it can't send, not what was known here before.
            payload = message["payload"]
            known = {**message, "payload": {**payload, "from_seq": self.view.first_missing(payload)}}
        result = self.view.apply(message)
        self._effect("applied", known, result.changes, result.repeated)
        self._request("resync", result.resync)
        if message["type"] != "synced":
            return
        self._pending.pop(message["payload"].get("reply_to"), None)
        self._report_synced(message["payload"]["topics"])

    def answered(self, reply_to: str, outcome: Outcome) -> bool:
        """Whether this was the answer to a request of these subscriptions."""
        request = self._pending.pop(reply_to, None)
        if request is None:
            return False
        if request[0] == "unsubscribe":
            self._drop_unwanted()
        elif isinstance(outcome, ClientError):
            self._refused(reply_to, request, outcome)
        return True

    def acknowledge(self, id: str, now_ms: float) -> None:
        """The event with this id was dealt with."""
        if not self._active:
            return
        self._acks.append(id)
        self._ack_at = min(self._ack_at, now_ms + ACK_EVERY_MS)

    def deadline(self, now_ms: float) -> None:
        if now_ms < self._ack_at:
            return
        self._send("ack", {"ids": self._acks})
        self._acks = []
        self._ack_at = inf

    def reconcile(self) -> None:
        """Requests from the bridge what is wanted, where that has changed. Not while it is to give something up:
        what still comes of that would be taken for a part of what is asked for next."""
        if not self._active or any(kind == "unsubscribe" for kind, _ in self._pending.values()):
            return
        orders = self._wanted.reconcile(lambda topic: self.view.since([topic]) is not None)
        if orders is None:
            return
        subscribe, unsubscribe = orders
        for terms, topics in subscribe:
            # JSON pings, so that silence means the same over every transport.
            more: JsonObject = {"json_ping": True}
            since = self.view.since(topics)
            if since is not None:
                more["since"] = since
            self._request("subscribe", topics, {**more, **terms})
        self._request("unsubscribe", unsubscribe)

    def _request(self, kind: str, topics: List[str], more: Optional[JsonObject] = None) -> None:
        if not topics:
            return
        id = self._send(kind, {"topics": topics, **(more or {})})
        self._pending[id] = (kind, topics)
        if kind == "subscribe":
            self.view.subscribing(id)

    def _refused(self, id: str, request: Tuple[str, List[str]], error: ClientError) -> None:
        kind, topics = request
        self.view.refused(id)
        # Never for being too fast, because the outbox heeds the rate; a later connection asks again.
        if error.retry:
            self._give_up(error)
        elif kind == "resync":
            self.view.not_resynced(topics)
        else:
            self._wanted.refused(topics, lambda handle: self._effect("handle", handle, error))

    def _report_synced(self, topics: List[str]) -> None:
        self._wanted.now_synced(topics, lambda handle: self._effect("handle", handle, None))

    def _drop_unwanted(self) -> None:
        changes = self.view.keep_only(self._wanted.patterns())
        if changes:
            self._effect("applied", None, changes, False)


class _OnWire:
    """A pattern that this connection was asked for, under these terms."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.synced = False


class _WantedTopics:
    """Which patterns are wanted by which handle, and which of them this connection was asked for. The bridge knows
    each pattern once, under its last terms; so handles that share one get the most that any of them asked for."""

    def __init__(self) -> None:
        self._wanted: Dict[int, Wanted] = {}
        self._wire: Dict[str, _OnWire] = {}
        # What is wanted is not what the bridge was asked for.
        self._changed = False
        # Handles whose topics are not all synced yet.
        self._waiting: Dict[int, Wanted] = {}

    def add(self, handle: int, wanted: Wanted) -> None:
        self._wanted[handle] = wanted
        self._changed = True
        self._waiting[handle] = wanted

    def remove(self, handle: int) -> None:
        self._wanted.pop(handle, None)
        self._changed = True
        self._waiting.pop(handle, None)

    def disconnected(self) -> None:
        """The connection is gone: the next one knows of nothing."""
        self._wire.clear()
        self._changed = True

    @property
    def synced(self) -> bool:
        return all(self._is_synced(wanted) for wanted in self._wanted.values())

    def patterns(self) -> List[str]:
        """The patterns that are wanted, each once."""
        return list(dict.fromkeys(topic for wanted in self._wanted.values() for topic in wanted.topics))

    def reconcile(
        self, is_covered: Callable[[str], bool]
    ) -> Optional[Tuple[List[Tuple[JsonObject, List[str]]], List[str]]]:
        """What must be sent so that the bridge knows what is wanted, if it does not; it counts as sent."""
        if not self._changed:
            return None
        self._changed = False
        seen: Dict[str, None] = {}
        groups: Dict[Tuple[int, bool, str], Tuple[JsonObject, List[str]]] = {}
        for handle, wanted in self._wanted.items():
            for topic in wanted.topics:
                if topic in seen:
                    continue
                seen[topic] = None
                terms = self._terms(topic)
                text = json.dumps(terms)
                on_wire = self._wire.get(topic)
                if on_wire is not None and on_wire.text == text:
                    continue
                self._wire[topic] = _OnWire(text)
                # By handle, so that the refusal of one does not hit another.
                groups.setdefault((handle, is_covered(topic), text), (terms, []))[1].append(topic)
        unsubscribe = [topic for topic in self._wire if topic not in seen]
        for topic in unsubscribe:
            del self._wire[topic]
        return list(groups.values()), unsubscribe

    def now_synced(self, topics: Iterable[str], report: Callable[[int], None]) -> None:
        """These patterns are synced; reports the handles that have all of theirs now, for the first time."""
        for topic in topics:
            on_wire = self._wire.get(topic)
            if on_wire is not None:
                on_wire.synced = True
        for handle, wanted in list(self._waiting.items()):
            if self._is_synced(wanted):
                del self._waiting[handle]
                report(handle)

    def refused(self, topics: Iterable[str], report: Callable[[int], None]) -> None:
        """The bridge does not have it so; reports the handles that want any of these, which are forgotten."""
        refused = set(topics)
        for topic in refused:
            self._wire.pop(topic, None)
        for handle, wanted in list(self._wanted.items()):
            if refused.intersection(wanted.topics):
                self.remove(handle)
                report(handle)

    def _is_synced(self, wanted: Wanted) -> bool:
        return all(topic in self._wire and self._wire[topic].synced for topic in wanted.topics)

    def _terms(self, pattern: str) -> JsonObject:
        """The most that any of them asked for."""
        all_of = [wanted for wanted in self._wanted.values() if pattern in wanted.topics]
        terms: JsonObject = {}
        if all(wanted.max_hz is not None for wanted in all_of):
            terms["max_hz"] = max(wanted.max_hz for wanted in all_of if wanted.max_hz is not None)
        if any(wanted.ack for wanted in all_of):
            terms["ack"] = True
        if any(wanted.raw for wanted in all_of):
            terms["raw"] = True
        return terms
