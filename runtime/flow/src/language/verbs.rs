//! What steps do: the verbs and their fields.

use super::{
    BOOL, Choice, DURATION, EXPRESSION, Field, KEY, Kind, Mapping, PROMPT, STEP, Shape, Subject, VARIABLE,
    Verb, WHOLE, WORDS, choice, field,
    flow::{AT_MOST_ONCE, BRANCH, MENU_KEY, ONE_OF},
    needed,
};

/// What a function or a flow that is run is given.
const WITH: Shape = Shape::Entries {
    key: Kind::Argument,
    value: &Shape::Value,
};

/// Values of variables.
const ASSIGNED: Shape = Shape::Entries {
    key: Kind::Names(Subject::Variable),
    value: &Shape::Value,
};

const RETRIES: Field = field(
    "retries",
    WHOLE,
    "2",
    "How often it asks again: 2, the default, are three hearings.",
);
const AGAIN: Field = field(
    "again",
    Shape::Either(&[
        Shape::Word(Kind::Names(Subject::Prompt)),
        Shape::List(&PROMPT),
        Shape::Entries {
            key: Kind::Names(Subject::Language),
            value: &Shape::Word(Kind::Template),
        },
    ]),
    "ask-again",
    "What is said at later hearings: one prompt, or a list of them, the last of which is repeated.",
);
const FIRST_KEY_TIME: Field = field(
    "time",
    DURATION,
    "8s",
    "Time to the first key or word; the channel's own when the step gives none.",
);
const CALL_TIME: Field = field(
    "time",
    DURATION,
    "800ms",
    "Time for all attempts together: 3s without, at most 60s.",
);
const SAVE_ANSWER: Field = field("save", VARIABLE, "x", "The variable that takes the answer.");

pub(super) const LENGTH: Field = field(
    "length",
    Shape::Word(Kind::Text("how many keys: `4`, or `4-8`")),
    "4",
    "How many keys make the answer: `4`, or `4-8` with a `finish` key.",
);
pub(super) const PATTERN: Field = field(
    "pattern",
    Shape::Word(Kind::Text("keys that the answer begins with")),
    "\"12\"",
    "Keys that the answer begins with.",
);
pub(super) const FINISH: Field = field("finish", KEY, "\"#\"", "The key that finishes the answer.");
pub(super) const LEAST: Field = field("min", Shape::Word(Kind::Decimal), "1", "The least number.");
pub(super) const GREATEST: Field = field("max", Shape::Word(Kind::Decimal), "9", "The greatest number.");

/// What counts as an answer to `ask`, in a word.
pub(super) const ANSWERS: &[Choice] = &[
    choice("text", "Any text. Saved as string."),
    choice(
        "digits",
        "Keys of the keypad, with `length` or `finish`. Saved as string.",
    ),
    choice("number", "A whole number, with `min` and `max`. Saved as int."),
    choice("decimal", "A number, with `min` and `max`. Saved as decimal."),
    choice("date", "A day. Saved as date."),
    choice("money", "An amount of money. Saved as decimal."),
    choice("yes-no", "Yes or no: keys 1 and 2, or words. Saved as bool."),
    choice("phone", "A phone number. Saved as phone."),
    choice(
        "id-number",
        "A Chinese resident identity number, 18 characters. Saved as string.",
    ),
];

/// What a `wait` may wait for.
const EVENTS: &[Choice] = &[
    choice("ticket.closed", "A ticket of the contact was closed."),
    choice("ticket.answered", "A ticket of the contact was answered."),
    choice("ticket.overdue", "A ticket of the contact is past its deadline."),
    choice("callback.done", "The ring-back was made."),
    choice("survey.low", "A survey came out low."),
    choice("contact.ended", "The contact has ended."),
];

/// What `answer` takes.
pub(super) const ANSWER: Shape =
    Shape::Either(&[Shape::Word(Kind::Choice(ANSWERS)), Shape::Mapping(&ONE_OF)]);

/// All verbs, in the order of the reference.
pub(super) static VERBS: [Verb; 17] = [
    Verb {
        field: field(
            "say",
            PROMPT,
            "hello",
            "Says a prompt: its key, or a text in every language.",
        ),
        fields: &[field(
            "notice",
            Shape::Word(Kind::Text("the name of a legal notice")),
            "privacy",
            "The legal notice that the prompt is.",
        )],
        exits: &[],
    },
    Verb {
        field: field(
            "menu",
            PROMPT,
            "hello",
            "Offers keys and words. Says this prompt first, then the lines of the keys that are live.",
        ),
        fields: &[
            field(
                "keys",
                Shape::Entries {
                    key: Kind::Key,
                    value: &Shape::Either(&[STEP, Shape::Mapping(&MENU_KEY)]),
                },
                "{ 1: { say: k-one, next: a, when: \"${true}\" } }",
                "The keys: `1: step`, or `1: { say: line, next: step, when: \"${…}\" }`.",
            ),
            field(
                "words",
                WORDS,
                "{ help: a }",
                "Words, typed or spoken, and where each leads.",
            ),
            field(
                "intent",
                Shape::Word(Kind::Names(Subject::Function)),
                "nlu.classify",
                "The plugin's function that tells what words mean that are not among `words`: it takes a \
                 text and gives an enum.",
            ),
            field(
                "intents",
                Shape::Entries {
                    key: Kind::Text("a case of the function's enum"),
                    value: &STEP,
                },
                "{ else: a }",
                "Where each case of `intent`'s enum leads; `else` is the rest.",
            ),
            field(
                "intent-time",
                DURATION,
                "2s",
                "Time for the call of `intent`: 3s without.",
            ),
            RETRIES,
            AGAIN,
            FIRST_KEY_TIME,
        ],
        exits: &["no-input", "no-match"],
    },
    Verb {
        field: field(
            "ask",
            PROMPT,
            "hello",
            "Asks a question and collects the answer into a variable.",
        ),
        fields: &[
            needed(
                "answer",
                ANSWER,
                "{ one-of: [{ value: water, key: 1, words: [aqua] }] }",
                "What counts as an answer.",
            ),
            LENGTH,
            PATTERN,
            FINISH,
            LEAST,
            GREATEST,
            field(
                "confirm",
                PROMPT,
                "read-back",
                "Said to confirm; it may say `{answer}`. `read-back` is built in. Key 1 or yes takes it.",
            ),
            RETRIES,
            AGAIN,
            SAVE_ANSWER,
            field(
                "consent",
                Shape::Word(Kind::Text("the name of a consent")),
                "recording",
                "The consent that a yes gives.",
            ),
            field(
                "secret",
                BOOL,
                "true",
                "The journal keeps only that it was answered, never what.",
            ),
            field(
                "label",
                Shape::Word(Kind::Text("a kind of personal data, like `id-number`")),
                "id-number",
                "The kind of personal data that the answer is.",
            ),
            FIRST_KEY_TIME,
        ],
        exits: &["no-input", "invalid"],
    },
    Verb {
        field: field(
            "call",
            Shape::Word(Kind::Names(Subject::Function)),
            "crm.find-citizen",
            "Calls a plugin's function: `plugin.function`.",
        ),
        fields: &[
            field(
                "with",
                WITH,
                "{ phone: \"1\" }",
                "Its parameters; optional ones may be left out.",
            ),
            field("save", VARIABLE, "x", "The variable that takes the result."),
            CALL_TIME,
            field(
                "retries",
                WHOLE,
                "0",
                "How often it is asked again after a fault: 0 without.",
            ),
            field(
                "meanwhile",
                PROMPT,
                "one-moment",
                "Said once when the answer takes longer than half a second.",
            ),
            AT_MOST_ONCE,
        ],
        exits: &["fault"],
    },
    Verb {
        field: field(
            "together",
            Shape::Entries {
                key: Kind::Text("the name of a branch"),
                value: &Shape::Mapping(&TOGETHER_CALL),
            },
            "{ left: { call: crm.find-citizen, with: { phone: \"1\" }, save: x, time: 1s, retries: 1 }, \
               right: { call: crm.find-citizen, at-most-once: true } }",
            "Calls several functions at once and waits for all. The first branch in written order that \
             does not come out well decides; its ways out are `branch.case`.",
        ),
        fields: &[field(
            "meanwhile",
            PROMPT,
            "one-moment",
            "Said once when the answers take longer than half a second.",
        )],
        exits: &["fault"],
    },
    Verb {
        field: field(
            "choose",
            Shape::List(&Shape::Mapping(&BRANCH)),
            "[{ when: \"${true}\", next: a }, { else: a }]",
            "Takes the first branch whose condition holds. `else` is needed and stands last.",
        ),
        fields: &[],
        exits: &[],
    },
    Verb {
        field: field(
            "set",
            ASSIGNED,
            "{ x: 1 }",
            "Assigns variables in order; later ones see earlier ones. `language: en` changes the contact's \
             language.",
        ),
        fields: &[],
        exits: &[],
    },
    Verb {
        field: field(
            "run",
            Shape::Word(Kind::Names(Subject::Flow)),
            "other",
            "Runs another flow and comes back when that ends. Its outcomes other than `completed` are ways out.",
        ),
        fields: &[
            field("with", WITH, "{ x: 1 }", "Its inputs."),
            field(
                "save",
                ASSIGNED,
                "{ x: \"${result.y}\" }",
                "What is kept of what it gives back, by expressions over `result`.",
            ),
        ],
        exits: &[],
    },
    Verb {
        field: field(
            "queue",
            Shape::Word(Kind::Names(Subject::Queue)),
            "general",
            "Waits for an agent of a queue. `next` is taken when the agent's leg ends and the caller stays.",
        ),
        fields: &[
            field(
                "skills",
                Shape::List(&Shape::Word(Kind::Names(Subject::Skill))),
                "[mandarin]",
                "Skills that the agent must have besides the queue's own.",
            ),
            field(
                "agent",
                EXPRESSION,
                "\"${x}\"",
                "The one agent that is wanted, by name.",
            ),
            field(
                "priority",
                EXPRESSION,
                "5",
                "A whole number; higher is served first. 5 without.",
            ),
            field(
                "music",
                PROMPT,
                "music",
                "Said once when the waiting begins, and repeated as music would be.",
            ),
            field(
                "announce",
                Shape::Mapping(&ANNOUNCE),
                "{ every: 60s, say: place }",
                "What is said to a caller who waits; its prompt may say `{position}` and `{wait}`.",
            ),
            field(
                "offer-callback",
                Shape::Mapping(&OFFER),
                "{ after: 60s, say: offer, key: 1, next: a }",
                "A ring-back, offered to a caller who has waited for some time.",
            ),
            field(
                "offer-channel",
                Shape::Mapping(&OFFER),
                "{ after: 60s, say: offer, key: 2, next: a }",
                "Another channel, offered to a caller who has waited for some time.",
            ),
            field("max", DURATION, "10m", "The longest wait: 10m without."),
        ],
        exits: &["timeout", "full", "closed", "no-agents", "failed"],
    },
    Verb {
        field: field(
            "transfer",
            Shape::Either(&[EXPRESSION, Shape::Mapping(&TRANSFER_TO)]),
            "\"110\"",
            "Hands the caller over: to a number or SIP address, an agent, or another hotline.",
        ),
        fields: &[
            field(
                "three-way",
                BOOL,
                "true",
                "Whoever answers stays in the call, and the flow goes on with three.",
            ),
            field(
                "staffed",
                BOOL,
                "true",
                "People answer there: then it counts as a human.",
            ),
            field("time", DURATION, "30s", "How long it rings."),
        ],
        exits: &["busy", "no-answer", "failed"],
    },
    Verb {
        field: field(
            "callback",
            Shape::Mapping(&CALLBACK),
            "{ within: 30m, queue: general, number: \"${x}\", attempts: 3, every: 10m, window: office }",
            "Books a ring-back that keeps the caller's place in the queue. One for each number.",
        ),
        fields: &[],
        exits: &["duplicate", "refused"],
    },
    Verb {
        field: field(
            "survey",
            Shape::Word(Kind::Names(Subject::Survey)),
            "csat",
            "Asks how it was; the answers are stored and scored.",
        ),
        fields: &[],
        exits: &["declined", "failed"],
    },
    Verb {
        field: field(
            "ticket",
            Shape::Word(Kind::Choice(&[
                choice("open", "Opens a ticket of a `class`; `save` takes its number."),
                choice("update", "Adds to the ticket of a `number`."),
                choice(
                    "look-up",
                    "Finds a ticket by its `number`, or the caller's latest; `save` takes it.",
                ),
            ])),
            "open",
            "Opens, updates or looks up a work order.",
        ),
        fields: &[
            field(
                "class",
                Shape::Word(Kind::Names(Subject::Ticket)),
                "noise",
                "The class of the ticket that is opened.",
            ),
            field(
                "number",
                EXPRESSION,
                "\"${x}\"",
                "The ticket's number: of `update` and `look-up`.",
            ),
            field(
                "with",
                Shape::Entries {
                    key: Kind::Text("a field of the ticket"),
                    value: &Shape::Value,
                },
                "{ summary: \"${x}\" }",
                "The fields that are written: of `open` and `update`.",
            ),
            field(
                "save",
                VARIABLE,
                "x",
                "The variable that takes the number, or with `look-up` the ticket.",
            ),
        ],
        exits: &["duplicate", "refused"],
    },
    Verb {
        field: field(
            "notify",
            Shape::Mapping(&NOTIFY),
            "{ say: hello, to: \"${x}\", channel: sms }",
            "Sends a message to the caller or another person.",
        ),
        fields: &[],
        exits: &["failed"],
    },
    Verb {
        field: field(
            "record",
            Shape::Either(&[
                Shape::Word(Kind::Choice(&[
                    choice(
                        "start",
                        "Starts the recording of the contact, when `consent` was given.",
                    ),
                    choice("stop", "Stops it for good."),
                    choice("pause", "Pauses it."),
                    choice("resume", "Goes on with it."),
                ])),
                Shape::Mapping(&MESSAGE),
            ]),
            "start",
            "Starts, stops, pauses or resumes the recording, or takes a voice message.",
        ),
        fields: &[field(
            "consent",
            Shape::Word(Kind::Text("the name of a consent")),
            "recording",
            "The consent without which nothing is recorded.",
        )],
        exits: &["declined"],
    },
    Verb {
        field: field(
            "wait",
            Shape::Either(&[DURATION, Shape::Mapping(&WAIT_FOR)]),
            "30s",
            "Waits for a time, or for an event: `{ for: ticket.closed, max: 7d }`. The wait survives restarts.",
        ),
        fields: &[],
        exits: &[],
    },
    Verb {
        field: field(
            "end",
            Shape::Word(Kind::Outcome),
            "completed",
            "Ends the flow with an outcome. `completed` means that all went well; in a flow that was run it \
             leads back to `next`.",
        ),
        fields: &[field(
            "outputs",
            Shape::Entries {
                key: Kind::Names(Subject::Output),
                value: &Shape::Value,
            },
            "{ y: 1 }",
            "What the flow gives back.",
        )],
        exits: &[],
    },
];

static TOGETHER_CALL: Mapping = Mapping {
    what: "a branch of `together`",
    doc: "A call among several.",
    verbs: &[],
    fields: &[
        needed(
            "call",
            Shape::Word(Kind::Names(Subject::Function)),
            "crm.find-citizen",
            "The plugin's function: `plugin.function`.",
        ),
        field(
            "with",
            WITH,
            "{ phone: \"1\" }",
            "Its parameters; optional ones may be left out.",
        ),
        field("save", VARIABLE, "x", "The variable that takes the result."),
        CALL_TIME,
        field(
            "retries",
            WHOLE,
            "1",
            "How often it is asked again after a fault: 0 without.",
        ),
        AT_MOST_ONCE,
    ],
};

static ANNOUNCE: Mapping = Mapping {
    what: "`announce`",
    doc: "What is said to a caller who waits.",
    verbs: &[],
    fields: &[
        needed("every", DURATION, "60s", "How often."),
        needed(
            "say",
            PROMPT,
            "place",
            "What; it may say `{position}` and `{wait}`.",
        ),
    ],
};

static OFFER: Mapping = Mapping {
    what: "an offer",
    doc: "Another way, offered to a caller who has waited for some time.",
    verbs: &[],
    fields: &[
        needed(
            "after",
            DURATION,
            "60s",
            "How long the caller has waited when it is offered.",
        ),
        needed("say", PROMPT, "offer", "What is said."),
        needed("key", KEY, "1", "The key that takes it, from then on."),
        needed("next", STEP, "a", "The step it leads to."),
    ],
};

static TRANSFER_TO: Mapping = Mapping {
    what: "`transfer`",
    doc: "Where the caller is handed over to: one of these.",
    verbs: &[],
    fields: &[
        field("agent", EXPRESSION, "\"${x}\"", "An agent, by name."),
        field("number", EXPRESSION, "\"110\"", "A number or SIP address."),
        field("hotline", EXPRESSION, "\"12329\"", "Another number of a hotline."),
    ],
};

static CALLBACK: Mapping = Mapping {
    what: "`callback`",
    doc: "A ring-back.",
    verbs: &[],
    fields: &[
        needed("within", DURATION, "30m", "Within what time."),
        needed(
            "queue",
            Shape::Word(Kind::Names(Subject::Queue)),
            "general",
            "The queue that rings back, where the caller keeps the place.",
        ),
        field(
            "number",
            EXPRESSION,
            "\"${x}\"",
            "The number to ring: the caller's own without.",
        ),
        field("attempts", WHOLE, "3", "How often it is tried."),
        field("every", DURATION, "10m", "The pause between two tries."),
        field(
            "window",
            Shape::Word(Kind::Names(Subject::Calendar)),
            "office",
            "The calendar within whose hours it rings.",
        ),
    ],
};

static NOTIFY: Mapping = Mapping {
    what: "`notify`",
    doc: "A message.",
    verbs: &[],
    fields: &[
        needed("say", PROMPT, "hello", "What."),
        field(
            "to",
            EXPRESSION,
            "\"${x}\"",
            "Whom: a phone number; the caller without.",
        ),
        field(
            "channel",
            Shape::Word(Kind::Text("`sms`, or a name that the operator gives meaning to")),
            "sms",
            "By which channel: `sms`, or a name that the operator gives meaning to.",
        ),
    ],
};

static MESSAGE: Mapping = Mapping {
    what: "`record` of a message",
    doc: "A message of the caller's. On text channels it is a text.",
    verbs: &[],
    fields: &[
        needed("message", PROMPT, "hello", "What is said first."),
        field("max", DURATION, "2m", "The longest message."),
        field("finish", KEY, "\"#\"", "The key that ends it."),
        needed("save", VARIABLE, "x", "The variable that takes it."),
    ],
};

static WAIT_FOR: Mapping = Mapping {
    what: "`wait` for an event",
    doc: "An event that is waited for.",
    verbs: &[],
    fields: &[
        needed(
            "for",
            Shape::Word(Kind::Choice(EVENTS)),
            "ticket.closed",
            "The event.",
        ),
        needed("max", DURATION, "7d", "The longest wait."),
    ],
};
