//! Of hotline.yaml and agents.yaml what calls need: trunks, voices, ears, carriers, agents' phones.

use super::{BOOL, Kind, Mapping, Shape, Subject, TITLE, WHOLE, choice, field, needed};

pub(super) static TRUNK: Mapping = Mapping {
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

pub(super) static VOICE: Mapping = Mapping {
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

pub(super) static EARS: Mapping = Mapping {
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

pub(super) static CARRIER: Mapping = Mapping {
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
