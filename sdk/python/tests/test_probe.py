"""A plugin on the test host. The end-to-end test asks the same of its component on a real one."""

import contextlib
import unittest
from collections.abc import Iterator
from datetime import timedelta

import python_probe
from trunkline_sdk import Refusal, http, testing
from wit_world.exports import probe

AT = "http://127.0.0.1:7002"


class Probe(unittest.TestCase):
    def setUp(self) -> None:
        self.plugin = python_probe.Probe()

    def fetch(self, url: str, body: str = "", timeout_ms: int = 1_000, bytes_max: int = 100) -> probe.Reply:
        return self.plugin.fetch("GET", url, body, timeout_ms, bytes_max)

    def test_context_and_settings(self) -> None:
        with testing.Host(config={"seven": "77", "bad": "x"}) as host:
            self.assertEqual(self.plugin.context(), "call-1 1 zh True")
            self.assertEqual(host.log.of("info"), ["the context was asked for"])
            self.assertEqual((self.plugin.setting("seven"), self.plugin.setting("none")), (77, 7))
            with self.assertRaises(Refusal) as refused:
                self.plugin.setting("bad")
            self.assertIn("hotline.yaml", refused.exception.value)

    def test_keys(self) -> None:
        with testing.Host():
            version = self.plugin.keep("a/1", "一", 0)
            self.plugin.keep("a/1", "二", version)
            with testing.refuses(probe.StoreError_Conflict(version + 1)):
                self.plugin.keep("a/1", "三", version)
            self.assertEqual(self.plugin.kept("a/"), ["二"])
        with testing.Host(kv=testing.Store(keys_max=0)), testing.refuses(probe.StoreError_Full):
            self.plugin.keep("a", "", 0)

    def test_requests(self) -> None:
        with testing.Host() as host:
            host.http.replies(f"GET {AT}/*", body=b"hello", headers={"x-probe": "answered"})
            self.assertEqual(self.fetch(f"{AT}/a"), probe.Reply(200, "answered", "hello"))
            with testing.refuses(probe.FetchError_TooLarge(4)):
                self.fetch(f"{AT}/a", bytes_max=4)
            with testing.refuses(probe.FetchError_BadHeader("host")):
                self.fetch(f"{AT}/a", body="host")
            host.http.replies("GET http://slow.example/", takes=timedelta(seconds=2))
            with testing.refuses(probe.FetchError_TimedOut):
                self.fetch("http://slow.example/")
            host.http.fails("GET http://away.example/", http.Unreachable("refused"))
            with testing.refuses(probe.FetchError_Unreachable):
                self.fetch("http://away.example/")
            with testing.refuses(probe.FetchError_BadAddress):
                self.fetch("nowhere")
            host.http.denies("GET http://denied.example/")
            with testing.refuses(probe.FetchError_Denied):
                self.fetch("http://denied.example/")

    def test_a_refusal_passes_through_what_hands_exceptions_on(self) -> None:
        @contextlib.contextmanager
        def around() -> Iterator[None]:
            yield

        with testing.Host(), testing.refuses(probe.FetchError_BadAddress), around():
            self.fetch("nowhere")

    def test_an_expectation_that_does_not_come_true(self) -> None:
        with testing.Host():
            with self.assertRaisesRegex(AssertionError, "did not refuse"), testing.refuses(probe.FetchError_Denied):
                pass
            with self.assertRaisesRegex(AssertionError, "BadAddress"), testing.refuses(probe.FetchError_Denied):
                self.fetch("nowhere")
            with self.assertRaises(ZeroDivisionError), testing.refuses(probe.FetchError_Denied):
                _ = 1 // 0
