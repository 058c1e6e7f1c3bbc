//! The JSON shapes of the API; they borrow from the bytes of the answer.

use crate::backend::kit::lenient::{LenientList, LenientPairs, LenientText, LenientTexts, or_default, wire};
use crate::backend::kit::time::Rfc3339OrSeconds;

wire! {
    /// One alert. `endsAt` is not read: for an active alert it only is the time at which the alert would expire.
    #[serde(rename_all = "camelCase")]
    struct Alert<'a> {
        labels: LenientPairs<'a>,
        annotations: LenientPairs<'a>,
        starts_at: Rfc3339OrSeconds,
        updated_at: Rfc3339OrSeconds,
        fingerprint: LenientText<'a>,
        #[serde(rename = "generatorURL")]
        generator_url: LenientText<'a>,
        receivers: LenientList<Receiver<'a>>,
        #[serde(deserialize_with = "or_default")]
        status: Status<'a>,
    }

    /// Whether an alert notifies. `state` is `active`, `suppressed` or `unprocessed`.
    #[serde(rename_all = "camelCase")]
    struct Status<'a> {
        state: LenientText<'a>,
        silenced_by: LenientTexts<'a>,
        inhibited_by: LenientTexts<'a>,
        /// Names of mute time intervals, since 0.28.
        muted_by: LenientTexts<'a>,
    }

    /// A receiver of notifications.
    struct Receiver<'a> {
        name: LenientText<'a>,
    }

    #[serde(rename_all = "camelCase")]
    struct Silence<'a> {
        id: LenientText<'a>,
        #[serde(deserialize_with = "or_default")]
        status: SilenceStatus<'a>,
        starts_at: Rfc3339OrSeconds,
        ends_at: Rfc3339OrSeconds,
        created_by: LenientText<'a>,
        comment: LenientText<'a>,
        updated_at: Rfc3339OrSeconds,
        /// Since 0.32.
        annotations: LenientPairs<'a>,
        matchers: LenientList<Matcher<'a>>,
    }

    /// `state` is `active`, `pending` or `expired`.
    struct SilenceStatus<'a> {
        state: LenientText<'a>,
    }

    /// One matcher of a silence; `isEqual` is missing before 0.22 and then counts as true.
    #[serde(rename_all = "camelCase")]
    struct Matcher<'a> {
        name: LenientText<'a>,
        value: LenientText<'a>,
        is_regex: LenientText<'a>,
        is_equal: LenientText<'a>,
    }
}

impl Matcher<'_> {
    /// Whether the value is a regular expression, and whether the matcher is positive (`=`, `=~`).
    pub(super) fn operator_flags(&self) -> (bool, bool) {
        (self.is_regex.is_true(), self.is_equal.0.is_empty() || self.is_equal.is_true())
    }
}
