//! Alertmanager's own shapes, API v2, borrowed from the bytes they came in.

use serde::Deserialize;

use crate::backend::kit::lenient::{List, Pairs, Word, Words, or_default, wire};
use crate::backend::kit::time::Rfc3339OrSeconds;

wire! {
    /// One alert. `endsAt` is not read: for an active alert it is only when it would time out.
    #[serde(rename_all = "camelCase")]
    struct Alert<'a> {
        labels: Pairs<'a>,
        annotations: Pairs<'a>,
        starts_at: Rfc3339OrSeconds,
        updated_at: Rfc3339OrSeconds,
        fingerprint: Word<'a>,
        #[serde(rename = "generatorURL")]
        generator_url: Word<'a>,
        receivers: List<Receiver<'a>>,
        #[serde(deserialize_with = "or_default")]
        status: Status<'a>,
    }

    /// Whether an alert notifies. `state` is `active`, `suppressed` or `unprocessed`.
    #[serde(rename_all = "camelCase")]
    struct Status<'a> {
        state: Word<'a>,
        silenced_by: Words<'a>,
        inhibited_by: Words<'a>,
        /// Names of time intervals, since 0.28.
        muted_by: Words<'a>,
    }

    struct Receiver<'a> {
        name: Word<'a>,
    }

    #[serde(rename_all = "camelCase")]
    struct Silence<'a> {
        id: Word<'a>,
        #[serde(deserialize_with = "or_default")]
        status: SilenceStatus<'a>,
        starts_at: Rfc3339OrSeconds,
        ends_at: Rfc3339OrSeconds,
        created_by: Word<'a>,
        comment: Word<'a>,
        updated_at: Rfc3339OrSeconds,
        /// Since 0.32.
        annotations: Pairs<'a>,
        matchers: List<Matcher<'a>>,
    }

    /// `active`, `pending` or `expired`.
    struct SilenceStatus<'a> {
        state: Word<'a>,
    }

    /// One condition of a silence; `isEqual` is missing before 0.22 and then true.
    #[serde(rename_all = "camelCase")]
    struct Matcher<'a> {
        name: Word<'a>,
        value: Word<'a>,
        is_regex: Word<'a>,
        is_equal: Word<'a>,
    }

    struct Version<'a> {
        version: Word<'a>,
    }

    /// Its cluster; `status` is `ready`, `settling` or `disabled`.
    struct Cluster<'a> {
        status: Word<'a>,
        peers: List<Peer<'a>>,
    }

    /// One member of the cluster, itself included.
    struct Peer<'a> {
        address: Word<'a>,
    }
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
    #[serde(borrow, default)]
    pub(super) uptime: Word<'a>,
}
