//! grants.yaml.

use super::{BOOL, DURATION, Kind, Mapping, Shape, WHOLE, field, needed};

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
