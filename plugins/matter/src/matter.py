"""The component: the classifier behind `dispatch-office:matter/matters`."""

from matter_classifier.features import Text
from matter_classifier.model import Model
from trunkline_sdk import Refusal, call, config, log
from wit_world import exports
from wit_world.exports import matters

#: Below this confidence it is unsure, unless the setting `unsure-below` says otherwise.
UNSURE_BELOW = 0.4

#: Candidates that it names when it is unsure.
CANDIDATES_MAX = 3

#: Below this a second class is not worth naming.
SECOND_FROM = 0.02

TITLES = {
    "noise": ("噪声扰民", "Noise"),
    "water-and-gas": ("水电气暖", "Water, power, gas and heating"),
    "roads": ("道路与市政设施", "Roads and public works"),
    "waste": ("环境卫生", "Refuse and sanitation"),
    "environment": ("环境污染", "Environment"),
    "traffic": ("交通出行", "Traffic and transport"),
    "housing": ("住房与物业", "Housing"),
    "social-security": ("社会保障", "Social security"),
    "labour": ("劳动纠纷", "Labour"),
    "consumer": ("消费维权", "Consumer affairs"),
    "schools": ("教育", "Schools"),
    "health": ("医疗卫生", "Health"),
    "public-security": ("公安警务", "Public security"),
    "civil-affairs": ("民政与户籍", "Civil affairs"),
    "city-order": ("城市管理", "City order"),
    "other": ("其他", "Other"),
}

# Read while the component is made: a call finds it in memory.
MODEL = Model.read()


class Matters(exports.Matters):
    """The functions of `matters`."""

    def classify(self, text: str) -> matters.Matter:
        read = Text.of(text)
        if not read.has_words:
            raise Refusal(matters.MatterError_Empty())
        verdict = MODEL.judge(read)
        chinese = call.current().language == "zh"
        candidates = [_candidate(name, confidence, chinese) for name, confidence in verdict.ranking]
        if not candidates or candidates[0].confidence < _unsure_below():
            raise Refusal(matters.MatterError_Unsure(candidates[:CANDIDATES_MAX]))
        best, second = candidates[0], candidates[1]
        return matters.Matter(
            class_=best.class_,
            title=best.title,
            confidence=best.confidence,
            second=second if second.confidence >= SECOND_FROM else None,
            words=list(verdict.words),
        )


def _candidate(name: str, confidence: float, chinese: bool) -> matters.Candidate:
    in_chinese, in_english = TITLES[name]
    case = matters.MatterClass[name.upper().replace("-", "_")]
    return matters.Candidate(case, in_chinese if chinese else in_english, confidence)


def _unsure_below() -> float:
    """The setting, or the default when it is none from 0 to 1."""
    try:
        return config.get_or("unsure-below", UNSURE_BELOW, _share)
    except config.Malformed as error:
        log.warn(f"{error}; {UNSURE_BELOW} holds")
        return UNSURE_BELOW


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        raise ValueError("it is no number") from None
    if not 0 <= share <= 1:
        raise ValueError("it is not between 0 and 1")
    return share
