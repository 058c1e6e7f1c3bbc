//! The JSON shapes of an Alertmanager's own status; those of alerts and silences are in `alertmanager_api`.

use serde::Deserialize;

use crate::backend::kit::lenient::{LenientList, LenientText, or_default, wire};

wire! {
    /// A receiver of notifications.
    struct ReceiverItem<'a> {
        name: LenientText<'a>,
    }

    /// The server's version.
    struct Version<'a> {
        version: LenientText<'a>,
    }

    /// The cluster; `status` is `ready`, `settling` or `disabled`.
    struct Cluster<'a> {
        status: LenientText<'a>,
        peers: LenientList<Peer<'a>>,
    }

    /// One member of the cluster; the server itself is listed too.
    struct Peer<'a> {
        address: LenientText<'a>,
    }
}

/// The answer of `/status`. `config.original` is not read, because it may contain secrets.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct About<'a> {
    /// Required: this field distinguishes an Alertmanager from other servers that answer with JSON.
    #[serde(borrow)]
    pub(super) version_info: Version<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) cluster: Cluster<'a>,
    /// The time when the server started.
    #[serde(borrow, default)]
    pub(super) uptime: LenientText<'a>,
}
