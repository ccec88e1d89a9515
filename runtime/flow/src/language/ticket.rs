//! tickets/*.yaml.

use super::{DURATION, Kind, Mapping, Shape, Subject, TITLE, WHOLE, field, hotline::DEPARTMENT, needed};

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
