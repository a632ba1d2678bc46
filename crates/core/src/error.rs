//! What can go wrong, in words a user can act on.

use std::path::PathBuf;

/// An error of the core. Hostile packets are never errors: they are counters.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be opened, read or written.
    #[error("{}: {}", path.display(), words(source))]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is not a capture, or nothing in it can be read.
    #[error("{}: {reason}", path.display())]
    NotACapture {
        /// The file.
        path: PathBuf,
        /// What was found instead.
        reason: String,
    },
    /// An interface could not be opened or went away.
    #[error("{name}: {reason}")]
    Interface {
        /// The interface's name.
        name: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A capture filter was not understood.
    #[error("filter \"{filter}\": {reason}")]
    Filter {
        /// The expression as given.
        filter: String,
        /// What the compiler said.
        reason: String,
    },
    /// The caller asked for something that does not exist.
    #[error("{0}")]
    Usage(String),
    /// A record batch could not be built, read or written.
    #[error("table data: {0}")]
    Arrow(#[from] arrow_schema::ArrowError),
    /// The system refused something that names neither a file nor an interface.
    #[error("{}", words(.0))]
    Io(#[from] std::io::Error),
}

/// What the system said, without the number that only programmers know.
pub(crate) fn words(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error ") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}
