#!/usr/bin/env python3
"""Counts the training sentences into src/matter_classifier/counts.json.

    python3 train.py            writes counts.json
    python3 train.py --check    fails when counts.json is not what the training sentences give
    python3 train.py --judge    accuracy by cross-validation and on held-out.tsv

The same sentences give the same file, byte for byte. held-out.tsv is read by --judge alone.
"""

import json
import math
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "src"))

from matter_classifier.features import Text  # noqa: E402
from matter_classifier.model import COUNTS, SCRIPTS, Model  # noqa: E402

#: How often a term of the catalogue counts, beside a sentence's once.
TERM_WEIGHT = 3

#: Parts of the cross-validation.
FOLDS = 10

#: Spreads that are tried; the best by cross-validation is shipped.
SPREADS = tuple(step / 4 for step in range(1, 81))

Sentences = list[tuple[str, str]]


def sections(path: Path) -> Sentences:
    """Lines of a file by the class in whose section they stand."""
    found: Sentences = []
    name = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            name = line.strip("[]")
        elif name is None:
            raise SystemExit(f"{path}:{number}: a line before the first class; begin with `[noise]`")
        else:
            found.append((name, line))
    return found


def sentences() -> Sentences:
    """The training sentences of both languages."""
    training = HERE / "training"
    return sections(training / "zh-CN.txt") + sections(training / "en.txt")


def terms() -> Sentences:
    """The catalogue's terms of both languages."""
    training = HERE / "training"
    chinese = [(name, term) for name, line in sections(training / "terms.zh-CN.txt") for term in line.split()]
    english = [(name, term.strip()) for name, line in sections(training / "terms.en.txt") for term in line.split(";")]
    return chinese + english


def held_out() -> Sentences:
    """The sentences that nothing was trained on."""
    lines = (HERE / "held-out.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return [(name, text) for name, text in rows]


def counted(sentences: Iterable[tuple[str, str]], terms: Iterable[tuple[str, str]]) -> Model:
    """A model of sentences and terms, not spread yet."""
    counts: dict[str, dict[str, Counter[str]]] = {script: {} for script in SCRIPTS}
    classes: dict[str, None] = {}
    for weight, texts in ((1, sentences), (TERM_WEIGHT, terms)):
        for name, text in texts:
            classes[name] = None
            for feature in Text.of(text).features:
                counts[feature.script].setdefault(feature.name, Counter())[name] += weight
    return Model(classes, counts, spread=1.0)


def cross_validated(sentences: Sentences, terms: Sentences) -> list[tuple[str, str, Model]]:
    """Each sentence with a model that has not seen it."""
    folds = [[one for at, one in enumerate(sentences) if at % FOLDS != fold] for fold in range(FOLDS)]
    models = [counted(fold, terms) for fold in folds]
    return [(name, text, models[at % FOLDS]) for at, (name, text) in enumerate(sentences)]


def best_spread(sentences: Sentences, terms: Sentences) -> float:
    """The spread under which the right class of an unseen sentence is likeliest."""
    judged = [(name, text, model, Text.of(text)) for name, text, model in cross_validated(sentences, terms)]

    def surprise(spread: float) -> float:
        lost = 0.0
        for name, _, model, read in judged:
            model.spread = spread
            likely = dict(model.judge(read).ranking)
            lost -= math.log(max(likely.get(name, 0.0), 1e-9))
        return lost

    # Narrowed down rather than tried one by one: the surprise has one valley.
    low, high = 0, len(SPREADS) - 1
    while high - low > 2:
        third = (high - low) // 3
        left, right = low + third, high - third
        if surprise(SPREADS[left]) <= surprise(SPREADS[right]):
            high = right
        else:
            low = left
    return min(SPREADS[low : high + 1], key=surprise)


def written(model: Model) -> str:
    """A model as JSON, a line for each feature, so that a change reads as one."""
    parts = []
    for script in SCRIPTS:
        lines = [
            f"      {json.dumps(name, ensure_ascii=False)}: {json.dumps(dict(sorted(by_class.items())))}"
            for name, by_class in sorted(model.counts[script].items())
        ]
        parts.append(f'    "{script}": {{\n' + ",\n".join(lines) + "\n    }")
    return (
        '{\n  "about": "Made by train.py of the sentences in training/; do not edit.",\n'
        f'  "classes": {json.dumps(model.classes)},\n'
        f'  "spread": {model.spread},\n'
        '  "counts": {\n' + ",\n".join(parts) + "\n  }\n}\n"
    )


def trained() -> Model:
    """The model of all training sentences."""
    model = counted(sentences(), terms())
    model.spread = best_spread(sentences(), terms())
    return model


def language(text: str) -> str:
    """The language that most of a text is in."""
    return "en" if sum(character.isascii() for character in text) * 2 > len(text) else "zh-CN"


def accuracy(judged: list[tuple[str, str, Model]]) -> dict[str, tuple[int, int]]:
    """Right ones and all, by language."""
    right: Counter[str] = Counter()
    every: Counter[str] = Counter()
    for name, text, model in judged:
        ranking = model.judge(Text.of(text)).ranking
        every[language(text)] += 1
        right[language(text)] += bool(ranking) and ranking[0][0] == name
    return {tongue: (right[tongue], every[tongue]) for tongue in sorted(every)}


def judge() -> None:
    """Prints what the model is worth."""
    model = Model.read()
    for title, judged in (
        ("cross-validation", cross_validated(sentences(), terms())),
        ("held out", [(name, text, model) for name, text in held_out()]),
    ):
        for tongue, (right, every) in accuracy(judged).items():
            print(f"{title:<17} {tongue:<6} {right:>4} of {every:<4} {right / every:.1%}")
    unseen = held_out()
    print("\nheld out, by the confidence from which a class is taken: taken, and right of those")
    for bound in (0.0, 0.2, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8):
        taken = [(name, model.judge(Text.of(text)).ranking[:1]) for name, text in unseen]
        sure = [(name, ranking[0][0]) for name, ranking in taken if ranking and ranking[0][1] >= bound]
        right = sum(name == found for name, found in sure)
        print(f"  {bound:.2f}  {len(sure):>3} of {len(unseen)}, {right / max(len(sure), 1):.1%}")
    print("\nheld out, taken for another class")
    for name, text in unseen:
        ranking = model.judge(Text.of(text)).ranking
        found, confidence = ranking[0] if ranking else ("nothing", 0.0)
        if found != name:
            print(f"  {name:<16} as {found:<16} {confidence:.2f}  {text}")


def main() -> None:
    """The command line."""
    match sys.argv[1:]:
        case []:
            COUNTS.write_text(written(trained()), encoding="utf-8")
            print(f"{COUNTS.relative_to(HERE)}: {COUNTS.stat().st_size / 1000:.0f} kB")
        case ["--check"]:
            if written(trained()) != COUNTS.read_text(encoding="utf-8"):
                raise SystemExit("counts.json is not what the training sentences give; run `python3 train.py`")
        case ["--judge"]:
            judge()
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
