//! Scenarios: tests of a hotline in the reader's language.

use super::{DURATION, Kind, Mapping, Shape, Subject, choice, field, needed};

const TEXT: Shape = Shape::Word(Kind::Text("a text"));

/// tests/*.yaml
pub(super) static SCENARIO: Mapping = Mapping {
    what: "a scenario",
    doc: "A contact as it should go: who calls, what plugins answer, what is heard, pressed and said.",
    verbs: &[],
    fields: &[
        needed(
            "scenario",
            TEXT,
            "a caller is told the hours",
            "What it shows, in a sentence.",
        ),
        field(
            "call",
            Shape::Mapping(&CALL),
            "{ number: \"12345\" }",
            "Who calls, which number, and when.",
        ),
        field(
            "starts-on",
            Shape::Word(Kind::Text("what starts it, like `feed.road-works`")),
            "feed.road-works",
            "What starts the contact, where nobody calls: a feed or a webhook.",
        ),
        field("change", Shape::Value, "{ id: a-1 }", "The change of the feed."),
        field("event", Shape::Value, "{ id: a-1 }", "The event of the webhook."),
        field(
            "to",
            Shape::Word(Kind::Text("a number in E.164")),
            "\"+8613800138000\"",
            "Whom the change or the event concerns.",
        ),
        field(
            "at",
            Shape::Word(Kind::Text("a time: \"2026-11-21T20:05\"")),
            "\"2026-11-21T20:05\"",
            "When the contact starts, by the hotline's clocks.",
        ),
        field(
            "language",
            Shape::Word(Kind::Names(Subject::Language)),
            "en",
            "The language that the contact is led in.",
        ),
        field(
            "plugins",
            Shape::Entries {
                key: Kind::Names(Subject::Function),
                value: &Shape::Either(&[Shape::List(&Shape::Mapping(&ANSWER)), Shape::Mapping(&ANSWER)]),
            },
            "{ crm.find-citizen: { refusal: not-found } }",
            "What each function answers: one answer, or a list with one for each call.",
        ),
        field(
            "services",
            Shape::Entries {
                key: Kind::Text("queue.NAME, transfer, callback, ticket, notify, survey or record"),
                value: &Shape::Either(&[TEXT, Shape::List(&TEXT)]),
            },
            "{ queue.general: full, callback: refused }",
            "What services answer that do not do as they do by themselves: one answer, or a list with one for each demand.",
        ),
        field(
            "agents",
            Shape::Entries {
                key: Kind::Names(Subject::Agent),
                value: &Shape::Mapping(&AGENT),
            },
            "{ zhang-wei: { state: available, answers-after: 5s } }",
            "The agents who are there.",
        ),
        needed(
            "script",
            Shape::List(&Shape::Mapping(&LINE)),
            "[{ hears: welcome }, { presses: 1 }]",
            "What happens, line by line.",
        ),
    ],
};

static CALL: Mapping = Mapping {
    what: "`call` of a scenario",
    doc: "The call that begins the contact.",
    verbs: &[],
    fields: &[
        needed(
            "number",
            Shape::Word(Kind::Text("a number of the hotline")),
            "\"12345\"",
            "The number that is called.",
        ),
        field(
            "from",
            Shape::Word(Kind::Text("a number in E.164")),
            "\"+8613800138000\"",
            "The caller's number.",
        ),
        field(
            "at",
            Shape::Word(Kind::Text("a time: \"2026-11-21T20:05\"")),
            "\"2026-11-21T20:05\"",
            "When, by the hotline's clocks.",
        ),
        field(
            "language",
            Shape::Word(Kind::Names(Subject::Language)),
            "en",
            "The language that is asked for.",
        ),
        field(
            "channel",
            Shape::Word(Kind::Choice(&[
                choice("voice", "A phone call."),
                choice("chat", "A chat."),
            ])),
            "chat",
            "How the caller reaches the hotline.",
        ),
    ],
};

static ANSWER: Mapping = Mapping {
    what: "a plugin's answer",
    doc: "What a function answers: a value, a refusal or a fault.",
    verbs: &[],
    fields: &[
        field(
            "ok",
            Shape::Value,
            "{ id: c-1, name: 王芳 }",
            "The value it gives.",
        ),
        field(
            "refusal",
            Shape::Word(Kind::Text("an error case of the function")),
            "not-found",
            "The error it gives.",
        ),
        field("with", Shape::Value, "3", "What the refusal carries."),
        field(
            "fault",
            Shape::Word(Kind::Text("a kind of fault, like `timed-out`")),
            "timed-out",
            "How it fails.",
        ),
        field("after", DURATION, "3s", "How long it takes."),
    ],
};

static AGENT: Mapping = Mapping {
    what: "an agent of a scenario",
    doc: "An agent who is there.",
    verbs: &[],
    fields: &[
        field(
            "state",
            Shape::Word(Kind::Text("a state, like `available`")),
            "available",
            "The agent's state.",
        ),
        field(
            "answers-after",
            DURATION,
            "5s",
            "How long the agent lets it ring.",
        ),
    ],
};

static LINE: Mapping = Mapping {
    what: "a line of a script",
    doc: "One thing that happens.",
    verbs: &[],
    fields: &[
        field(
            "hears",
            Shape::Either(&[Shape::Word(Kind::Names(Subject::Prompt)), Shape::Mapping(&HEARD)]),
            "welcome",
            "The caller hears a prompt, or `{ text: … }` within what is said.",
        ),
        field(
            "presses",
            Shape::Word(Kind::Text("keys of the keypad")),
            "1",
            "The caller presses keys.",
        ),
        field("says", TEXT, "我很着急", "The caller says or types something."),
        field("wait", DURATION, "60s", "Time goes by."),
        field("hangs-up", Shape::Word(Kind::Bool), "true", "The caller leaves."),
        field(
            "agent",
            Shape::Mapping(&AGENT_DOES),
            "{ answers: zhang-wei }",
            "An agent does something.",
        ),
        field(
            "restarts",
            Shape::Word(Kind::Bool),
            "true",
            "The server is stopped and started again here.",
        ),
        field(
            "expect",
            Shape::Mapping(&EXPECTED),
            "{ ended: completed }",
            "What should be so by now.",
        ),
    ],
};

static HEARD: Mapping = Mapping {
    what: "`hears`",
    doc: "A part of what is said.",
    verbs: &[],
    fields: &[needed("text", TEXT, "您好", "What is said has this in it.")],
};

static AGENT_DOES: Mapping = Mapping {
    what: "`agent` of a script",
    doc: "What an agent does.",
    verbs: &[],
    fields: &[
        field(
            "answers",
            Shape::Word(Kind::Names(Subject::Agent)),
            "zhang-wei",
            "The agent answers.",
        ),
        field(
            "ends",
            Shape::Word(Kind::Names(Subject::Agent)),
            "zhang-wei",
            "The agent ends the call.",
        ),
    ],
};

static EXPECTED: Mapping = Mapping {
    what: "`expect`",
    doc: "What should be so.",
    verbs: &[],
    fields: &[
        field(
            "ended",
            Shape::Word(Kind::Text("an outcome")),
            "completed",
            "The contact has ended with this outcome.",
        ),
        field(
            "step",
            Shape::Word(Kind::Text("a step")),
            "topics",
            "The contact is at this step.",
        ),
        field("said", TEXT, "您好", "This was said."),
        field(
            "not-heard",
            Shape::Word(Kind::Names(Subject::Prompt)),
            "sorry",
            "This prompt was never said.",
        ),
        field(
            "vars",
            Shape::Entries {
                key: Kind::Text("a variable"),
                value: &Shape::Value,
            },
            "{ mood: angry }",
            "Variables have these values.",
        ),
        field(
            "callback",
            Shape::Value,
            "{ within: 30m }",
            "A ring-back was booked.",
        ),
        field("ticket", Shape::Value, "{ class: noise }", "A ticket was opened."),
        field("notified", Shape::Word(Kind::Bool), "true", "A message was sent."),
    ],
};
