"""Each wrapper on the test host."""

import unittest
from datetime import timedelta

from trunkline_sdk import call, clock, config, http, kv, log, secrets, testing


class Call(unittest.TestCase):
    def test_context(self) -> None:
        with testing.Host(locale="zh-CN", call_id="c-1", attempt=2, time=timedelta(seconds=1)) as host:
            context = call.current()
            self.assertEqual((context.id, context.attempt, context.language), ("c-1", 2, "zh"))
            self.assertEqual(context.remaining, timedelta(seconds=1))
            host.pass_time(timedelta(milliseconds=400))
            self.assertEqual(call.current().remaining, timedelta(milliseconds=600))
            self.assertEqual(call.current().remaining_less(timedelta(milliseconds=100)), timedelta(milliseconds=500))
            self.assertEqual(call.current().remaining_less(timedelta(seconds=9)), timedelta())
            host.pass_time(timedelta(seconds=5))
            self.assertEqual(call.current().remaining, timedelta())

    def test_nothing_answers_outside_of_a_host(self) -> None:
        with self.assertRaisesRegex(RuntimeError, r"with trunkline_sdk\.testing\.Host\(\)"):
            call.current()


class Log(unittest.TestCase):
    def test_lines_and_levels(self) -> None:
        with testing.Host() as host:
            log.debug("d")
            log.info("i")
            log.warn("w")
            log.error("e")
        self.assertEqual([line.level for line in host.log], ["debug", "info", "warn", "error"])
        self.assertEqual(host.log.of("warn"), ["w"])


class Config(unittest.TestCase):
    def test_what_is_there_and_what_is_not(self) -> None:
        with testing.Host(config={"url": "http://a", "every-s": " 60 ", "share": "0.5", "on": "true"}):
            self.assertEqual(config.get("url"), "http://a")
            self.assertIsNone(config.get("other"))
            self.assertEqual(config.require("url"), "http://a")
            self.assertEqual(list(config.all()), ["every-s", "on", "share", "url"])
            self.assertEqual(config.get_or("every-s", 10), 60)
            self.assertEqual(config.get_or("other", 10), 10)
            self.assertEqual(config.get_or("share", 1.0), 0.5)
            self.assertIs(config.get_or("on", False), True)
            self.assertEqual(config.get_or("url", "", str.upper), "HTTP://A")

    def test_errors_name_the_line_of_hotline_yaml(self) -> None:
        with testing.Host(config={"every-s": "soon"}):
            with self.assertRaises(config.Missing) as missing:
                config.require("url")
            self.assertIn('add `config: { url: "…" }` to this plugin in hotline.yaml', str(missing.exception))
            for default, why in ((10, "no whole number"), (1.5, "no number"), (True, "neither true nor false")):
                with self.assertRaises(config.Malformed) as malformed:
                    config.get_or("every-s", default)
                self.assertIn(why, str(malformed.exception))
                self.assertIn("config: { every-s:", str(malformed.exception))
                self.assertEqual(malformed.exception.found, "soon")

    def test_a_type_without_a_reader_is_a_mistake_of_the_plugin(self) -> None:
        with testing.Host(config={"a": "1"}), self.assertRaises(TypeError):
            config.get_or("a", [1])


class Clock(unittest.TestCase):
    def test_now_is_the_hosts(self) -> None:
        with testing.Host() as host:
            self.assertEqual(clock.now(), host.now)
            host.pass_time(timedelta(days=1, microseconds=5))
            self.assertEqual(clock.now(), host.now)


class KeyValues(unittest.TestCase):
    def test_versions_grow_and_never_come_again(self) -> None:
        with testing.Host():
            self.assertIsNone(kv.get("a"))
            first = kv.set_text("a", "一")
            second = kv.set_text("a", "二")
            self.assertGreater(second, first)
            kv.delete("a")
            kv.delete("a")
            self.assertIsNone(kv.get_text("a"))
            self.assertGreater(kv.set("a", b"x"), second)

    def test_compare_and_set(self) -> None:
        with testing.Host():
            version = kv.set_if("a", b"1", None)
            with self.assertRaises(kv.Conflict) as conflict:
                kv.set_if("a", b"2", None)
            self.assertEqual(conflict.exception.version, version)
            kv.set_if("a", b"2", version)
            with self.assertRaises(kv.Conflict) as conflict:
                kv.set_if("gone", b"2", version)
            self.assertIsNone(conflict.exception.version)

    def test_times_to_live_are_rounded_up(self) -> None:
        with testing.Host() as host:
            kv.set_text("a", "x", ttl=timedelta(milliseconds=1))
            host.pass_time(timedelta(milliseconds=999))
            self.assertEqual(kv.get_text("a"), "x")
            host.pass_time(timedelta(milliseconds=1))
            self.assertIsNone(kv.get_text("a"))
            self.assertEqual(kv.keys(), [])
            kv.set_if("a", b"y", None)

    def test_json(self) -> None:
        with testing.Host():
            kv.set_json("a", {"名": [1, None]})
            self.assertEqual(kv.get_json("a"), {"名": [1, None]})
            self.assertIsNone(kv.get_json("b"))
            kv.set("a", b"\xff{")
            with self.assertRaises(kv.NotJson):
                kv.get_json("a")
            with self.assertRaises(kv.NotJson):
                kv.get_text("a")

    def test_keys_are_sorted_by_their_bytes_and_paged(self) -> None:
        with testing.Host():
            for key in ("b/1", "a/2", "a/10", "a/二", "a"):
                kv.set(key, b"")
            self.assertEqual(kv.keys("a/"), ["a/10", "a/2", "a/二"])
            self.assertEqual(kv.keys("a/", after="a/10", limit=1), ["a/2"])
            self.assertEqual(kv.keys(limit=0), [])

    def test_bounds(self) -> None:
        with testing.Host(kv=testing.Store(bytes_max=100, keys_max=2, value_bytes=50)) as host:
            for key, value in (("", b""), ("k" * 257, b""), ("a", b"x" * 51), ("号" * 86, b"")):
                with self.subTest(key=key[:3], size=len(value)), self.assertRaises(kv.TooLarge):
                    kv.set(key, value)
            kv.set("a", b"x" * 50)
            with self.assertRaises(kv.Full):
                kv.set("b", b"x" * 49)
            kv.set("a", b"x" * 49)
            kv.set("b", b"x" * 49)
            with self.assertRaises(kv.Full):
                kv.set("c", b"")
            host.kv.unavailable = "the disk is full"
            with self.assertRaisesRegex(kv.Unavailable, "the disk is full"):
                kv.get("a")

    def test_a_store_outlives_a_host(self) -> None:
        store = testing.Store()
        with testing.Host(kv=store):
            kv.set_text("a", "x")
        with testing.Host(kv=store):
            self.assertEqual(kv.get_text("a"), "x")


class Secrets(unittest.TestCase):
    def test_signatures_are_real(self) -> None:
        # RFC 4231, test case 2.
        with testing.Host(secrets={"key": testing.Secret("Jefe")}):
            data = b"what do ya want for nothing?"
            self.assertEqual(
                secrets.sign("key", secrets.Algorithm.HMAC_SHA256, data).hex(),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            )
            self.assertEqual(
                secrets.sign("key", secrets.Algorithm.HMAC_SHA512, data).hex(),
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            )

    def test_a_secret_is_seen_by_its_own_host_alone(self) -> None:
        granted = {"token": testing.Secret("hunter2", "https://crm.example")}
        with testing.Host(secrets=granted) as host:
            host.http.replies("GET https://crm.example/*")
            host.http.replies("GET https://other.example/*")
            header = {"authorization": f"Bearer {secrets.placeholder('token')}"}
            self.assertNotIn("hunter2", header["authorization"])
            http.get("https://crm.example/a", headers=header)
            http.get("https://other.example/a", headers=header)
            own, other = host.http.asked
            self.assertEqual(own.header("Authorization"), "Bearer hunter2")
            self.assertNotIn("hunter2", other.header("Authorization") or "")

    def test_refusals_name_the_line(self) -> None:
        with testing.Host(secrets={"empty": testing.Secret(None)}):
            with self.assertRaisesRegex(secrets.NotGranted, r"secrets: \{ token: .* grants\.yaml"):
                secrets.placeholder("token")
            with self.assertRaisesRegex(secrets.Missing, 'no value for the secret "empty"'):
                secrets.sign("empty", secrets.Algorithm.HMAC_SHA256, b"")


class Http(unittest.TestCase):
    def test_a_request_and_its_reply(self) -> None:
        with testing.Host() as host:
            host.http.replies("POST https://crm.example/v1/*", status=201, json={"a": "一"}, headers={"ETag": "7"})
            reply = http.post("https://crm.example/v1/x?y=1", json={"q": "二"}, headers={"idempotency-key": "c"})
            self.assertTrue(reply.is_success)
            self.assertEqual((reply.status, reply.json(), reply.header("etag")), (201, {"a": "一"}, "7"))
            self.assertIsNone(reply.header("date"))
            (asked,) = host.http.asked
            self.assertEqual(asked.json(), {"q": "二"})
            self.assertEqual(asked.header("Content-Type"), "application/json")

    def test_replies_come_in_order_and_the_last_stays(self) -> None:
        with testing.Host() as host:
            host.http.replies("GET https://a.example/", status=503)
            host.http.replies("GET https://a.example/", status=200)
            self.assertEqual([http.get("https://a.example/").status for _ in range(3)], [503, 200, 200])

    def test_a_status_of_failure_is_a_reply(self) -> None:
        with testing.Host() as host:
            host.http.replies("GET https://a.example/", status=404, body=b"\xff")
            reply = http.get("https://a.example/")
            self.assertFalse(reply.is_success)
            with self.assertRaises(http.NotJson):
                reply.json()
            with self.assertRaises(http.NotJson):
                reply.text()

    def test_deadlines_and_bounds(self) -> None:
        with testing.Host(time=timedelta(seconds=5)) as host:
            host.http.replies("GET https://slow.example/", takes=timedelta(seconds=2))
            host.http.replies("GET https://big.example/", body=b"x" * 11)
            with self.assertRaisesRegex(http.TimedOut, "within 1500 ms"):
                http.get("https://slow.example/", timeout=timedelta(milliseconds=1500))
            self.assertEqual(call.current().remaining, timedelta(seconds=3.5))
            self.assertEqual(http.get("https://slow.example/").status, 200)
            self.assertEqual(call.current().remaining, timedelta(seconds=1.5))
            with self.assertRaises(http.TimedOut):
                http.get("https://slow.example/", timeout=timedelta())
            with self.assertRaises(http.TooLarge):
                http.get("https://big.example/", reply_bytes_max=10)
            self.assertEqual(len(http.get("https://big.example/", reply_bytes_max=11).body), 11)

    def test_failures_are_told_apart(self) -> None:
        with testing.Host() as host:
            host.http.fails("GET https://a.example/", http.Unreachable("refused"))
            host.http.fails("GET https://b.example/", http.Broken("reset"))
            host.http.denies("GET https://c.example/*")
            for url, error in (
                ("https://a.example/", http.Unreachable),
                ("https://b.example/", http.Broken),
                ("https://c.example/x", http.Denied),
                ("ftp://a.example/", http.BadAddress),
            ):
                with self.assertRaises(error):
                    http.get(url)
            for headers in ({"host": "x"}, {"a b": "x"}, {"x": "a\r\nb: c"}):
                with self.assertRaises(http.BadHeader):
                    http.get("https://a.example/", headers=headers)

    def test_what_nobody_scripted_is_denied_and_fails_the_test(self) -> None:
        with self.assertRaisesRegex(AssertionError, r'host\.http\.replies\("GET https://a\.example/x"'):
            with testing.Host() as host:
                host.http.replies("POST https://a.example/x")
                with self.assertRaises(http.Denied):
                    http.get("https://a.example/x")

    def test_mistakes_of_the_plugin(self) -> None:
        with testing.Host(), self.assertRaises(ValueError):
            http.request("TRACE", "https://a.example/")
        with testing.Host(), self.assertRaises(ValueError):
            http.post("https://a.example/", body=b"x", json={})
