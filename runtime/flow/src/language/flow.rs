//! Flows: all but their verbs.

use super::{
    BOOL, CONDITION, Field, KEY, Kind, Mapping, PROMPT, STEP, Shape, Subject, TITLE, VARIABLE, WORDS, field,
    needed, verbs,
};

/// A flow's file.
pub(super) static FLOW: Mapping = Mapping {
    what: "a flow",
    doc: "A conversation, or a part of one: a graph of steps.",
    verbs: &[],
    fields: &[
        needed(
            "flow",
            Shape::Word(Kind::Declares(Subject::Flow)),
            "main",
            "Its name, kebab-case.",
        ),
        field("title", TITLE, "A flow", "A title for people."),
        field(
            "inputs",
            Shape::Entries {
                key: Kind::Declares(Subject::Variable),
                value: &Shape::Word(Kind::Type),
            },
            "{ district: string }",
            "What a step that runs this flow gives it: `name: type`. Inputs are variables of the flow.",
        ),
        field(
            "outputs",
            Shape::Entries {
                key: Kind::Declares(Subject::Output),
                value: &Shape::Word(Kind::Type),
            },
            "{ helped: bool }",
            "What the flow gives back when it ends `completed`: `name: type`.",
        ),
        field(
            "vars",
            Shape::Entries {
                key: Kind::Declares(Subject::Variable),
                value: &Shape::Either(&[Shape::Word(Kind::Type), Shape::Mapping(&VARIABLE_DECLARED)]),
            },
            "{ attempts: { type: int, is: 0, label: counter } }",
            "Variables: `name: type`, or with a first value `name: { type: int, is: 0 }`.",
        ),
        field(
            "otherwise",
            STEP,
            "a",
            "The step for every way out of `call`, `menu`, `ask` and `run` that is not wired one by one.",
        ),
        field(
            "anywhere",
            Shape::Mapping(&ANYWHERE),
            "{ keys: { \"9\": a }, words: { help: a } }",
            "Keys and words that are heard at every step that hears, in this flow and in flows it runs.",
        ),
        field(
            "on-hangup",
            STEP,
            "a",
            "The step that runs on when the caller has left; without it the contact ends `abandoned`.",
        ),
        field(
            "starts-on",
            Shape::Word(Kind::Text("what starts it, like `feed.road-works`")),
            "feed.road-works",
            "The feed or webhook that starts it, `feed.NAME` or `webhook.NAME`: then nobody is on the line.",
        ),
        needed("start", STEP, "a", "The step it starts with."),
        needed(
            "steps",
            Shape::Entries {
                key: Kind::Declares(Subject::Step),
                value: &Shape::Mapping(&STEP_MAPPING),
            },
            "{ a: { end: completed } }",
            "The steps by name. They do not follow each other by order: each says what comes `next`.",
        ),
    ],
};

static VARIABLE_DECLARED: Mapping = Mapping {
    what: "a variable",
    doc: "A variable of the flow.",
    verbs: &[],
    fields: &[
        needed(
            "type",
            Shape::Word(Kind::Type),
            "int",
            "Its type; `?` at the end when it may be absent.",
        ),
        field("is", Shape::Value, "0", "The value it has from the start."),
        field(
            "label",
            Shape::Word(Kind::Text("a kind of personal data, like `id-number`")),
            "id-number",
            "The kind of personal data that it holds.",
        ),
    ],
};

static ANYWHERE: Mapping = Mapping {
    what: "`anywhere`",
    doc: "Keys and words that are heard at every step that hears.",
    verbs: &[],
    fields: &[
        field(
            "keys",
            Shape::Entries {
                key: Kind::Key,
                value: &STEP,
            },
            "{ \"9\": a }",
            "Keys and their steps.",
        ),
        field("words", WORDS, "{ help: a }", "Words and their steps."),
    ],
};

/// A step.
pub(super) static STEP_MAPPING: Mapping = Mapping {
    what: "a step",
    doc: "A step. Its one verb says what it does.",
    verbs: &verbs::VERBS,
    fields: &[
        NEXT,
        field(
            "when",
            CONDITION,
            "\"${true}\"",
            "A condition. When it does not hold, the step is passed over to `next`.",
        ),
        field(
            "on",
            Shape::Entries {
                key: Kind::Exit,
                value: &Shape::Either(&[STEP, Shape::Mapping(&WAY_OUT)]),
            },
            "{ else: a }",
            "Where its other ways out lead. `else` stands for all that are not named.",
        ),
        field("title", TITLE, "A step", "A title for people."),
        field(
            "service",
            Shape::Word(Kind::Declares(Subject::Service)),
            "housing",
            "The service that callers reach here: presses and seconds are counted to it.",
        ),
    ],
};

const NEXT: Field = field("next", STEP, "a", "The step that follows when all went well.");

static WAY_OUT: Mapping = Mapping {
    what: "a way out",
    doc: "A way out that carries something.",
    verbs: &[],
    fields: &[
        needed("next", STEP, "a", "The step it leads to."),
        field("save", VARIABLE, "x", "The variable that takes what it carries."),
    ],
};

/// A key of a menu, in full.
pub(super) static MENU_KEY: Mapping = Mapping {
    what: "a key",
    doc: "A key of a menu.",
    verbs: &[],
    fields: &[
        field(
            "say",
            PROMPT,
            "k-one",
            "The key's own line, said after the head of the menu.",
        ),
        needed("next", STEP, "a", "The step it leads to."),
        field(
            "when",
            CONDITION,
            "\"${true}\"",
            "The key is offered only when this holds.",
        ),
    ],
};

/// `answer: { one-of: … }`
pub(super) static ONE_OF: Mapping = Mapping {
    what: "`answer`",
    doc: "One of several values.",
    verbs: &[],
    fields: &[needed(
        "one-of",
        Shape::List(&Shape::Either(&[
            Shape::Word(Kind::Text("a value")),
            Shape::Mapping(&CHOICE),
        ])),
        "[{ value: water, key: 1, words: [aqua] }]",
        "The values; each plain, or with its key and words.",
    )],
};

static CHOICE: Mapping = Mapping {
    what: "a choice",
    doc: "One of several values that answer a question.",
    verbs: &[],
    fields: &[
        needed(
            "value",
            Shape::Word(Kind::Text("a value")),
            "water",
            "What is saved.",
        ),
        field("key", KEY, "1", "Its key."),
        field(
            "words",
            Shape::List(&Shape::Word(Kind::Text("what callers say or type"))),
            "[aqua]",
            "Words that mean it; the value itself always does.",
        ),
    ],
};

/// A branch of `choose`.
pub(super) static BRANCH: Mapping = Mapping {
    what: "a branch",
    doc: "A branch: a condition and where it leads, or `else`, which stands last.",
    verbs: &[],
    fields: &[
        field("when", CONDITION, "\"${true}\"", "The condition."),
        field(
            "next",
            STEP,
            "a",
            "Where the branch leads when its condition holds.",
        ),
        field("else", STEP, "a", "Where it leads when no condition holds."),
    ],
};

/// The answer field's flag fields that several mappings share.
pub(super) const AT_MOST_ONCE: Field = field(
    "at-most-once",
    BOOL,
    "false",
    "Never asked twice, not even after a crash; then it ends with the fault `interrupted`.",
);
