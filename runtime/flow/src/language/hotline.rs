//! All files but flows and scenarios: numbers, plugins, queues, prompts' recordings,
//! calendars, surveys, tickets, agents.

use super::{
    BOOL, DURATION, Field, Kind, Mapping, PROMPT, Shape, Subject, TITLE, WHOLE, choice, field, needed,
    verbs::{ANSWER, FINISH, GREATEST, LEAST, LENGTH, PATTERN},
};

const DEPARTMENT: Shape = Shape::Word(Kind::Text("a department"));

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

static TRUNK: Mapping = Mapping {
    what: "a trunk",
    doc: "A line to the telephone network, or to another exchange, over SIP.",
    verbs: &[],
    fields: &[
        field("title", TITLE, "A trunk", "A title for people."),
        field(
            "from",
            Shape::List(&Shape::Word(Kind::Text(
                "an address or a network, like `192.0.2.0/28`",
            ))),
            "[192.0.2.0/28]",
            "Calls from these addresses are this trunk's. Those of two trunks do not overlap.",
        ),
        field(
            "login",
            Shape::Word(Kind::Text("a user's name")),
            "city",
            "As whom we call and register there; without `from` its calls prove themselves by it, too.",
        ),
        field(
            "secret",
            SECRET,
            "telecom-trunk",
            "The server's secret that is the password of `login`. Its value never stands here.",
        ),
        field(
            "to",
            Shape::Word(Kind::Text("a host and a port, like `sip.telecom.example:5060`")),
            "sip.telecom.example:5060",
            "Where calls to the outside go. Without, none go out by this trunk.",
        ),
        field(
            "transport",
            Shape::Word(Kind::Choice(&[
                choice("udp", "Packets; the usual way."),
                choice("tcp", "A connection."),
                choice("tls", "An encrypted connection."),
            ])),
            "udp",
            "How messages travel; `udp` without.",
        ),
        field(
            "register",
            BOOL,
            "true",
            "Whether we register at `to` as `login`, so that calls find us.",
        ),
        field(
            "codecs",
            Shape::List(&Shape::Word(Kind::Choice(&[
                choice("pcma", "G.711 A-law, that of Europe and China."),
                choice("pcmu", "G.711 µ-law, that of North America and Japan."),
            ]))),
            "[pcma, pcmu]",
            "What may be spoken, in order of preference; `[pcma, pcmu]` without.",
        ),
        field(
            "calls",
            WHOLE,
            "200",
            "How many calls at once, both ways together; 200 without.",
        ),
        field(
            "rate",
            Shape::Word(Kind::Text("a rate, like `20 per second`")),
            "20 per second",
            "How many new calls it may bring; 20 per second without. More are refused.",
        ),
        field(
            "strip",
            Shape::Word(Kind::Text("digits in quotes")),
            "\"+86571\"",
            "What is taken off the beginning of called numbers before they are looked up.",
        ),
        field(
            "caller-id",
            Shape::Word(Kind::Choice(&[
                choice("trusted", "Its word for the caller's number counts."),
                choice(
                    "claimed",
                    "The number is what the caller says, and proves nothing.",
                ),
            ])),
            "trusted",
            "Whether its word for the caller's number counts; `trusted` without.",
        ),
        field(
            "country",
            Shape::Word(Kind::Text("a country's calling code in quotes")),
            "\"86\"",
            "The calling code of the country whose callers' numbers it tells without one.",
        ),
        field(
            "put-through",
            Shape::Word(Kind::Choice(&[
                choice("bridge", "We call the number, and both talk through us."),
                choice(
                    "refer",
                    "The trunk is asked to connect its caller by itself, and the call leaves us.",
                ),
            ])),
            "bridge",
            "How its callers are put through to a number outside; `bridge` without.",
        ),
    ],
};

const SECRET: Shape = Shape::Word(Kind::Text("a secret's name"));

static VOICE: Mapping = Mapping {
    what: "a voice",
    doc: "Who says the texts of a language on the phone.",
    verbs: &[],
    fields: &[
        needed(
            "engine",
            ENGINE,
            "espeak-ng",
            "The engine: `espeak-ng` is built in, others are the operator's, in phone.toml.",
        ),
        field(
            "voice",
            Shape::Word(Kind::Text("the name of an engine's voice")),
            "cmn",
            "Which of the engine's voices; the one it has for the language without.",
        ),
        field(
            "speed",
            Shape::Word(Kind::Decimal),
            "1.0",
            "How fast it speaks, from 0.5 to 2; 1 is as the engine speaks by itself.",
        ),
    ],
};

const ENGINE: Shape = Shape::Word(Kind::Text("an engine's name"));

static EARS: Mapping = Mapping {
    what: "`ears`",
    doc: "Who hears on the phone what callers say.",
    verbs: &[],
    fields: &[
        needed(
            "engine",
            ENGINE,
            "house",
            "The engine, as the operator names it in phone.toml.",
        ),
        needed(
            "languages",
            Shape::List(&Shape::Word(Kind::Names(Subject::Language))),
            "[zh-CN]",
            "The languages that it hears; in the others callers have keys only.",
        ),
    ],
};

static CARRIER: Mapping = Mapping {
    what: "a carrier",
    doc: "A company of the cloud that takes calls for the hotline, speaks and listens by itself, and asks over HTTP what comes next.",
    verbs: &[],
    fields: &[
        field("title", TITLE, "A carrier", "A title for people."),
        needed(
            "kind",
            Shape::Word(Kind::Choice(&[
                choice("twiml", "Documents of TwiML over HTTP."),
                choice("jambonz", "Applications of jambonz."),
            ])),
            "twiml",
            "What it asks and understands.",
        ),
        needed(
            "url",
            Shape::Word(Kind::Text("an address, like `https://hotline.example.org`")),
            "\"https://hotline.example.org\"",
            "Where it reaches this server. What it signs begins with this.",
        ),
        needed(
            "secret",
            SECRET,
            "twiml-token",
            "The server's secret by which its requests are known. Its value never stands here.",
        ),
        field(
            "numbers",
            Shape::List(&Shape::Word(Kind::Text("a number of the hotline, in quotes"))),
            "[\"12345\"]",
            "The hotline's numbers that come by it; all without.",
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

/// What stands in grants.yaml beside the plugins' entries.
pub(super) static GRANTS_FILE: Mapping = Mapping {
    what: "grants.yaml",
    doc: "What plugins may reach and use, and whose packages are taken.",
    verbs: &[],
    fields: &[field(
        "departments",
        Shape::Entries {
            key: Kind::Text("a department"),
            value: &Shape::Mapping(&SIGNING_DEPARTMENT),
        },
        "{ civil-affairs: { signed-by: keys/civil-affairs.pub } }",
        "Departments whose plugins are taken only as packages that one of their keys signed.",
    )],
};

const KEY_FILE: Shape = Shape::Word(Kind::Text(
    "the path of a public key (PEM) in the hotline's folder",
));

static SIGNING_DEPARTMENT: Mapping = Mapping {
    what: "a department",
    doc: "What is asked of a department's packages.",
    verbs: &[],
    fields: &[needed(
        "signed-by",
        Shape::Either(&[KEY_FILE, Shape::List(&KEY_FILE)]),
        "keys/civil-affairs.pub",
        "The key that signs its packages, or several of which one has to have signed: while a key \
         is replaced, both.",
    )],
};

/// A plugin's entry in grants.yaml.
pub(super) static GRANT: Mapping = Mapping {
    what: "a grant",
    doc: "What a plugin may reach and use. Without an entry it reaches nothing.",
    verbs: &[],
    fields: &[
        field(
            "department",
            Shape::Word(Kind::Text("a department")),
            "civil-affairs",
            "Whose it is: the same as in hotline.yaml. Every plugin's entry says so where `departments` \
             names departments that sign.",
        ),
        field(
            "http",
            Shape::List(&Shape::Word(Kind::Text(
                "METHOD URL, like `GET https://feed.example/*`",
            ))),
            "[\"GET https://feed.example/*\"]",
            "Requests it may make: method, scheme, host, port, path; `*` at the end of the path.",
        ),
        field(
            "networks",
            Shape::List(&Shape::Word(Kind::Text("a network, like `10.1.0.0/16`"))),
            "[\"10.1.0.0/16\"]",
            "Private addresses to which those names may resolve.",
        ),
        field(
            "kv",
            Shape::Either(&[BOOL, Shape::Mapping(&KEY_VALUES)]),
            "true",
            "Values of its own that it may keep: `true`, or `{ bytes: 1MiB, keys: 1000 }`.",
        ),
        field(
            "secrets",
            Shape::Entries {
                key: Kind::Text("a secret's name"),
                value: &Shape::Word(Kind::Text("the address it is bound to")),
            },
            "{ crm-token: https://crm.example }",
            "Secrets it may use, each bound to a host. The value never stands here.",
        ),
        field(
            "data",
            Shape::List(&Shape::Word(Kind::Text("a label"))),
            "[phone]",
            "Labels of personal data that flows may pass to it.",
        ),
        field(
            "limits",
            Shape::Mapping(&LIMITS),
            "{ time: 800ms, memory: 32MiB, concurrent: 64, waiting: 256, reserve: 1, argument-bytes: 1MiB, \
               reply-bytes: 1MiB, log-lines-per-s: 10, kv-operations-per-s: 1000, http-request-bytes: 1MiB, \
               http-response-bytes: 1MiB, http-requests: 32, http-connections: 64 }",
            "Bounds on its calls.",
        ),
    ],
};

static KEY_VALUES: Mapping = Mapping {
    what: "`kv`",
    doc: "Bounds on what a plugin keeps.",
    verbs: &[],
    fields: &[
        field(
            "bytes",
            Shape::Word(Kind::Text("a size: `1MiB`")),
            "1MiB",
            "Bytes in all.",
        ),
        field("keys", WHOLE, "1000", "How many keys."),
    ],
};

const SIZE: Shape = Shape::Word(Kind::Text("a size: `32MiB`"));

static LIMITS: Mapping = Mapping {
    what: "`limits`",
    doc: "Bounds on a plugin's calls.",
    verbs: &[],
    fields: &[
        field("time", DURATION, "800ms", "The longest call."),
        field("memory", SIZE, "32MiB", "The most memory of one call."),
        field("concurrent", WHOLE, "64", "How many calls at once."),
        field(
            "waiting",
            WHOLE,
            "256",
            "How many calls wait for one of those; one more is `overloaded` at once.",
        ),
        field(
            "reserve",
            WHOLE,
            "1",
            "Sandboxes kept free for its department, whoever else waits.",
        ),
        field("argument-bytes", SIZE, "1MiB", "The most that a call is given."),
        field("reply-bytes", SIZE, "1MiB", "The most that a call gives back."),
        field("log-lines-per-s", WHOLE, "10", "Lines of log a second."),
        field(
            "kv-operations-per-s",
            WHOLE,
            "1000",
            "Operations on its values a second; more are put off.",
        ),
        field("http-request-bytes", SIZE, "1MiB", "The largest request."),
        field("http-response-bytes", SIZE, "1MiB", "The largest response."),
        field(
            "http-requests",
            WHOLE,
            "32",
            "How many requests one call may make.",
        ),
        field("http-connections", WHOLE, "64", "How many requests at once."),
    ],
};

/// An agent's entry in agents.yaml.
pub(super) static AGENT: Mapping = Mapping {
    what: "an agent",
    doc: "Somebody who answers callers.",
    verbs: &[],
    fields: &[
        field("title", TITLE, "王芳", "The agent's name for people."),
        field(
            "skills",
            Shape::List(&Shape::Word(Kind::Names(Subject::Skill))),
            "[mandarin]",
            "What the agent can do.",
        ),
        field(
            "phone",
            SECRET,
            "zhang-wei-phone",
            "The server's secret that is the password of the agent's SIP phone; its user is the agent's name.",
        ),
        field(
            "supervisor",
            BOOL,
            "true",
            "Whether the agent may listen in on others' calls.",
        ),
        field(
            "calls-out",
            BOOL,
            "true",
            "Whether the agent's phone may call numbers outside by itself.",
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

const SPANS: Shape = Shape::List(&Shape::Word(Kind::Text("a span of time: \"08:30-12:00\"")));

static WEEK: Mapping = Mapping {
    what: "`open`",
    doc: "Spans of time for each weekday. A weekday that is not named is closed.",
    verbs: &[],
    fields: &[
        field("monday", SPANS, "[\"08:30-12:00\"]", "Mondays."),
        field("tuesday", SPANS, "[\"08:30-12:00\"]", "Tuesdays."),
        field("wednesday", SPANS, "[\"08:30-12:00\"]", "Wednesdays."),
        field("thursday", SPANS, "[\"08:30-12:00\"]", "Thursdays."),
        field("friday", SPANS, "[\"08:30-12:00\"]", "Fridays."),
        field("saturday", SPANS, "[]", "Saturdays."),
        field("sunday", SPANS, "[]", "Sundays."),
    ],
};

const WEEKDAY: Shape = Shape::Word(Kind::Choice(&[
    choice("monday", "Follows Monday's spans."),
    choice("tuesday", "Follows Tuesday's spans."),
    choice("wednesday", "Follows Wednesday's spans."),
    choice("thursday", "Follows Thursday's spans."),
    choice("friday", "Follows Friday's spans."),
    choice("saturday", "Follows Saturday's spans."),
    choice("sunday", "Follows Sunday's spans."),
]));

const MARKS: Shape = Shape::Either(&[
    Shape::Word(Kind::Text("a word of the event")),
    Shape::List(&Shape::Word(Kind::Text("a word of the event"))),
]);

static INCLUDE: Mapping = Mapping {
    what: "`include`",
    doc: "A calendar that is taken over.",
    verbs: &[],
    fields: &[
        needed(
            "calendar",
            Shape::Word(Kind::Names(Subject::Calendar)),
            "cn-2026",
            "A calendar of the hotline, or a public one.",
        ),
        field(
            "like",
            WEEKDAY,
            "monday",
            "Whose spans its make-up workdays follow.",
        ),
    ],
};

static IMPORT: Mapping = Mapping {
    what: "`import`",
    doc: "An iCalendar file that is taken over.",
    verbs: &[],
    fields: &[
        needed(
            "file",
            Shape::Word(Kind::Text("a file in calendars/")),
            "holidays.ics",
            "The file, beside the calendar's own.",
        ),
        field(
            "workdays-if",
            MARKS,
            "班",
            "What marks an event as make-up workdays.",
        ),
        field(
            "holidays-if",
            MARKS,
            "休",
            "What marks an event as holidays, when not all are.",
        ),
        field(
            "like",
            WEEKDAY,
            "monday",
            "Whose spans its make-up workdays follow.",
        ),
    ],
};

/// calendars/*.yaml
pub(super) static CALENDAR: Mapping = Mapping {
    what: "a calendar",
    doc: "When something is open.",
    verbs: &[],
    fields: &[
        needed(
            "calendar",
            Shape::Word(Kind::Declares(Subject::Calendar)),
            "office",
            "Its name, kebab-case.",
        ),
        field("title", TITLE, "A calendar", "A title for people."),
        field(
            "include",
            Shape::Either(&[
                Shape::Word(Kind::Names(Subject::Calendar)),
                Shape::List(&Shape::Either(&[
                    Shape::Word(Kind::Names(Subject::Calendar)),
                    Shape::Mapping(&INCLUDE),
                ])),
                Shape::Mapping(&INCLUDE),
            ]),
            "cn-2026",
            "Other calendars to take over, of the hotline or public.",
        ),
        field(
            "import",
            Shape::Either(&[
                Shape::Word(Kind::Text("a file in calendars/")),
                Shape::List(&Shape::Either(&[
                    Shape::Word(Kind::Text("a file in calendars/")),
                    Shape::Mapping(&IMPORT),
                ])),
                Shape::Mapping(&IMPORT),
            ]),
            "holidays.ics",
            "iCalendar files to take over.",
        ),
        field(
            "open",
            Shape::Mapping(&WEEK),
            "{ monday: [\"08:30-17:30\"] }",
            "Spans of time for each weekday. `\"22:00-06:00\"` reaches into the next day.",
        ),
        field(
            "holidays",
            Shape::Either(&[
                Shape::List(&Shape::Word(Kind::Text("a day or a range: \"2026-10-01\""))),
                Shape::Entries {
                    key: Kind::Text("a day or a range: \"2026-10-01..2026-10-07\""),
                    value: &Shape::Word(Kind::Text("its name")),
                },
            ]),
            "[\"2026-10-01\"]",
            "Days that are closed: a list, or with their names.",
        ),
        field(
            "workdays",
            Shape::Entries {
                key: Kind::Text("a day: \"2026-10-10\""),
                value: &WEEKDAY,
            },
            "{ \"2026-10-10\": friday }",
            "Make-up workdays, and whose spans they follow.",
        ),
        field(
            "known-until",
            Shape::Word(Kind::Text("a day: \"2026-12-31\"")),
            "\"2026-12-31\"",
            "The day until which all holidays are known.",
        ),
        field(
            "source",
            Shape::Word(Kind::Text("a text")),
            "a notice",
            "Where its days come from, for people.",
        ),
    ],
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

/// tickets/*.yaml
pub(super) static TICKET: Mapping = Mapping {
    what: "a class of tickets",
    doc: "A class of work orders.",
    verbs: &[],
    fields: &[
        needed(
            "ticket",
            Shape::Word(Kind::Declares(Subject::Ticket)),
            "noise",
            "Its name, kebab-case.",
        ),
        field("title", TITLE, "Noise", "A title for people."),
        needed("department", DEPARTMENT, "environment", "Who handles it."),
        needed(
            "deadline",
            Shape::Either(&[DURATION, Shape::Mapping(&DEADLINE)]),
            "{ working-days: 5, calendar: office }",
            "By when: `2h`, or `{ working-days: 5, calendar: office }`.",
        ),
    ],
};

static DEADLINE: Mapping = Mapping {
    what: "`deadline`",
    doc: "A deadline in working days.",
    verbs: &[],
    fields: &[
        needed("working-days", WHOLE, "5", "How many working days."),
        needed(
            "calendar",
            Shape::Word(Kind::Names(Subject::Calendar)),
            "office",
            "The calendar whose working days count.",
        ),
    ],
};
