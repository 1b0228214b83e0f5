"""The same client for programs without an event loop: each call waits for its answer, `for` reads what happens.

    from heartwire.sync import connect

    with connect("tcp://127.0.0.1:8081", topics="devices/+/state") as bridge:
        print(bridge.view.devices())
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from typing import Any, Callable, Coroutine, Iterable, Iterator, Optional, TypeVar, Union

from . import _client
from ._client import MAX_QUEUED, TIMEOUT_MS, TokenSource, View
from ._documents import JsonObject
from ._errors import ClientError
from ._history import EventsPage, History, When
from ._items import Item
from ._session import BackOff, ClientStatus

__all__ = ["Client", "Subscription", "connect"]

T = TypeVar("T")


class _Loop:
    """An event loop in a thread of its own, which ends with the program or with `stop`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="heartwire", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], timeout: Optional[float] = None) -> T:
        """Waits for it in the calling thread. Raises TimeoutError after `timeout` seconds; the work is ended then."""
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("A listener can't wait for the bridge: it would wait for itself. Use heartwire.connect.")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout)
        except concurrent.futures.TimeoutError:
            # Before Python 3.11 it is not the built-in one.
            raise TimeoutError(f"The bridge was not ready within {timeout} s.") from None
        finally:
            # Ends the work where the time is over or the program was interrupted; else it does nothing.
            future.cancel()

    def call(self, function: Callable[[], T]) -> T:
        async def work() -> T:
            return function()

        return self.run(work())

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Subscription:
    """Patterns that are followed until they are given up. `for` reads what happened since `subscribe`, and waits for
    more until the subscription or the client ends."""

    def __init__(self, loop: _Loop, inner: _client.Subscription) -> None:
        self.topics = inner.topics
        self._loop = loop
        self._inner = inner
        # Opened at once, so that what happens before the `for` begins is not missed.
        self._reader = inner.__aiter__()

    def ready(self, timeout: Optional[float] = None) -> "Subscription":
        """Returns once the view holds all of it for the first time."""
        self._loop.run(self._inner.ready(), timeout)
        return self

    def next(self, timeout: Optional[float] = None) -> Optional[Item]:
        """The next item; None where there is none within `timeout` seconds, or none follows."""

        async def take() -> Optional[Item]:
            try:
                return await asyncio.wait_for(self._reader.__anext__(), timeout)
            except (asyncio.TimeoutError, StopAsyncIteration):
                return None

        return self._loop.run(take())

    def __iter__(self) -> Iterator[Item]:
        while True:
            item = self.next()
            if item is None:
                return
            yield item

    def unsubscribe(self) -> None:
        self._loop.call(self._inner.unsubscribe)


class Client:
    """Made by `connect`. Its methods may be called from any thread but a listener's."""

    def __init__(self, loop: _Loop, inner: _client.Client) -> None:
        self._loop = loop
        self._inner = inner
        self._closed = False
        self.view: View = inner.view

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def status(self) -> ClientStatus:
        return self._inner.status

    @property
    def client_id(self) -> Optional[str]:
        return self._inner.client_id

    def on(self, name: str, listener: Callable[..., Any]) -> Callable[[], None]:
        """As of `heartwire.Client`; the listener is called in the client's own thread, and must not wait there."""
        off = self._loop.call(lambda: self._inner.on(name, listener))
        return lambda: self._loop.call(off)

    def connected(self, timeout: Optional[float] = None) -> "Client":
        """Returns as soon as the view is the present. Raises TimeoutError after `timeout` seconds."""
        self._loop.run(self._inner.connected(), timeout)
        return self

    def wait_for(self, look: Callable[[View], T], timeout: Optional[float] = None) -> T:
        """Looks at the view now, and after each change until what `look` returns is true; returns that. Raises
        TimeoutError after `timeout` seconds. `look` is called in the client's own thread."""
        return self._loop.run(self._inner.wait_for(look), timeout)

    def subscribe(
        self,
        topics: Union[str, Iterable[str]],
        *,
        max_hz: Optional[float] = None,
        ack: bool = False,
        raw: bool = False,
        max_queued: int = MAX_QUEUED,
    ) -> Subscription:
        def subscribe() -> Subscription:
            inner = self._inner.subscribe(topics, max_hz=max_hz, ack=ack, raw=raw, max_queued=max_queued)
            return Subscription(self._loop, inner)

        return self._loop.call(subscribe)

    def command(
        self,
        device: str,
        message: str,
        fields: Optional[JsonObject] = None,
        *,
        timeout_ms: float = TIMEOUT_MS,
    ) -> JsonObject:
        return self._loop.run(self._inner.command(device, message, fields, timeout_ms=timeout_ms))

    def broadcast(self, data: Any) -> int:
        return self._loop.run(self._inner.broadcast(data))

    def request(self, type: str, fields: Optional[JsonObject] = None, *, timeout_ms: float = TIMEOUT_MS) -> JsonObject:
        return self._loop.run(self._inner.request(type, fields, timeout_ms=timeout_ms))

    def history(
        self, device: str, field: str, start: When = "-1h", end: When = None, *, points: Optional[int] = None
    ) -> History:
        return self._loop.run(self._inner.history(device, field, start, end, points=points))

    def history_events(
        self,
        device: Optional[str] = None,
        start: When = "-1h",
        end: When = None,
        *,
        kind: Optional[str] = None,
        limit: Optional[int] = None,
    ) -> EventsPage:
        return self._loop.run(self._inner.history_events(device, start, end, kind=kind, limit=limit))

    def retry_now(self) -> None:
        self._loop.call(self._inner.retry_now)

    def close(self) -> None:
        """For good; a `for` over a subscription ends in whichever thread it runs."""
        if self._closed:
            return
        self._closed = True
        self._loop.run(self._inner.close())
        self._loop.stop()


def connect(
    url: str = "http://127.0.0.1:8080",
    *,
    topics: Union[str, Iterable[str]] = (),
    token: Optional[TokenSource] = None,
    http: Optional[str] = None,
    back_off: BackOff = BackOff(),
    timeout: Optional[float] = 10,
) -> Client:
    """As `heartwire.connect`, and waits until the view is the present.

    Raises ClientError as that does, or TimeoutError where the bridge does not answer within `timeout` seconds; None
    waits for ever.
    """
    loop = _Loop()
    try:
        async def start() -> _client.Client:
            return _client.connect(url, topics=topics, token=token, http=http, back_off=back_off)

        client = Client(loop, loop.run(start()))
    except ClientError:
        loop.stop()
        raise
    try:
        client.connected(timeout)
    except BaseException:
        client.close()
        raise
    return client
