//! Colour for people, and none for programs.

use std::io::IsTerminal;

/// Colour, on a terminal whose user did not refuse it.
pub(crate) fn paint(text: &str, colour: &str) -> String {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    match std::io::stderr().is_terminal() && std::io::stdout().is_terminal() && !refused {
        true => format!("\x1b[{colour}m{text}\x1b[0m"),
        false => text.to_owned(),
    }
}
