"""What the classifier is worth, and that counts.json is what the training sentences give."""

import unittest

import train

from tests import FOLDER

#: Right ones of the held-out list when it was written, before anything was changed by it.
RIGHT = {"zh-CN": 79, "en": 48}


class Worth(unittest.TestCase):
    def test_counts_are_those_of_the_training_sentences(self) -> None:
        self.assertEqual(train.written(train.trained()), train.COUNTS.read_text(encoding="utf-8"))

    def test_held_out(self) -> None:
        model = train.Model.read()
        found = train.accuracy([(name, text, model) for name, text in train.held_out()])
        for tongue, (right, every) in found.items():
            print(f"held out, {tongue}: {right} of {every} right ({right / every:.1%})")
            self.assertGreaterEqual(right, RIGHT[tongue])
        self.assertGreaterEqual(sum(every for _, every in found.values()), 120)

    def test_nothing_held_out_was_trained_on(self) -> None:
        trained = {text for _, text in train.sentences()}
        for name, text in train.held_out():
            self.assertNotIn(text, trained)
            self.assertIn(name, train.Model.read().classes)

    def test_no_sentence_stands_twice(self) -> None:
        texts = [text for _, text in train.sentences()]
        twice = {text for text in texts if texts.count(text) > 1}
        self.assertEqual(twice, set())


class Files(unittest.TestCase):
    def test_a_line_before_the_first_class_is_said(self) -> None:
        with self.assertRaisesRegex(SystemExit, r"en\.txt:1: a line before the first class"):
            import tempfile
            from pathlib import Path

            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "en.txt"
                path.write_text("too early\n")
                train.sections(path)

    def test_the_requirements_are_those_of_the_sdk(self) -> None:
        from trunkline_sdk.build import COMPONENTIZE_PY

        pinned = (FOLDER / "requirements.txt").read_text()
        self.assertEqual(pinned.strip(), f"componentize-py=={COMPONENTIZE_PY}")
