//! What the shop's CI and its system of feature flags report about changes: who made them, with a page. As lines of the kind
//! `file`, which teams let their pipelines append to a file.

use std::future::ready;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::facts::flags_of;
use super::scenario::Begin;
use super::world::{DemoWorld, ServiceInRegion};
use crate::backend::handlers::{Handler, answer_by};
use crate::backend::kit::change_lines::{BadLines, read_all};
use crate::backend::kit::probe::probe_report;
use crate::backend::{Answering, Clock, Source};
use crate::model::action::WriteSupport;
use crate::model::ask::{Answer, Ask, AskKind, Reply};
use crate::model::change::{ChangeKind, ChangeSnapshot};
use crate::model::query_language::QueryLanguage;
use crate::model::source::{Kind, SourceId};
use crate::model::source_info::SourceInfo;

/// Reports are kept for this long.
const KEPT: SignedDuration = SignedDuration::from_hours(8 * 24);
/// The newest reports that the probe counts.
const COUNTED: SignedDuration = SignedDuration::from_hours(24);

/// The source of these reports.
pub(super) struct DemoReports {
    info: SourceInfo,
    world: Arc<DemoWorld>,
    clock: Clock,
}

const HANDLERS: &[Handler<DemoReports>] = &[
    Handler::Probe(|source, _| Box::pin(ready(Ok(source.probe())))),
    Handler::Changes(|source, _, since| Box::pin(ready(Ok(source.changes(*since))))),
];

/// A report of one change: its demo time, and its line.
type ReportLine = (f64, String);

impl DemoReports {
    pub(super) fn new(world: Arc<DemoWorld>, clock: Clock) -> Self {
        let info = SourceInfo {
            id: SourceId::new("ci"),
            kind: Kind::new(crate::backend::file::SPEC.name),
            address: "the shop's GitLab, Argo CD and feature flags".into(),
            tenant: None,
            is_exposed: false,
            answers: vec![AskKind::Probe, AskKind::Changes],
            writes: WriteSupport::NONE,
            // no user writes queries for it
            language: QueryLanguage::default(),
        };
        Self { info, world, clock }
    }

    fn probe(&self) -> Reply {
        let now = self.clock.now();
        let since = now.checked_sub(COUNTED).unwrap_or(now);
        let mut report = probe_report("JSON lines", "");
        report.fact("changes in 24h", self.lines(since, now).len().to_string());
        Reply::free(Answer::Probe(report))
    }

    fn changes(&self, since: Timestamp) -> Reply {
        let now = self.clock.now();
        let since = since.max(now.checked_sub(KEPT).unwrap_or(since)).min(now);
        let lines = self.lines(since, now);
        let mut bad = BadLines::default();
        let changes = read_all(lines.iter().map(|(_, line)| line.as_bytes()), &self.info.id, now, &mut bad);
        let covers = [ChangeKind::Deploy, ChangeKind::Flag].map(|kind| kind.word().into()).to_vec();
        let snapshot = ChangeSnapshot::new(changes, since, now, covers);
        Reply { warnings: bad.warning().into_iter().collect(), ..Reply::free(Answer::Changes(snapshot)) }
    }

    /// The reports of a time range, the oldest first.
    fn lines(&self, since: Timestamp, until: Timestamp) -> Vec<ReportLine> {
        let range = (self.world.time.demo(since), self.world.time.demo(until));
        let places = self.world.places.iter();
        let mut lines: Vec<ReportLine> = places.flat_map(|place| self.of_place(place, range)).collect();
        lines.sort_by(|one, other| one.0.total_cmp(&other.0));
        lines
    }

    fn of_place(&self, place: &ServiceInRegion, range: (f64, f64)) -> Vec<ReportLine> {
        let mut lines = Vec::new();
        for (begin, deploy) in &place.deploys {
            let page = (place, deploy.merge_request);
            let starts = self.times(*begin, deploy.at.0, range);
            lines.extend(starts.into_iter().filter_map(|t| self.deploy(page, &deploy.by, t)));
            let ends = self.times(*begin, deploy.back.0, range);
            lines.extend(ends.into_iter().filter_map(|t| self.deploy(page, &deploy.back_by, t)));
        }
        for (begin, change) in flags_of(&self.world, place) {
            for (at, value, who) in [(change.on.0, "on", &change.by), (change.off.0, "off", &change.back_by)]
            {
                let line = |t: f64| {
                    json!({
                        "time": self.world.time.wall_time(t).to_string(),
                        "kind": "flag",
                        "service": &*place.name,
                        "region": place.region.name(),
                        "flag": change.flag,
                        "to": value,
                        "who": format!("{who}, Unleash"),
                        "link": format!("https://flags.shop.example/features/{}", change.flag),
                    })
                };
                let all = self.times(begin, at, range).into_iter();
                lines.extend(all.map(|t| (t, line(t).to_string())));
            }
        }
        lines
    }

    /// When something of an event happened, within a range of demo time.
    fn times(&self, begin: Begin, offset: f64, (from, to): (f64, f64)) -> Vec<f64> {
        let each = self.world.schedule.between(begin, from - offset, to - offset).into_iter();
        each.map(|once| once.start + offset).filter(|t| (from..=to).contains(t)).collect()
    }

    /// The report of a deployment at a demo time; `None` if the version stays the same.
    fn deploy(&self, (place, number): (&ServiceInRegion, u32), who: &str, t: f64) -> Option<ReportLine> {
        let version = |t: f64| self.world.version(place, t).to_owned();
        let (from, to) = (version(t - 0.001), version(t + 0.001));
        if from == to {
            return None;
        }
        let kind = if numbers(&to) < numbers(&from) { ChangeKind::Rollback } else { ChangeKind::Deploy };
        let (service, namespace) = (&*place.name, &*place.service.namespace);
        let link = format!("https://gitlab.shop.example/{namespace}/{service}/-/merge_requests/{number}");
        let line = json!({
            "time": self.world.time.wall_time(t).to_string(),
            "kind": kind.word(),
            "service": service,
            "region": place.region.name(),
            "namespace": namespace,
            "from": from,
            "to": to,
            "who": format!("{who}, GitLab !{number}, Argo CD"),
            "link": link,
            "id": format!("{service}-{to}-{}", self.world.time.wall_time(t).as_second()),
        });
        Some((t, line.to_string()))
    }
}

/// The numbers of a version, in their order.
fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

impl Source for DemoReports {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn answer<'a>(&'a self, ask: &'a Ask, known: Option<u64>) -> Answering<'a> {
        answer_by(self, HANDLERS, ask, known)
    }
}
