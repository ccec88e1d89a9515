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
