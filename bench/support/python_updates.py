"""Follows all devices of a bridge until the device `end` is there; then prints what it took.

python_updates.py client URL    with the Python client of Heartwire: a view of every device
python_updates.py plain URL     with `websockets` and `json` alone: nothing is kept
"""

import asyncio
import json
import sys
import time

TOPICS = ["devices/#"]
END = "devices/end/state"


class Figures:
    """CPU of this process from the moment in which the present is known."""

    def __init__(self):
        self.updates = 0
        self._cpu = 0.0

    def begin(self):
        self.updates = 0
        self._cpu = time.process_time()
        print("ready", flush=True)

    def end(self):
        print(json.dumps({"cpu_seconds": time.process_time() - self._cpu, "updates": self.updates}), flush=True)


async def with_client(url, figures):
    import heartwire

    async with heartwire.connect(url, topics=TOPICS) as client:
        await client.connected()
        over = asyncio.Event()

        def change(topic, document):
            figures.updates += 1
            if topic == END:
                over.set()

        client.on("change", change)
        figures.begin()
        await over.wait()
        figures.end()


async def plain(url, figures):
    import websockets

    async with websockets.connect(url.replace("http", "ws", 1) + "/ws", max_size=None) as socket:
        await socket.send(json.dumps({"type": "subscribe", "topics": TOPICS}))
        async for text in socket:
            message = json.loads(text)
            if message["type"] == "synced":
                figures.begin()
            elif message["type"] == "update":
                figures.updates += 1
                if message["payload"]["topic"] == END:
                    break
        figures.end()


asyncio.run((with_client if sys.argv[1] == "client" else plain)(sys.argv[2], Figures()))
