//! What a part of the lab could not do, and how an error is told.

/// What a part of the lab could not do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InsideError {
    #[error("could not {what}")]
    Io {
        what: String,
        #[source]
        source: std::io::Error,
    },
    #[error("`{command}` was refused: {stderr}")]
    Tool { command: String, stderr: String },
    #[error("{0}")]
    Refused(String),
}

pub(crate) fn doing(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> InsideError {
    let what = what.into();
    move |source| InsideError::Io { what, source }
}

pub(crate) fn calling(what: impl Into<String>) -> impl FnOnce(nix::errno::Errno) -> InsideError {
    let what = what.into();
    move |errno| InsideError::Io { what, source: errno.into() }
}

/// An error and its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
