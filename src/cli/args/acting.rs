//! The verbs that change something outside, and the journal that tells of it.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::Listing;
use super::values::{CONTEXTS, SOURCES};
use crate::model::duration;

const ACTING: &str = "\
The calls are shown before they are made, and a terminal is asked; elsewhere
--yes is needed. --dry-run shows them and makes none. What was done stands in
`burnwatch journal`.

Exit codes:
  0  all done, or so already
  1  some were refused or overtaken, or it is unknown whether they were done
  2  wrong usage, not confirmed, or refused by the context's guardrails
  3  a source in trouble: what is meant is not known";

/// What is done to the systems outside.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ActVerb {
    /// Acknowledge incidents: you are on it
    #[command(after_help = ACTING)]
    Ack(Which),
    /// Resolve incidents: they are over
    #[command(after_help = ACTING)]
    Resolve(Which),
    /// Let incidents rest for a while
    #[command(after_help = ACTING)]
    Snooze {
        #[command(flatten)]
        which: Which,
        /// For how long: 30m, 4h
        #[arg(long = "for", value_name = "TIME", value_parser = length)]
        length: Duration,
    },
    /// Write a note to incidents
    #[command(after_help = ACTING)]
    Note {
        #[command(flatten)]
        which: Which,
        /// What it says
        #[arg(long, short, value_name = "TEXT")]
        message: String,
    },
    /// Give incidents to a person
    #[command(after_help = ACTING)]
    Assign {
        #[command(flatten)]
        which: Which,
        /// Their name, address or id; or `me`
        #[arg(long, value_name = "PERSON")]
        to: String,
    },
    /// Give incidents to an escalation policy
    #[command(after_help = ACTING)]
    Reroute {
        #[command(flatten)]
        which: Which,
        /// Its name or id
        #[arg(long, value_name = "POLICY")]
        to: String,
    },
    /// Escalate incidents to a level of their policies
    #[command(after_help = ACTING)]
    Escalate {
        #[command(flatten)]
        which: Which,
        /// Which level, from 1
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        level: u32,
    },
    /// Set the priority of incidents
    #[command(after_help = ACTING, alias = "prioritise")]
    Priority {
        #[command(flatten)]
        which: Which,
        /// Its name or id; or `none`
        #[arg(long = "as", value_name = "PRIORITY")]
        rank: String,
    },
    /// Make incidents a part of another one
    #[command(after_help = ACTING)]
    Merge {
        #[command(flatten)]
        which: Which,
        /// The one that stays
        #[arg(long, value_name = "INCIDENT")]
        into: String,
    },
    /// Request responders for incidents
    #[command(
        after_help = ACTING,
        alias = "summon",
        override_usage = "burnwatch add-responder [OPTIONS] --who <PERSON> -m <TEXT> <INCIDENT>..."
    )]
    AddResponder {
        #[command(flatten)]
        which: Which,
        /// Their name, address or id; can be repeated
        #[arg(long, value_name = "PERSON", required = true)]
        who: Vec<String>,
        /// What they are told
        #[arg(long, short, value_name = "TEXT")]
        message: String,
    },
    /// Send a status update to the subscribers of incidents
    #[command(after_help = ACTING, alias = "inform")]
    StatusUpdate {
        #[command(flatten)]
        which: Which,
        /// What they are told
        #[arg(long, short, value_name = "TEXT")]
        message: String,
    },
    /// Open an incident
    #[command(after_help = ACTING)]
    Trigger {
        /// In a sentence
        title: String,
        /// The service that it is about: its name or id
        #[arg(long, value_name = "SERVICE")]
        service: String,
        /// More of it
        #[arg(long, value_name = "TEXT", default_value = "")]
        details: String,
        /// high wakes somebody; low can wait
        #[arg(long, value_enum, default_value_t = Wakes::High, hide_possible_values = true)]
        urgency: Wakes,
        /// Recognises it: the same again is not opened twice
        #[arg(long)]
        key: Option<String>,
        #[command(flatten)]
        consent: Consent,
    },
    /// Stand in for whoever is on call
    #[command(after_help = ACTING)]
    TakeShift {
        /// The escalation policy: its name or id
        policy: String,
        /// Which level of it
        #[arg(long, value_name = "N", default_value_t = 1)]
        level: u32,
        /// For how long; without it until the turn ends
        #[arg(long = "for", value_name = "TIME", value_parser = length)]
        length: Option<Duration>,
        #[command(flatten)]
        consent: Consent,
    },
    /// Keep alerts quiet; extend or expire silences
    #[command(after_help = ACTING, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Silence {
        #[command(flatten)]
        new: Box<NewSilence>,
        #[command(subcommand)]
        verb: Option<Box<SilenceVerb>>,
    },
}

/// A silence that is not there yet.
#[derive(Debug, Args)]
pub(in crate::cli) struct NewSilence {
    /// All must match: alertname=Slow 'pod=~"web-.*"'
    #[arg(value_name = "MATCHER", required_unless_present = "alerts")]
    pub(in crate::cli) matchers: Vec<String>,
    /// Alerts by their fingerprints (alerts -o json), instead of matchers
    #[arg(long = "alert", value_name = "FINGERPRINT", conflicts_with = "matchers")]
    pub(in crate::cli) alerts: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) span: Span,
    /// Why
    #[arg(long, short, value_name = "TEXT", required = true)]
    pub(in crate::cli) comment: Option<String>,
    /// The context's name, where much of everything would be hidden
    #[arg(long, value_name = "NAME", value_parser = CONTEXTS, hide_possible_values = true)]
    pub(in crate::cli) confirm_name: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) consent: Consent,
}

/// What is said of a silence that stands in the place of another one.
#[derive(Debug, Args)]
pub(in crate::cli) struct Anew {
    #[command(flatten)]
    pub(in crate::cli) span: Span,
    /// Another reason
    #[arg(long, short, value_name = "TEXT")]
    pub(in crate::cli) comment: Option<String>,
    /// The context's name, where much of everything would be hidden
    #[arg(long, value_name = "NAME", value_parser = CONTEXTS, hide_possible_values = true)]
    pub(in crate::cli) confirm_name: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) consent: Consent,
}

/// From when to when.
#[derive(Debug, Args)]
pub(in crate::cli) struct Span {
    /// For how long: 30m, 2h
    #[arg(long = "for", value_name = "TIME", value_parser = length)]
    pub(in crate::cli) length: Option<Duration>,
    /// Until when, instead: 22:00, "2026-11-30 22:00"
    #[arg(long, value_name = "WHEN", conflicts_with = "length")]
    pub(in crate::cli) until: Option<String>,
    /// From when; without it at once: 22:00, "in 2h"
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) start: Option<String>,
}

/// What is done to silences.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SilenceVerb {
    /// Move the end of silences
    #[command(after_help = ACTING)]
    Extend {
        /// Their ids (burnwatch silences)
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,
        /// How much longer: 30m, 2h
        #[arg(long = "for", value_name = "TIME", value_parser = length)]
        length: Duration,
        #[command(flatten)]
        consent: Consent,
    },
    /// Change a silence: other matchers, another reason, another end
    #[command(after_help = ACTING)]
    Edit {
        /// Its id (burnwatch silences)
        #[arg(value_name = "ID")]
        id: String,
        /// Other matchers, instead of all that it has
        #[arg(value_name = "MATCHER")]
        matchers: Vec<String>,
        #[command(flatten)]
        anew: Anew,
    },
    /// Make a silence once more that has ended
    #[command(after_help = ACTING)]
    Again {
        /// Its id (burnwatch silences --all)
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        anew: Anew,
    },
    /// End silences now
    #[command(after_help = ACTING)]
    Expire {
        /// Their ids (burnwatch silences)
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,
        #[command(flatten)]
        consent: Consent,
    },
}

/// Which incidents are meant.
#[derive(Debug, Args)]
pub(in crate::cli) struct Which {
    /// Their numbers or ids (burnwatch incidents)
    #[arg(value_name = "INCIDENT", required = true)]
    pub(in crate::cli) incidents: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) consent: Consent,
}

/// Where, and whether the person has said yes.
#[derive(Debug, Args)]
pub(in crate::cli) struct Consent {
    /// Do it without asking
    #[arg(long, short)]
    pub(in crate::cli) yes: bool,
    /// The source where it is done, if there are several
    #[arg(long, value_name = "NAME", value_parser = SOURCES, hide_possible_values = true)]
    pub(in crate::cli) source: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Wakes {
    High,
    Low,
}

/// What is wanted of the journal.
#[derive(Debug, Args)]
pub(in crate::cli) struct JournalFlags {
    /// Only what was begun within this time: 12h, 7d
    #[arg(long, value_name = "DURATION", value_parser = length)]
    pub(in crate::cli) since: Option<Duration>,
    /// Read back what was sent and whose end nobody knows
    #[arg(long)]
    pub(in crate::cli) read_back: bool,
    #[command(flatten)]
    pub(in crate::cli) listing: Listing,
}

impl ActVerb {
    /// Whether the person has said yes, and where it is to be done.
    pub(in crate::cli) fn consent(&self) -> &Consent {
        match self {
            Self::Ack(which)
            | Self::Resolve(which)
            | Self::Snooze { which, .. }
            | Self::Note { which, .. }
            | Self::Assign { which, .. }
            | Self::Reroute { which, .. }
            | Self::Escalate { which, .. }
            | Self::Priority { which, .. }
            | Self::Merge { which, .. }
            | Self::AddResponder { which, .. }
            | Self::StatusUpdate { which, .. } => &which.consent,
            Self::Trigger { consent, .. } | Self::TakeShift { consent, .. } => consent,
            Self::Silence { verb: Some(verb), .. } => match &**verb {
                SilenceVerb::Extend { consent, .. } | SilenceVerb::Expire { consent, .. } => consent,
                SilenceVerb::Edit { anew, .. } | SilenceVerb::Again { anew, .. } => &anew.consent,
            },
            Self::Silence { new, verb: None } => &new.consent,
        }
    }
}

impl ActVerb {
    /// The context's name, as far as it was given for what hides much.
    pub(in crate::cli) fn confirm_name(&self) -> Option<&str> {
        let Self::Silence { new, verb } = self else { return None };
        let given = match verb.as_deref() {
            None => &new.confirm_name,
            Some(SilenceVerb::Edit { anew, .. } | SilenceVerb::Again { anew, .. }) => &anew.confirm_name,
            Some(SilenceVerb::Extend { .. } | SilenceVerb::Expire { .. }) => return None,
        };
        given.as_deref()
    }
}

pub(super) fn length(text: &str) -> Result<Duration, String> {
    const YEAR: Duration = Duration::from_secs(365 * 86_400);
    let length = duration::parse(text).map_err(|error| error.to_string())?;
    let is_sane = length >= Duration::from_secs(1) && length <= YEAR;
    is_sane.then_some(length).ok_or_else(|| "write a length from 1s to 1y".to_owned())
}
