//! The monitored systems: their ids, kinds, features and errors.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::labels::Text;

/// The id of a source, unique within its context: `prom-eu`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceId(Arc<str>);

impl SourceId {
    /// The id from the name in the configuration.
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

/// The kind of a source: the value of `kind` in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(&'static str);

impl Kind {
    /// The built-in source of runbooks; not a monitored system, so not included in counts of sources.
    pub const RUNBOOKS: Self = Self("runbooks");

    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The name in the configuration and on the screen.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

/// A source's report about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProbeReport {
    /// The product: "Prometheus", "VictoriaMetrics", "Mimir", "Thanos", "Alertmanager", "PagerDuty".
    pub flavour: Text,
    /// Its version; empty if unknown.
    pub version: Text,
    /// Names and values to display: ("services by", "service"), ("peers", "2").
    pub facts: Vec<(Text, Text)>,
    /// Limitations of the server and their effects, as text.
    pub warnings: Vec<Text>,
    /// Why every operation would be refused, if that is known, such as a read-only key.
    pub refuses: Option<Text>,
    /// How many seconds the server's clock is ahead of the local clock (negative: behind).
    pub clock_ahead_seconds: Option<i64>,
}

/// Why a source did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{source_name}: {kind}")]
pub struct SourceError {
    pub source_name: SourceId,
    /// The kind of error with its details.
    pub kind: ErrorKind,
    /// The requested waiting time (`Retry-After`).
    pub retry_after: Option<Duration>,
    /// When the next request is planned; set by the runtime.
    pub next_try: Option<Timestamp>,
}

impl SourceError {
    pub fn new(source_name: SourceId, kind: ErrorKind) -> Self {
        Self { source_name, kind, retry_after: None, next_try: None }
    }
}

/// The kinds of errors; one variant for each thing that a user would do differently.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    #[error("cannot connect ({reason})")]
    Unreachable { reason: String },
    #[error("its certificate was not accepted ({reason})")]
    Certificate { reason: String },
    #[error("no complete answer within {}s", after.as_secs())]
    TimedOut { after: Duration },
    #[error("401 Unauthorized{}", behind(message))]
    Unauthorised {
        /// The server's message, truncated; may be empty.
        message: String,
    },
    /// 403: missing permission.
    #[error("403 Forbidden{}", behind(message))]
    Forbidden {
        /// The server's message, truncated; may be empty.
        message: String,
    },
    /// A redirect, usually to a login page.
    #[error("it redirects to {to}")]
    Redirected {
        /// The host and path of the target, without query.
        to: String,
    },
    /// 429: too many requests.
    #[error("429 Too Many Requests{}", behind(message))]
    RateLimited {
        /// The server's message, truncated; may be empty.
        message: String,
    },
    /// 5xx, or another 4xx.
    #[error("{status}{}", behind(message))]
    Refused {
        status: u16,
        /// The server's message, truncated; may be empty.
        message: String,
    },
    /// The answer does not conform to the API: HTML, truncated JSON, missing fields.
    #[error("the answer cannot be understood ({reason})")]
    Garbled {
        /// What was expected and what was received.
        reason: String,
    },
    #[error("the answer is larger than {} MiB", limit / (1024 * 1024))]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    #[error("it rejects the query: {message}")]
    BadQuery { message: String },
    #[error("it does not offer {what}")]
    NotOffered { what: String },
    /// Rejected before sending: the server would refuse it, or it would not have the intended effect.
    #[error("{reason}")]
    Unfit {
        /// The reason, and what the user can do.
        reason: String,
    },
    /// A secret could not be read.
    #[error("no credentials ({reason})")]
    NoSecret {
        /// The failed reference and the error, never the secret.
        reason: String,
    },
    /// The file or the program of a source on this machine failed.
    #[error("{what} {problem}")]
    Local {
        /// The path of the file, or the name of the program without arguments, which may contain secrets.
        what: String,
        /// Why; for a program with the first lines of its error output.
        problem: String,
    },
    /// An internal error of burnwatch; the log has the details.
    #[error("internal error of burnwatch ({reason})")]
    Internal { reason: String },
}

/// Server messages, in lower case, and the advice for them.
const HINTS: [(&str, &str); 4] = [
    // Cortex, Mimir, Loki, Tempo
    ("no org id", "Set the source's tenant: the server has several and requires one in each request."),
    ("multiple org ids", "Set a single tenant for this source: the server does not accept several."),
    (
        "alertmanager is not configured",
        "The tenant has no Alertmanager configuration there: upload one, or check the source's tenant.",
    ),
    // Grafana
    ("permissions needed", "Grant the credentials the permission named in the message."),
];

/// The server's message for appending to a status, with a colon.
fn behind(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

impl ErrorKind {
    /// Whether the whole source is affected, not only this question.
    pub fn is_source_wide(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Certificate { .. }
                | Self::TimedOut { .. }
                | Self::Unauthorised { .. }
                | Self::Redirected { .. }
                | Self::RateLimited { .. }
                | Self::NoSecret { .. }
        )
    }

    /// The same error with each text replaced by `reword`.
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
            | Self::Local { problem: words, .. }
            | Self::Internal { reason: words } => *words = reword(words),
            Self::TimedOut { .. } | Self::TooLarge { .. } => {}
        }
        self
    }

    /// The server's own message; empty if there is none.
    pub fn said(&self) -> &str {
        if let Self::Unauthorised { message }
        | Self::Forbidden { message }
        | Self::RateLimited { message }
        | Self::Refused { message, .. }
        | Self::BadQuery { message } = self
        {
            return message;
        }
        ""
    }

    /// The advice for a known server message, whatever the status.
    pub fn hint(&self) -> Option<&'static str> {
        let said = self.said().to_lowercase();
        HINTS.iter().find(|(words, _)| said.contains(words)).map(|(_, hint)| *hint)
    }

    /// What the user can do about it.
    pub fn advice(&self) -> &'static str {
        if let Some(hint) = self.hint() {
            return hint;
        }
        match self {
            Self::Unreachable { .. } => "Check that it runs and that the address, VPN or tunnel is right.",
            Self::Certificate { .. } => {
                "Check the address; set the source's ca_file to the issuing CA or to the self-signed certificate."
            }
            Self::TimedOut { .. } => "It may be overloaded; raise limits.timeout if it is only slow.",
            Self::Unauthorised { .. } => "Check the source's auth setting and whether the token has expired.",
            Self::Forbidden { .. } => "The credentials have no permission to read this.",
            Self::Redirected { .. } => {
                "A login page is in front of it; configure a token or the address behind the login page."
            }
            Self::RateLimited { .. } => {
                "burnwatch waits as the server requests; other users of the same key count too."
            }
            Self::Refused { status: 403, .. } => "The credentials have no permission to do this.",
            Self::Refused { status: 404, .. } => {
                "The server does not have this; if the message is not from your server, check the address."
            }
            Self::Refused { .. } => "Check the server's own log; burnwatch keeps trying.",
            Self::Garbled { .. } => "Check that the address points at the API itself, with its path prefix.",
            Self::TooLarge { .. } => "Raise limits.body_mib if such an answer is expected.",
            Self::BadQuery { .. } => {
                "Check the query, such as an expression in a metric pack or an SLO, and the server's limits."
            }
            Self::NotOffered { .. } => "No action is needed, unless the source should support it.",
            Self::Unfit { .. } => "Nothing was sent.",
            Self::NoSecret { .. } => {
                "Check the secret in the configuration: variable, file, command, keyring or token endpoint."
            }
            Self::Local { .. } => {
                "Check the source's path or command in the configuration, as the user who runs burnwatch."
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
        assert!(error.kind.advice().contains("token"));
        let refused = ErrorKind::Refused { status: 503, message: "query queue full".into() };
        assert_eq!(refused.to_string(), "503: query queue full");
    }

    #[test]
    fn what_the_server_said_stands_behind_the_status_and_advice_follows_it() {
        for (failure, said, advised) in [
            (
                ErrorKind::Unauthorised { message: "no org id".into() },
                "401 Unauthorized: no org id",
                "tenant",
            ),
            (
                ErrorKind::BadQuery { message: "No org ID".into() },
                "it rejects the query: No org ID",
                "tenant",
            ),
            (
                ErrorKind::Forbidden { message: "keine Rechte".into() },
                "403 Forbidden: keine Rechte",
                "permission to read",
            ),
            (
                ErrorKind::Refused { status: 404, message: "the Alertmanager is not configured".into() },
                "404: the Alertmanager is not configured",
                "configuration",
            ),
            (
                ErrorKind::RateLimited { message: "5 requests/s".into() },
                "429 Too Many Requests: 5 requests/s",
                "waits",
            ),
        ] {
            assert_eq!(failure.to_string(), said);
            assert!(failure.advice().contains(advised), "{said}: {}", failure.advice());
        }
    }
}
