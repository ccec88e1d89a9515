//! surveys/*.yaml.

use super::{
    Kind, Mapping, PROMPT, Shape, Subject, TITLE, choice, field, needed,
    verbs::{ANSWER, FINISH, GREATEST, LEAST, LENGTH, PATTERN},
};

/// surveys/*.yaml
pub(super) static SURVEY: Mapping = Mapping {
    what: "a survey",
    doc: "Questions that callers are asked about how it was.",
    verbs: &[],
    fields: &[
        needed(
            "survey",
            Shape::Word(Kind::Declares(Subject::Survey)),
            "csat",
            "Its name, kebab-case.",
        ),
        field("title", TITLE, "A survey", "A title for people."),
        needed(
            "kind",
            Shape::Word(Kind::Choice(&[
                choice(
                    "csat",
                    "Satisfaction: the first question is a number from 1 to 5.",
                ),
                choice(
                    "nps",
                    "Recommendation: the first question is a number from 0 to 10.",
                ),
                choice("comment", "Words, without a score."),
            ])),
            "csat",
            "How it is scored.",
        ),
        needed(
            "questions",
            Shape::List(&Shape::Mapping(&QUESTION)),
            "[{ name: score, ask: hello, answer: number, min: 1, max: 5 }]",
            "The questions in order.",
        ),
    ],
};

static QUESTION: Mapping = Mapping {
    what: "a question",
    doc: "A question of a survey.",
    verbs: &[],
    fields: &[
        needed(
            "name",
            Shape::Word(Kind::Text("a name for the answer")),
            "score",
            "What the answer is called.",
        ),
        needed("ask", PROMPT, "hello", "The question."),
        needed("answer", ANSWER, "number", "What counts as an answer."),
        LENGTH,
        PATTERN,
        FINISH,
        LEAST,
        GREATEST,
    ],
};
