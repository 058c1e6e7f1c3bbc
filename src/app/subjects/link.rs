//! Recognises links that may be opened.

/// Whether a text is an http or https address.
pub fn is_link(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}
