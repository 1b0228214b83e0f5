"""A scripted bridge over JSON lines, for tests: it answers as docs/reference/feed.md says, and what it is given besides."""

import asyncio
import json


class Bridge:
    """`received` holds every message of the client. `answers` gives the payload of the answer by type."""

    def __init__(self, auth="none"):
        self.auth = auth
        self.received = []
        self.answers = {}
        self.connections = 0
        self._writers = []
        self._server = None

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"tcp://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_):
        self._server.close()
        self.hang_up()
        await self._server.wait_closed()

    def hang_up(self):
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    def say(self, type, payload, **more):
        self.write(json.dumps({"type": type, "id": "m", "timestamp": 1, "payload": payload, **more}))

    def write(self, line):
        for writer in self._writers:
            writer.write(line.encode() + b"\n")

    def event(self, seq, topic="devices/a/messages", **more):
        payload = {"topic": topic, "epoch": "e", "rev": seq, "seq": seq, "data": {"n": seq}}
        self.say("event", payload, **{"id": f"r{seq}", **more})

    def sent(self, type):
        return [each for each in self.received if each["type"] == type]

    async def until(self, condition):
        """Waits until it holds."""
        for _ in range(3_000):
            if condition():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"never happened; received {self.received[-5:]}")

    async def _serve(self, reader, writer):
        self.connections += 1
        self._writers.append(writer)
        welcome = {
            "client_id": f"c{self.connections}",
            "session": f"s{self.connections}",
            "protocol": 1,
            "position": {},
            "auth": self.auth,
            "ping_interval_ms": 20_000,
            "ping_timeout_ms": 30_000,
            "limits": {"messages_per_second": 1_000, "message_burst": 1_000},
        }
        self.say("welcome", welcome)
        while line := await reader.readline():
            if line.strip():
                self._answer(json.loads(line))

    def _answer(self, message):
        self.received.append(message)
        kind, id = message["type"], message.get("id")
        refusal = self.answers.get(kind)
        if isinstance(refusal, str):
            self.say("error", {"reply_to": id, "code": refusal, "message": "no", "retry": False})
        elif kind == "subscribe":
            synced = {"reply_to": id, "mode": "full", "topics": message["topics"], "position": {"e": 1}}
            self.say("synced", synced)
        elif kind == "broadcast":
            self.say("broadcast_ack", {"reply_to": id, "recipients": 3})
        elif kind == "resume":
            self.say("response", {"reply_to": id, "result": {"client_id": "kept", "unacknowledged": 0}})
        elif kind != "ack" and refusal is not False:
            self.say("response", {"reply_to": id, "result": refusal or {}})
