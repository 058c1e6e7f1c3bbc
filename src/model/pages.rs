//! Statistics of pages, by service or team: detection, acknowledgement and resolution times, and hours of the day.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::detection::{Detections, Undetected};
use super::incident::{Incident, Urgency};
use super::labels::Text;
use super::measures::{IncidentTimes, Measures};
use super::oncall::is_night;
use super::slo::TimeRange;
use super::world::IncidentView;

pub const HOURS: usize = 24;
/// Incidents with a priority up to this rank count as failures: severity 1 and 2.
const MAX_FAILURE_RANK: u32 = 2;

/// How incidents are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PageGrouping {
    All,
    /// By the monitored service, else by the paging system's.
    #[default]
    Service,
    /// By team; an incident of two teams counts for both.
    Team,
}

/// The incidents of one service or team that were created in a period.
#[derive(Debug, Clone, PartialEq)]
pub struct PageCounts {
    /// The service or team; `None`: all incidents, or those without one.
    pub name: Option<Text>,
    pub incidents: usize,
    /// The number of incidents with high urgency, which page someone.
    pub high: usize,
    /// The number of open incidents.
    pub open: usize,
    /// The number of high-urgency incidents at night, in the requested time zone.
    pub at_night: usize,
    /// The number of high-urgency incidents by hour of the day, in the same time zone.
    pub by_hour: [u32; HOURS],
    /// MTTD, MTTA, MTTR and MTBF.
    pub measures: Measures,
    /// Why the detection of the other incidents could not be measured, with the number of incidents.
    pub undetected: BTreeMap<Undetected, usize>,
}

/// The times of an incident, without its detection. A failure is an incident with one of the two highest priorities; without priorities, one with
/// high urgency.
pub fn times(incident: &Incident) -> IncidentTimes {
    let rank = incident.priority.as_ref().and_then(|priority| priority.rank);
    let is_failure = rank.map_or(incident.urgency == Urgency::High, |rank| rank <= MAX_FAILURE_RANK);
    IncidentTimes {
        triggered: incident.created_at,
        detected: None,
        acknowledged: incident.acknowledged.iter().map(|stamp| stamp.at).min(),
        resolved: incident.resolved_at,
        is_failure,
    }
}

/// Groups the incidents created in the period; groups with the most high-urgency incidents first.
///
/// Source: SLO.md section 8. Hours are in `zone`, so when clocks change, one hour covers two hours or
/// none.
pub fn pages<'a>(
    incidents: impl IntoIterator<Item = &'a IncidentView>,
    by: PageGrouping,
    period: TimeRange,
    zone: &TimeZone,
    detections: &Detections,
) -> Vec<PageCounts> {
    let within = |at: Timestamp| at >= period.start && at < period.end;
    let mut groups: BTreeMap<Option<Text>, Vec<&Incident>> = BTreeMap::new();
    for known in incidents.into_iter().filter(|known| within(known.incident.created_at)) {
        for name in names(known, by) {
            groups.entry(name).or_default().push(&known.incident);
        }
    }
    let mut all: Vec<PageCounts> =
        groups.into_iter().map(|(name, its)| page_counts(name, &its, (period, zone), detections)).collect();
    all.sort_by(|a, b| (b.high, b.incidents).cmp(&(a.high, a.incidents)).then_with(|| a.name.cmp(&b.name)));
    all
}

fn names(view: &IncidentView, by: PageGrouping) -> Vec<Option<Text>> {
    let incident = &view.incident;
    match by {
        PageGrouping::All => vec![None],
        PageGrouping::Service => {
            let paging = || incident.service.as_ref().map(|service| Text::clone(&service.name));
            vec![view.service.clone().or_else(paging)]
        }
        PageGrouping::Team if incident.teams.is_empty() => vec![None],
        PageGrouping::Team => incident.teams.iter().map(|team| Some(Text::clone(&team.name))).collect(),
    }
}

fn page_counts(
    name: Option<Text>,
    its: &[&Incident],
    (period, zone): (TimeRange, &TimeZone),
    detections: &Detections,
) -> PageCounts {
    let mut by_hour = [0; HOURS];
    let paged = || its.iter().filter(|incident| incident.urgency == Urgency::High);
    for incident in paged() {
        let hour = usize::try_from(incident.created_at.to_zoned(zone.clone()).hour()).unwrap_or_default();
        if let Some(count) = by_hour.get_mut(hour) {
            *count += 1;
        }
    }
    let mut undetected = BTreeMap::new();
    let times: Vec<IncidentTimes> = its
        .iter()
        .map(|incident| {
            let detected = detections.of(incident);
            if let Err(why) = detected {
                *undetected.entry(why).or_default() += 1;
            }
            IncidentTimes { detected: detected.ok(), ..times(incident) }
        })
        .collect();
    let at_night =
        (0..).zip(&by_hour).filter(|(hour, _)| is_night(*hour)).map(|(_, count)| *count).sum::<u32>();
    PageCounts {
        name,
        incidents: its.len(),
        high: paged().count(),
        open: its.iter().filter(|incident| incident.is_open()).count(),
        at_night: usize::try_from(at_night).unwrap_or(usize::MAX),
        by_hour,
        measures: Measures::of(&times, period),
        undetected,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::fixtures::{self, pager_ref, person};
    use super::*;
    use crate::model::detection::Detected;
    use crate::model::incident::{Attribution, IncidentStatus};
    use crate::model::source::SourceId;
    use crate::model::why::WhySignal;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn incident(service: &str, teams: &[&str], created: &str, minutes: (u64, Option<u64>)) -> IncidentView {
        let created_at = at(created);
        let after = |minutes: u64| created_at + Duration::from_secs(minutes * 60);
        let resolved_at = minutes.1.map(after);
        let status =
            if resolved_at.is_some() { IncidentStatus::Resolved } else { IncidentStatus::Acknowledged };
        let incident = Incident {
            id: created.into(),
            status,
            service: Some(pager_ref(service)),
            teams: teams.iter().map(|team| pager_ref(team)).collect(),
            acknowledged: vec![Attribution { who: person("Ana"), at: after(minutes.0) }],
            resolved_at,
            ..fixtures::incident(1, "burns", created_at, "pager")
        };
        IncidentView {
            incident,
            sources: vec![SourceId::new("pager")],
            service: None,
            services: Vec::new(),
            alerts: Vec::new(),
            optimistic: None,
        }
    }

    fn week() -> TimeRange {
        TimeRange { start: at("2026-03-23T00:00:00Z"), end: at("2026-03-30T00:00:00Z") }
    }

    #[test]
    fn each_service_and_each_team_has_its_measures() {
        let all = [
            incident("cart", &["shop", "web"], "2026-03-24T10:00:00Z", (4, Some(50))),
            incident("cart", &["shop"], "2026-03-25T02:30:00Z", (10, Some(30))),
            incident("search", &[], "2026-03-26T12:00:00Z", (1, None)),
            incident("cart", &["shop"], "2026-03-01T02:30:00Z", (10, Some(30))),
        ];
        let of = |by| pages(&all, by, week(), &TimeZone::UTC, &Detections::default());
        let by_service = of(PageGrouping::Service);
        let shown: Vec<_> =
            by_service.iter().map(|p| (p.name.as_deref(), p.high, p.open, p.at_night)).collect();
        assert_eq!(shown, [(Some("cart"), 2, 0, 1), (Some("search"), 1, 1, 0)]);
        let cart = &by_service[0].measures;
        assert_eq!(cart.acknowledgement.typical.unwrap().mean, Duration::from_secs(7 * 60));
        assert_eq!(cart.resolution.typical.unwrap().mean, Duration::from_secs(40 * 60));
        assert!(cart.between_failures.is_some());
        let teams: Vec<_> = of(PageGrouping::Team)
            .into_iter()
            .map(|p| (p.name.map(|n| n.to_string()), p.incidents))
            .collect();
        assert_eq!(teams, [(Some("shop".into()), 2), (None, 1), (Some("web".into()), 1)]);
        assert_eq!(of(PageGrouping::All)[0].incidents, 3);
    }

    #[test]
    fn the_detection_is_that_of_the_measured_incidents_and_the_others_are_counted_by_their_reason() {
        let all = [
            incident("cart", &[], "2026-03-24T10:00:00Z", (4, Some(50))),
            incident("cart", &[], "2026-03-25T02:30:00Z", (10, Some(30))),
            incident("cart", &[], "2026-03-26T12:00:00Z", (1, None)),
        ];
        let onset = at("2026-03-24T09:54:00Z");
        let detected = Detected { onset, signal: WhySignal::Errors, alerted: all[0].incident.created_at };
        let found = [Ok(detected), Err(Undetected::NothingChanged)];
        let detections = all.iter().zip(found).map(|(view, found)| (&view.incident, found)).collect();
        let counts = &pages(&all, PageGrouping::Service, week(), &TimeZone::UTC, &detections)[0];
        let detection = counts.measures.detection;
        assert_eq!((detection.counted, detection.left_out), (1, 2));
        assert_eq!(detection.typical.unwrap().median, Duration::from_secs(360));
        // the third was not asked about
        let reasons = [(Undetected::NothingChanged, 1), (Undetected::NotAnswered, 1)];
        assert_eq!(counts.undetected, BTreeMap::from(reasons));
    }

    #[test]
    fn hours_are_those_of_the_zone_also_when_clocks_change() {
        // in Berlin clocks go from 02:00 to 03:00 on 29 March 2026
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let all = [
            incident("a", &[], "2026-03-29T00:30:00Z", (1, None)),
            incident("a", &[], "2026-03-29T01:30:00Z", (1, None)),
        ];
        let pages = pages(&all, PageGrouping::All, week(), &berlin, &Detections::default());
        let hours: Vec<usize> = (0..HOURS).filter(|hour| pages[0].by_hour[*hour] > 0).collect();
        assert_eq!((hours, pages[0].at_night), (vec![1, 3], 2));
    }
}
