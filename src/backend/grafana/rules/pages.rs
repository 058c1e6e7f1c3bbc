//! Pages of rule groups, read until their end or until a bound of bytes.

use super::super::{Grafana, wire};
use super::read::{FoundRule, RuleReader};
use crate::backend::kit::http::Body;
use crate::backend::kit::lenient::LenientPairs;
use crate::model::ask::Weight;
use crate::model::source::{ErrorKind, SourceError};
use crate::model::text::clean;

/// The groups of the first page; later pages are as large as the bytes that are left allow.
const FIRST_GROUPS: usize = 10;
/// The most groups of a page: more rules may begin to fire while they are read.
const MOST_GROUPS: usize = 250;
/// The most rules of a group.
const MOST_RULES: usize = 400;
/// About how many rules a page has, for versions that can limit them (12.4 and later).
const PAGE_RULES: &str = "300";
/// The most pages of a list.
const MOST_PAGES: usize = 40;
/// How many large groups are named.
const NAMED: usize = 3;

/// What is asked for.
pub(super) struct PageRequest {
    pub(super) filters: Vec<(&'static str, &'static str)>,
    /// The most instances of a rule.
    pub(super) limit: usize,
    /// No further page is read after this many bytes.
    pub(super) bytes: usize,
}

/// The numbers of rules by state and health; empty if the server gives none.
#[derive(Debug, Clone, Default)]
pub(super) struct RuleTotals(Vec<(String, u64)>);

impl RuleTotals {
    fn of(pairs: &LenientPairs<'_>) -> Self {
        let all =
            pairs.0.iter().filter_map(|(name, count)| Some((name.0.to_string(), count.0.parse().ok()?)));
        Self(all.collect())
    }

    fn of_states(&self, names: &[&str]) -> u64 {
        self.0.iter().filter(|(name, _)| names.contains(&name.as_str())).map(|(_, count)| count).sum()
    }

    /// The number of rules whose last evaluation failed or had no data; `None` if it is not known.
    pub(super) fn broken(&self) -> Option<u64> {
        (!self.0.is_empty()).then(|| self.of_states(&["error", "nodata"]))
    }

    /// The number of all rules; 0 if it is not known.
    pub(super) fn rules(&self) -> u64 {
        self.of_states(&["firing", "pending", "recovering", "inactive"])
    }
}

/// The rules of all pages that were read.
#[derive(Debug, Clone, Default)]
pub(super) struct Collected {
    pub(super) rules: Vec<FoundRule>,
    pub(super) totals: RuleTotals,
    /// The size of the answers.
    pub(super) bytes: usize,
    /// There are more rules than were read.
    pub(super) is_cut: bool,
    /// The number of rules that there are, if it is known.
    pub(super) expected: Option<u64>,
    /// The number of elements that could not be read.
    pub(super) lost: usize,
    /// Groups of which not all rules were listed, in words.
    pub(super) large_groups: Vec<String>,
}

impl Collected {
    /// What is not loaded, in words.
    pub(super) fn gap(&self, which: &str) -> Option<String> {
        let count = self.rules.len();
        match self.expected.filter(|expected| *expected > count as u64) {
            Some(expected) => Some(format!("{count} of {expected} rules {which} are listed")),
            None if self.is_cut => Some(format!("only the first {count} rules {which} are listed")),
            None => None,
        }
    }
}

impl Grafana {
    /// Reads pages of rules.
    ///
    /// # Errors
    /// The error of the first page; a later one that fails ends the list.
    pub(super) async fn collect(&self, request: PageRequest) -> Result<Collected, SourceError> {
        let limit = request.limit.to_string();
        let most_rules = MOST_RULES.to_string();
        let (mut all, mut groups, mut page_groups) = (Collected::default(), 0, FIRST_GROUPS);
        let mut token = String::new();
        for page in 0..MOST_PAGES {
            let group_limit = page_groups.to_string();
            let mut query = request.filters.clone();
            query.extend([("limit_alerts", limit.as_str()), ("limit_rules", &most_rules)]);
            query.extend([("group_limit", group_limit.as_str()), ("rule_limit", PAGE_RULES)]);
            query.push(("includeInternalLabels", "true"));
            query.extend((!token.is_empty()).then_some(("group_next_token", token.as_str())));
            let read = self.get(Weight::Vital, "api/prometheus/grafana/api/v1/rules", &query).await;
            let read = read.and_then(|body| self.take_page(&body, &mut all));
            let (in_page, next) = match read {
                Err(_) if page > 0 => {
                    all.is_cut = true;
                    return Ok(all);
                }
                read => read?,
            };
            groups += in_page;
            // a server that repeats a token would repeat its pages for ever
            if next.is_empty() || next == token {
                all.is_cut = !next.is_empty();
                return Ok(all);
            }
            let left = request.bytes.saturating_sub(all.bytes);
            let each = (all.bytes / groups.max(1)).max(1);
            page_groups = (left / each).clamp(1, page_groups * 4).min(MOST_GROUPS);
            if left < each {
                break;
            }
            token = next;
        }
        all.is_cut = true;
        Ok(all)
    }

    /// Adds the rules of a page; returns the number of its groups and the token of the next page.
    fn take_page(&self, body: &Body, all: &mut Collected) -> Result<(usize, String), SourceError> {
        all.bytes += body.bytes.len();
        let answer: wire::RulesAnswer<'_> = body.json()?;
        if answer.status.0 != "success" {
            let said = body.words(&clean(&answer.error.0));
            let kind = if said.is_empty() {
                ErrorKind::Garbled { reason: "not an answer of Grafana's rules".to_owned() }
            } else {
                ErrorKind::BadQuery { message: said }
            };
            return Err(self.http.error(kind));
        }
        let groups = &answer.data.groups;
        all.lost += groups.lost;
        let mut interner = self.interner();
        let mut reader = RuleReader {
            interner: &mut interner,
            severities: &self.severities,
            source: &self.info.id,
            now: self.now(),
        };
        for group in &groups.all {
            all.lost += group.rules.lost;
            for rule in &group.rules.all {
                all.lost += rule.alerts.lost;
                match reader.rule(group, rule) {
                    Some(rule) => all.rules.push(rule),
                    None => all.lost += 1,
                }
            }
            if group.rules.all.len() >= MOST_RULES && all.large_groups.len() < NAMED {
                let name = clean(&group.name.0);
                all.large_groups.push(format!("only {MOST_RULES} rules of the group {name} are listed"));
            }
        }
        let totals = RuleTotals::of(&answer.data.totals);
        if !totals.0.is_empty() {
            all.totals = totals;
        }
        Ok((groups.all.len(), answer.data.group_next_token.0.into_owned()))
    }
}
