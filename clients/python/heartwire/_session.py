"""One client's side of the feed, over one connection after another: events in, effects out; knows no socket.

    waiting --> opening --welcome--> authenticating --> resuming --> open
       ^           |                     |                 |          |
       +-----------+-------- lost -------+-----------------+----------+       closed: for good, from anywhere

Subscriptions are stated from `resuming` on. Commands are sent only in `open`: before the former session has answered,
it is not known whether asking again is asking twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any, Callable, List, Optional, Tuple

from ._documents import JsonObject
from ._errors import ClientError, own_error
from ._outbox import Outbox
from ._requests import Outcome, Requests
from ._silence import Silence
from ._subscriptions import Subscriptions, Wanted
from ._view import FeedView
from ._wire import NEVER_RECONNECT

WELCOME_LIMIT_MS = 10_000
# Where the bridge does not say how often it pings.
PING_INTERVAL_MS = 20_000
# The close code by which the bridge asks for a new token.
TOKEN_EXPIRED = 4002

# An effect: its name, and what it is about. `open_socket`, `close_socket`, `send text`, `get_token renew`,
# `status status`, `applied message changes repeated`, `settle request outcome`, `handle handle error`, `error error`,
# `ended error`.
Effect = Tuple[Any, ...]


@dataclass(frozen=True)
class ClientStatus:
    """How true the view is.

    `connecting`: the view was never complete. `connected`: it is the present. `stale`: the connection is lost, or
    silent; the view is the last that was known. `recovering`: the connection is back, what changed meanwhile is on its
    way. `closed`: for good.

    `since` and `retry_at` are in ms since the Unix epoch; `code` is the close code of the last connection.
    """

    state: str
    since: float
    attempt: int = 0
    reason: Optional[str] = None
    detail: Optional[str] = None
    code: Optional[int] = None
    retry_at: Optional[float] = None


@dataclass(frozen=True)
class BackOff:
    """Full jitter: any time up to a bound that doubles with each attempt, so that clients do not come back as a herd."""

    first_ms: float = 1_000
    most_ms: float = 30_000

    def delay_ms(self, attempt: int, random: float) -> float:
        return random * min(self.most_ms, self.first_ms * 2 ** min(attempt, 30))


def may_reconnect(code: int) -> bool:
    """Whether a client reconnects after a close code of the feed (docs/reference/errors.md)."""
    return code not in NEVER_RECONNECT and not 4500 <= code <= 4999


class ClientSession:
    """`handle(event, mono_ms, wall_ms)` runs one event, a call of a method below, and returns the effects to perform."""

    def __init__(
        self, back_off: BackOff, random: Callable[[], float], has_token: bool, mono_ms: float, wall_ms: float
    ) -> None:
        self._back_off = back_off
        self._random = random
        self._has_token = has_token
        self._mono, self._wall = mono_ms, wall_ms
        self._requests = Requests(lambda request, outcome: self._effect("settle", request, outcome))
        self._outbox = Outbox()
        self._subscriptions = Subscriptions(self._send, self._effect, self._not_useful)
        # `waiting` and `opening` end by themselves, at `_phase_ends_at`; `authenticating` and `resuming` with the answer
        # to `_phase_id`, which is None while the token is awaited.
        self._phase = "waiting"
        self._phase_ends_at = inf
        self._phase_id: Optional[str] = None
        self._retry_at = wall_ms
        self._silence: Optional[Silence] = None
        self._effects: List[Effect] = []
        self._last_id = 0
        self._attempt = 0
        # Why this connection is to be given up.
        self._useless: Optional[ClientError] = None
        self._token: Optional[str] = None
        # It was asked for and has not come.
        self._token_awaited = False
        self._renew_token = False
        self._session: Optional[str] = None
        # That of this connection, for where the former is gone.
        self._fresh = ""
        # The view was once the present; and is, on this connection.
        self._reached = False
        self._caught_up = False
        self._why: Tuple[Optional[str], Optional[str], Optional[int]] = (None, None, None)
        self.client_id: Optional[str] = None
        self.status = ClientStatus("connecting", wall_ms)

    @property
    def view(self) -> FeedView:
        return self._subscriptions.view

    def handle(self, event: Callable[["ClientSession"], None], mono_ms: float, wall_ms: float) -> List[Effect]:
        self._effects = []
        self._mono, self._wall = mono_ms, wall_ms
        event(self)
        # Requests that come too late are rejected, too.
        if self._phase == "closed":
            self._requests.closed()
        self._subscriptions.reconcile()
        for text in self._outbox.take(mono_ms, lambda id: self._requests.send(id, mono_ms)):
            self._effect("send", text)
        self._report_status()
        return self._effects

    def next_deadline(self) -> float:
        """When `deadline` is to come next, in ms of the monotonic clock; infinite where nothing is awaited."""
        return min(
            self._phase_ends_at,
            self._requests.next_deadline,
            inf if self._silence is None else self._silence.next_deadline,
            self._subscriptions.next_deadline,
            self._outbox.next_deadline,
        )

    # The events.

    def start(self) -> None:
        """Do not wait any longer before the next attempt, nor before the first one."""
        if self._phase == "waiting":
            self._open()

    def received(self, message: JsonObject) -> None:
        if self._silence is not None:
            self._silence.activity(self._mono)
        self._subscriptions.receive(message)
        kind, payload = message["type"], message["payload"]
        if kind == "welcome":
            if self._phase == "opening":
                self._welcome(payload)
        elif kind in ("response", "broadcast_ack", "clients_list", "echo", "pong"):
            self._answered(payload.get("reply_to", ""), message)
        elif kind == "error":
            error = ClientError(payload["code"], payload["message"], payload.get("retry", False))
            self._answered(payload.get("reply_to", ""), error)
        elif kind == "closing":
            self._lose(
                payload["code"],
                payload["reason"],
                final=not payload["reconnect"],
                after_ms=payload.get("retry_after_ms", 0),
            )

    def lost(self, code: int, reason: str = "", detail: Optional[str] = None, final: Optional[bool] = None) -> None:
        if self._phase not in ("waiting", "closed"):
            self._lose(code, reason, detail, final)

    def token_received(self, token: str) -> None:
        self._token_awaited = False
        self._token = token
        if self._phase == "authenticating":
            self._authenticate()

    def subscribe(self, handle: int, wanted: Wanted) -> None:
        if self._phase == "closed":
            self._effect("handle", handle, own_error("closed"))
        else:
            self._subscriptions.add(handle, wanted)

    def unsubscribe(self, handle: int) -> None:
        self._subscriptions.remove(handle)

    def acknowledge(self, id: str) -> None:
        """The event with this id was dealt with."""
        self._subscriptions.acknowledge(id, self._mono)

    def not_taken(self, message: JsonObject) -> None:
        """The event was not dealt with: it is new when it is sent again."""
        self.view.not_taken(message)

    def ask(self, request: int, type: str, fields: JsonObject, timeout_ms: float) -> None:
        # Sent later, it would be carried out when the caller does not expect it any more.
        if self.status.state == "stale":
            self._effect("settle", request, own_error("not_connected"))
            return
        id = self._new_id()
        self._requests.add(request, id, type, fields, timeout_ms, self._mono)
        if self._phase == "open":
            self._outbox.push(id)

    def abandon(self, request: int) -> None:
        """The caller does not wait for the answer any more."""
        self._requests.abandon(request)

    def close(self, error: Optional[ClientError] = None) -> None:
        """For good; with an error where that was not wanted."""
        if self._phase == "closed":
            return
        self._disconnect()
        self._enter("closed")
        code = self._why[2]
        self._why = ("closed", None, code) if error is None else (error.code, error.message, code)
        self._requests.closed()
        self._report_status()
        self._effect("ended", error)

    def deadline(self) -> None:
        self._requests.expire(self._mono)
        self._subscriptions.deadline(self._mono)
        if self._mono >= self._phase_ends_at:
            if self._phase == "waiting":
                self._open()
            else:
                self._lose(1006, "no_welcome")
            return
        judgement = None if self._silence is None else self._silence.judge(self._mono)
        if judgement == "ask":
            self._send("ping", {})
        elif judgement == "lost":
            self._lose(1006, "silent")

    # How a connection goes on.

    def _enter(self, phase: str, ends_at: float = inf, id: Optional[str] = None) -> None:
        self._phase, self._phase_ends_at, self._phase_id = phase, ends_at, id

    def _open(self) -> None:
        self._enter("opening", self._mono + WELCOME_LIMIT_MS)
        self._effect("open_socket")

    def _welcome(self, welcome: JsonObject) -> None:
        limits = welcome.get("limits") or {}
        self._outbox.begin(limits.get("messages_per_second", 20), limits.get("message_burst", 20), self._mono)
        self._silence = Silence(welcome.get("ping_interval_ms") or PING_INTERVAL_MS, self._mono)
        self.client_id = welcome["client_id"]
        self._fresh = welcome["session"]
        if welcome["auth"] != "required":
            self._resume()
        elif self._has_token:
            self._authenticate()
        else:
            self.close(own_error("token_missing"))

    def _authenticate(self) -> None:
        """With the token where there is one; else once it has come, be it over a later connection."""
        id = None if self._token is None else self._send("auth", {"token": self._token})
        self._enter("authenticating", id=id)
        if id is not None or self._token_awaited:
            return
        self._token_awaited = True
        self._effect("get_token", self._renew_token)
        self._renew_token = False

    def _resume(self) -> None:
        self._subscriptions.begin()
        if self._session is None:
            self._begin()
        else:
            self._enter("resuming", id=self._send("resume", {"session": self._session}))

    def _begin(self) -> None:
        """In the former session, where there is one."""
        self._enter("open")
        if self._session is None:
            self._session = self._fresh
        for id in self._requests.unsent():
            self._outbox.push(id)

    def _answered(self, reply_to: str, outcome: Outcome) -> None:
        if self._phase_id is not None and self._phase_id == reply_to:
            if self._phase == "resuming":
                self._resumed(outcome)
            elif not isinstance(outcome, ClientError):
                self._resume()
            elif outcome.retry:
                self._lose(1000, outcome.code)
            else:
                self.close(outcome)
        elif not self._subscriptions.answered(reply_to, outcome) and not self._requests.answered(reply_to, outcome):
            if isinstance(outcome, ClientError):
                self._effect("error", outcome)
        if self._useless is not None:
            self._lose(1000, self._useless.code, self._useless.message)

    def _resumed(self, outcome: Outcome) -> None:
        if isinstance(outcome, ClientError) or outcome["type"] != "response":
            self._requests.session_lost()
            self._session = None
        else:
            self.client_id = str(outcome["payload"]["result"]["client_id"])
        self._begin()

    def _lose(
        self,
        code: int,
        reason: str,
        detail: Optional[str] = None,
        final: Optional[bool] = None,
        after_ms: float = 0,
    ) -> None:
        word = reason or ("unreachable" if self._phase == "opening" else "connection_lost")
        self._why = (word, detail, code)
        if not may_reconnect(code) if final is None else final:
            return self.close(ClientError(word, detail or f"The bridge closed with {code}, {word}."))
        self._disconnect()
        expired = code == TOKEN_EXPIRED
        if expired:
            self._token = None
            self._renew_token = True
        # A token that expired is no fault of the bridge, unless it happens again and again.
        at_once = expired and self._attempt == 0
        jitter_ms = 0 if at_once else self._back_off.delay_ms(self._attempt, self._random())
        delay_ms = max(after_ms, jitter_ms)
        self._attempt += 1
        self._enter("waiting", self._mono + delay_ms)
        self._retry_at = round(self._wall + delay_ms)
        return None

    def _disconnect(self) -> None:
        self._effect("close_socket")
        self._silence = self._useless = None
        self._outbox.end()
        self._subscriptions.end()
        self._caught_up = False
        self._requests.disconnected(self._mono)

    def _not_useful(self, error: ClientError) -> None:
        self._useless = error

    # What comes of it.

    def _effect(self, *effect: Any) -> None:
        self._effects.append(effect)

    def _send(self, type: str, fields: JsonObject) -> str:
        id = self._new_id()
        self._outbox.push({"type": type, "id": id, **fields})
        return id

    def _new_id(self) -> str:
        self._last_id += 1
        return str(self._last_id)

    def _report_status(self) -> None:
        if not self._caught_up and self._phase == "open":
            self._caught_up = self._subscriptions.synced
        state = self._state()
        if state == "connected":
            self._reached = True
            self._attempt = 0
            self._why = (None, None, None)
        reason, detail, code = self._why
        if reason is None and self._silence is not None and self._silence.stale:
            reason = "silent"
        before = self.status
        waiting = self._phase == "waiting"
        # Compared by hand first, because it is looked at with each message.
        if (
            state == before.state
            and reason == before.reason
            and detail == before.detail
            and code == before.code
            and self._attempt == before.attempt
            and (self._retry_at if waiting else None) == before.retry_at
        ):
            return
        since = before.since if state == before.state else self._wall
        retry_at = self._retry_at if waiting else None
        self.status = ClientStatus(state, since, self._attempt, reason, detail, code, retry_at)
        self._effect("status", self.status)

    def _state(self) -> str:
        if self._phase == "closed":
            return "closed"
        if not self._reached and not self._caught_up:
            return "connecting"
        if self._phase in ("waiting", "opening") or (self._silence is not None and self._silence.stale):
            return "stale"
        return "connected" if self._caught_up else "recovering"
