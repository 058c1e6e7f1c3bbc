//! The systems that burnwatch asks: their names, kinds, what they offer, and how they fail.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::labels::Text;

/// The name of a source, unique within its context: `prom-eu`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceId(Arc<str>);

impl SourceId {
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a source is: the word after `kind =` in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(&'static str);

impl Kind {
    /// The one that finds runbooks; it is no system that is watched, and so not among those that are counted.
    pub const RUNBOOKS: Self = Self("runbooks");

    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// As it is written in the configuration and on the screen.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

/// What a source says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeReport {
    /// "Prometheus", "VictoriaMetrics", "Mimir", "Thanos", "Alertmanager", "PagerDuty".
    pub flavour: Text,
    /// Its version, empty if it does not tell.
    pub version: Text,
    /// Lines of the form name, value: what is there ("services by" "service", "peers" "2").
    pub facts: Vec<(Text, Text)>,
    /// What is odd about it and what that costs, in words.
    pub warnings: Vec<Text>,
    /// The comment: why whatever is done here will be refused, where that is known: the key may only read.
    pub refuses: Option<Text>,
    /// How far the server's clock is ahead of ours, in whole seconds (negative: behind).
    pub clock_ahead_seconds: Option<i64>,
}

/// The comment: why a source gave no answer, with what it means for the person on call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{source_name}: {trouble}")]
pub struct SourceError {
    pub source_name: SourceId,
    pub trouble: ErrorKind,
    /// How long the server asks us to wait (`Retry-After`).
    pub retry_after: Option<Duration>,
    /// When it is asked again, once the runtime has decided.
    pub next_try: Option<Timestamp>,
}

impl SourceError {
    pub fn new(source_name: SourceId, trouble: ErrorKind) -> Self {
        Self { source_name, trouble, retry_after: None, next_try: None }
    }
}

/// One variant for each thing that a person would do differently.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    #[error("cannot connect ({reason})")]
    Unreachable { reason: String },
    #[error("its certificate was not accepted ({reason})")]
    Certificate { reason: String },
    #[error("no whole answer within {}s", after.as_secs())]
    TimedOut { after: Duration },
    #[error("401 Unauthorized{}", behind(message))]
    Unauthorised {
        /// What the server said, cut; may be empty.
        message: String,
    },
    #[error("403 Forbidden{}", behind(message))]
    Forbidden {
        /// What the server said, cut; may be empty.
        message: String,
    },
    #[error("it redirects to {to}")]
    Redirected {
        /// Host and path of the target, without query.
        to: String,
    },
    #[error("429, asked too often{}", behind(message))]
    RateLimited {
        /// What the server said, cut; may be empty.
        message: String,
    },
    /// 5xx, or a 4xx that is none of the above.
    #[error("{status}{}", behind(message))]
    Refused {
        status: u16,
        /// What the server said, cut; may be empty.
        message: String,
    },
    /// The answer is not what its API promises: HTML, half a JSON, another shape.
    #[error("the answer cannot be understood ({reason})")]
    Garbled {
        /// What was expected and what was found.
        reason: String,
    },
    #[error("the answer is larger than {} MiB", limit / (1024 * 1024))]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    #[error("it refuses the query: {message}")]
    BadQuery { message: String },
    #[error("it does not offer {what}")]
    NotOffered { what: String },
    /// Known here before anything is sent: it would not be taken, or would not do what was meant.
    #[error("{reason}")]
    Unfit {
        /// The comment: why, and what one can do.
        reason: String,
    },
    #[error("no credentials ({reason})")]
    NoSecret {
        /// Which reference failed and how, never the secret.
        reason: String,
    },
    /// A part of burnwatch failed; the log has the details.
    #[error("burnwatch failed while asking ({reason})")]
    Internal { reason: String },
}

/// What servers say, in lower case, and what is to be done then.
const HINTS: [(&str, &str); 4] = [
    // Cortex, Mimir, Loki, Tempo
    (
        "no org id",
        "Set the source's tenant: the server serves several, and wants to be told which one is meant.",
    ),
    ("multiple org ids", "Set one tenant at this source: the server does not answer for several at once."),
    (
        "alertmanager is not configured",
        "The tenant has no Alertmanager configuration there: upload one, or check the source's tenant.",
    ),
    // Grafana
    ("permissions needed", "Give the credentials the permission that is named."),
];

fn behind(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

impl ErrorKind {
    /// Whether the source as a whole is in trouble, not only this one question.
    pub fn is_source_wide(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Certificate { .. }
            | Self::TimedOut { .. }
            | Self::Unauthorised { .. }
            | Self::Redirected { .. }
            | Self::RateLimited { .. }
            | Self::NoSecret { .. } => true,
            Self::Forbidden { .. }
            | Self::Refused { .. }
            | Self::Garbled { .. }
            | Self::TooLarge { .. }
            | Self::BadQuery { .. }
            | Self::NotOffered { .. }
            | Self::Unfit { .. }
            | Self::Internal { .. } => false,
        }
    }

    /// The same trouble with every text of it put into other words.
    #[must_use]
    pub fn reworded(mut self, reword: impl Fn(&str) -> String) -> Self {
        match &mut self {
            Self::Unreachable { reason: words }
            | Self::Certificate { reason: words }
            | Self::Redirected { to: words }
            | Self::Unauthorised { message: words }
            | Self::Forbidden { message: words }
            | Self::RateLimited { message: words }
            | Self::Refused { message: words, .. }
            | Self::Garbled { reason: words }
            | Self::BadQuery { message: words }
            | Self::NotOffered { what: words }
            | Self::Unfit { reason: words }
            | Self::NoSecret { reason: words }
            | Self::Internal { reason: words } => *words = reword(words),
            Self::TimedOut { .. } | Self::TooLarge { .. } => {}
        }
        self
    }

    /// What the server itself gave as its reason, if that is known.
    pub fn said(&self) -> &str {
        match self {
            Self::Unauthorised { message }
            | Self::Forbidden { message }
            | Self::RateLimited { message }
            | Self::Refused { message, .. }
            | Self::BadQuery { message } => message,
            Self::Unreachable { .. }
            | Self::Certificate { .. }
            | Self::TimedOut { .. }
            | Self::Redirected { .. }
            | Self::Garbled { .. }
            | Self::TooLarge { .. }
            | Self::NotOffered { .. }
            | Self::Unfit { .. }
            | Self::NoSecret { .. }
            | Self::Internal { .. } => "",
        }
    }

    /// What is to be done where the server's own words tell it, whatever its status.
    pub fn hint(&self) -> Option<&'static str> {
        let said = self.said().to_lowercase();
        HINTS.iter().find(|(words, _)| said.contains(words)).map(|(_, hint)| *hint)
    }

    pub fn advice(&self) -> &'static str {
        if let Some(hint) = self.hint() {
            return hint;
        }
        match self {
            Self::Unreachable { .. } => "Check that it runs and that the address, VPN or tunnel is right.",
            Self::Certificate { .. } => {
                "Check the address; name the issuing CA, or a self-signed certificate itself, by the source's ca_file."
            }
            Self::TimedOut { .. } => "It may be overloaded; raise limits.timeout if it is only slow.",
            Self::Unauthorised { .. } => "Check the source's auth setting and whether the token has expired.",
            Self::Forbidden { .. } => "The credentials lack the right to read this.",
            Self::Redirected { .. } => {
                "A login page stands in front of it; give a token or the address behind it."
            }
            Self::RateLimited { .. } => "burnwatch waits as told; other users of the same key count too.",
            Self::Refused { status: 403, .. } => "The credentials lack the right to do this.",
            Self::Refused { status: 404, .. } => {
                "What it says is missing there; check the address only if that is not your server's answer."
            }
            Self::Refused { .. } => "Check the server's own log; burnwatch keeps trying.",
            Self::Garbled { .. } => "Check that the address points at the API itself, with its path prefix.",
            Self::TooLarge { .. } => "Raise limits.body_mib if such an answer is expected.",
            Self::BadQuery { .. } => {
                "Check what is asked, such as the expression of a pack or an SLO, and the server's limits."
            }
            Self::NotOffered { .. } => "Nothing to do unless it should be there.",
            Self::Unfit { .. } => "Nothing was sent.",
            Self::NoSecret { .. } => {
                "Put right what the configuration names: variable, file, command, keyring, or where the token is fetched."
            }
            Self::Internal { .. } => "Please report it with the log file (burnwatch config path).",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_where_and_what_and_what_to_do() {
        let error =
            SourceError::new(SourceId::new("prom-eu"), ErrorKind::Unauthorised { message: String::new() });
        assert_eq!(error.to_string(), "prom-eu: 401 Unauthorized");
        assert!(error.trouble.advice().contains("token"));
        let refused = ErrorKind::Refused { status: 503, message: "query queue full".into() };
        assert_eq!(refused.to_string(), "503: query queue full");
    }

    #[test]
    fn what_the_server_said_stands_behind_the_status_and_advice_follows_it() {
        for (trouble, said, advised) in [
            (
                ErrorKind::Unauthorised { message: "no org id".into() },
                "401 Unauthorized: no org id",
                "tenant",
            ),
            (
                ErrorKind::BadQuery { message: "No org ID".into() },
                "it refuses the query: No org ID",
                "tenant",
            ),
            (
                ErrorKind::Forbidden { message: "keine Rechte".into() },
                "403 Forbidden: keine Rechte",
                "right to read",
            ),
            (
                ErrorKind::Refused { status: 404, message: "the Alertmanager is not configured".into() },
                "404: the Alertmanager is not configured",
                "configuration",
            ),
            (
                ErrorKind::RateLimited { message: "5 requests/s".into() },
                "429, asked too often: 5 requests/s",
                "waits",
            ),
        ] {
            assert_eq!(trouble.to_string(), said);
            assert!(trouble.advice().contains(advised), "{said}: {}", trouble.advice());
        }
    }
}
