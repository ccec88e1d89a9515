"""What is counted in a text.

Chinese has no spaces between words: single characters and pairs of them are counted. Of English
words the stem, and its pieces of four letters, which bring `leak`, `leaks` and `leaking` together.
Each feature counts once in a text. Digits, people's names, and the small words of English do not
count.
"""

import re
import unicodedata
from dataclasses import dataclass

#: Characters of a text that are looked at.
TEXT_CHARS_MAX = 2_000

#: Letters of an English word's pieces.
PIECE = 4

_HAN = r"[\u3400-\u9fff]"
_RUN = re.compile(rf"{_HAN}+|[a-z][a-z']*")

# A name with the words that introduce it, and a surname before a title, are left out.
_HAN_NAME = re.compile(
    rf"(?:我叫|名字叫|名叫|我姓|姓名是?){_HAN}{{1,4}}?(?=[，,。.！!？?、\s]|$|是|住|想|要|的)"
    rf"|{_HAN}(?:先生|女士|小姐|师傅|同志)"
)
_LATIN_NAME = re.compile(r"\bmy name is [a-z]+(?: [a-z]+)?|\b(?:mr|mrs|ms|miss|dr)\.? [a-z]+")

_SMALL_WORDS = frozenset(
    """
    a an and are at be been by can could did do does for from had has have he her him his how i in is it
    its me my no not of on or our she that the their them there these they this those to us was we were
    what when where which who will with would you your
    """.split()  # noqa: SIM905
)
_ENDINGS = ("'s", "ies", "ing", "ed", "es", "s")


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that is counted, and where it stands first."""

    #: ``han`` or ``latin``: the two are counted apart.
    script: str
    name: str
    #: The part of the text, as it was written.
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Text:
    """A text as it is looked at."""

    #: Cut, with full-width letters made ordinary and capitals made small, as long as what was given.
    plain: str
    #: Each feature once, in the order of the text.
    features: tuple[Feature, ...]
    #: Whether it holds any word at all, known or not.
    has_words: bool

    @classmethod
    def of(cls, text: str) -> "Text":
        """Reads a text."""
        plain = "".join(map(_plain, text[:TEXT_CHARS_MAX]))
        has_words = _RUN.search(plain) is not None
        nameless = _without_names(plain)
        found: dict[tuple[str, str], Feature] = {}
        for run in _RUN.finditer(nameless):
            for feature in _han(run) if ord(run[0][0]) > 0x7F else _latin(run):
                found.setdefault((feature.script, feature.name), feature)
        return cls(plain, tuple(found.values()), has_words)


def _plain(character: str) -> str:
    """One character for one, so that places in the text stay."""
    folded = unicodedata.normalize("NFKC", character).lower()
    return folded if len(folded) == 1 else character


def _without_names(text: str) -> str:
    """The text with names blanked out."""
    letters = list(text)
    for pattern in (_HAN_NAME, _LATIN_NAME):
        for found in pattern.finditer(text):
            start, end = found.span()
            letters[start:end] = " " * (end - start)
    return "".join(letters)


def _han(run: re.Match[str]) -> list[Feature]:
    text, start = run[0], run.start()
    return [
        Feature("han", text[at : at + length], start + at, start + at + length)
        for length in (1, 2)
        for at in range(len(text) - length + 1)
    ]


def _latin(run: re.Match[str]) -> list[Feature]:
    word = run[0]
    if word in _SMALL_WORDS:
        return []
    stemmed = stem(word)
    framed = f"<{stemmed}>"
    pieces = [f"#{framed[at : at + PIECE]}" for at in range(len(framed) - PIECE + 1)]
    return [Feature("latin", name, run.start(), run.end()) for name in (stemmed, *pieces)]


def stem(word: str) -> str:
    """A word without its ending: `leaking`, `leaks` and `leak` are one."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)] + ("y" if ending == "ies" else "")
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "sl":
        word = word[:-1]
    return word.rstrip("e") if len(word) > 3 else word
