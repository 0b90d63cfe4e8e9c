//! How foreign text becomes part of a document: never as markup, never as something that cannot be seen.
//!
//! The templates use these by the ending of their names (`askama.toml`); nothing in them goes around.

use std::fmt::{Result, Write};

use askama::filters::Escaper;

/// For HTML and XML, in text and in quoted attributes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Markup;

impl Escaper for Markup {
    fn write_escaped_str<W: Write>(&self, mut out: W, text: &str) -> Result {
        for letter in text.chars().map(visible) {
            match letter {
                '<' => out.write_str("&lt;"),
                '>' => out.write_str("&gt;"),
                '&' => out.write_str("&amp;"),
                '"' => out.write_str("&quot;"),
                '\'' => out.write_str("&#39;"),
                letter => out.write_char(letter),
            }?;
        }
        Ok(())
    }
}

/// For Markdown, on one line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Markdown;

impl Escaper for Markdown {
    fn write_escaped_str<W: Write>(&self, mut out: W, text: &str) -> Result {
        for letter in text.chars().map(visible) {
            match letter {
                '<' => out.write_str("&lt;"),
                '>' => out.write_str("&gt;"),
                '&' => out.write_str("&amp;"),
                '\n' | '\t' => out.write_char(' '),
                '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => {
                    out.write_char('\\')?;
                    out.write_char(letter)
                }
                letter => out.write_char(letter),
            }?;
        }
        Ok(())
    }
}

/// The letter, or the sign for an unreadable one: XML forbids control characters, and letters that reorder the line
/// would let a report say something else than it is.
pub(crate) const fn visible(letter: char) -> char {
    match letter {
        '\n' | '\t' => letter,
        '\r' => '\n',
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => '\u{fffd}',
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
            '\u{fffd}'
        }
        '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        letter => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(by: impl Escaper, text: &str) -> String {
        let mut out = String::new();
        by.write_escaped_str(&mut out, text).unwrap();
        out
    }

    #[test]
    fn no_text_becomes_markup() {
        assert_eq!(escaped(Markup, "<a href='x' b=\"&\">"), "&lt;a href=&#39;x&#39; b=&quot;&amp;&quot;&gt;");
        assert_eq!(escaped(Markdown, "a|b\n# c [d](e) <f> `g`"), r"a\|b # c \[d\](e) &lt;f&gt; \`g\`");
    }

    #[test]
    fn what_cannot_be_seen_is_shown() {
        assert_eq!(escaped(Markup, "a\0b\u{1b}c\u{202e}d"), "a\u{fffd}b\u{fffd}c\u{fffd}d");
    }
}
