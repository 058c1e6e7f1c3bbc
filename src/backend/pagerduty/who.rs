//! The owner of the API key, the current user, and the probe.

use jiff::SignedDuration;
use serde_json::{Map, Value};
use url::Url;

use super::wire::Reference;
use super::{PagerDuty, fresh};
use crate::backend::kit::http::Body;
use crate::backend::kit::probe;
use crate::model::ask::{Answer, Answered, Reply};
use crate::model::incident::Person;
use crate::model::labels::Text;
use crate::model::source::{ErrorKind, SourceError};

/// How long the owner of the key and the current user are kept before they are read again.
const KEPT: SignedDuration = SignedDuration::from_hours(1);
/// Roles that may not write, or only to incidents on which they were asked for help.
const READ_ONLY_ROLES: [&str; 3] = ["read_only_user", "read_only_limited_user", "observer"];

/// The owner of the API key.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum KeyOwner {
    /// A user key; burnwatch acts in the name of this user.
    User { me: Person, role: Text, account: Option<Text> },
    /// A key of the account; the acting user must be configured with `from`.
    Account,
    /// Not known: the key may not read users.
    Hidden,
}

impl KeyOwner {
    /// The user of a user key.
    pub(super) fn user(&self) -> Option<&Person> {
        match self {
            Self::User { me, .. } => Some(me),
            Self::Account | Self::Hidden => None,
        }
    }
}

impl PagerDuty {
    /// Answers a probe: the owner of the key, the rate limit and the clock offset.
    pub(super) async fn probe(&self) -> Answered {
        let (key, about) = self.key().await?;
        let mut probe_report = probe::probe_report("PagerDuty", "");
        let (mut date, mut allowance) = about.map(|body| (body.date, body.allowance)).unwrap_or_default();
        if key.user().is_none() {
            // checks that the key is valid
            match self.http.get("abilities", &[]).await {
                Ok(body) => {
                    let answer: Map<String, Value> = body.json()?;
                    if !answer.contains_key("abilities") {
                        return Err(self.odd("no list of `abilities` in it"));
                    }
                    (date, allowance) = (body.date, body.allowance);
                }
                Err(SourceError { kind: ErrorKind::Forbidden { .. }, .. }) if key == KeyOwner::Account => {}
                Err(error) => return Err(error),
            }
        }
        let needs_from = |why: &str| format!("actions need `from`, your e-mail address at PagerDuty: {why}");
        let refuses = match (&key, &self.settings.from) {
            (KeyOwner::User { me, role, account }, _) => {
                probe_report.fact("account", account.clone().unwrap_or_default());
                probe_report.fact("key of", me.name.clone());
                probe_report.fact("role", role.clone());
                let may_only_read = READ_ONLY_ROLES.contains(&&**role);
                may_only_read.then(|| format!("{} may only read ({role}): actions will be refused", me.name))
            }
            (KeyOwner::Account, Some(from)) => {
                probe_report.fact("key of", "the account");
                let found = self.me(&key).await?.map(|me| probe_report.fact("from", me.name));
                let missing =
                    || format!("the account has no user with the address `{from}`: actions will be refused");
                found.is_none().then(missing)
            }
            (KeyOwner::Account, None) => {
                probe_report.fact("key of", "the account");
                Some(needs_from("a key of the account does not identify you"))
            }
            (KeyOwner::Hidden, from) => {
                probe_report.warn("the key may not read users, so your user is not known");
                from.is_none().then(|| needs_from("the key may not read users"))
            }
        };
        probe_report.refuses = refuses.map(Text::from);
        if key != KeyOwner::Hidden {
            probe_report.warnings.extend(probe_report.refuses.clone());
        }
        probe_report.allowance(allowance);
        probe_report.clock(date, self.clock.now(), "displayed ages are wrong by that much");
        Ok(Reply::free(Answer::Probe(probe_report)))
    }

    /// The owner of the API key, read again; with the answer.
    async fn key(&self) -> Result<(KeyOwner, Option<Body>), SourceError> {
        let (key, body) = match self.http.get("users/me", &[]).await {
            Ok(body) => (self.user_key(&body)?, Some(body)),
            // a key of the account gets 400 "The current user is not available"
            Err(SourceError { kind: ErrorKind::BadQuery { .. }, .. }) => (KeyOwner::Account, None),
            Err(SourceError { kind: ErrorKind::Forbidden { .. }, .. }) => (KeyOwner::Hidden, None),
            Err(error) => return Err(error),
        };
        let mut kept = self.kept();
        if kept.key.as_ref().is_none_or(|(_, last)| *last != key) {
            kept.me = None;
        }
        kept.key = Some((self.clock.now(), key.clone()));
        Ok((key, body))
    }

    /// The owner in the answer to `users/me`.
    fn user_key(&self, body: &Body) -> Result<KeyOwner, SourceError> {
        let user: Reference = self.object(body, "user")?;
        if user.id.0.is_empty() {
            return Err(self.odd("no `user` in it"));
        }
        let page = Url::parse(&user.html_url.0).ok();
        Ok(self.read(|reader| KeyOwner::User {
            account: page.as_ref().and_then(Url::host_str).map(|host| reader.text(host)),
            me: reader.person(&user),
            role: reader.text(&user.role.0),
        }))
    }

    /// The current user, if known; cached for an hour.
    pub(super) async fn who(&self) -> Result<Option<Person>, SourceError> {
        let key = fresh(self.kept().key.as_ref(), self.clock.now(), KEPT);
        let key = match key {
            Some(key) => key,
            None => self.key().await?.0,
        };
        self.me(&key).await
    }

    /// The user of a user key, else the user with the address `from`. Never a guess.
    async fn me(&self, key: &KeyOwner) -> Result<Option<Person>, SourceError> {
        let now = self.clock.now();
        let (None, Some(from)) = (key.user(), &self.settings.from) else { return Ok(key.user().cloned()) };
        if let Some(me) = fresh(self.kept().me.as_ref(), now, KEPT) {
            return Ok(Some(me));
        }
        let users = match self.pages::<Reference>("users", &[("query", from.as_str())], 10).await {
            Err(error) if matches!(error.kind, ErrorKind::Forbidden { .. }) => return Ok(None),
            users => users?,
        };
        let mine = users.items.iter().find(|user| user.email.0.trim().eq_ignore_ascii_case(from));
        let me = self.read(|reader| mine.map(|user| reader.person(user)));
        // a missing user is not cached, because the user may be added at any time
        self.kept().me = me.clone().map(|me| (now, me));
        Ok(me)
    }
}
