//! What the person wants: files, contexts, sources, secrets, look. Reads files; no socket, no screen.

mod judgement;
pub mod secret;
pub mod settings;
