//! Grafana's JSON shapes; they borrow from the bytes of the answer.

use crate::backend::kit::lenient::{LenientString, LenientText, or_default, texts, wire};

wire! {
    /// The answer of `/api/health`, which needs no token.
    struct Health<'a> {
        version: LenientText<'a>,
        database: LenientText<'a>,
        #[serde(rename = "enterpriseCommit")]
        enterprise_commit: LenientText<'a>,
    }

    /// One data source of `/api/datasources`.
    #[serde(rename_all = "camelCase")]
    struct DataSourceItem<'a> {
        uid: LenientText<'a>,
        name: LenientText<'a>,
        #[serde(rename = "type")]
        kind: LenientText<'a>,
        is_default: LenientText<'a>,
        #[serde(deserialize_with = "or_default")]
        json_data: DataSourceOptions<'a>,
    }

    /// Options of a data source.
    #[serde(rename_all = "camelCase")]
    struct DataSourceOptions<'a> {
        time_interval: LenientText<'a>,
    }

    /// One dashboard of `/api/search`.
    #[serde(rename_all = "camelCase")]
    struct FoundDashboard {
        uid: LenientString,
        title: LenientString,
        folder_title: LenientString,
        url: LenientString,
        #[serde(deserialize_with = "texts")]
        tags: Vec<String>,
        is_starred: LenientString,
    }
}
