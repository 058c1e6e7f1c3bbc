//! The description of the kind `pagerduty` for the configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ANSWERS;
use super::act::SUPPORT;
use crate::config::kind::{Address, KeyHeader, KindSpec, Options, OwnSettings, Scheme};

pub(in crate::backend) static SPEC: KindSpec = KindSpec {
    name: "pagerduty",
    title: "PagerDuty",
    summary: "incidents and who is on call",
    about: "Accounts in the EU need `url = \"https://api.eu.pagerduty.com\"`. A key is a user's own (My Profile, User Settings,
Create API User Token) or the account's (Integrations, API Access Keys; it may be read-only), and goes into `auth.token`; an
OAuth token goes into `auth.bearer`. With either, burnwatch reads incidents, on-call data and the account's log (`/log_entries`):
who acknowledged resolved incidents and, while the timeline is open, all other events. Actions are done in the name of a person:
with a user's key that user; with a key of the account the user in `from`, and without `from` actions are refused. The Sources
screen reports a key or role that may only read. The address must be `https://`; `http://` is for this machine only.",
    example: r#"
[sources.pagerduty]
kind = "pagerduty"
# Only for accounts in the EU; the others are at https://api.pagerduty.com.
url = "https://api.eu.pagerduty.com"
# A user's key or a key of the account, sent as "Token token=..."; OAuth tokens go into auth.bearer.
auth.token = { env = "PAGERDUTY_TOKEN" }
# Your own e-mail address there; needed with a key of the account, because such a key does not identify you.
from = "ana@example.org"
# Ids of the teams and services to show (the last part of their pages' addresses); empty: all.
teams = ["PQ9K7I8"]
services = []
"#,
    address: Some(Address::Usual("https://api.pagerduty.com")),
    is_https_only: true,
    auth: &Scheme::any_or(KeyHeader { name: "Authorization", prefix: "Token token=" }),
    is_auth_needed: true,
    answers: ANSWERS,
    writes: SUPPORT,
    flag: None,
    options: Options::of::<Settings>(),
};

/// The options of a PagerDuty account.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Settings {
    /// Your own e-mail address there; needed with a key of the account, because such a key does not identify you.
    pub(super) from: Option<String>,
    /// Ids of the teams to show, the last part of their pages' addresses; empty: all.
    pub(super) teams: Vec<String>,
    /// Ids of the services to show, the last part of their pages' addresses; empty: all.
    pub(super) services: Vec<String>,
}

impl OwnSettings for Settings {
    /// Invalid values with their option and the reason.
    fn failures(&self) -> Vec<(&'static str, String)> {
        let is_address = |text: &String| {
            let parts = text.split_once('@').filter(|(user, host)| !user.is_empty() && host.contains('.'));
            parts.is_some() && !text.contains(|c: char| c.is_control() || c.is_whitespace() || c == ',')
        };
        let is_id = |id: &&String| !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric());
        let of_ids = |(key, ids): (&'static str, &Vec<String>)| {
            let wrong = ids.iter().find(|id| !is_id(id))?;
            let words = "the last part of the URL of its page at PagerDuty, such as PQ9K7I8";
            Some((key, format!("lists ids, not names (`{wrong}`); an id is {words}")))
        };
        let of_person = self.from.as_ref().filter(|from| !is_address(from));
        let of_person =
            of_person.map(|_| ("from", "must be your e-mail address there: \"ana@example.org\"".to_owned()));
        let lists = [("teams", &self.teams), ("services", &self.services)];
        of_person.into_iter().chain(lists.into_iter().filter_map(of_ids)).collect()
    }
}
