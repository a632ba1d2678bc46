//! What parsers may keep of what they read.

/// What parsers write down of secrets, and how much memory they may take.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Whether Authorization, cookies and passwords in URIs are written as they were sent.
    pub keep_credentials: bool,
    /// Whether the query of a URI is left out.
    pub redact_query: bool,
    /// Bytes that all parsers together may hold between packets.
    pub max_parser_buffers: usize,
    /// Addresses whose names are remembered from DNS answers.
    pub max_names: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            keep_credentials: false,
            redact_query: false,
            max_parser_buffers: 64 << 20,
            max_names: 100_000,
        }
    }
}
