//! Grafana's JSON shapes; they borrow from the bytes of the answer.

use crate::backend::kit::lenient::{
    Count, LenientList, LenientObject, LenientPairs, LenientString, LenientText, LenientTexts, or_default,
    texts, wire,
};
use crate::backend::kit::time::{Epoch, Length, Rfc3339OrSeconds};

wire! {
    /// The answer of `/api/health`, which needs no token.
    struct ServerHealth<'a> {
        version: LenientText<'a>,
        database: LenientText<'a>,
        #[serde(rename = "enterpriseCommit")]
        enterprise_commit: LenientText<'a>,
    }

    struct Organisation<'a> {
        name: LenientText<'a>,
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

    /// Settings for Grafana's pages: the data sources by name.
    struct FrontendSettings<'a> {
        datasources: std::collections::BTreeMap<String, LenientObject<DataSourceItem<'a>>>,
    }

    /// One dashboard of `/api/search`.
    #[serde(rename_all = "camelCase")]
    struct FoundDashboard {
        uid: LenientString,
        title: LenientString,
        #[serde(rename = "type")]
        kind: LenientString,
        folder_title: LenientString,
        url: LenientString,
        #[serde(deserialize_with = "texts")]
        tags: Vec<String>,
        is_starred: LenientString,
    }
}

wire! {
    /// The answer of `/api/prometheus/grafana/api/v1/rules`. Some versions answer 200 with `status: "error"`.
    #[serde(rename_all = "camelCase")]
    struct RulesAnswer<'a> {
        status: LenientText<'a>,
        error: LenientText<'a>,
        #[serde(deserialize_with = "or_default")]
        data: RuleGroups<'a>,
    }

    #[serde(rename_all = "camelCase")]
    struct RuleGroups<'a> {
        groups: LenientList<RuleGroupItem<'a>>,
        group_next_token: LenientText<'a>,
        /// The number of rules by state and health; left out with pages, and its absence is not zero.
        totals: LenientPairs<'a>,
    }

    #[serde(rename_all = "camelCase")]
    struct RuleGroupItem<'a> {
        name: LenientText<'a>,
        /// The path of the folder.
        file: LenientText<'a>,
        folder_uid: LenientText<'a>,
        interval: Length,
        rules: LenientList<AlertRule<'a>>,
    }

    #[serde(rename_all = "camelCase")]
    struct AlertRule<'a> {
        uid: LenientText<'a>,
        name: LenientText<'a>,
        /// `inactive`, `pending`, `recovering` or `firing`
        state: LenientText<'a>,
        query: LenientText<'a>,
        duration: Length,
        labels: LenientPairs<'a>,
        annotations: LenientPairs<'a>,
        /// `ok`, `error`, `nodata` or `unknown`
        health: LenientText<'a>,
        last_error: LenientText<'a>,
        is_paused: LenientText<'a>,
        #[serde(rename = "type")]
        kind: LenientText<'a>,
        /// The number of all instances by state, whatever the request was limited to.
        #[serde(deserialize_with = "or_default")]
        totals: InstanceTotals,
        alerts: LenientList<AlertInstance<'a>>,
        #[serde(deserialize_with = "or_default")]
        notification_settings: NotificationSettings<'a>,
    }

    struct InstanceTotals {
        alerting: Count,
        pending: Count,
        recovering: Count,
        nodata: Count,
        error: Count,
    }

    struct NotificationSettings<'a> {
        receiver: LenientText<'a>,
    }

    #[serde(rename_all = "camelCase")]
    struct AlertInstance<'a> {
        labels: LenientPairs<'a>,
        annotations: LenientPairs<'a>,
        /// `Alerting`, `Pending`, `Recovering`, `Normal`, `NoData` or `Error`, with a reason: `Alerting (Error)`
        state: LenientText<'a>,
        active_at: Rfc3339OrSeconds,
        /// `7.3e-02`, or of several queries `A: 1e+00, C: 1e+00`
        value: LenientText<'a>,
    }

    /// One annotation.
    #[serde(rename_all = "camelCase")]
    struct AnnotationItem<'a> {
        id: LenientText<'a>,
        alert_id: LenientText<'a>,
        new_state: LenientText<'a>,
        #[serde(rename = "dashboardUID")]
        dashboard_uid: LenientText<'a>,
        panel_id: LenientText<'a>,
        time: Epoch<1000>,
        time_end: Epoch<1000>,
        text: LenientText<'a>,
        tags: LenientTexts<'a>,
        login: LenientText<'a>,
        email: LenientText<'a>,
    }
}
