"""A program with the Python client, led by lines on standard input; answers each with one JSON line.

view                    the client's status, and its device states sorted by id
command DEVICE MESSAGE  true, once it was sent
outcome                 the result of the last command, or the code of its error
items                   kind and number of each event so far, [from, to] of each gap
"""

import asyncio
import json
import sys

import heartwire


async def main(url, token):
    items = []

    def note(item):
        items.append([item.from_seq, item.to_seq] if item.kind == "gap" else item.data.get("n"))

    back_off = heartwire.BackOff(50, 200)
    async with heartwire.connect(url, topics=["devices/#"], token=token, back_off=back_off) as client:
        client.on("item", note)
        states = []
        client.on("status", lambda status: states.append(status.state))
        loop = asyncio.get_running_loop()
        lines = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while line := (await lines.readline()).decode().split():
            if line[0] == "view":
                view = [client.view.get(device) for device in sorted(client.view.devices())]
                status = client.status
                answer = {"state": status.state, "reason": status.reason, "states": states, "view": view}
            elif line[0] == "command":
                command = asyncio.ensure_future(client.command(line[1], line[2], timeout_ms=60_000))
                # What is asked later is answered after it was sent.
                await client.request("echo")
                answer = True
            elif line[0] == "outcome":
                try:
                    answer = await command
                except heartwire.ClientError as error:
                    answer = {"code": error.code}
            else:
                answer = items
            print(json.dumps(answer), flush=True)


asyncio.run(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None))
