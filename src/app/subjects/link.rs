//! Which texts are addresses that may be opened.

/// Whether a text is an address that may be opened.
pub fn is_link(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}
