//! Alertmanager's own shapes, API v2, borrowed from the bytes they came in; whatever else is sent is passed over.

use serde::Deserialize;

use crate::backend::lenient::{List, Pairs, Word, Words, or_default};

/// One alert. `endsAt` is not read: for an active alert it is only when it would time out.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Alert<'a> {
    #[serde(borrow)]
    pub(super) labels: Pairs<'a>,
    #[serde(borrow)]
    pub(super) annotations: Pairs<'a>,
    #[serde(borrow)]
    pub(super) starts_at: Word<'a>,
    #[serde(borrow)]
    pub(super) updated_at: Word<'a>,
    #[serde(borrow)]
    pub(super) fingerprint: Word<'a>,
    #[serde(borrow, rename = "generatorURL")]
    pub(super) generator_url: Word<'a>,
    #[serde(borrow)]
    pub(super) receivers: List<Receiver<'a>>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) status: Status<'a>,
}

/// Whether an alert notifies. `state` is `active`, `suppressed` or `unprocessed`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status<'a> {
    #[serde(borrow)]
    pub(super) state: Word<'a>,
    #[serde(borrow)]
    pub(super) silenced_by: Words<'a>,
    #[serde(borrow)]
    pub(super) inhibited_by: Words<'a>,
    /// Names of time intervals, since 0.28.
    #[serde(borrow)]
    pub(super) muted_by: Words<'a>,
}

/// Who is told.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Receiver<'a> {
    #[serde(borrow)]
    pub(super) name: Word<'a>,
}

/// One silence.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Silence<'a> {
    #[serde(borrow)]
    pub(super) id: Word<'a>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) status: SilenceStatus<'a>,
    #[serde(borrow)]
    pub(super) starts_at: Word<'a>,
    #[serde(borrow)]
    pub(super) ends_at: Word<'a>,
    #[serde(borrow)]
    pub(super) created_by: Word<'a>,
    #[serde(borrow)]
    pub(super) comment: Word<'a>,
    #[serde(borrow)]
    pub(super) updated_at: Word<'a>,
    /// Since 0.32.
    #[serde(borrow)]
    pub(super) annotations: Pairs<'a>,
    #[serde(borrow)]
    pub(super) matchers: List<Matcher<'a>>,
}

/// `active`, `pending` or `expired`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SilenceStatus<'a> {
    #[serde(borrow)]
    pub(super) state: Word<'a>,
}

/// One condition of a silence; `isEqual` is missing before 0.22 and then true.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Matcher<'a> {
    #[serde(borrow)]
    pub(super) name: Word<'a>,
    #[serde(borrow)]
    pub(super) value: Word<'a>,
    #[serde(borrow)]
    pub(super) is_regex: Word<'a>,
    #[serde(borrow)]
    pub(super) is_equal: Word<'a>,
}

impl Matcher<'_> {
    /// Whether its value is an expression, and whether it must match.
    pub(super) fn signs(&self) -> (bool, bool) {
        (self.is_regex.is_true(), self.is_equal.0.is_empty() || self.is_equal.is_true())
    }
}

/// What the server says of itself. Its configuration (`config.original`) is not read: it may hold secrets.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct About<'a> {
    /// Must be there: this is how an Alertmanager is told from something else that answers in JSON.
    #[serde(borrow)]
    pub(super) version_info: Version<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) cluster: Cluster<'a>,
    /// When it started.
    #[serde(borrow, default)]
    pub(super) uptime: Word<'a>,
}

/// Its version.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Version<'a> {
    #[serde(borrow)]
    pub(super) version: Word<'a>,
}

/// Its cluster; `status` is `ready`, `settling` or `disabled`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Cluster<'a> {
    #[serde(borrow)]
    pub(super) status: Word<'a>,
    #[serde(borrow)]
    pub(super) peers: List<Peer<'a>>,
}

/// One member of the cluster, itself included.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Peer<'a> {
    #[serde(borrow)]
    pub(super) address: Word<'a>,
}
