//! Lists on standard output, in columns.

/// Prints rows under a heading, each column as wide as its widest cell. A cell's line breaks become blanks, so
/// that a row stays a line.
pub fn print<const N: usize>(heading: [&str; N], rows: &[[String; N]]) {
    print!("{}", draw(heading, rows));
}

fn draw<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> String {
    let clean = |cell: &str| cell.replace(char::is_control, " ");
    let heading = heading.map(str::to_owned);
    let mut widths = [0; N];
    for row in rows.iter().chain([&heading]) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(clean(cell).chars().count());
        }
    }
    let mut text = String::new();
    for row in [&heading].into_iter().chain(rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let cell = clean(cell);
            line.extend([cell.as_str(), &" ".repeat(width - cell.chars().count() + 2)]);
        }
        text.extend([line.trim_end(), "\n"]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::draw;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["1".to_owned(), "a\nb".to_owned()], ["100".to_owned(), "ü".to_owned()]];
        assert_eq!(draw(["id", "name"], &rows), "id   name\n1    a b\n100  ü\n");
    }
}
