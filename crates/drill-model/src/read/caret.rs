//! A complaint as people see it: the place, the line, a caret under what is wrong, what to write instead.

use std::fmt;

use unicode_width::UnicodeWidthChar;

use super::{Complaint, words};

/// A longer line is shown around the caret only: a JSON document may be one line.
const WIDEST: usize = 100;

pub(super) fn write(out: &mut fmt::Formatter<'_>, file: &str, text: &str, complaint: &Complaint) -> fmt::Result {
    let Complaint { line, column, span, message, help, .. } = complaint;
    writeln!(out, "{}:{line}:{column}: {message}", words::plain(file))?;
    if let Some(source) = text.lines().nth(line - 1) {
        let under = text.get(span.clone()).unwrap_or_default().lines().next().unwrap_or_default();
        let (shown, indent, length) = cut(source, column - 1, under.chars().count());
        let gutter = line.to_string();
        let space = " ".repeat(gutter.len());
        writeln!(out, "{space} |")?;
        writeln!(out, "{gutter} | {shown}")?;
        writeln!(out, "{space} | {}{}", " ".repeat(indent), "^".repeat(length.max(1)))?;
        write!(out, "{space} = help: {help}")
    } else {
        write!(out, "  = help: {help}")
    }
}

/// The part of a line that is shown, and where the caret stands under it, in columns of a terminal.
fn cut(line: &str, column: usize, length: usize) -> (String, usize, usize) {
    let letters: Vec<char> = line.chars().collect();
    let from = if letters.len() <= WIDEST { 0 } else { column.saturating_sub(WIDEST / 2).min(letters.len() - WIDEST) };
    let to = (from + WIDEST).min(letters.len());
    let shown = |letters: &[char]| -> String {
        letters
            .iter()
            .map(|letter| match letter {
                '\t' => ' ',
                hidden if words::is_hidden(*hidden) => '\u{fffd}',
                space if *space != ' ' && space.is_whitespace() => '␣',
                seen => *seen,
            })
            .collect()
    };
    let width = |letters: &[char]| -> usize { shown(letters).chars().map(|letter| letter.width().unwrap_or(0)).sum() };
    let (before, after) = (if from > 0 { "…" } else { "" }, if to < letters.len() { "…" } else { "" });
    let start = column.clamp(from, to);
    let end = (column + length).clamp(start, to);
    let indent = width(&letters[from..start]) + before.chars().count();
    (format!("{before}{}{after}", shown(&letters[from..to]).trim_end()), indent, width(&letters[start..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_right_column() {
        assert_eq!(cut("  delay: 100", 9, 3), ("  delay: 100".to_owned(), 9, 3));
        assert_eq!(cut("\tdelay: 100", 8, 3), (" delay: 100".to_owned(), 8, 3));
        assert_eq!(cut("名: 値 x", 5, 1), ("名: 値 x".to_owned(), 7, 1));
        assert_eq!(cut("\u{a0}\u{3000}kind: x", 1, 1), ("␣␣kind: x".to_owned(), 1, 1));
    }

    #[test]
    fn a_long_line_is_shown_around_the_caret() {
        let line = format!("{}HERE{}", "a".repeat(5000), "b".repeat(5000));

        let (shown, indent, length) = cut(&line, 5000, 4);

        assert_eq!(shown.chars().count(), 102);
        assert_eq!(&shown.chars().skip(indent).take(length).collect::<String>(), "HERE");
    }
}
