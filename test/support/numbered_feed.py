"""A program with the Python client that judges numbered events of a device; led by lines on standard input.

view     the client's status, and its device states sorted by id
numbers  what was seen of `fields.n` of the messages: `last`, `events`, `gaps`, `fulls`, and the two faults: `twice`, a
         number that does not rise, and `silent`, a hole for which no gap and no full synchronisation accounts
"""

import asyncio
import json
import sys

import heartwire


class Numbers:
    """Numbers rise by one; a hole needs an excuse since the number before it."""

    def __init__(self):
        self.seen = {"last": 0, "events": 0, "gaps": 0, "fulls": 0, "twice": [], "silent": []}
        self.excused = True

    def item(self, item):
        if not item.topic.endswith("/messages"):
            return
        if item.kind == "gap":
            self.seen["gaps"] += 1
            self.excused = True
            return
        n = item.data.get("fields", {}).get("n")
        if item.kind != "event" or item.data.get("message") != "count":
            return
        last = self.seen["last"]
        if n <= last:
            self.seen["twice"].append([last, n])
        elif n > last + 1 and not self.excused:
            self.seen["silent"].append([last, n])
        self.seen["events"] += 1
        self.seen["last"] = max(n, last)
        self.excused = False

    def message(self, message):
        if message["type"] == "synced" and message["payload"]["mode"] == "full":
            self.seen["fulls"] += 1
            self.excused = True


async def main(url):
    numbers = Numbers()
    back_off = heartwire.BackOff(50, 200)
    async with heartwire.connect(url, topics=["devices/#"], back_off=back_off) as client:
        client.on("item", numbers.item)
        client.on("message", numbers.message)
        lines = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while line := (await lines.readline()).decode().split():
            if line[0] == "view":
                view = [client.view.get(device) for device in sorted(client.view.devices())]
                status = client.status
                answer = {"state": status.state, "reason": status.reason, "states": [], "view": view}
            else:
                answer = numbers.seen
            print(json.dumps(answer), flush=True)


asyncio.run(main(sys.argv[1]))
