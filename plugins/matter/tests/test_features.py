"""What is counted in a text."""

import unittest

from matter_classifier.features import TEXT_CHARS_MAX, Text, stem

import tests  # noqa: F401  (makes the plugin's modules importable)


def names(text: str, script: str = "han") -> list[str]:
    return [feature.name for feature in Text.of(text).features if feature.script == script]


class Features(unittest.TestCase):
    def test_characters_and_pairs_each_once(self) -> None:
        self.assertEqual(names("停水停水"), ["停", "水", "停水", "水停"])
        self.assertEqual(names("停，水"), ["停", "水"])

    def test_words_stems_and_pieces(self) -> None:
        self.assertEqual(names("The LEAKS", "latin"), ["leak", "#<lea", "#leak", "#eak>"])
        for word, stemmed in (
            ("leaking", "leak"),
            ("batteries", "battery"),
            ("stopped", "stop"),
            ("wages", "wag"),
            ("wage", "wag"),
            ("bill", "bill"),
            ("gas", "gas"),
        ):
            self.assertEqual(stem(word), stemmed, word)

    def test_places_are_those_of_the_text(self) -> None:
        text = "ＡＢ停水 Leaks!"
        read = Text.of(text)
        self.assertEqual(len(read.plain), len(text))
        for feature in read.features:
            if feature.script == "han":
                self.assertEqual(text[feature.start : feature.end], feature.name)

    def test_names_are_left_out(self) -> None:
        for text, left_out in (
            ("我叫张路灯，路面坏了", "张路"),
            ("找王先生处理", "王"),
            ("Mr. Noise shouted", "noise"),
            ("my name is Rose Waters", "rose"),
        ):
            every = names(text) + names(text, "latin")
            self.assertNotIn(left_out, every, text)
        self.assertIn("路", names("我叫张路灯，路面坏了"))
        self.assertIn("租房", names("我是租房的"))

    def test_long_texts_are_cut(self) -> None:
        self.assertEqual(len(Text.of("停" * 100_000).plain), TEXT_CHARS_MAX)
        self.assertEqual(names("。" * TEXT_CHARS_MAX + "停水"), [])

    def test_words_known_or_not(self) -> None:
        self.assertTrue(Text.of("the").has_words)
        self.assertFalse(Text.of("１２３ 456 …").has_words)
