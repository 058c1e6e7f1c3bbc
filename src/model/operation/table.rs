//! The table of operations: one row for each, with all its properties.

/// Passes the table of operations to another macro.
///
/// The format of a row; parts in brackets are optional:
/// ```text
/// /// Documentation.
/// Kind "name-in-kebab-case" ["earlier name"] [{ field: Type = Param::..., ... }] => Target {
///     verb: "Acknowledge", doing: "acknowledging", done: "acknowledged",
///     title: "Acknowledge {things}",
///     [any other field of OperationSpec]
/// }
/// ```
/// - The name is used in the configuration (`deny`), on the command line and, with `_` for `-`, in the journal. An earlier name
///   is still accepted in both.
/// - A field is a parameter. Its type is one of those of [`Argument`](super::Argument). Its [`Param`](super::Param) defines how
///   the value is chosen or typed on the screen, the flag on the command line, and the label.
/// - Templates (`title`, `form`, `done_to`, `detail`, a default) name a parameter in braces, or `{things}` (`2 incidents`), `{target}`,
///   `{left}` (how long a silence lasts).
///
/// To add the operation that reopens a resolved incident:
/// ```text
/// /// Open a resolved incident again.
/// Reopen "reopen" => Incident {
///     verb: "Reopen", doing: "reopening", done: "reopened", title: "Reopen {things}",
///     menu: "Reopen", cli: CliVerb::of("reopen", "Open resolved incidents again"), is_for_open: false,
///     undo: Some("resolve")
/// }
/// ```
/// The compiler then requires its consequences (`app/planner/consequences.rs`). A source that supports it adds a plan to `PLANS`.
macro_rules! operations {
    ($generate:ident) => {
        $generate! {
            /// Acknowledge the incident.
            Acknowledge "acknowledge" => Incident {
                verb: "Acknowledge", doing: "acknowledging", done: "acknowledged",
                title: "Acknowledge {things}", menu: "Acknowledge",
                cli: CliVerb::of("ack", "Acknowledge incidents"),
                leads_to: Some(IncidentStatus::Acknowledged)
            }
            /// Resolve the incident.
            Resolve "resolve" => Incident {
                verb: "Resolve", doing: "resolving", done: "resolved",
                title: "Resolve {things}", menu: "Resolve",
                cli: CliVerb::of("resolve", "Resolve incidents"),
                leads_to: Some(IncidentStatus::Resolved), confirm: ConfirmBy::Letter
            }
            /// Assign the incident to a person.
            Assign "assign" {
                to: EntityRef = Param::of(ParamKind::Person)
                    .flag("to", "PERSON", "Name, e-mail address or id; or `me`")
            } => Incident {
                verb: "Assign", doing: "assigning", done: "assigned", done_to: " to {to}",
                title: "Assign {things} to {to}", detail: "{to}",
                cli: CliVerb::of("assign", "Assign incidents to a person"), undo: Some("assign")
            }
            /// Reassign the incident to an escalation policy, starting at the policy's first level.
            Reroute "reroute" {
                policy: EntityRef = Param::of(ParamKind::Policy).flag("to", "POLICY", "Its name or id")
            } => Incident {
                verb: "Reassign to a policy", doing: "reassigning", done: "reassigned", done_to: " to {policy}",
                title: "Reassign {things} to the policy {policy}", detail: "{policy}",
                cli: CliVerb::of("reroute", "Reassign incidents to an escalation policy"), undo: Some("reroute")
            }
            /// Page a level of the incident's escalation policy; levels count from 1.
            Escalate "escalate" {
                level: u32 = Param::of(ParamKind::Level).flag("level", "N", "Which level, from 1")
            } => Incident {
                verb: "Escalate", doing: "escalating", done: "escalated", done_to: " to level {level}",
                title: "Escalate {things} to level {level}", detail: "level {level}", menu: "Escalate or reassign...",
                cli: CliVerb::of("escalate", "Escalate incidents to a level of their policies"),
                confirm: ConfirmBy::Letter
            }
            /// Snooze the incident.
            Snooze "snooze" {
                #[serde(rename = "seconds", with = "seconds")]
                rest: Duration = Param::of(ParamKind::Length).prompt("Snooze for")
                    .flag("for", "TIME", "For how long: 30m, 4h")
            } => Incident {
                verb: "Snooze", doing: "snoozing", done: "snoozed",
                title: "Snooze {things} for {rest}", detail: "{rest}", menu: "Snooze...",
                cli: CliVerb::of("snooze", "Snooze incidents")
            }
            /// Add a note to the incident.
            Note "note" {
                content: Text = Param::text("note", 2000).flag("message", "TEXT", "Text of the note")
            } => Incident {
                verb: "Write a note", doing: "noting", done: "noted",
                title: "Write a note to {things}", detail: "{content}", form: "Note to {things}", menu: "Note...",
                cli: CliVerb::of("note", "Write a note to incidents"),
                consequence: "Everybody who sees the incident can read it; nobody is paged.",
                is_for_open: false, is_addition: true, needs_on_call: false
            }
            /// Set or remove the incident's priority.
            Priority "priority" "prioritise" {
                priority: Option<EntityRef> = Param::of(ParamKind::Priority).prompt("Priority")
                    .flag("as", "PRIORITY", "Name or id of the priority, or `none`")
            } => Incident {
                verb: "Set the priority", doing: "setting the priority", done: "prioritised",
                title: "Set the priority of {things} to {priority}", detail: "{priority}", menu: "Priority...",
                cli: CliVerb::of("priority", "Set the priority of incidents"),
                consequence: "Nobody is paged by this alone.", needs_on_call: false, undo: Some("priority")
            }
            /// Merge the incident into another one, which stays open.
            Merge "merge" {
                into: EntityRef = Param::of(ParamKind::Incident).prompt("Merge into")
                    .flag("into", "INCIDENT", "The incident to merge into")
            } => Incident {
                verb: "Merge", doing: "merging", done: "merged",
                title: "Merge {things} into {into}", detail: "into {into}", menu: "Merge into...",
                cli: CliVerb::of("merge", "Merge incidents into another one"), confirm: ConfirmBy::Letter
            }
            /// Request more responders, with a message to them.
            AddResponder "add-responder" "summon" {
                people: Vec<EntityRef> = Param::of(ParamKind::People).prompt("Request help from")
                    .flag("who", "PERSON", "Name, e-mail address or id; can be repeated"),
                message: Text = Param::text("message", 1024).default("Please help with {things}")
                    .flag("message", "TEXT", "The message")
            } => Incident {
                verb: "Request a responder", doing: "requesting a responder", done: "responder requested",
                title: "Ask {people} for help with {things}", detail: "{people}: {message}",
                form: "Ask {people} for help with {things}",
                menu: "Add a responder...",
                cli: CliVerb {
                    usage: Some("burnwatch add-responder [OPTIONS] --who <PERSON> -m <TEXT> <INCIDENT>..."),
                    ..CliVerb::of("add-responder", "Request responders for incidents")
                }
            }
            /// Send a status update to the incident's subscribers.
            StatusUpdate "status-update" "inform" {
                message: Text = Param::text("message", 1024).flag("message", "TEXT", "The message")
            } => Incident {
                verb: "Send a status update", doing: "sending a status update", done: "status update sent",
                title: "Send a status update on {things}", detail: "{message}", form: "Status update on {things}",
                menu: "Status update...",
                cli: CliVerb::of("status-update", "Send a status update to the subscribers of incidents"),
                consequence: "Sent at once to all who follow the incident.", is_serious: true,
                is_addition: true, needs_on_call: false
            }
            /// Open an incident. A second one with the same deduplication key is not opened.
            Trigger "trigger" {
                title: Text = Param::text("title", 1024).positional("TITLE", "Title of the incident, in one sentence"),
                details: Text = Param::text("details", 2000).optional().flag("details", "TEXT", "Details of the incident"),
                urgency: Urgency = Param::of(ParamKind::Urgency).label("urgency").default("high")
                    .flag("urgency", "URGENCY", "high pages somebody at once; low does not"),
                key: Text = Param::of(ParamKind::Derived).optional()
                    .flag("key", "KEY", "Deduplication key: the same key opens no second incident")
            } => Service {
                verb: "Open an incident", doing: "opening", done: "opened",
                title: "Open an incident about {target}", detail: "{title}",
                form: "Open an incident about {target}",
                cli: CliVerb::of("trigger", "Open an incident"), confirm: ConfirmBy::Letter, undo: Some("resolve")
            }
            /// Take a shift of a schedule from its on-call person (creates an override).
            TakeShift "take-shift" {
                person: EntityRef = Param::of(ParamKind::Derived).label("who"),
                start: Timestamp = Param::of(ParamKind::Derived).label("from"),
                end: Timestamp = Param::of(ParamKind::TurnEnd).label("until").optional()
                    .flag("for", "TIME", "For how long; by default until the shift ends")
            } => Schedule {
                verb: "Take the shift", doing: "taking the shift", done: "shift taken",
                title: "Take the shift of {target}", detail: "{person} until {end}",
                cli: CliVerb::of("take-shift", "Take an on-call shift (creates an override)")
            }
            /// Create a silence.
            Silence "silence" {
                #[serde(flatten)]
                draft: SilenceDraft = Param::of(ParamKind::Silence)
            } => Alerts {
                verb: "Silence", doing: "silencing", done: "silenced",
                title: "Silence {things} for {left}", confirm: ConfirmBy::LetterIfMany, undo: Some("silence expire")
            }
            /// Replace a silence. If only the end or the comment changes, the server keeps its id. `seen` is when the silence was
            /// last changed, by its server's clock, when the user opened the form: if it has changed since then, nothing is
            /// overwritten.
            Edit "edit" {
                #[serde(flatten)]
                draft: SilenceDraft = Param::of(ParamKind::Silence),
                #[serde(default, skip_serializing_if = "Option::is_none")]
                seen: Option<Timestamp> = Param::of(ParamKind::Derived)
            } => Silence {
                verb: "Edit the silence", doing: "editing", done: "edited",
                title: "Edit {things}", confirm: ConfirmBy::LetterIfMany, undo: Some("silence edit")
            }
            /// Change the end of a silence.
            Extend "extend" {
                until: Timestamp = Param::of(ParamKind::Extension).prompt("Extend")
            } => Silence {
                verb: "Extend the silence", doing: "extending", done: "extended",
                title: "Extend {things}", detail: "until {until}", undo: Some("silence edit")
            }
            /// Expire a silence now.
            Expire "expire" => Silence {
                verb: "Expire the silence", doing: "expiring", done: "expired",
                title: "Expire {things}", undo: Some("silence again")
            }
        }
    };
}

pub(crate) use operations;
