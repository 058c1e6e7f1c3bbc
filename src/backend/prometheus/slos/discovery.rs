//! Discovers SLOs without a definition, by the series that the recording rules of Sloth, Pyrra and Grafana write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join;

use super::alerting::{self, RuleConditions};
use super::increases::{self, Increases, WindowErrors};
use super::names::{self, GRAFANA_WINDOW, PYRRA_WINDOW};
use crate::backend::prometheus::call::QuestionRequests;
use crate::backend::prometheus::wire::Sample;
use crate::model::labels::{Labels, Text};
use crate::model::rule::Rule;
use crate::model::slo::{
    self, BudgetingMethod, DefinitionOrigin, Family, Objective, RecordedSeries, Slo, SloAlerting, Window,
    pyrra, sloth, standard_of,
};
use crate::model::source::SourceError;
use crate::model::warning::Warning;

const DAY: Duration = Duration::from_secs(86_400);
/// The number of SLOs that are listed in a warning.
const NAMED: usize = 5;

/// A discovered SLO.
#[derive(Debug, Clone)]
pub(super) struct FoundSlo {
    pub(super) slo: Slo,
    pub(super) recorded: RecordedSeries,
    /// The name of the series with the error ratio over the window, and whether it exists.
    pub(super) window: (Text, bool),
    /// The lookbacks with their spelling in the names of the series.
    pub(super) lookbacks: BTreeMap<Duration, Text>,
    /// The recorded events of the window, if the error ratio itself is not recorded.
    pub(super) increases: Option<Increases>,
    /// A problem with the SLO.
    pub(super) failure: Option<Text>,
}

/// The recorded series as they were read.
/// Series with objectives, windows and labels, and series with error ratios.
pub(super) struct RawSeries {
    traits: Vec<Sample>,
    ratios: Vec<Sample>,
}

/// The range and step in which series are searched that no longer exist: such an SLO is shown as missing data, not as
/// healthy.
const GONE_RANGE: &str = "[7d:2h]";
/// The range in which every sample is searched, for series that existed only for a short time.
const RECENT_RANGE: &str = "[2h]";

/// Reads the names and traits of SLOs, at present and within the last week.
///
/// # Errors
/// The error of the first query.
pub(super) async fn ask(call: &QuestionRequests<'_>) -> Result<RawSeries, SourceError> {
    let (names, pyrra) = (names::TRAITS, r".+:burnrate[0-9].*");
    // for Sloth and Grafana, one error ratio per SLO is enough to find them
    let present = format!(r#"{{__name__=~"{names}|{pyrra}|{}5m|{}5m"}}"#, names::SLOTH, names::GRAFANA);
    let series = [format!(r#"{{__name__=~"{names}"}}"#), format!(r#"{{__name__=~"{pyrra}",slo!=""}}"#)];
    // the newer range first, because for equal labels the first series is used
    let past = [RECENT_RANGE, GONE_RANGE]
        .map(|range| series.each_ref().map(|of| format!("last_over_time({of}{range})")));
    let past = past.concat().join(" or ");
    let (present, past) = join(call.instant_all(&present, None), call.instant_all(&past, None)).await;
    let is_ratio = |sample: &Sample| names::ratio(sample.labels.value("__name__")).is_some();
    let (mut ratios, mut traits): (Vec<_>, Vec<_>) = present?.into_iter().partition(is_ratio);
    let (past_ratios, past_traits): (Vec<_>, Vec<_>) =
        past.unwrap_or_default().into_iter().partition(is_ratio);
    let key = |sample: &Sample| {
        let (family, id, name) = trait_of(sample)?;
        Some((family, id.clone(), name.to_owned()))
    };
    let now: BTreeSet<_> = traits.iter().filter_map(key).collect();
    let is_past = |sample: &Sample| key(sample).is_some_and(|key| !now.contains(&key));
    traits.extend(past_traits.into_iter().filter(is_past));
    let burning: BTreeSet<Text> =
        ratios.iter().filter_map(|sample| sample.labels.get("slo").cloned()).collect();
    let is_gone = |sample: &Sample| sample.labels.get("slo").is_some_and(|id| !burning.contains(id));
    ratios.extend(past_ratios.into_iter().filter(is_gone));
    let of_traits = traits.iter().filter_map(trait_of).map(|(family, ..)| family);
    let of_ratios = ratios.iter().filter_map(|sample| names::ratio(sample.labels.value("__name__")));
    if of_traits.chain(of_ratios.map(|(family, ..)| family)).any(|family| family != Family::Pyrra) {
        let by = "count by (__name__, sloth_id, grafana_slo_uuid)";
        let query = format!(r#"{by} ({{__name__=~"{}.+|{}.+"}})"#, names::SLOTH, names::GRAFANA);
        ratios.extend(call.instant_all(&query, None).await?);
    }
    Ok(RawSeries { traits, ratios })
}

impl RawSeries {
    /// Whether there is no sign of an SLO.
    pub(super) fn is_empty(&self) -> bool {
        self.traits.is_empty() && self.ratios.is_empty()
    }
}

fn trait_of(sample: &Sample) -> Option<(Family, &Text, &str)> {
    let name: &str = sample.labels.get("__name__")?;
    let family = match name {
        _ if name.starts_with("slo") => Family::Sloth,
        _ if name.starts_with("pyrra") => Family::Pyrra,
        _ => Family::Grafana,
    };
    Some((family, sample.labels.get(family.identity())?, name))
}

/// The collected data of one SLO id.
#[derive(Default)]
struct GatheredSlo {
    /// The labels that all series have in common.
    common: Option<Labels>,
    /// The names of the labels that any series has.
    labels: BTreeSet<Text>,
    values: BTreeMap<Text, Vec<f64>>,
    lookbacks: BTreeMap<Duration, Text>,
    has_window: bool,
}

impl GatheredSlo {
    /// Adds the labels of one series.
    fn add_labels(&mut self, labels: &Labels) {
        self.labels.extend(labels.iter().map(|(name, _)| name.clone()));
        let common = match &self.common {
            Some(known) => known.without(|name| known.get(name) != labels.get(name)),
            None => labels.clone(),
        };
        self.common = Some(common);
    }

    fn value(&self, name: &str) -> Option<f64> {
        self.values.get(name)?.first().copied()
    }

    /// The strictest objective in the series, and whether all are equal.
    fn objective(&self, name: &str) -> Option<(f64, bool)> {
        let all = self.values.get(name)?;
        let most = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Some((most, all.iter().all(|value| (value - most).abs() < 1e-12)))
    }
}

type SloIdentity = (Family, Text, Text);

/// Collects the series by SLO.
fn gather(raw: &RawSeries) -> BTreeMap<SloIdentity, GatheredSlo> {
    let mut all: BTreeMap<SloIdentity, GatheredSlo> = BTreeMap::new();
    for sample in &raw.ratios {
        let name = sample.labels.value("__name__");
        let Some((family, metric, written)) = names::ratio(name) else { continue };
        let Some(id) = sample.labels.get(family.identity()) else { continue };
        let gathered = all.entry((family, id.clone(), metric.into())).or_default();
        if family == Family::Pyrra {
            gathered.add_labels(&sample.labels);
        }
        if let Some((_, lookback)) = names::lookback(name) {
            gathered.lookbacks.insert(lookback, written.into());
        }
        gathered.has_window |= family == Family::Grafana && written == GRAFANA_WINDOW;
    }
    for sample in &raw.traits {
        let Some((family, id, name)) = trait_of(sample) else { continue };
        let known: Vec<SloIdentity> =
            all.keys().filter(|(f, i, _)| (*f, i) == (family, id)).cloned().collect();
        let identities = if known.is_empty() { vec![(family, id.clone(), "".into())] } else { known };
        for identity in identities {
            let gathered = all.entry(identity).or_default();
            if family != Family::Pyrra {
                gathered.add_labels(&sample.labels);
            }
            gathered.values.entry(name.into()).or_default().push(sample.value);
        }
    }
    all
}

/// The SLOs that can be derived from the series, rules and definitions, and warnings about incomplete ones.
pub(super) fn found(
    raw: &RawSeries,
    rules: &[Arc<Rule>],
    definitions: &[Arc<Slo>],
) -> (Vec<FoundSlo>, Vec<Warning>) {
    let rule_conditions = alerting::rule_conditions(rules);
    let mut all = Vec::new();
    let mut lacking: BTreeMap<(Family, String), Vec<Text>> = BTreeMap::new();
    for ((family, id, metric), gathered) in gather(raw) {
        let rule_conditions = rule_conditions.get(&(family, id.clone())).cloned().unwrap_or_default();
        let defined = definitions.iter().find(|slo| is_of(slo, family, &id)).map(|slo| &**slo);
        match one((family, &id, &metric), &gathered, rule_conditions, defined) {
            Ok(found) => all.push(found),
            Err(what) => lacking.entry((family, what)).or_default().push(id),
        }
    }
    let warnings = lacking.into_iter().map(|((family, what), ids)| {
        let named = ids.iter().take(NAMED).map(|id| &**id).collect::<Vec<_>>().join(", ");
        let more = if ids.len() > NAMED { ", ..." } else { "" };
        let noun = if ids.len() == 1 { "SLO" } else { "SLOs" };
        let (count, family) = (ids.len(), family.name());
        Warning::notice(format!("{count} {noun} of {family} without {what}, not shown: {named}{more}"))
    });
    (all, warnings.collect())
}

/// Whether the series of this id belong to the definition.
fn is_of(slo: &Slo, family: Family, id: &str) -> bool {
    slo.recorded.as_ref().is_some_and(|recorded| recorded.family == family && *recorded.id == *id)
}

/// One SLO, or what is missing for it.
fn one(
    (family, id, metric): (Family, &Text, &Text),
    gathered: &GatheredSlo,
    rule_conditions: RuleConditions,
    defined: Option<&Slo>,
) -> Result<FoundSlo, String> {
    let common = gathered.common.clone().unwrap_or_default();
    let label = |name: &str| common.get(name).cloned();
    // from the series, the label, the rules, or the definition
    let measured = gathered
        .objective(objectives(family))
        .and_then(|(ratio, agree)| Some((Objective::from_ratio(ratio).ok()?, agree)));
    let written = || common.get("sloth_objective").and_then(|text| Objective::percent(text).ok());
    let (objective, agree) = measured
        .or_else(|| written().or_else(|| rule_conditions.objective()).map(|objective| (objective, true)))
        .or_else(|| defined.map(|slo| (slo.objective, true)))
        .ok_or_else(|| no_objective(family, gathered))?;
    let length = window(family, gathered, &rule_conditions)
        .or_else(|| defined.map(|slo| slo.window.nominal()))
        .ok_or("a window")?;
    let (name, service) = match family {
        Family::Sloth => (label("sloth_slo"), label("sloth_service")),
        Family::Pyrra => (None, None),
        Family::Grafana => (label("grafana_slo_name"), label("grafana_slo_service")),
    };
    let mut labels = common.without(|label| names::is_own(family, label));
    if let (Some(team), None) = (label("grafana_slo_team"), labels.get("team")) {
        let own = labels.iter().map(|(name, value)| (name.clone(), value.clone()));
        labels = Labels::new(own.chain([("team".into(), team)]).collect());
    }
    let pairs = rule_conditions.pairs(objective).unwrap_or_else(|| match family {
        Family::Sloth => sloth(length).map(Vec::from).unwrap_or_default(),
        Family::Pyrra => pyrra(length).into_iter().filter(|pair| !pair.short.is_zero()).collect(),
        Family::Grafana => standard_of(length, |lookback| gathered.lookbacks.contains_key(&lookback)),
    });
    let mut lookbacks = gathered.lookbacks.clone();
    let window = match family {
        Family::Sloth => match lookbacks.remove(&length) {
            Some(known) => (names::name(family, "", &known), true),
            None => (names::name(family, "", &slo::written(length)), false),
        },
        Family::Pyrra => (PYRRA_WINDOW.to_owned(), gathered.values.contains_key(PYRRA_WINDOW)),
        Family::Grafana => (names::name(family, "", GRAFANA_WINDOW), gathered.has_window),
    };
    let failure = (!agree).then(|| "the series have different objectives; the strictest one is used".into());
    let no_pairs = pairs.is_empty().then(|| "no burn-rate conditions are known for this window".into());
    let is_meta = |label: &str| {
        label == "__name__"
            || label == family.identity()
            || matches!(label, "sloth_mode" | "sloth_objective" | "sloth_spec" | "sloth_version")
    };
    let recorded = RecordedSeries {
        family,
        id: id.clone(),
        labels: common.without(is_meta),
        metric: metric.clone(),
        lookbacks: lookbacks.keys().copied().collect(),
        plugins: Vec::new(),
    };
    let slo = Slo {
        id: id.clone(),
        name: name.unwrap_or_else(|| id.clone()),
        service,
        description: Text::default(),
        labels,
        objective,
        window: Window::Rolling(length),
        budgeting: BudgetingMethod::Occurrences,
        sli: None,
        grouping: Vec::new(),
        pairs,
        alerting: SloAlerting { ..rule_conditions.alerting },
        recorded: Some(recorded.clone()),
        origin: DefinitionOrigin::Series,
    };
    let is_split = |label: &&Text| !names::is_own(family, label) && common.get(label).is_none();
    let increases = (family == Family::Pyrra && !window.1).then(|| Increases {
        metric: metric.clone(),
        window: slo::written(length).into(),
        groups: gathered.labels.iter().filter(is_split).cloned().collect(),
        errors: None,
    });
    Ok(FoundSlo {
        increases,
        slo,
        recorded,
        window: (window.0.into(), window.1),
        lookbacks,
        failure: failure.or(no_pairs),
    })
}

/// The name of the series with the objective.
const fn objectives(family: Family) -> &'static str {
    match family {
        Family::Sloth => "slo:objective:ratio",
        Family::Pyrra => "pyrra_objective",
        Family::Grafana => "grafana_slo_objective",
    }
}

/// What is missing: an objective, or one between 0 and 1.
fn no_objective(family: Family, gathered: &GatheredSlo) -> String {
    let name = objectives(family);
    gathered.value(name).map_or_else(
        || "an objective".to_owned(),
        |value| format!("an objective between 0 and 1 ({name} is {})", promql_number(value)),
    )
}

/// A number in Prometheus notation.
fn promql_number(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        value => value.to_string(),
    }
}

fn window(family: Family, gathered: &GatheredSlo, rule_conditions: &RuleConditions) -> Option<Duration> {
    let seconds = match family {
        Family::Sloth => gathered.value("slo:time_period:days").map(|days| days * DAY.as_secs_f64()),
        Family::Pyrra => gathered.value("pyrra_window"),
        Family::Grafana => gathered.value("grafana_slo_objective_window_seconds"),
    };
    let said = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds.round()).ok());
    let longest = || match family {
        // Sloth's alerts have lookbacks of at most three days, so a longer one is the window
        Family::Sloth => gathered.lookbacks.keys().copied().max().filter(|longest| *longest > 3 * DAY),
        Family::Pyrra | Family::Grafana => None,
    };
    let is_sane = |window: &Duration| *window >= Duration::from_secs(60) && *window <= 4000 * DAY;
    said.filter(is_sane).or(rule_conditions.window.filter(is_sane)).or_else(longest)
}

/// Finds out which recorded events are errors, for SLOs of Pyrra without its generic rules.
pub(super) async fn add_errors(
    call: &QuestionRequests<'_>,
    found: &mut [FoundSlo],
    definitions: &[Arc<Slo>],
) {
    if found.iter().all(|found| found.increases.is_none()) {
        return;
    }
    let mut errors = increases::errors(call).await;
    for found in found {
        if let Some(increases) = &mut found.increases {
            let id = &found.recorded.id;
            let recorded = errors.remove(&(id.clone(), increases.metric.clone()));
            let defined = definitions.iter().find(|slo| is_of(slo, Family::Pyrra, id));
            increases.errors = recorded.or_else(|| WindowErrors::of_definition(defined?));
        }
    }
}
