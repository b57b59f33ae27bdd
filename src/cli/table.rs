//! Tables for people: columns as wide as what stands in them, and nothing that would steer a terminal.

/// A line for the head and one for each row.
pub(super) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let head = head.map(str::to_owned);
    let rows = rows.into_iter().map(|row| row.map(|cell| printable(&cell)));
    let lines: Vec<[String; N]> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// On one line, and without anything that would steer a terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The beginning of a text, as it fits into a cell.
pub(super) fn beginning(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_are_as_wide_as_what_stands_in_them() {
        let rows = [["a".to_owned(), "größer".to_owned()], ["no\n\u{1b}[31mluck".to_owned(), String::new()]];
        assert_eq!(table(["ID", "NAME"], rows), "ID            NAME\na             größer\nno  [31mluck\n");
        assert_eq!(table(["ID", "NAME"], []), "ID  NAME\n");
    }
}
