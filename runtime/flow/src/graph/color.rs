//! Colours by what a step does: speaking, asking, calling out, deciding, people, records, time.

/// What a verb is for; steps of one family have one colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Family {
    /// Its name in style sheets.
    pub(super) name: &'static str,
    /// Its colour on light ground, and a tint of it.
    pub(super) light: (&'static str, &'static str),
    /// The same on dark ground.
    pub(super) dark: (&'static str, &'static str),
}

const fn family(
    name: &'static str,
    light: (&'static str, &'static str),
    dark: (&'static str, &'static str),
) -> Family {
    Family { name, light, dark }
}

/// All families.
pub(super) const FAMILIES: [Family; 9] = [
    family("says", ("#2563a8", "#edf4fc"), ("#7db4ee", "#16263a")),
    family("asks", ("#7a4fb5", "#f5effc"), ("#c0a0f0", "#271d3a")),
    family("calls", ("#0f766e", "#e8f6f4"), ("#5ecfc3", "#112d2b")),
    family("decides", ("#6b7280", "#f3f4f6"), ("#a3abb8", "#22262d")),
    family("people", ("#b45309", "#fdf3e4"), ("#f0b057", "#35240f")),
    family("records", ("#a3386b", "#fceef4"), ("#ee92bd", "#361a28")),
    family("waits", ("#4d7c0f", "#f1f7e6"), ("#a9d36a", "#22300f")),
    family("runs", ("#1e7a9c", "#e8f5fa"), ("#6cc7e8", "#122c37")),
    family("ends", ("#111827", "#e5e7eb"), ("#e5e7eb", "#30353d")),
];

/// The family of a verb.
pub(super) fn of(verb: &str) -> Family {
    let index = match verb {
        "say" => 0,
        "menu" | "ask" => 1,
        "call" | "together" => 2,
        "choose" | "set" => 3,
        "queue" | "transfer" | "callback" => 4,
        "survey" | "ticket" | "notify" | "record" => 5,
        "wait" => 6,
        "run" => 7,
        _ => 8,
    };
    FAMILIES[index]
}
