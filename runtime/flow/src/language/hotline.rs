//! hotline.yaml but for [telephony](super::telephony), and what prompts hold besides text.

use super::{
    BOOL, DURATION, Field, Kind, Mapping, Shape, Subject, TITLE, WHOLE, choice, field, needed,
    telephony::{CARRIER, EARS, TRUNK, VOICE},
};

pub(super) const DEPARTMENT: Shape = Shape::Word(Kind::Text("a department"));

/// hotline.yaml
pub(super) static HOTLINE: Mapping = Mapping {
    what: "a hotline",
    doc: "A hotline: its numbers, languages, plugins and queues.",
    verbs: &[],
    fields: &[
        needed(
            "hotline",
            Shape::Word(Kind::Text("a name in kebab-case")),
            "city-hotline",
            "Its name, kebab-case.",
        ),
        field("title", TITLE, "A hotline", "A title for people."),
        needed(
            "languages",
            Shape::List(&Shape::Word(Kind::Declares(Subject::Language))),
            "[zh-CN, en]",
            "Tags such as `zh-CN`; contacts begin in the first unless they or their number say otherwise.",
        ),
        field(
            "dialects",
            Shape::Entries {
                key: Kind::Text("the tag of a dialect, like `zh-yue`"),
                value: &Shape::Word(Kind::Names(Subject::Language)),
            },
            "{ zh-yue: zh-CN }",
            "Dialects that have some prompts of their own, and what each falls back to for the rest.",
        ),
        needed(
            "time-zone",
            Shape::Word(Kind::Text("a time zone, like `Asia/Shanghai`")),
            "Asia/Shanghai",
            "The zone that calendars and `now` follow.",
        ),
        needed(
            "numbers",
            Shape::Entries {
                key: Kind::Text("a number that callers call, in quotes"),
                value: &Shape::Mapping(&NUMBER),
            },
            "{ \"12345\": { flow: main, language: en, department: civil, title: A, merge: whole, before: { housing: \"1\" }, trunks: [telecom] } }",
            "What each number leads to. Numbers stand in quotes.",
        ),
        field(
            "plugins",
            Shape::Entries {
                key: Kind::Declares(Subject::Plugin),
                value: &Shape::Mapping(&PLUGIN),
            },
            "{ crm: { component: plugins/crm.wasm, department: civil, config: { a: b }, labels: { citizen.id: id-number }, success: 99.5% } }",
            "Components that flows may call.",
        ),
        field(
            "queues",
            Shape::Entries {
                key: Kind::Declares(Subject::Queue),
                value: &Shape::Mapping(&QUEUE),
            },
            "{ general: { title: A, skills: [mandarin], target: 30s, max-waiting: 500, calendar: always } }",
            "Where callers wait for agents.",
        ),
        field(
            "calling-window",
            Shape::Word(Kind::Names(Subject::Calendar)),
            "office",
            "The calendar within whose hours callers are rung back.",
        ),
        field(
            "trunks",
            Shape::Entries {
                key: Kind::Text("the name of a trunk"),
                value: &Shape::Mapping(&TRUNK),
            },
            "{ telecom: { title: A, from: [192.0.2.0/28], login: city, secret: telecom-trunk, to: sip.telecom.example:5060, transport: udp, register: true, codecs: [pcma, pcmu], calls: 200, rate: 20 per second, strip: \"+86571\", caller-id: trusted, country: \"86\", put-through: bridge } }",
            "Lines by which the hotline is called, and calls: to the telephone network or to an exchange.",
        ),
        field(
            "voices",
            Shape::Entries {
                key: Kind::Names(Subject::Language),
                value: &Shape::Mapping(&VOICE),
            },
            "{ zh-CN: { engine: espeak-ng, voice: cmn, speed: 1.0 } }",
            "Who says on the phone what has no recording, by language or dialect.",
        ),
        field(
            "ears",
            Shape::Mapping(&EARS),
            "{ engine: house, languages: [zh-CN] }",
            "Who hears on the phone what callers say. Without, they have keys only.",
        ),
        field(
            "carriers",
            Shape::Entries {
                key: Kind::Text("the name of a carrier"),
                value: &Shape::Mapping(&CARRIER),
            },
            "{ cloud: { title: A, kind: twiml, url: \"https://hotline.example.org\", secret: twiml-token, numbers: [\"12345\"] } }",
            "Companies of the cloud that take calls for the hotline, and ask it over HTTP what comes next.",
        ),
        field(
            "feeds",
            Shape::Entries {
                key: Kind::Text("the name of a feed"),
                value: &Shape::Mapping(&FEED),
            },
            "{ road-works: { title: A, call: works.changes, every: 5m, jitter: 30s, time: 20s, key: id, to: works.affected, rate: 60 per minute, window: calling-hours, max-waiting: 500 } }",
            "Functions that are asked on a schedule; a change starts a flow.",
        ),
        field(
            "webhooks",
            Shape::Entries {
                key: Kind::Text("the name of a webhook"),
                value: &Shape::Mapping(&WEBHOOK),
            },
            "{ sensor: { title: A, secret: sensor-key, key: id, to: phone, rate: 60 per minute, window: calling-hours, max-waiting: 500 } }",
            "Doors for signed events of other systems; an event starts a flow.",
        ),
        field(
            "success",
            Shape::Mapping(&SUCCESS),
            "{ rate: 99.9%, window: 15m, least: 100 }",
            "What share of its plugins' calls should succeed, each interface for itself.",
        ),
        field(
            "checks",
            Shape::List(&Shape::Either(&[
                Shape::Word(Kind::Text("the name of a rule pack")),
                Shape::Value,
            ])),
            "[cn-12345, { pack: cn-12345, inputs: 2 }]",
            "Rule packs that the hotline has to hold to.",
        ),
    ],
};

static NUMBER: Mapping = Mapping {
    what: "a number",
    doc: "A number that callers call.",
    verbs: &[],
    fields: &[
        needed(
            "flow",
            Shape::Word(Kind::Names(Subject::Flow)),
            "main",
            "The flow that answers.",
        ),
        field("title", TITLE, "A number", "A title for people."),
        field(
            "language",
            Shape::Word(Kind::Names(Subject::Language)),
            "en",
            "The language that its contacts begin in.",
        ),
        field("department", DEPARTMENT, "civil-affairs", "Whose number it is."),
        field(
            "merge",
            Shape::Word(Kind::Choice(&[
                choice("whole", "The old number is gone, and all its callers come here."),
                choice("dual-number", "The old number stays beside this one."),
                choice(
                    "sub-centre",
                    "The old number's centre answers as a part of this one.",
                ),
            ])),
            "whole",
            "How an old number was merged into this hotline.",
        ),
        field(
            "before",
            Shape::Entries {
                key: Kind::Names(Subject::Service),
                value: &Shape::Word(Kind::Text("the keys pressed")),
            },
            "{ housing: \"1\" }",
            "Before the merger: the presses that led to each service.",
        ),
        field(
            "trunks",
            Shape::List(&Shape::Word(Kind::Text("the name of a trunk"))),
            "[telecom]",
            "The trunks from which it may be called; all without.",
        ),
        field(
            "early",
            BOOL,
            "true",
            "Whether a telephone call is answered only when its caller is asked something, or is put through; what is said before is heard as early media.",
        ),
    ],
};

static PLUGIN: Mapping = Mapping {
    what: "a plugin",
    doc: "A component of a department that flows may call.",
    verbs: &[],
    fields: &[
        needed(
            "component",
            Shape::Word(Kind::Text("a path within the hotline's folder")),
            "plugins/crm_lookup.wasm",
            "The component's path, relative to the hotline's folder.",
        ),
        needed("department", DEPARTMENT, "civil-affairs", "Whose it is."),
        field(
            "config",
            Shape::Entries {
                key: Kind::Text("a setting"),
                value: &Shape::Word(Kind::Text("a text")),
            },
            "{ region: \"330100\" }",
            "Texts that the plugin may read.",
        ),
        field(
            "labels",
            Shape::Entries {
                key: Kind::Text("a field of a result, like `citizen.id`"),
                value: &Shape::Word(Kind::Text("a kind of personal data")),
            },
            "{ citizen.id: id-number }",
            "Fields of its results that are personal data, and of which kind.",
        ),
        field(
            "success",
            PERCENT,
            "99.5%",
            "What share of the calls of each of its interfaces should succeed, where it is another than the hotline's.",
        ),
    ],
};

const PERCENT: Shape = Shape::Word(Kind::Text("a percentage: `99.9%`"));

static SUCCESS: Mapping = Mapping {
    what: "`success`",
    doc: "What share of plugins' calls should succeed. Answers and refusals do, faults do not.",
    verbs: &[],
    fields: &[
        field(
            "rate",
            PERCENT,
            "99.9%",
            "The share of calls that should succeed.",
        ),
        field("window", DURATION, "15m", "Over how long a time."),
        field(
            "least",
            WHOLE,
            "100",
            "Out of how many calls at least: fewer say nothing.",
        ),
    ],
};

const WINDOW: Field = field(
    "window",
    Shape::Word(Kind::Names(Subject::Calendar)),
    "calling-hours",
    "The calendar within whose hours contacts are started; the others wait. Without, the hotline's `calling-window` where people are reached, and any time elsewhere.",
);

const RATE: Field = field(
    "rate",
    Shape::Word(Kind::Text("a rate, like `60 per minute`")),
    "60 per minute",
    "How many contacts it may start; the others wait. 60 per minute without.",
);

const STARTS_WAITING: Field = field(
    "max-waiting",
    WHOLE,
    "10000",
    "How many may wait; what comes when so many do is not taken.",
);

static FEED: Mapping = Mapping {
    what: "a feed",
    doc: "A plugin's function that is asked on a schedule what has changed.",
    verbs: &[],
    fields: &[
        field("title", TITLE, "A feed", "A title for people."),
        needed(
            "call",
            Shape::Word(Kind::Names(Subject::Function)),
            "works.changes",
            "The function; it takes nothing and gives a list of changes.",
        ),
        needed(
            "every",
            DURATION,
            "5m",
            "How often: the least time between two runs.",
        ),
        field(
            "jitter",
            DURATION,
            "30s",
            "Up to how much later a run begins; a tenth of `every` without.",
        ),
        field(
            "time",
            DURATION,
            "20s",
            "How long the function may take; 30s without, at most 60s.",
        ),
        field(
            "key",
            Shape::Word(Kind::Text("a field of a change")),
            "id",
            "The field of a change that tells it from others; the whole change without.",
        ),
        field(
            "to",
            Shape::Word(Kind::Names(Subject::Function)),
            "works.affected",
            "The function that gives the telephone numbers of those a change concerns: a contact for each.",
        ),
        RATE,
        WINDOW,
        STARTS_WAITING,
    ],
};

static WEBHOOK: Mapping = Mapping {
    what: "a webhook",
    doc: "A door for signed events of another system: `POST /api/v1/hooks/NAME`.",
    verbs: &[],
    fields: &[
        field("title", TITLE, "A webhook", "A title for people."),
        needed(
            "secret",
            Shape::Word(Kind::Text("a secret's name")),
            "sensor-key",
            "The secret that events are signed with. Its value is the server's, and never stands here.",
        ),
        field(
            "key",
            Shape::Word(Kind::Text("an input of the flow")),
            "id",
            "The input of the flow that tells events apart; the whole event without.",
        ),
        field(
            "to",
            Shape::Word(Kind::Text("an input of the flow")),
            "phone",
            "The input of the flow that holds whom an event concerns: a number, or a list of them.",
        ),
        RATE,
        WINDOW,
        STARTS_WAITING,
    ],
};

static QUEUE: Mapping = Mapping {
    what: "a queue",
    doc: "Where callers wait for agents.",
    verbs: &[],
    fields: &[
        field("title", TITLE, "A queue", "A title for people."),
        field(
            "skills",
            Shape::List(&Shape::Word(Kind::Names(Subject::Skill))),
            "[mandarin]",
            "Skills that its agents have.",
        ),
        field(
            "target",
            DURATION,
            "30s",
            "Within what time callers should be answered.",
        ),
        field(
            "max-waiting",
            WHOLE,
            "500",
            "How many callers may wait; one more is `full`.",
        ),
        field(
            "calendar",
            Shape::Word(Kind::Names(Subject::Calendar)),
            "always",
            "When it is open; outside it is `closed`.",
        ),
    ],
};

/// A prompt that is a recording.
pub(super) static RECORDING: Mapping = Mapping {
    what: "a recording",
    doc: "A prompt that is played from a file.",
    verbs: &[],
    fields: &[
        needed(
            "recording",
            Shape::Word(Kind::Text("a path within the hotline's folder")),
            "audio/welcome.wav",
            "The file that is played.",
        ),
        needed(
            "text",
            Shape::Word(Kind::Template),
            "Hello",
            "What is shown on text channels.",
        ),
        field(
            "seconds",
            Shape::Word(Kind::Decimal),
            "6.5",
            "How long it is; read from the file without.",
        ),
    ],
};
