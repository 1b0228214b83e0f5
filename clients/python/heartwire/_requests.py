"""What was asked and not answered yet, by the id of the message."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Callable, Dict, List, Optional, Union

from ._documents import JsonObject
from ._errors import ClientError, own_error

# The answer, or why there is none.
Outcome = Union[JsonObject, ClientError]

# The bridge answers in time or says that nothing came; this is for the way there and back.
GRACE_MS = 10_000
# So long the bridge keeps the results of a session whose connection is gone.
RESULTS_KEPT_MS = 120_000


@dataclass
class _Pending:
    request: int
    type: str
    fields: JsonObject
    timeout_ms: float
    give_up_at: float
    # `waiting`: never sent. `unsure`: sent over a connection that is gone.
    state: str = "waiting"


class Requests:
    """Only a command may be asked again: under its id it is carried out once."""

    def __init__(self, settle: Callable[[int, Outcome], None]) -> None:
        self._pending: Dict[str, _Pending] = {}
        self._settle = settle

    def add(self, request: int, id: str, type: str, fields: JsonObject, timeout_ms: float, now_ms: float) -> None:
        self._pending[id] = _Pending(request, type, fields, timeout_ms, now_ms + timeout_ms)

    def abandon(self, request: int) -> None:
        """The caller does not wait for the answer any more."""
        for id in [id for id, each in self._pending.items() if each.request == request]:
            del self._pending[id]

    def unsent(self) -> List[str]:
        """What is to be sent, now that the session goes on: everything, because nothing was sent in it yet."""
        return list(self._pending)

    def send(self, id: str, now_ms: float) -> Optional[JsonObject]:
        """The message of this id, which counts as sent; None where it was abandoned."""
        pending = self._pending.get(id)
        if pending is None:
            return None
        pending.state = "sent"
        pending.give_up_at = now_ms + pending.timeout_ms + GRACE_MS
        return {"type": pending.type, "id": id, **pending.fields}

    def answered(self, reply_to: str, outcome: Outcome) -> bool:
        """Whether this was the answer to something asked here."""
        pending = self._pending.pop(reply_to, None)
        if pending is not None:
            self._settle(pending.request, outcome)
        return pending is not None

    def disconnected(self, now_ms: float) -> None:
        """The connection is gone: commands may still get their result over the next one, nothing else does."""
        self._fail(lambda each: each.state == "sent" and each.type != "command")
        for pending in self._pending.values():
            if pending.state == "sent":
                pending.state = "unsure"
                pending.give_up_at = now_ms + RESULTS_KEPT_MS

    def session_lost(self) -> None:
        """The next connection has another session, in which these commands would be carried out a second time."""
        self._fail(lambda each: each.state == "unsure")

    def closed(self) -> None:
        self._fail(lambda each: True, "closed")

    @property
    def next_deadline(self) -> float:
        return min((each.give_up_at for each in self._pending.values()), default=inf)

    def expire(self, now_ms: float) -> None:
        self._fail(lambda each: each.give_up_at <= now_ms)

    def _fail(self, hit: Callable[[_Pending], bool], unsent: str = "not_connected") -> None:
        """Each with the error that says what is known of it."""
        for id, pending in list(self._pending.items()):
            if not hit(pending):
                continue
            sent = "command_outcome_unknown" if pending.type == "command" else "connection_lost"
            self.answered(id, own_error(unsent if pending.state == "waiting" else sent))
