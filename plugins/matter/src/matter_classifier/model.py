"""Complement naive Bayes over counted features.

For each class the likelihood of a text is taken under everything that is *not* of the class (Rennie
and others, 2003): it bears classes of different sizes, and rare words, better than the plain kind.
The two scripts are counted apart, since a text's features in one say nothing of the other's.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .features import Text

#: The counts that are shipped, made by train.py.
COUNTS = Path(__file__).with_name("counts.json")

#: Added to each count.
ALPHA = 1.0

#: Words named as decisive.
WORDS_MAX = 5

SCRIPTS = ("han", "latin")

#: By script, feature and class.
Counts = Mapping[str, Mapping[str, Mapping[str, int]]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a text may be about."""

    #: Classes with their confidence, the likeliest first; empty when no feature is known.
    ranking: tuple[tuple[str, float], ...]
    #: The words that spoke for the first class, the weightiest first.
    words: tuple[str, ...]


class Model:
    """Counts of features by class."""

    def __init__(
        self, classes: Iterable[str], counts: Mapping[str, Mapping[str, Mapping[str, int]]], spread: float
    ) -> None:
        self.classes = tuple(classes)
        self.counts = counts
        #: By how much scores are spread: fitted so that a confidence of 0.7 is right seven times in ten.
        self.spread = spread
        # What each class gives for any feature of a script: the logarithm of the complement's size.
        self._complement = {script: self._sizes(counts[script]) for script in SCRIPTS}

    def _sizes(self, counts: Mapping[str, Mapping[str, int]]) -> dict[str, float]:
        of_class = dict.fromkeys(self.classes, 0)
        for by_class in counts.values():
            for name, count in by_class.items():
                of_class[name] += count
        everything = sum(of_class.values())
        return {name: math.log(everything - count + ALPHA * len(counts)) for name, count in of_class.items()}

    @classmethod
    def read(cls, path: Path = COUNTS) -> "Model":
        """Reads counts.json."""
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return cls(content["classes"], content["counts"], content["spread"])

    def judge(self, text: Text) -> Verdict:
        """Ranks the classes of a text."""
        scores = dict.fromkeys(self.classes, 0.0)
        weights: list[dict[str, float]] = []
        known = []
        for feature in text.features:
            by_class = self.counts[feature.script].get(feature.name)
            if by_class is None:
                continue
            known.append(feature)
            weight = self._weights(feature.script, by_class)
            weights.append(weight)
            for name, value in weight.items():
                scores[name] += value
        if not known:
            return Verdict((), ())
        ranking = self._ranked(scores, len(known))
        best, rival = ranking[0][0], ranking[1][0]
        # A word's weight is what its features together say for the best class against its rival.
        spans: dict[tuple[int, int], float] = {}
        for feature, weight in zip(known, weights, strict=True):
            place = (feature.start, feature.end)
            spans[place] = spans.get(place, 0.0) + weight[best] - weight[rival]
        return Verdict(ranking, _words(text.plain, spans))

    def _weights(self, script: str, by_class: Mapping[str, int]) -> dict[str, float]:
        complement = self._complement[script]
        total = sum(by_class.values())
        rest = math.log(total + ALPHA)
        return {
            name: complement[name] - (math.log(total - by_class[name] + ALPHA) if name in by_class else rest)
            for name in self.classes
        }

    def _ranked(self, scores: Mapping[str, float], known: int) -> tuple[tuple[str, float], ...]:
        # Features of one text are far from independent: a long text is not surer by its length.
        scale = self.spread / math.sqrt(known)
        highest = max(scores.values())
        likely = {name: math.exp((score - highest) * scale) for name, score in scores.items()}
        everything = sum(likely.values())
        ranked = sorted(likely.items(), key=lambda one: (-one[1], self.classes.index(one[0])))
        return tuple((name, value / everything) for name, value in ranked)


def _words(text: str, spans: Mapping[tuple[int, int], float]) -> tuple[str, ...]:
    """The weightiest parts of a text that do not overlap; neighbours become one word."""
    speaking = sorted((place for place in spans if spans[place] > 0), key=lambda place: -spans[place])
    chosen: list[tuple[int, int]] = []
    for start, end in speaking:
        # A single character of Chinese says little to a reader.
        alone = end - start == 1 and ord(text[start]) > 0x7F
        if alone or any(start < other_end and other < end for other, other_end in chosen):
            continue
        chosen.append((start, end))
        if len(chosen) == WORDS_MAX:
            break
    return tuple(dict.fromkeys(text[start:end] for start, end in chosen))
