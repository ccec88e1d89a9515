"""What the plugin answers."""

import unittest

import app
from trunkline_sdk import testing
from wit_world.exports import entries
{{#http}}
URL = "https://{{name}}.example/v1/entries"
{{/http}}{{#secrets}}SECRETS = {"{{name}}-token": testing.Secret("a-token-of-tests", bound_to="https://{{name}}.example")}
{{/secrets}}

def host() -> testing.Host:
    """A host with the settings that hotline.yaml would give."""
    return testing.Host(config={{{#http}}"url": URL, {{/http}}"entry-7": "seven"}{{#secrets}}, secrets=SECRETS{{/secrets}})


class Entries(unittest.TestCase):
    def find(self, number: str) -> entries.Entry:
        return app.Entries().find(number)

    def test_an_entry_of_the_settings(self) -> None:
        with host(){{#http}} as answering{{/http}}:
{{#http}}            answering.http.replies(f"GET {URL}/*", status=404)
{{/http}}            self.assertEqual(self.find("7"), entries.Entry("7", "seven"))

    def test_an_unknown_number(self) -> None:
        with host() as answering:
{{#http}}            answering.http.replies(f"GET {URL}/*", status=404)
{{/http}}            with testing.refuses(entries.EntryError_NotFound):
                self.find("8")
        self.assertEqual(len(answering.log.of("info")), 1)

    def test_a_number_that_is_too_long_for_one(self) -> None:
        with host(), testing.refuses(entries.EntryError_NotFound):
            self.find("1" * 1_000)
{{#kv}}
    def test_an_entry_is_kept(self) -> None:
        with host() as answering:
{{#http}}            answering.http.replies(f"GET {URL}/*", status=404)
{{/http}}            self.find("7")
            answering.config.pop("entry-7")
            self.assertEqual(self.find("7").text, "seven")
            answering.pass_time(app.KEPT)
            answering.next_call(call_id="call-2")
            with testing.refuses(entries.EntryError_NotFound):
                self.find("7")
{{/kv}}{{#http}}
    def test_an_entry_of_the_service(self) -> None:
        with host() as answering:
            answering.http.replies(f"GET {URL}/a%2Fb", body=b"from the service")
            self.assertEqual(self.find("a/b").text, "from the service")
{{#secrets}}        self.assertEqual(answering.http.asked[0].header("authorization"), "Bearer a-token-of-tests")
{{/secrets}}
    def test_a_service_that_cannot_be_asked(self) -> None:
        with host() as answering:
            answering.http.replies(f"GET {URL}/7", status=503)
            with testing.refuses(entries.EntryError_Unreachable("the service answered 503")):
                self.find("7")
        with host() as answering:
            answering.http.denies(f"GET {URL}/7")
            with testing.refuses(entries.EntryError_Unreachable) as refused:
                self.find("7")
        self.assertIn("grants.yaml", refused.value.value)

    def test_a_setting_that_is_missing(self) -> None:
        with testing.Host(), testing.refuses(entries.EntryError_Unreachable):
            self.find("7")
{{/http}}
