//! Finds the runbook of an alert: at the alert's `runbook_url`, else in the runbook folder, else by the configured templates.
//! A runbook is a local file or a web page.

mod address;
mod folder;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use url::Url;

use super::handlers::{Handler, answer_by};
use super::kit::cost::{Cost, digest};
use super::kit::http::address_policy::AddressPolicy;
use super::kit::http::untrusted_fetch::{self, FetchError};
use super::{Answering, Source, Transport};
use crate::config::secret::Secret;
use crate::config::settings::{LimitSettings, RunbookSettings, Settings};
use crate::model::action::WriteSupport;
use crate::model::ask::{Answer, Answered, Ask, AskKind, Reply};
use crate::model::runbook::{Runbook, RunbookQuery, RunbookSearch, SOURCE, TriedLocation};
use crate::model::source::{ErrorKind, Kind, SourceId};
use crate::model::source_info::SourceInfo;
use crate::model::text;

use address::RunbookLocation;

/// The maximum size of a runbook, in bytes.
const LIMIT: u64 = 1024 * 1024;
/// The maximum number of locations that are tried for one runbook.
const MAX_LOCATIONS: usize = 8;

/// The source that finds runbooks; one for each context.
pub(super) struct Runbooks {
    info: SourceInfo,
    settings: RunbookSettings,
    limits: LimitSettings,
    policy: AddressPolicy,
    transport: Transport,
}

const HANDLERS: &[Handler<Runbooks>] =
    &[Handler::Runbook(|source, put, wanted| Box::pin(source.runbook(wanted, put.known)))];

/// The content that was read from a location.
struct FoundRunbook {
    bytes: Vec<u8>,
    /// The size of the HTTP response; 0 for a file.
    received: u64,
    is_html: bool,
    /// The path or the address, without credentials and query.
    from: String,
}

impl Runbooks {
    pub(super) fn new(settings: &Settings, transport: &Transport) -> Self {
        let runbooks = settings.runbooks.clone();
        let policy = AddressPolicy { hosts: runbooks.hosts.clone(), private: runbooks.allow_private };
        Self {
            info: info(),
            settings: runbooks,
            limits: settings.limits,
            policy,
            transport: transport.clone(),
        }
    }

    /// Answers with the result of the search, also if no runbook was found: a host that fails says nothing about the other
    /// locations.
    async fn runbook(&self, wanted: &RunbookQuery, known: Option<u64>) -> Answered {
        let (search, cost) = self.search(wanted).await;
        Ok(reply(search, known, cost))
    }

    /// Tries the locations in their order until one has a runbook.
    async fn search(&self, wanted: &RunbookQuery) -> (RunbookSearch, Cost) {
        let (mut search, mut cost) = (RunbookSearch::default(), Cost::default());
        for place in address::places(wanted, &self.settings).into_iter().take(MAX_LOCATIONS) {
            let shown = place.to_string();
            if matches!(place, RunbookLocation::Page(..)) {
                cost.requests += 1;
            }
            match self.read(place).await {
                Ok(found) => {
                    cost.bytes_in += found.received;
                    match runbook(&found) {
                        Ok(runbook) => {
                            search.found = Some(runbook);
                            break;
                        }
                        Err(why) => search.tried.push(tried(&found.from, why)),
                    }
                }
                Err(why) => search.tried.push(tried(&shown, &why)),
            }
        }
        (search, cost)
    }

    /// Reads the content at a location, or says why there is none.
    async fn read(&self, place: RunbookLocation) -> Result<FoundRunbook, String> {
        match place {
            RunbookLocation::None(why) => Err(why),
            RunbookLocation::File(path) => self.read_file(move || folder::read(&path, LIMIT)).await,
            RunbookLocation::Folder(folder, names) => {
                self.read_file(move || folder::read(&folder::find(&folder, &names)?, LIMIT)).await
            }
            RunbookLocation::Page(url, named) => self.read_page(&url, &named).await,
        }
    }

    /// Reads a file in a blocking task with a time-out, because a file on an unreachable network mount can block for ever.
    async fn read_file(
        &self,
        read: impl FnOnce() -> Result<(PathBuf, Vec<u8>), String> + Send + 'static,
    ) -> Result<FoundRunbook, String> {
        let reading = tokio::task::spawn_blocking(read);
        let read = timeout(self.time_limit(), reading).await;
        let (path, bytes) = match read {
            Ok(Ok(read)) => read?,
            Ok(Err(error)) => return Err(error.to_string()),
            Err(_) => return Err("the file could not be read in time".to_owned()),
        };
        Ok(FoundRunbook { bytes, received: 0, is_html: false, from: path.display().to_string() })
    }

    /// Requests a web page, with the configured token of its host if there is one.
    async fn read_page(&self, url: &Url, named: &Url) -> Result<FoundRunbook, String> {
        let token = self.token(url, named).await?;
        let url = if token.is_some() { address::with_token(url, named) } else { url.clone() };
        let getting =
            untrusted_fetch::get(&self.transport, &url, token.as_ref(), &self.policy, &self.limits, LIMIT);
        let page = match timeout(self.time_limit(), getting).await {
            Ok(page) => page.map_err(|failure| match failure {
                FetchError::Trouble(ErrorKind::Redirected { to }) => {
                    format!(
                        "the server redirects to {to}; set a token in [runbooks.tokens] if it needs a login"
                    )
                }
                FetchError::Trouble(ErrorKind::TooLarge { .. }) => "the page is larger than 1 MiB".to_owned(),
                FetchError::Trouble(_) | FetchError::Private { .. } => failure.to_string(),
            })?,
            Err(_) => return Err(ErrorKind::TimedOut { after: self.time_limit() }.to_string()),
        };
        let mut from = named.clone();
        from.set_query(None);
        // an address may contain credentials; they must not be displayed
        from.set_password(None).and_then(|()| from.set_username("")).ok();
        let received = page.bytes.len() as u64;
        Ok(FoundRunbook { bytes: page.bytes, received, is_html: page.is_html, from: from.into() })
    }

    fn time_limit(&self) -> Duration {
        self.limits.timeout.0
    }

    /// The token of the requested host (`url`), or of the host in the address as it was written (`named`).
    async fn token(&self, url: &Url, named: &Url) -> Result<Option<Secret>, String> {
        let of = |url: &Url| {
            let host = url.host_str()?;
            self.settings
                .tokens
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(host))
                .map(|(_, secret)| secret)
        };
        let Some(secret) = of(url).or_else(|| of(named)).cloned() else { return Ok(None) };
        let read = tokio::task::spawn_blocking(move || secret.read()).await;
        let read = read.map_err(|error| error.to_string())?;
        read.map(Some).map_err(|error| format!("no credentials ({error})"))
    }
}

pub(super) fn info() -> SourceInfo {
    SourceInfo {
        tenant: None,
        is_exposed: false,
        id: SourceId::new(SOURCE),
        kind: Kind::RUNBOOKS,
        address: "files and pages".into(),
        answers: vec![AskKind::Runbook],
        language: crate::model::query_language::QueryLanguage::PromQl,
        writes: WriteSupport::NONE,
    }
}

/// The reply for a search result, with its digest; [`Answer::Unchanged`] if the caller already has it.
pub(super) fn reply(search: RunbookSearch, known: Option<u64>, cost: Cost) -> Reply {
    let digest = digest(&search);
    let answer = if known == Some(digest) { Answer::Unchanged } else { Answer::Runbook(search) };
    let Cost { bytes_in, requests } = cost;
    Reply { digest: Some(digest), bytes_in, requests, ..Reply::free(answer) }
}

/// A failed location with the reason, for display.
fn tried(place: &str, why: &str) -> TriedLocation {
    TriedLocation { place: text::clean(place).into(), why: text::clean(why).into() }
}

/// Makes a runbook of the content, or says why the content is not one.
fn runbook(found: &FoundRunbook) -> Result<Runbook, &'static str> {
    let text = String::from_utf8_lossy(&found.bytes);
    let head: String = text.trim_start().chars().take(15).collect::<String>().to_ascii_lowercase();
    if found.is_html || head.starts_with("<!doctype html") || head.starts_with("<html") {
        return Err("the content is a web page, not markdown; open the page in a browser");
    }
    if text.trim().is_empty() {
        return Err("the runbook is empty");
    }
    let is_broken = matches!(text, std::borrow::Cow::Owned(_));
    let warnings =
        if is_broken { vec!["Bytes that are not UTF-8 are shown as \u{fffd}.".into()] } else { Vec::new() };
    let text = text::clean_document(text.strip_prefix('\u{feff}').unwrap_or(&text));
    Ok(Runbook { from: text::clean(&found.from).into(), text: Arc::from(text), warnings })
}

impl Source for Runbooks {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn answer<'a>(&'a self, ask: &'a Ask, known: Option<u64>) -> Answering<'a> {
        answer_by(self, HANDLERS, ask, known)
    }
}
