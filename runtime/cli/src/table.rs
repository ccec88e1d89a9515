//! Rows in columns, for people and for `grep`.

use unicode_width::UnicodeWidthStr as _;

/// Lays rows out in columns as wide as their widest cell on a terminal, where a Chinese character
/// takes two columns. The first row is the heading. What cells hold may be of others: it is [`plain`].
pub(crate) fn lay_out(rows: &[Vec<String>]) -> String {
    let plain = |row: &Vec<String>| row.iter().map(|cell| plain(cell)).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(plain).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.width())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.width() + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A text of others as a terminal may show it: with blanks for what would steer the terminal, or turn the
/// text around it.
pub(crate) fn plain(text: &str) -> String {
    let steers = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if steers(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_steers_no_terminal() {
        let rows = [vec!["key\u{1b}[2J\nKEY\u{202e}".to_owned()]];
        assert_eq!(lay_out(&rows), "key [2J KEY\n");
    }

    #[test]
    fn columns_line_up() {
        let rows = [
            vec!["a".to_owned(), "long heading".to_owned()],
            vec!["bcd".to_owned(), "e".to_owned()],
        ];
        assert_eq!(lay_out(&rows), "a    long heading\nbcd  e\n");
        let rows = [
            vec!["国庆节".to_owned(), "a".to_owned()],
            vec!["May Day".to_owned(), "b".to_owned()],
        ];
        assert_eq!(lay_out(&rows), "国庆节   a\nMay Day  b\n");
    }
}
