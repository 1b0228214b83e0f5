"""The cases that every client of the feed runs (fixtures/conformance): the same events, the same effects."""

import json
import unittest
from math import inf
from pathlib import Path

from heartwire._documents import apply_patch, matches_topic
from heartwire._errors import ClientError
from heartwire._session import BackOff, ClientSession
from heartwire._subscriptions import Wanted
from heartwire._view import FeedView

CASES = Path(__file__).resolve().parents[3] / "fixtures" / "conformance"


def cases(name):
    return json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))


def event_of(event):
    name, *args = event
    if name == "lost":
        return lambda session: session.lost(**args[0])
    if name == "token":
        return lambda session: session.token_received(args[0])
    if name == "subscribe":
        handle, wanted = args
        options = Wanted(tuple(wanted["topics"]), wanted.get("max_hz"), wanted.get("ack", False), wanted.get("raw", False))
        return lambda session: session.subscribe(handle, options)
    return lambda session: getattr(session, name)(*args)


def code_of(error):
    return None if error is None else error.code


def written(effect):
    name, *args = effect
    if name == "send":
        return ["send", json.loads(args[0])]
    if name == "status":
        status = args[0]
        return ["status", status.state, status.reason, status.code, status.attempt, status.retry_at]
    if name == "applied":
        message, changes, repeated = args
        kind = None if message is None else message["type"]
        return ["applied", kind, [[each.topic, each.document] for each in changes], repeated]
    if name == "settle":
        request, outcome = args
        return ["settle", request, outcome.code if isinstance(outcome, ClientError) else outcome["type"]]
    if name == "handle":
        return ["handle", args[0], code_of(args[1])]
    if name in ("error", "ended"):
        return [name, code_of(args[0])]
    return [name, *args]


class Conformance(unittest.TestCase):
    maxDiff = None

    def test_session(self):
        for case in cases("session"):
            with self.subTest(case["name"]):
                session = ClientSession(BackOff(1_000, 30_000), lambda: 0.5, case["has_token"], 0, 0)
                for step in case["steps"]:
                    now = step["at"] * 1_000
                    effects = [written(each) for each in session.handle(event_of(step["event"]), now, now)]
                    self.assertEqual([step["event"], effects], [step["event"], step["effects"]])
                    deadline = session.next_deadline()
                    expected = inf if step["deadline"] is None else step["deadline"]
                    self.assertAlmostEqual(deadline / 1_000, expected, 5, step["event"])

    def test_view(self):
        for case in cases("view"):
            with self.subTest(case["name"]):
                view = FeedView()
                for step in case["steps"]:
                    name, *args = step["call"]
                    gives = getattr(view, name)(*args)
                    if name == "topics":
                        gives = sorted(gives)
                    elif name == "keep_only":
                        gives = [[each.topic, each.document] for each in gives]
                    elif name == "apply":
                        changes = [[each.topic, each.document] for each in gives.changes]
                        gives = {"changes": changes, "resync": gives.resync, "repeated": gives.repeated}
                    self.assertEqual([step["call"], gives], [step["call"], step["gives"]])

    def test_no_case_is_left_out(self):
        self.assertEqual({path.stem for path in CASES.iterdir()}, {"session", "view", "words"})
        self.assertEqual(set(cases("words")), {"matches", "patches"})
        for name in ("session", "view"):
            self.assertGreater(len(cases(name)), 5)
            self.assertTrue(all(case["steps"] for case in cases(name)))

    def test_words(self):
        words = cases("words")
        for pattern, topic, covers in words["matches"]:
            self.assertIs(matches_topic(pattern, topic), covers, (pattern, topic))
        for document, patch, result in words["patches"]:
            before = json.dumps(document)
            self.assertEqual(apply_patch(document, patch), result)
            self.assertEqual(json.dumps(document), before, "the document itself is not changed")


if __name__ == "__main__":
    unittest.main()
