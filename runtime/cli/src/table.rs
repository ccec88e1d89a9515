//! Rows in columns, for people and for `grep`.

use unicode_width::UnicodeWidthStr as _;

/// Lays rows out in columns as wide as their widest cell on a terminal, where a Chinese character
/// takes two columns. The first row is the heading.
pub(crate) fn lay_out(rows: &[Vec<String>]) -> String {
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
    for row in rows {
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

#[cfg(test)]
mod tests {
    use super::*;

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
