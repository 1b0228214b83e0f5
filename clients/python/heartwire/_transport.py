"""One connection to a bridge: JSON lines with nothing but Python, or a WebSocket with the package `websockets`."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Callable, Optional, Tuple
from urllib.parse import urlsplit, urlunsplit

from ._documents import JsonObject
from ._errors import own_error

# One message of the bridge at most; it sends parts of 64 KiB, one larger document excepted.
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
DEFAULT_TCP_PORT = 8081

# After so many messages the event loop turns, though more are there: who reads them is to keep up.
MESSAGES_A_TURN = 64

# What comes: a message's text, and at last the close code with the reason and, where there is one, a sentence.
OnText = Callable[[str], None]
OnClose = Callable[[int, str, Optional[str]], None]


class Transport:
    """Opens one connection, calls `on_text` for each message and `on_close` once; `send` keeps the order."""

    def __init__(self, url: str, on_text: OnText, on_close: OnClose) -> None:
        self._url = url
        self._on_text = on_text
        self._on_close = on_close
        self._outgoing: "asyncio.Queue[str]" = asyncio.Queue()
        self._dropped = False
        self._in_turn = 0
        self._task = asyncio.get_running_loop().create_task(self._run())

    def send(self, text: str) -> None:
        self._outgoing.put_nowait(text)

    def drop(self) -> "asyncio.Task[None]":
        """Closes without waiting; nothing is called any more. Returns what ends once the socket is closed."""
        self._dropped = True
        self._task.cancel()
        return self._task

    async def _run(self) -> None:
        code, reason, detail = 1006, "", None
        try:
            code, reason = await self._exchange()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            # Whatever the socket or the package says of it: the connection is gone, and the session comes back.
            detail = str(error) or type(error).__name__
        if not self._dropped:
            self._on_close(code, reason, detail)

    async def _exchange(self) -> Tuple[int, str]:
        raise NotImplementedError

    async def _received(self, text: str) -> None:
        self._on_text(text)
        self._in_turn += 1
        if self._in_turn >= MESSAGES_A_TURN:
            self._in_turn = 0
            await asyncio.sleep(0)


class LinesTransport(Transport):
    async def _exchange(self) -> Tuple[int, str]:
        host, port = _host_and_port(self._url)
        reader, writer = await asyncio.open_connection(host, port, limit=MAX_MESSAGE_BYTES)
        sender = asyncio.get_running_loop().create_task(self._write(writer))
        try:
            while True:
                line = await reader.readline()
                if not line:
                    return 1006, ""
                await self._received(line.decode("utf-8"))
        finally:
            sender.cancel()
            writer.close()

    async def _write(self, writer: asyncio.StreamWriter) -> None:
        # An empty line asks for the welcome.
        writer.write(b"\n")
        while True:
            text = await self._outgoing.get()
            writer.write(text.encode("utf-8") + b"\n")
            await writer.drain()


class WebSocketTransport(Transport):
    async def _exchange(self) -> Tuple[int, str]:
        import websockets

        connection = await websockets.connect(
            self._url,
            subprotocols=["heartwire.v1"],  # type: ignore[list-item]
            # The bridge pings, and silence is judged by the session; this package would only double both.
            ping_interval=None,
            max_size=MAX_MESSAGE_BYTES,
            close_timeout=1,
            open_timeout=None,
            compression=None,
        )
        sender = asyncio.get_running_loop().create_task(self._write(connection))
        try:
            while True:
                await self._received(await connection.recv())
        except websockets.exceptions.ConnectionClosed:
            return connection.close_code or 1006, connection.close_reason or ""
        finally:
            sender.cancel()
            await connection.close()

    async def _write(self, connection: Any) -> None:
        while True:
            await connection.send(await self._outgoing.get())


Connect = Callable[[OnText, OnClose], Transport]


def transport_for(address: str) -> Connect:
    """Raises ClientError `bad_address` or `no_websocket`."""
    parts = urlsplit(address)
    if parts.scheme == "tcp":
        _host_and_port(address)
        return lambda on_text, on_close: LinesTransport(address, on_text, on_close)
    if parts.scheme not in ("http", "https", "ws", "wss") or not parts.netloc:
        raise own_error(
            "bad_address",
            f'"{address}" is no bridge\'s address. Write http://HOST:PORT, or tcp://HOST:PORT for JSON lines.',
        )
    try:
        import websockets  # noqa: F401
    except ImportError:
        raise own_error(
            "no_websocket",
            "The package websockets is not installed. Install it (pip install websockets, or Debian's "
            "python3-websockets), or connect to JSON lines by tcp://HOST:PORT.",
        ) from None
    scheme = parts.scheme.replace("http", "ws")
    path = parts.path.rstrip("/")
    levels = path.split("/")
    if "ws" not in levels[-2:]:
        path += "/ws"
    url = urlunsplit((scheme, parts.netloc, path, "", ""))
    return lambda on_text, on_close: WebSocketTransport(url, on_text, on_close)


def _host_and_port(address: str) -> Tuple[str, int]:
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        raise own_error("bad_address", f'The port of "{address}" is no number from 0 to 65535.') from None
    if not parts.hostname:
        raise own_error("bad_address", f'"{address}" names no host. Write tcp://HOST:PORT.')
    return parts.hostname, DEFAULT_TCP_PORT if port is None else port


def read_message(text: str) -> Optional[JsonObject]:
    """The message, or None where it is none of the protocol."""
    try:
        message = json.loads(text)
    except ValueError:
        return None
    if isinstance(message, dict) and isinstance(message.get("type"), str) and isinstance(message.get("payload"), dict):
        return message
    return None
