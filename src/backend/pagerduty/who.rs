//! Whose key it is, who sits at the keyboard, and whether all is well: the heartbeat.

use jiff::SignedDuration;
use serde_json::{Map, Value};
use url::Url;

use super::wire::Thing;
use super::{PagerDuty, fresh};
use crate::backend::kit::cost::Cost;
use crate::backend::kit::http::Body;
use crate::backend::kit::lenient::object;
use crate::backend::kit::probe;
use crate::model::ask::{Answer, Answered};
use crate::model::incident::Person;
use crate::model::labels::Text;
use crate::model::source::{SourceError, Trouble};

/// Who one is changes seldom.
const KEPT: SignedDuration = SignedDuration::from_hours(1);
/// Roles that may not change anything, or only on what they are asked to.
const READERS: [&str; 3] = ["read_only_user", "read_only_limited_user", "observer"];

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Key {
    /// That of one person, who acts by it.
    User { me: Person, role: Text, account: Option<Text> },
    /// The account's; whoever sits at the keyboard must be named besides.
    Account,
    /// Not told: the key may not read it.
    Hidden,
}

impl PagerDuty {
    pub(super) async fn probe(&self) -> Answered {
        let (key, about) = self.key().await?;
        let mut cost = about.as_ref().map_or(Cost::REFUSED, Cost::of);
        let mut offer = probe::offer("PagerDuty", "");
        let (mut date, mut allowance) = about.map(|body| (body.date, body.allowance)).unwrap_or_default();
        if !matches!(key, Key::User { .. }) {
            // whether the key is good for anything at all
            match self.get("abilities", &[]).await {
                Ok(body) => {
                    let answer: Map<String, Value> = body.json()?;
                    if !answer.contains_key("abilities") {
                        return Err(self.odd("no list of `abilities` in it"));
                    }
                    (date, allowance) = (body.date, body.allowance);
                    cost.add(Cost::of(&body));
                }
                Err(error) if matches!(error.trouble, Trouble::Forbidden { .. }) && key == Key::Account => {
                    cost.add(Cost::REFUSED);
                }
                Err(error) => return Err(error),
            }
        }
        let needs_from = |why: &str| format!("actions need `from`, your e-mail address here: {why}");
        let refuses = match (&key, &self.settings.from) {
            (Key::User { me, role, account }, _) => {
                offer.fact("account", account.clone().unwrap_or_default());
                offer.fact("key of", me.name.clone());
                offer.fact("role", role.clone());
                let may_only_read = READERS.contains(&&**role);
                may_only_read.then(|| format!("{} may only read ({role}): actions will be refused", me.name))
            }
            (Key::Account, Some(from)) => {
                offer.fact("key of", "the account");
                let (me, spent) = self.me(&key).await?;
                cost.add(spent);
                let found = me.map(|me| offer.fact("from", me.name));
                let missing = || format!("nobody here has the address `{from}`: actions will be refused");
                found.is_none().then(missing)
            }
            (Key::Account, None) => {
                offer.fact("key of", "the account");
                Some(needs_from("a key of the account does not say who you are"))
            }
            (Key::Hidden, from) => {
                offer.warn("the key may not read users: nobody knows who you are here");
                from.is_none().then(|| needs_from("the key may not read users"))
            }
        };
        offer.refuses = refuses.map(Text::from);
        if key != Key::Hidden {
            offer.warnings.extend(offer.refuses.clone());
        }
        offer.allowance(allowance);
        offer.clock(date, self.clock.now(), "ages are off by that");
        Ok(cost.reply(Answer::Probe(offer)))
    }

    /// Whose key it is, asked anew; with the answer that told it.
    async fn key(&self) -> Result<(Key, Option<Body>), SourceError> {
        let (key, body) = match self.get("users/me", &[]).await {
            Ok(body) => (self.user_key(&body)?, Some(body)),
            // "The current user is not available": an account is nobody
            Err(SourceError { trouble: Trouble::BadQuery { .. }, .. }) => (Key::Account, None),
            Err(SourceError { trouble: Trouble::Forbidden { .. }, .. }) => (Key::Hidden, None),
            Err(error) => return Err(error),
        };
        let mut kept = self.kept();
        if kept.key.as_ref().is_none_or(|(_, last)| *last != key) {
            kept.me = None;
        }
        kept.key = Some((self.clock.now(), key.clone()));
        Ok((key, body))
    }

    fn user_key(&self, body: &Body) -> Result<Key, SourceError> {
        let user: Option<Thing> = object(body.json()?, "user");
        let Some(user) = user.filter(|user| !user.id.0.is_empty()) else {
            return Err(self.odd("no `user` in it"));
        };
        let page = Url::parse(&user.html_url.0).ok();
        Ok(self.read(|reader| Key::User {
            account: page.as_ref().and_then(Url::host_str).map(|host| reader.text(host)),
            me: reader.person(&user),
            role: reader.text(&user.role.0),
        }))
    }

    /// The person at the keyboard, as far as it is known; asked for seldom.
    ///
    /// # Errors
    /// Whatever keeps it from being known this time.
    pub(super) async fn who(&self) -> Result<(Option<Person>, Cost), SourceError> {
        let known = fresh(self.kept().key.as_ref(), self.clock.now(), KEPT);
        let (key, mut cost) = if let Some(key) = known {
            (key, Cost::default())
        } else {
            let (key, told) = self.key().await?;
            (key, told.as_ref().map_or(Cost::REFUSED, Cost::of))
        };
        let (me, spent) = self.me(&key).await?;
        cost.add(spent);
        Ok((me, cost))
    }

    /// The person whose key it is, or whose address `from` is. Never a guess.
    async fn me(&self, key: &Key) -> Result<(Option<Person>, Cost), SourceError> {
        let from = match (key, &self.settings.from) {
            (Key::User { me, .. }, _) => return Ok((Some(me.clone()), Cost::default())),
            (Key::Account | Key::Hidden, None) => return Ok((None, Cost::default())),
            (Key::Account | Key::Hidden, Some(from)) => from,
        };
        let now = self.clock.now();
        if let Some(me) = fresh(self.kept().me.as_ref(), now, KEPT) {
            return Ok((Some(me), Cost::default()));
        }
        let query = [("query", from.as_str())];
        let users = match self.pages::<Thing>("users", &query, 10).await {
            Err(error) if matches!(error.trouble, Trouble::Forbidden { .. }) => {
                return Ok((None, Cost::REFUSED));
            }
            users => users?,
        };
        let mine = users.items.iter().find(|user| user.email.0.trim().eq_ignore_ascii_case(from));
        let me = self.read(|reader| mine.map(|user| reader.person(user)));
        // a person who is not there may be added at any time
        self.kept().me = me.clone().map(|me| (now, me));
        Ok((me, users.cost))
    }
}
