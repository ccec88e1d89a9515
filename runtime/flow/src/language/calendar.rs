//! calendars/*.yaml.

use super::{Kind, Mapping, Shape, Subject, TITLE, choice, field, needed};

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
