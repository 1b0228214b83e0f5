"""The client for programs without an event loop, and the history, beside scripted servers."""

import asyncio
import http.server
import inspect
import json
import threading
import unittest
from datetime import datetime, timezone

import heartwire.sync
from heartwire import ClientError
from heartwire.sync import connect

from .bridge import Bridge


class InThread:
    """A scripted bridge in an event loop of its own."""

    def __enter__(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.bridge = self.run(self._start())
        return self

    def __exit__(self, *_):
        self.run(self.bridge.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def call(self, function, *args, **more):
        async def work():
            return function(*args, **more)

        return self.run(work())

    async def _start(self):
        return await Bridge().__aenter__()


def signatures(type):
    """The public methods and properties of a class with their parameters, but for those that only waiting needs."""
    public = {name: member for name, member in vars(type).items() if not name.startswith("_")}
    return {
        name: [each for each in inspect.signature(member).parameters if each != "timeout"] if callable(member) else None
        for name, member in public.items()
    }


class SameAsAsyncio(unittest.TestCase):
    def test_both_clients_have_the_same_methods(self):
        self.assertEqual(signatures(heartwire.sync.Client), signatures(heartwire.Client))
        # Without an event loop one item is asked for by name.
        own = signatures(heartwire.sync.Subscription)
        self.assertEqual(own.pop("next"), ["self"])
        self.assertEqual(own, signatures(heartwire.Subscription))


class SyncTest(unittest.TestCase):
    def setUp(self):
        self.world = InThread()
        self.bridge = self.world.__enter__().bridge
        self.addCleanup(self.world.__exit__)

    def open(self, **options):
        client = connect(self.bridge.url, **options)
        self.addCleanup(client.close)
        return client

    def test_a_subscription_misses_nothing_before_the_loop_begins(self):
        client = self.open()
        subscription = client.subscribe("devices/a/messages").ready(10)
        for seq in (1, 2, 3):
            self.world.call(self.bridge.event, seq)
        seen = []
        for item in subscription:
            seen.append(item.seq)
            if len(seen) == 3:
                subscription.unsubscribe()
        self.assertEqual(seen, [1, 2, 3])

    def test_next_gives_none_where_nothing_came_in_time(self):
        client = self.open()
        subscription = client.subscribe("devices/a/messages").ready(10)
        self.assertIsNone(subscription.next(0.01))
        self.world.call(self.bridge.event, 1)
        self.assertEqual(subscription.next(10).seq, 1)

    def test_commands_wait_for_their_answer(self):
        client = self.open()
        self.world.call(self.bridge.answers.update, command={"error": 0, "fields": {"a": 1}})
        self.assertEqual(client.command("a", "read")["fields"], {"a": 1})
        self.assertEqual(client.broadcast([1]), 3)
        self.world.call(self.bridge.answers.update, command="device_unknown")
        with self.assertRaises(ClientError) as refused:
            client.command("b", "read")
        self.assertEqual(refused.exception.code, "device_unknown")

    def test_a_listener_that_waits_for_the_bridge_is_refused(self):
        client = self.open()
        raised = []

        def listener(_):
            try:
                client.broadcast(1)
            except RuntimeError as error:
                raised.append(str(error))

        client.on("message", listener)
        client.subscribe("devices/a/messages").ready(10)
        self.assertIn("would wait for itself", raised[0])

    def test_closing_ends_the_loop_of_another_thread(self):
        client = connect(self.bridge.url)
        subscription = client.subscribe("devices/a/messages").ready(10)
        seen = []
        thread = threading.Thread(target=lambda: seen.append(list(subscription)))
        thread.start()
        client.close()
        client.close()
        thread.join(30)
        self.assertEqual(seen, [[]])

    def test_a_bridge_that_does_not_answer_is_waited_for_so_long_and_no_longer(self):
        threads = threading.active_count()
        with self.assertRaises(TimeoutError):
            connect("tcp://127.0.0.1:1", timeout=0.05)
        with self.assertRaises(ClientError):
            connect("nonsense")
        self.assertEqual(threading.active_count(), threads, "no thread is left behind")


ANSWERS = {
    "/api/history/values": {
        "device": "a",
        "field": "telemetry.volt",
        "unit": "V",
        "resolution_ms": 1_000,
        "points": [[1, 2.0, 3.0, 2.5]],
        "gaps": [[5, 9, "offline"]],
    },
    "/api/history/events": {"events": [{"at": 1, "kind": "status"}], "more": False},
}


class Api(http.server.BaseHTTPRequestHandler):
    asked = []

    def do_GET(self):
        self.asked.append((self.path, self.headers.get("Authorization")))
        answer = ANSWERS.get(self.path.split("?")[0]) if "device=gone" not in self.path else None
        body = answer or {"code": "device_unknown", "message": "There is no device gone."}
        self.send_response(200 if answer else 404)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        pass


class HistoryTest(unittest.TestCase):
    def setUp(self):
        Api.asked = []
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        world = InThread()
        bridge = world.__enter__().bridge
        url = f"http://127.0.0.1:{server.server_address[1]}"
        self.client = connect(bridge.url, http=url, token="hw_x")
        self.without = connect(bridge.url)

        def close():
            self.client.close()
            self.without.close()
            world.__exit__()
            server.shutdown()
            server.server_close()
            thread.join()

        self.addCleanup(close)

    def test_values_come_as_lists_with_their_gaps(self):
        start = datetime(2026, 1, 1, tzinfo=timezone.utc)
        history = self.client.history("a", "telemetry.volt", start, 1767225700000, points=10)
        self.assertEqual((history.unit, history.resolution_ms), ("V", 1_000))
        self.assertEqual(history.points, [(1, 2.0, 3.0, 2.5)])
        self.assertEqual(history.gaps, [(5, 9, "offline")])
        asked = "/api/history/values?device=a&field=telemetry.volt&from=1767225600000&to=1767225700000&points=10"
        self.assertEqual(Api.asked, [(asked, "Bearer hw_x")])

    def test_events(self):
        page = self.client.history_events("a", "-1d", kind="status")
        self.assertEqual(page.events, [{"at": 1, "kind": "status"}])
        self.assertEqual(Api.asked[0][0], "/api/history/events?device=a&kind=status&from=-1d")

    def test_a_refusal_has_the_code_of_the_bridge(self):
        with self.assertRaises(ClientError) as refused:
            self.client.history("gone", "x")
        self.assertEqual(refused.exception.code, "device_unknown")

    def test_a_moment_without_its_zone_is_refused(self):
        with self.assertRaises(ValueError):
            self.client.history("a", "x", datetime(2026, 1, 1))

    def test_over_lines_alone_there_is_no_history(self):
        with self.assertRaises(ClientError) as refused:
            self.without.history("a", "x")
        self.assertEqual(refused.exception.code, "no_http")


if __name__ == "__main__":
    unittest.main()
