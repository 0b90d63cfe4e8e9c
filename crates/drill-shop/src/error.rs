//! Why a program of the shop ended.

/// What a program of the shop could not do.
#[derive(Debug, thiserror::Error)]
pub enum ShopError {
    /// The machine refused.
    #[error("could not {what}")]
    Io {
        /// What was being done.
        what: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The database file cannot be used.
    #[error("could not open {file}")]
    Database {
        /// The file.
        file: String,
        /// Why not.
        #[source]
        source: rusqlite::Error,
    },
    /// A setting is missing or has no use.
    #[error("the setting {name} {problem}")]
    Setting {
        /// The environment variable.
        name: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

pub(crate) fn doing(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> ShopError {
    let what = what.into();
    move |source| ShopError::Io { what, source }
}
