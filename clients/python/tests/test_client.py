"""The asyncio client beside a scripted bridge."""

import asyncio
import gc
import unittest

import heartwire
from heartwire import Broadcast, ClientError, Event, Gap

from .bridge import Bridge

QUICK = heartwire.BackOff(1, 5)
TOPIC = "devices/a/messages"


class ClientTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.bridge = await self.enterAsync(Bridge())

    async def enterAsync(self, manager):
        entered = await manager.__aenter__()
        self.addAsyncCleanup(manager.__aexit__, None, None, None)
        return entered

    async def open(self, **options):
        client = heartwire.connect(self.bridge.url, back_off=QUICK, **options)
        return await (await self.enterAsync(client)).connected()

    async def test_items_come_in_order_and_once(self):
        client = await self.open()
        subscription = client.subscribe(TOPIC)
        reader = aiter_of(subscription)
        await subscription.ready()
        for seq in (1, 2, 2, 1, 3):
            self.bridge.event(seq)
        items = [await reader.__anext__() for _ in range(3)]
        self.assertEqual([item.data["n"] for item in items], [1, 2, 3])
        self.assertEqual(items[0], Event(TOPIC, "a", 1, 1, {"n": 1}))

    async def test_a_broadcast_says_where_it_comes_from(self):
        client = await self.open()
        subscription = client.subscribe("broadcast/all")
        reader = aiter_of(subscription)
        await subscription.ready()
        payload = {"topic": "broadcast/all", "epoch": "e", "rev": 1, "seq": 1, "from": "c9", "data": [1]}
        self.bridge.say("broadcast", payload)
        self.assertEqual(await reader.__anext__(), Broadcast("broadcast/all", "c9", 1, 1, [1]))

    async def test_an_event_is_acknowledged_when_the_next_one_is_asked_for(self):
        client = await self.open()
        subscription = client.subscribe(TOPIC, ack=True)
        reader = aiter_of(subscription)
        await subscription.ready()
        for seq in (1, 2):
            self.bridge.event(seq, ack_required=True)
        await reader.__anext__()
        await reader.__anext__()
        await self.bridge.until(lambda: self.bridge.sent("ack"))
        self.assertEqual(self.bridge.sent("ack")[0]["ids"], ["r1"])
        # A loop that is left has dealt with the item in its hand.
        del reader
        gc.collect()
        await self.bridge.until(lambda: len(self.bridge.sent("ack")) == 2)
        self.assertEqual(self.bridge.sent("ack")[1]["ids"], ["r2"])

    async def test_what_a_slow_reader_loses_is_a_gap(self):
        client = await self.open()
        subscription = client.subscribe(TOPIC, max_queued=2)
        reader = aiter_of(subscription)
        await subscription.ready()
        seen = []
        client.on("item", seen.append)
        for seq in range(1, 6):
            self.bridge.event(seq)
        await self.bridge.until(lambda: len(seen) == 5)
        self.assertEqual(await reader.__anext__(), Gap(TOPIC, "a", 1, 3, "slow_reader"))
        self.assertEqual([(await reader.__anext__()).seq for _ in range(2)], [4, 5])

    async def test_a_refused_topic_is_an_error_and_ends_the_loop(self):
        client = await self.open()
        errors = []
        client.on("error", errors.append)
        self.bridge.answers["subscribe"] = "bad_topic"
        subscription = client.subscribe("a//b")
        with self.assertRaises(ClientError) as refused:
            await subscription.ready()
        self.assertEqual(refused.exception.code, "bad_topic")
        with self.assertRaises(ClientError):
            async for _ in subscription:
                pass
        self.assertEqual([error.code for error in errors], ["bad_topic"])

    async def test_a_command_gives_the_fields_of_the_reply(self):
        client = await self.open()
        self.bridge.answers["command"] = {"error": 0, "fields": {"volt": 1.5}}
        result = await client.command("a", "read", {"channel": 1}, timeout_ms=700)
        self.assertEqual(result, {"error": 0, "fields": {"volt": 1.5}})
        sent = self.bridge.sent("command")[0]
        self.assertEqual((sent["fields"], sent["timeout_ms"]), ({"channel": 1}, 700))

    async def test_a_refused_command_has_the_code_of_the_bridge(self):
        client = await self.open()
        self.bridge.answers["command"] = "device_offline"
        with self.assertRaises(ClientError) as refused:
            await client.command("a", "read")
        self.assertEqual((refused.exception.code, refused.exception.retry), ("device_offline", False))

    async def test_a_command_is_asked_again_in_its_session(self):
        client = await self.open()
        self.bridge.answers["command"] = False
        task = asyncio.ensure_future(client.command("a", "go"))
        await self.bridge.until(lambda: self.bridge.sent("command"))
        self.bridge.hang_up()
        self.bridge.answers["command"] = {"error": 0}
        self.assertEqual((await task)["error"], 0)
        self.assertEqual([each["session"] for each in self.bridge.sent("resume")], ["s1"])
        self.assertEqual(len({each["id"] for each in self.bridge.sent("command")}), 1)
        self.assertEqual(client.client_id, "kept")

    async def test_a_cancelled_command_is_waited_for_no_longer(self):
        client = await self.open()
        self.bridge.answers["command"] = False
        task = asyncio.ensure_future(client.command("a", "go"))
        await self.bridge.until(lambda: self.bridge.sent("command"))
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        self.assertEqual(await client.broadcast("x"), 3)

    async def test_closing_rejects_what_is_open(self):
        client = await self.open(topics=TOPIC)
        self.bridge.answers["command"] = False
        task = asyncio.ensure_future(client.command("a", "go"))
        loop = asyncio.ensure_future(read_all(client.subscribe(TOPIC)))
        await self.bridge.until(lambda: self.bridge.sent("command"))
        await client.close()
        with self.assertRaises(ClientError) as closed:
            await task
        self.assertEqual(closed.exception.code, "command_outcome_unknown")
        self.assertEqual(await loop, [])
        with self.assertRaises(ClientError):
            await client.connected()
        await client.close()

    async def test_a_token_is_given_once_and_renewed_when_it_expired(self):
        self.bridge.auth = "required"
        asked = []

        async def token(renew):
            asked.append(renew)
            return f"t{len(asked)}"

        client = await self.open(token=token)
        closing = {"code": 4002, "reason": "token_expired", "reconnect": True}
        self.bridge.say("closing", closing)
        await self.bridge.until(lambda: len(self.bridge.sent("auth")) == 2)
        await client.connected()
        self.assertEqual([each["token"] for each in self.bridge.sent("auth")], ["t1", "t2"])
        self.assertEqual(asked, [False, True])

    async def test_a_token_that_cannot_be_had_closes_the_client(self):
        self.bridge.auth = "required"

        def token(renew):
            raise OSError("no file")

        with self.assertRaises(ClientError) as refused:
            await self.open(token=token)
        self.assertEqual(refused.exception.code, "token_failed")
        self.assertIn("no file", refused.exception.message)

    async def test_no_token_where_one_is_wanted(self):
        self.bridge.auth = "required"
        with self.assertRaises(ClientError) as refused:
            await self.open()
        self.assertEqual(refused.exception.code, "token_missing")

    async def test_what_is_no_message_is_reported_and_harms_nothing(self):
        client = await self.open()
        errors = []
        client.on("error", errors.append)
        for line in ("no json", "[1]", '{"type":"x"}', "null"):
            self.bridge.write(line)
        await self.bridge.until(lambda: len(errors) == 4)
        self.assertEqual({error.code for error in errors}, {"unreadable"})
        self.assertEqual((await client.broadcast(1), self.bridge.connections), (3, 1))

    async def test_a_message_of_a_newer_bridge_is_ignored(self):
        client = await self.open()
        self.bridge.say("something_new", {"a": 1})
        self.assertEqual((await client.broadcast(1), self.bridge.connections), (3, 1))

    async def test_a_listener_that_raises_harms_no_other(self):
        reported = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        client = await self.open()
        seen = []

        def bad(_):
            raise ValueError("mine")

        client.on("item", bad)
        off = client.on("item", seen.append)
        client.subscribe(TOPIC)
        await self.bridge.until(lambda: self.bridge.sent("subscribe"))
        self.bridge.event(1)
        await self.bridge.until(lambda: seen)
        self.assertEqual(str(reported[0]["exception"]), "mine")
        off()
        off()
        with self.assertRaises(ValueError):
            client.on("itme", seen.append)

    async def test_events_that_came_unread_do_not_starve_the_reader(self):
        client = await self.open()
        subscription = client.subscribe(TOPIC)
        read = asyncio.ensure_future(read_until(subscription, 5_000))
        await subscription.ready()
        for seq in range(1, 5_001):
            self.bridge.event(seq)
        self.assertEqual(await read, list(range(1, 5_001)))

    async def test_waits_for_what_the_view_shows(self):
        client = await self.open(topics="devices/#")
        found = asyncio.ensure_future(client.wait_for(lambda view: (view.get("a") or {}).get("n", 0) > 1))
        never = asyncio.ensure_future(client.wait_for(lambda view: None))
        version = {"topic": "devices/a/state", "epoch": "e"}
        for n in (1, 2):
            self.bridge.say("update", {**version, "rev": n, "seq": n, "full": True, "state": {"n": n}})
        self.assertTrue(await found)
        await client.close()
        with self.assertRaises(ClientError):
            await never

    async def test_a_document_of_a_megabyte_comes_whole(self):
        client = await self.open(topics="devices/#")
        state = {"device": "a", "text": "文" * 1_000_000}
        version = {"topic": "devices/a/state", "epoch": "e", "rev": 2, "seq": 2}
        self.bridge.say("update", {**version, "full": True, "state": state})
        await self.bridge.until(lambda: client.view.get("a") == state)
        self.assertEqual((client.view.devices(), client.view.topics()), (["a"], ["devices/a/state"]))


class Addresses(unittest.IsolatedAsyncioTestCase):
    async def test_bad_ones_are_refused_at_once(self):
        for url in ("", "127.0.0.1:8080", "ftp://x", "http://", "tcp://", "tcp://host:port"):
            with self.subTest(url), self.assertRaises(ClientError) as refused:
                heartwire.connect(url)
            self.assertEqual(refused.exception.code, "bad_address")

    async def test_a_bridge_that_is_not_there_is_waited_for(self):
        async with heartwire.connect("tcp://127.0.0.1:1", back_off=QUICK) as client:
            statuses = []
            client.on("status", statuses.append)
            while len(statuses) < 3:
                await asyncio.sleep(0.01)
            self.assertEqual({each.reason for each in statuses}, {"unreachable"})
            self.assertIn("127.0.0.1", next(each.detail for each in statuses if each.detail))


def aiter_of(subscription):
    return subscription.__aiter__()


async def read_all(subscription):
    return [item async for item in subscription]


async def read_until(subscription, seq):
    read = []
    async for item in subscription:
        read.append(item.seq)
        if item.seq == seq:
            return read


if __name__ == "__main__":
    unittest.main()
