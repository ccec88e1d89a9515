//! Reads `table.yaml`, for the tests of every crate that collects answers. Include it with
//! `#[path]`.

/// A row: one question and what comes of it. The table's head says what the fields mean.
#[derive(Debug, Default)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) rules: Vec<String>,
    pub(crate) channel: String,
    pub(crate) step: String,
    pub(crate) then: Option<String>,
    pub(crate) anywhere: Option<String>,
    pub(crate) notice: bool,
    pub(crate) ahead: Vec<String>,
    pub(crate) given: Vec<String>,
    pub(crate) comes: Vec<String>,
}

/// All rows, in written order.
///
/// # Panics
/// A line is not of the table's form.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for line in include_str!("table.yaml").lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let field = match line.strip_prefix("- ") {
            Some(field) => {
                rows.push(Row::default());
                field
            }
            None => line.trim_start(),
        };
        let (name, text) = field.split_once(": ").unwrap_or_else(|| panic!("{line:?}"));
        let row = rows.last_mut().expect("the first line begins a row");
        let list = || serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {line:?}"));
        match name {
            "name" => row.name = text.to_owned(),
            "rules" => row.rules = list(),
            "channel" => row.channel = text.to_owned(),
            "step" => row.step = text.to_owned(),
            "then" => row.then = Some(text.to_owned()),
            "anywhere" => row.anywhere = Some(text.to_owned()),
            "notice" => row.notice = text == "true",
            "ahead" => row.ahead = list(),
            "given" => row.given = list(),
            "comes" => row.comes = list(),
            _ => panic!("no field of a row: {line:?}"),
        }
    }
    rows
}

/// Where the rows' keys and words lead.
const PLACES: [&str; 6] = ["one", "two", "three", "fund", "loan", "human"];

/// The prompts that rows name.
pub(crate) const PROMPTS: &str = "q: 问题\nq-again: 再问\nq-third: 三问\nk-two: 二\nnotice: 告知\n";

/// A flow that asks the row's question; one that holds waits a second before it.
///
/// # Panics
/// A step is not of the table's form.
pub(crate) fn flow(row: &Row, name: &str, holds: bool) -> String {
    let inside = |step: &str| {
        step.strip_prefix("{ ")
            .and_then(|step| step.strip_suffix(" }"))
            .expect("a step stands in braces")
            .to_owned()
    };
    let wired = |step: &str, save: &str, next: &str| {
        let step = inside(step);
        if step.starts_with("menu") {
            format!("{{ {step}, on: {{ no-input: no-input, no-match: no-match }} }}")
        } else {
            format!(
                "{{ {step}, save: {save}, on: {{ no-input: no-input, invalid: invalid }}, next: {next} }}"
            )
        }
    };
    let answer = |step: &str| match step.split_once("answer: ").map(|(_, rest)| rest) {
        Some(rest) if rest.starts_with("number") => "int",
        Some(rest) if rest.starts_with("decimal") || rest.starts_with("money") => "decimal",
        Some(rest) if rest.starts_with("date") => "date",
        Some(rest) if rest.starts_with("yes-no") => "bool",
        Some(rest) if rest.starts_with("phone") => "phone",
        _ => "string",
    };
    let after = if row.then.is_some() {
        "second-question"
    } else {
        "completed"
    };
    let first = if row.notice { "notice" } else { "question" };
    let start = if holds { "hold" } else { first };
    let mut lines = vec![
        format!("flow: {name}"),
        format!("vars: {{ value: {}?, second: string? }}", answer(&row.step)),
        format!("start: {start}"),
    ];
    if let Some(anywhere) = &row.anywhere {
        lines.push(format!("anywhere: {anywhere}"));
    }
    lines.push("steps:".to_owned());
    if holds {
        lines.push(format!("  hold: {{ wait: 1s, next: {first} }}"));
    }
    lines.push(format!("  question: {}", wired(&row.step, "value", after)));
    if row.notice {
        lines.push("  notice: { say: notice, notice: privacy, next: question }".to_owned());
    }
    if let Some(then) = &row.then {
        lines.push(format!(
            "  second-question: {}",
            wired(then, "second", "completed")
        ));
    }
    let mut flow = lines.join("\n") + "\n";
    for end in ["completed", "no-input", "no-match", "invalid"]
        .iter()
        .chain(&PLACES)
    {
        if flow.contains(&format!(": {end}")) {
            flow = format!("{flow}  {end}: {{ end: {end} }}\n");
        }
    }
    flow
}
