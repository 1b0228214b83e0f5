#!/usr/bin/env python3
"""A device peer that shares no code with Heartwire: plain sockets and struct.

  peer.py dial HOST PORT   heartbeats, then registers, asks the time, and goes on beating; returns after a cut
  peer.py serve PORT       answers register, heartbeat and datetime on every connection (port 0: any, printed)

What it sees goes to standard output as one JSON object a line. Commands come on standard input:
`cut` drops all links, `send HEX` sends bytes as they are, `quit` (or the end of the input) ends it.
"""
import argparse
import json
import os
import select
import socket
import struct
import sys
import time

REGISTER, HEARTBEAT, DATETIME = 0, 1, 2
NAMES = {REGISTER: "register", HEARTBEAT: "heartbeat", DATETIME: "datetime"}
REQUEST_LENGTHS = {REGISTER: 52, HEARTBEAT: 1, DATETIME: 1}


def say(event, **details):
    sys.stdout.write(json.dumps({"event": event, **details}) + "\n")
    sys.stdout.flush()


def frame(payload):
    return struct.pack(">I", len(payload)) + payload


class Conversation:
    """One link: splits the stream into frames, reports them, and answers requests where it is a server."""

    def __init__(self, sock, args):
        self.sock, self.args, self.buffer, self.asked = sock, args, b"", not args.dials
        self.next_beat = time.monotonic()

    def request(self, *payloads):
        for payload in payloads:
            say("sent", message=NAMES[payload[0]])
        self.sock.sendall(b"".join(frame(payload) for payload in payloads))

    def read(self):
        chunk = self.sock.recv(65536)
        if not chunk:
            raise ConnectionError("end of stream")
        self.buffer += chunk
        while len(self.buffer) >= 4:
            (length,) = struct.unpack_from(">I", self.buffer)
            if length == 0 or length > 1 << 20:
                raise ConnectionError("impossible length %d" % length)
            if len(self.buffer) < 4 + length:
                return
            payload, self.buffer = self.buffer[4:4 + length], self.buffer[4 + length:]
            self.received(payload)

    def received(self, payload):
        (ident,) = struct.unpack_from(">b", payload)
        if ident not in NAMES:
            say("unknown", id=ident, hex=payload.hex())
        elif len(payload) == REQUEST_LENGTHS[ident]:
            self.asked_for(ident, payload)
        else:
            (error,) = struct.unpack_from(">b", payload, 1)
            say("reply", message=NAMES[ident], error=error, hex=payload.hex(), text=payload[2:].decode("ascii", "replace"))

    def asked_for(self, ident, payload):
        if ident == REGISTER:
            say("request", message="register", appid=payload[1:37].decode("ascii", "replace"), imei=payload[37:].decode("ascii", "replace"))
            refused = self.args.dials or self.args.refuse
            self.sock.sendall(frame(struct.pack(">bb", ident, -1 if refused else 0)))
            return
        say("request", message=NAMES[ident])
        text = b""
        if ident == DATETIME:
            local = time.localtime(time.time() + self.args.clock_offset)
            text = time.strftime("%Y-%m-%d %H:%M:%S", local).encode("ascii")
        self.sock.sendall(frame(struct.pack(">bb", ident, 0) + text))

    def beat(self, peer):
        """The dialling side: the first time a heartbeat, then register, then datetime; later heartbeats alone."""
        self.next_beat = time.monotonic() + self.args.every
        self.request(bytes([HEARTBEAT]))
        if not self.asked:
            self.asked = True
            if peer.registers():
                self.request(bytes([REGISTER]) + self.args.appid.encode("ascii") + self.args.imei.encode("ascii"))
            self.request(bytes([DATETIME]))


class Peer:
    def __init__(self, args):
        self.args, self.links, self.registered, self.next_dial, self.input = args, {}, False, 0.0, b""
        self.listener = None
        if not args.dials:
            self.listener = socket.create_server((args.host, args.port), backlog=128)
            say("listening", port=self.listener.getsockname()[1])

    def opened(self, sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.links[sock] = Conversation(sock, self.args)
        say("connected", address="%s:%d" % sock.getpeername()[:2])

    def closed(self, sock, reason):
        del self.links[sock]
        sock.close()
        self.next_dial = time.monotonic() + self.args.reconnect
        say("disconnected", reason=str(reason))

    def dial(self):
        try:
            self.opened(socket.create_connection((self.args.host, self.args.port), timeout=5))
        except OSError as error:
            self.next_dial = time.monotonic() + self.args.reconnect
            say("refused", reason=str(error))

    def command(self, line):
        word, _, rest = line.strip().partition(" ")
        if word == "cut":
            for sock in list(self.links):
                self.closed(sock, "cut")
        elif word == "send":
            for sock in list(self.links):
                sock.sendall(bytes.fromhex(rest))
        elif word == "quit":
            raise SystemExit(0)

    def turn(self):
        if self.args.dials and not self.links and time.monotonic() >= self.next_dial:
            self.dial()
        waits = [sys.stdin, *self.links] + ([self.listener] if self.listener else [])
        for ready in select.select(waits, [], [], 0.02)[0]:
            if ready is sys.stdin:
                chunk = os.read(0, 65536)
                if not chunk:
                    raise SystemExit(0)
                *lines, self.input = (self.input + chunk).split(b"\n")
                for line in lines:
                    self.command(line.decode("ascii"))
            elif ready is self.listener:
                self.opened(self.listener.accept()[0])
            elif ready in self.links:
                self.guarded(ready, self.links[ready].read)
        if self.args.dials:
            for sock, link in list(self.links.items()):
                if time.monotonic() >= link.next_beat:
                    self.guarded(sock, lambda: link.beat(self))

    def registers(self):
        first, self.registered = not self.registered, True
        return first or not self.args.no_register_after_cut

    def guarded(self, sock, action):
        try:
            action()
        except OSError as error:
            self.closed(sock, error)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_subparsers(dest="mode", required=True)
    dial, serve = modes.add_parser("dial"), modes.add_parser("serve")
    dial.add_argument("host")
    dial.add_argument("port", type=int)
    dial.add_argument("--appid", default="3f2504e0-4f89-41d3-9a0c-0305e82c3301")
    dial.add_argument("--imei", default="490154203237518")
    dial.add_argument("--every", type=float, default=0.2, help="seconds between heartbeats")
    dial.add_argument("--reconnect", type=float, default=0.1, help="seconds before it dials again")
    dial.add_argument("--no-register-after-cut", action="store_true", help="registers on its first link only")
    serve.add_argument("port", type=int)
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--refuse", action="store_true", help="answers every register with -1")
    for mode in (dial, serve):
        mode.add_argument("--clock-offset", type=float, default=0.0, help="seconds that its clock is ahead")
    serve.set_defaults(reconnect=0.0)
    args = parser.parse_args()
    args.dials = args.mode == "dial"
    return args


if __name__ == "__main__":
    peer = Peer(arguments())
    while True:
        peer.turn()
