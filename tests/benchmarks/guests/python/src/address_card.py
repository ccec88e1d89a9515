"""The step of the benchmarks in Python: plugins/address-card, line for line."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.cards import Card, CardError_Malformed


def field(text: str, name: str) -> str:
    for pair in text.split(";"):
        key, equals, value = pair.partition("=")
        if equals and key.strip() == name:
            return value.strip()
    raise Err(CardError_Malformed(name))


def number(text: str, name: str) -> int:
    found = field(text, name)
    if not found.isdigit():
        raise Err(CardError_Malformed(name))
    return int(found)


class Cards(exports.Cards):
    def read(self, text: str) -> Card:
        return Card(
            id=field(text, "id"),
            name=field(text, "name"),
            district=field(text, "district"),
            street=field(text, "street"),
            born=number(text, "born"),
            household=number(text, "household"),
            registered=field(text, "registered") == "true",
        )
