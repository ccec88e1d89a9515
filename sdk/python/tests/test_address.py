"""Addresses, taken apart."""

import unittest

from trunkline_sdk.http._address import Address


class Addresses(unittest.TestCase):
    def test_parts(self) -> None:
        for url, secure, authority, path in (
            ("http://127.0.0.1:7001/v1/citizens", False, "127.0.0.1:7001", "/v1/citizens"),
            ("HTTPS://feed.example", True, "feed.example", "/"),
            ("http://feed.example?since=1", False, "feed.example", "/?since=1"),
            ("http://[::1]:80/a?b=c/d#part", False, "[::1]:80", "/a?b=c/d"),
        ):
            self.assertEqual(Address.parse(url), Address(secure, authority, path), url)

    def test_what_is_none(self) -> None:
        for url in (
            "",
            "feed.example/notices",
            "ftp://feed.example",
            "http://",
            "http:///notices",
            "http://:80/",
            "http://user:word@feed.example/",
            "http://feed.example/a b",
            "http://feed.example/\r\nx: y",
            "http://feed.example/杭州",
        ):
            self.assertIsNone(Address.parse(url), url)
