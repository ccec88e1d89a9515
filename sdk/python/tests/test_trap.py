"""What the log is told of an exception that nobody caught."""

import sys
import unittest

from trunkline_sdk import _trap


def find(number: str) -> None:
    raise ValueError(f"nobody has {number}")


def deep(levels: int) -> None:
    if levels:
        deep(levels - 1)
    else:
        find("+8613800138000")


class Told(unittest.TestCase):
    def told(self, levels: int) -> str:
        try:
            deep(levels)
        except ValueError as error:
            return _trap.told(type(error), error.__traceback__)
        self.fail("it was not raised")

    def test_the_places_the_innermost_first(self) -> None:
        self.assertRegex(
            self.told(0),
            r"^ValueError was not caught < test_trap\.py:\d+ in find < test_trap\.py:\d+ in deep < ",
        )

    def test_nothing_that_may_be_personal(self) -> None:
        self.assertNotIn("138", self.told(0))

    def test_bounded(self) -> None:
        self.assertEqual(self.told(100).count(" < "), _trap.PLACES_MAX)

    def test_outside_of_a_component_nothing_is_changed(self) -> None:
        self.assertIs(sys.excepthook, sys.__excepthook__)
