//! What was expected and what happened, side by side.

use serde::Serialize;

use trunkline_flow::width;

/// A line of the sheet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The script's line, if it has one here.
    pub expected: Option<String>,
    /// What happened, if something did.
    pub actual: Option<String>,
    /// How the two stand to each other.
    pub mark: Mark,
}

/// How what was expected and what happened stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// They agree, or nothing was expected.
    Agrees,
    /// They differ.
    Differs,
    /// It was not come to.
    NotReached,
}

/// The narrowest column that is still read.
const COLUMN_MIN: usize = 20;

/// Lays rows out in two columns that fill `columns` of a terminal; each line with its mark.
pub fn lines(rows: &[Row], columns: usize) -> Vec<(Mark, String)> {
    const BETWEEN: usize = 3;
    let column = (columns * 2 / 5).max(COLUMN_MIN);
    let longest = rows
        .iter()
        .filter_map(|row| row.expected.as_deref())
        .map(width::columns)
        .max()
        .unwrap_or_default();
    // The script's lines are short: what they do not need is given to what happened.
    let left = longest.clamp(COLUMN_MIN, column);
    let right = columns.saturating_sub(left + BETWEEN + 2).max(COLUMN_MIN);
    let line = |mark: &str, expected: &str, actual: &str| {
        let text = format!("{mark} {} │ {}", fitted(expected, left), fitted(actual, right));
        text.trim_end().to_owned()
    };
    let mut lines = vec![(Mark::Agrees, line(" ", "expected", "actual"))];
    lines.extend(rows.iter().map(|row| {
        let mark = match row.mark {
            Mark::Agrees | Mark::NotReached => " ",
            Mark::Differs => "✗",
        };
        let text = line(
            mark,
            row.expected.as_deref().unwrap_or_default(),
            row.actual.as_deref().unwrap_or_default(),
        );
        (row.mark, text)
    }));
    lines
}

/// A text that takes exactly some columns.
fn fitted(text: &str, columns: usize) -> String {
    width::pad(&width::cut(text, columns), columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other_whatever_the_script() {
        let row = |expected: Option<&str>, actual: Option<&str>, mark| Row {
            expected: expected.map(str::to_owned),
            actual: actual.map(str::to_owned),
            mark,
        };
        let rows = [
            row(
                Some("hears: welcome"),
                Some("says welcome: 您好，欢迎致电12345政务服务便民热线"),
                Mark::Agrees,
            ),
            row(None, Some("waits 8s for keys 12"), Mark::Agrees),
            row(
                Some("hears: { text: 普通话服务 }"),
                Some("ended failed"),
                Mark::Differs,
            ),
        ];
        let lines = lines(&rows, 70);
        let bar = |line: &str| width::columns(line.split('│').next().unwrap_or_default());
        assert!(
            lines.iter().all(|(_, line)| bar(line) == bar(&lines[0].1)),
            "{lines:#?}"
        );
        assert!(
            lines.iter().all(|(_, line)| width::columns(line) <= 70),
            "{lines:#?}"
        );
        assert!(lines[3].1.starts_with("✗ hears: { text"));
    }
}
