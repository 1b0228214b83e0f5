"""The client for asyncio: one bridge, over as many connections as it takes."""

from __future__ import annotations

import asyncio
import inspect
import random
import time
from collections import deque
from math import inf
from typing import (
    Any,
    AsyncIterator,
    Awaitable,
    Callable,
    Deque,
    Dict,
    Iterable,
    List,
    Optional,
    Set,
    Tuple,
    TypeVar,
    Union,
)

from ._documents import JsonObject, device_of, matches_topic
from ._errors import ClientError, own_error
from ._history import EventsPage, History, HistoryClient, When
from ._items import Broadcast, Done, Event, Gap, Item, ItemQueue
from ._requests import Outcome
from ._session import BackOff, ClientSession, ClientStatus
from ._subscriptions import Wanted
from ._transport import Transport, read_message, transport_for
from ._view import FeedView, ViewChange
from ._wire import DeviceState

# A token, or a function that gives one; it is called with `renew=True` once the former has expired.
TokenSource = Union[str, Callable[..., Union[str, Awaitable[str]]]]

T = TypeVar("T")

TIMEOUT_MS = 5_000
MAX_QUEUED = 1_000


class View:
    """The present documents of everything that is subscribed to. A document is never changed; a newer one takes its
    place. Do not change it either: others read the same one."""

    def __init__(self, documents: FeedView) -> None:
        self._documents = documents

    def get(self, device: str) -> Optional[DeviceState]:
        """The state of a device; None where none is known, or not subscribed to."""
        # The bridge writes the states; their shape is part of the feed's contract.
        return self._documents.document(f"devices/{device}/state")  # type: ignore[return-value]

    def document(self, topic: str) -> Optional[JsonObject]:
        return self._documents.document(topic)

    def topics(self) -> List[str]:
        """The topics that have a document."""
        return self._documents.topics()

    def devices(self) -> List[str]:
        """The ids of the devices that have a state."""
        found = []
        for topic in self.topics():
            levels = topic.split("/")
            if len(levels) == 3 and levels[0] == "devices" and levels[2] == "state":
                found.append(levels[1])
        return found


class Subscription:
    """Patterns that are followed until they are given up; `async for` reads what happens on them."""

    def __init__(self, client: "Client", topics: Tuple[str, ...], max_queued: int, ack: bool) -> None:
        self.topics = topics
        self._client = client
        self._max_queued = max_queued
        self._ack = ack
        self._queues: Dict[ItemQueue, asyncio.Event] = {}
        self._ended = False
        self._error: Optional[ClientError] = None
        self._ready: "asyncio.Future[None]" = asyncio.get_running_loop().create_future()
        # The errors and the status of the client report it, too.
        self._ready.add_done_callback(lambda future: future.cancelled() or future.exception())

    async def ready(self) -> None:
        """Returns once the view holds all of it for the first time. Raises ClientError where the bridge refuses, or
        the client closes."""
        await asyncio.shield(self._ready)

    def unsubscribe(self) -> None:
        """Gives up these patterns; what no other subscription covers leaves the view."""
        if not self._ended:
            self._end(None)
            self._client._unsubscribe(self)

    def __aiter__(self) -> AsyncIterator[Item]:
        """Everything from now on; it ends with the subscription."""
        queue = ItemQueue(self._max_queued)
        self._queues[queue] = asyncio.Event()
        return _Reader(self, queue)

    def _covers(self, topic: str) -> bool:
        return any(matches_topic(pattern, topic) for pattern in self.topics)

    def _take(self, item: Item, done: Done) -> int:
        """How many times `done` will be called."""
        for queue, wake in list(self._queues.items()):
            queue.push(item, done)
            wake.set()
        return len(self._queues)

    def _settled(self, error: Optional[ClientError]) -> None:
        if error is not None:
            self._end(error)
        elif not self._ready.done():
            self._ready.set_result(None)

    def _end(self, error: Optional[ClientError]) -> None:
        if self._ended:
            return
        self._ended, self._error = True, error
        for wake in self._queues.values():
            wake.set()
        if not self._ready.done():
            self._ready.set_exception(error or own_error("closed"))

    def _drop(self, queue: ItemQueue) -> None:
        if self._queues.pop(queue, None) is not None:
            queue.clear()


class _Reader:
    """One `async for` over a subscription."""

    def __init__(self, subscription: Subscription, queue: ItemQueue) -> None:
        self._subscription = subscription
        self._queue = queue

    def __aiter__(self) -> "_Reader":
        return self

    async def __anext__(self) -> Item:
        subscription, queue = self._subscription, self._queue
        while True:
            wake = subscription._queues.get(queue)
            if wake is None:
                raise StopAsyncIteration
            item = queue.take()
            if item is not None:
                return item
            if subscription._ended:
                subscription._drop(queue)
                if subscription._error is not None:
                    raise subscription._error
                raise StopAsyncIteration
            wake.clear()
            await wake.wait()

    def __del__(self) -> None:
        # A loop that was left by `break`: the item in hand counts as dealt with, and nothing is queued any more.
        loop = self._subscription._client._loop
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._subscription._drop, self._queue)


class Client:
    """Made by `connect`. Use it as `async with`, or call `close`."""

    def __init__(
        self,
        url: str,
        *,
        topics: Union[str, Iterable[str]] = (),
        token: Optional[TokenSource] = None,
        http: Optional[str] = None,
        back_off: BackOff = BackOff(),
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._connect = transport_for(url)
        self._token_source = token
        self._session = ClientSession(
            back_off, random.random, token is not None, self._now()[0], self._now()[1]
        )
        self.view = View(self._session.view)
        self._history = HistoryClient(url if http is None else http)
        self._transport: Optional[Transport] = None
        self._timer: Optional[asyncio.TimerHandle] = None
        self._timer_at = inf
        self._events: Deque[Callable[[ClientSession], None]] = deque()
        self._busy = False
        self._tasks: Set["asyncio.Future[Any]"] = set()
        # Connections that are being closed.
        self._closing: Set["asyncio.Future[Any]"] = set()
        self._subscriptions: Dict[int, Subscription] = {}
        self._calls: Dict[int, "asyncio.Future[JsonObject]"] = {}
        # Ids of events that are being dealt with, and acknowledged after that.
        self._in_hand: Set[str] = set()
        self._last = 0
        # The last number given out before the message in hand.
        self._newest = 0
        self._listeners: Dict[str, List[Callable[..., Any]]] = {
            name: [] for name in ("status", "item", "change", "error", "message")
        }
        self._status_waiters: List["asyncio.Future[None]"] = []
        self._change_waiters: List["asyncio.Future[None]"] = []
        if topics:
            self.subscribe(topics)
        self._dispatch(ClientSession.start)

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def status(self) -> ClientStatus:
        return self._session.status

    @property
    def client_id(self) -> Optional[str]:
        """As the bridge calls this client now; None before its first message."""
        return self._session.client_id

    def on(self, name: str, listener: Callable[..., Any]) -> Callable[[], None]:
        """Calls `listener` for each `status`, `item`, `change` (topic, document), `error`, or `message`; returns what
        takes it off again. A listener that raises harms no other: the event loop reports it."""
        listeners = self._listeners.get(name)
        if listeners is None:
            raise ValueError(f"{name!r} is no event of a client; there are {', '.join(self._listeners)}")
        # Of its own, so that the same function given twice is called twice, and taken off one by one.
        def own(*args: Any) -> Any:
            return listener(*args)

        listeners.append(own)
        return lambda: listeners.remove(own) if own in listeners else None

    async def connected(self) -> "Client":
        """Returns as soon as the view is the present. Raises ClientError where the client is closed first."""
        while self.status.state != "connected":
            if self.status.state == "closed":
                raise ClientError(self.status.reason or "closed", self.status.detail or "The client is closed.")
            waiter: "asyncio.Future[None]" = self._loop.create_future()
            self._status_waiters.append(waiter)
            await waiter
        return self

    async def wait_for(self, look: Callable[[View], T]) -> T:
        """Looks at the view now, and after each change until what `look` returns is true; returns that. Raises
        ClientError where the client is closed first."""
        while True:
            found = look(self.view)
            if found:
                return found
            if self.status.state == "closed":
                raise ClientError(self.status.reason or "closed", self.status.detail or "The client is closed.")
            changed: "asyncio.Future[None]" = self._loop.create_future()
            self._change_waiters.append(changed)
            await changed

    def subscribe(
        self,
        topics: Union[str, Iterable[str]],
        *,
        max_hz: Optional[float] = None,
        ack: bool = False,
        raw: bool = False,
        max_queued: int = MAX_QUEUED,
    ) -> Subscription:
        """Follows topics; `+` stands for one level, `#` for the rest. The document of one topic comes at most `max_hz`
        times a second. With `ack`, an event is acknowledged once the `async for` asks for the next; what is not comes
        again. An `async for` that is slow keeps `max_queued` items."""
        wanted = tuple(dict.fromkeys([topics] if isinstance(topics, str) else topics))
        handle = self._new_number()
        subscription = Subscription(self, wanted, max_queued, ack)
        self._subscriptions[handle] = subscription
        self._dispatch(lambda session: session.subscribe(handle, Wanted(wanted, max_hz, ack, raw)))
        return subscription

    async def command(
        self,
        device: str,
        message: str,
        fields: Optional[JsonObject] = None,
        *,
        timeout_ms: float = TIMEOUT_MS,
    ) -> JsonObject:
        """Sends a message to a device, once; returns the result with the reply's `fields`. Where the connection is
        lost meanwhile, the result is fetched over the next one. Raises ClientError with the bridge's code;
        `not_connected` where nothing was sent, `command_outcome_unknown` where it was and no result can be had."""
        body = {"device": device, "message": message, "fields": fields or {}, "timeout_ms": timeout_ms}
        reply = await self._call("command", body, timeout_ms)
        return {"fields": {}, **reply["payload"].get("result", {})}

    async def broadcast(self, data: Any) -> int:
        """Sends something to all clients of the bridge; returns their number."""
        return (await self._call("broadcast", {"data": data}, TIMEOUT_MS))["payload"]["recipients"]

    async def request(self, type: str, fields: Optional[JsonObject] = None, *, timeout_ms: float = TIMEOUT_MS) -> JsonObject:
        """Any other message that is answered, such as `get_clients`; returns the payload of the answer."""
        return (await self._call(type, fields or {}, timeout_ms))["payload"]

    async def history(
        self, device: str, field: str, start: When = "-1h", end: When = None, *, points: Optional[int] = None
    ) -> History:
        """The values of one field. `start` and `end` are ms since the Unix epoch, a datetime, ISO 8601, or `-1h`."""
        return await self._run_in_thread(
            self._history.values, await self._token(False), device, field, start, end, points
        )

    async def history_events(
        self,
        device: Optional[str] = None,
        start: When = "-1h",
        end: When = None,
        *,
        kind: Optional[str] = None,
        limit: Optional[int] = None,
    ) -> EventsPage:
        """What happened: status changes with their reasons, alarms, commands with their outcomes."""
        return await self._run_in_thread(
            self._history.events, await self._token(False), device, start, end, kind, limit
        )

    def retry_now(self) -> None:
        """Waits no longer for the next attempt, where one is waited for."""
        self._dispatch(ClientSession.start)

    async def close(self) -> None:
        """For good. What is asked and not answered yet is rejected; every `async for` ends."""
        self._dispatch(lambda session: session.close())
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *self._closing, return_exceptions=True)

    # Performing the effects of the session: one connection, one timer, and events one after another.

    def _now(self) -> Tuple[float, float]:
        return self._loop.time() * 1_000, time.time() * 1_000

    def _dispatch(self, event: Callable[[ClientSession], None]) -> None:
        """Events that arise while effects are performed wait their turn."""
        self._events.append(event)
        if self._busy:
            return
        self._busy = True
        try:
            while self._events:
                for effect in self._session.handle(self._events.popleft(), *self._now()):
                    getattr(self, f"_on_{effect[0]}")(*effect[1:])
        finally:
            self._busy = False
        self._arm()

    def _arm(self) -> None:
        """One timer: where the deadline moves away, it is left to come early and look again."""
        due_at = self._session.next_deadline()
        if self._timer_at <= due_at and due_at != inf:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = due_at
        self._timer = None if due_at == inf else self._loop.call_at(due_at / 1_000, self._ring)

    def _ring(self) -> None:
        self._timer_at = inf
        if self._now()[0] >= self._session.next_deadline():
            self._dispatch(ClientSession.deadline)
        else:
            self._arm()

    def _on_open_socket(self) -> None:
        self._on_close_socket()
        opened: List[Transport] = []

        def happens(event: Callable[[ClientSession], None]) -> None:
            # Events of a connection that was dropped belong to the past.
            if opened and self._transport is opened[0]:
                self._dispatch(event)

        def on_text(text: str) -> None:
            message = read_message(text)
            if message is None:
                self._emit("error", own_error("unreadable", "Not a message of the protocol."))
            else:
                happens(lambda session: session.received(message))

        def on_close(code: int, reason: str, detail: Optional[str]) -> None:
            happens(lambda session: session.lost(code, reason, detail))

        self._transport = self._connect(on_text, on_close)
        opened.append(self._transport)

    def _on_close_socket(self) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            self._keep(transport.drop(), self._closing)

    def _on_send(self, text: str) -> None:
        if self._transport is not None:
            self._transport.send(text)

    def _on_get_token(self, renew: bool) -> None:
        async def get() -> None:
            try:
                token = await self._token(renew)
            except Exception as error:
                refused = own_error("token_failed", f"The function that gives the token raised {error!r}.")
                self._dispatch(lambda session: session.close(refused))
            else:
                self._dispatch(lambda session: session.token_received(token))

        self._keep(self._loop.create_task(get()))

    async def _token(self, renew: bool) -> str:
        source = self._token_source
        if source is None or isinstance(source, str):
            return source or ""
        given = source(renew=renew)
        return await given if inspect.isawaitable(given) else given

    def _on_status(self, status: ClientStatus) -> None:
        self._emit("status", status)
        waiters, self._status_waiters = self._status_waiters, []
        _wake(waiters)
        if status.state == "closed":
            self._changed()

    def _on_applied(self, message: Optional[JsonObject], changes: List[ViewChange], repeated: bool) -> None:
        self._newest = self._last
        for change in changes:
            self._emit("change", change.topic, change.document)
        if changes:
            self._changed()
        if message is None:
            return
        self._emit("message", message)
        if message["type"] == "gap":
            if not repeated:
                payload = message["payload"]
                topic = payload["topic"]
                gap = Gap(topic, device_of(topic), payload["from_seq"], payload["to_seq"], payload["reason"])
                self._deliver(gap, lambda taken: None)
        elif message["type"] in ("event", "broadcast"):
            if not repeated:
                self._deal(message)
            elif message.get("ack_required") is True and message["id"] not in self._in_hand:
                # Dealt with before, but the bridge does not know it yet.
                self._acknowledge(message["id"])

    def _changed(self) -> None:
        waiters, self._change_waiters = self._change_waiters, []
        _wake(waiters)

    def _on_settle(self, request: int, outcome: Outcome) -> None:
        call = self._calls.pop(request, None)
        if call is None or call.done():
            return
        if isinstance(outcome, ClientError):
            call.set_exception(outcome)
        else:
            call.set_result(outcome)

    def _on_handle(self, handle: int, error: Optional[ClientError]) -> None:
        subscription = self._subscriptions.get(handle)
        if error is not None:
            self._subscriptions.pop(handle, None)
            self._emit("error", error)
        if subscription is not None:
            subscription._settled(error)

    def _on_error(self, error: ClientError) -> None:
        self._emit("error", error)

    def _on_ended(self, error: Optional[ClientError]) -> None:
        for subscription in self._subscriptions.values():
            subscription._end(error)
        self._subscriptions.clear()

    # For the program.

    def _emit(self, name: str, *args: Any) -> None:
        for listener in list(self._listeners[name]):
            try:
                result = listener(*args)
                if inspect.isawaitable(result):
                    self._keep(asyncio.ensure_future(result))
            except Exception as error:
                self._loop.call_exception_handler(
                    {"message": f"A listener of heartwire's {name!r} raised an error.", "exception": error}
                )

    def _deal(self, message: JsonObject) -> None:
        payload = message["payload"]
        topic, seq, at = payload["topic"], payload["seq"], message["timestamp"]
        item: Item
        if message["type"] == "event":
            item = Event(topic, device_of(topic), at, seq, payload["data"])
        else:
            item = Broadcast(topic, payload["from"], at, seq, payload["data"])
        if message.get("ack_required") is not True:
            self._deliver(item, lambda taken: None)
            return
        self._in_hand.add(message["id"])
        answers: List[bool] = []
        expected: List[int] = []

        def done(taken: bool) -> None:
            answers.append(taken)
            if expected and len(answers) >= expected[0]:
                self._in_hand.discard(message["id"])
                if all(answers):
                    self._acknowledge(message["id"])
                else:
                    self._dispatch(lambda session: session.not_taken(message))

        count = self._deliver(item, done)
        # The last answer counts after all readers have it, also where there is none.
        expected.append(count + 1)
        done(True)

    def _deliver(self, item: Item, done: Done) -> int:
        self._emit("item", item)
        count = 0
        # What a listener subscribes to in the meantime begins with the next item.
        for handle, subscription in list(self._subscriptions.items()):
            if handle <= self._newest and subscription._covers(item.topic):
                count += subscription._take(item, done)
        return count

    def _acknowledge(self, id: str) -> None:
        self._dispatch(lambda session: session.acknowledge(id))

    def _unsubscribe(self, subscription: Subscription) -> None:
        for handle, each in list(self._subscriptions.items()):
            if each is subscription:
                del self._subscriptions[handle]
                self._dispatch(lambda session: session.unsubscribe(handle))

    async def _call(self, type: str, fields: JsonObject, timeout_ms: float) -> JsonObject:
        request = self._new_number()
        call: "asyncio.Future[JsonObject]" = self._loop.create_future()
        self._calls[request] = call
        self._dispatch(lambda session: session.ask(request, type, fields, timeout_ms))
        try:
            return await call
        except asyncio.CancelledError:
            self._calls.pop(request, None)
            self._dispatch(lambda session: session.abandon(request))
            raise

    async def _run_in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        return await self._loop.run_in_executor(None, lambda: function(*args))

    def _keep(self, task: "asyncio.Future[Any]", among: Optional[Set["asyncio.Future[Any]"]] = None) -> None:
        """The loop itself holds tasks only weakly."""
        held = self._tasks if among is None else among
        held.add(task)
        task.add_done_callback(held.discard)

    def _new_number(self) -> int:
        self._last += 1
        return self._last


def _wake(waiters: Iterable["asyncio.Future[None]"]) -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)


def connect(
    url: str = "http://127.0.0.1:8080",
    *,
    topics: Union[str, Iterable[str]] = (),
    token: Optional[TokenSource] = None,
    http: Optional[str] = None,
    back_off: BackOff = BackOff(),
) -> Client:
    """Connects to a bridge, and stays connected until `close`, or until the bridge rejects this client.

    `http://`, `https://`, `ws://` and `wss://` go over a WebSocket (package `websockets`), `tcp://` over JSON lines with
    nothing but Python. `http` is where history is asked for, where that is another address. Call it in a running event
    loop; `heartwire.sync.connect` is for programs without one.

    Raises ClientError `bad_address` or `no_websocket`.
    """
    return Client(url, topics=topics, token=token, http=http, back_off=back_off)
