"""A device's state without any package: JSON lines over TCP, and nothing but Python.

Set `server: { tcp: { port: 8081 } }` in devices.yaml; `npm start` has it set.
"""

import json
import socket
import sys

HOST, PORT = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 8081

with socket.create_connection((HOST, PORT)) as bridge:
    bridge.sendall(b'{"type":"subscribe","topics":["devices/+/state"]}\n')
    for line in bridge.makefile(encoding="utf-8"):
        message = json.loads(line)
        if message["type"] == "snapshot":
            for item in message["payload"]["items"]:
                print(item["topic"], item["state"]["status"])
        elif message["type"] == "synced":
            break
