//! Test kinds, and tests of how the configuration uses them.

use super::*;
use crate::config::KnownNames;
use crate::config::load::parse;
use crate::config::settings::Settings;
use crate::model::action::WriteSupport;

const fn plain(name: &'static str, title: &'static str, flag: Option<Flag>) -> KindSpec {
    KindSpec {
        name,
        title,
        summary: "",
        about: "",
        example: "",
        address: Some(Address::Needed),
        is_https_only: false,
        auth: &Scheme::ANY,
        is_auth_needed: false,
        answers: &[AskKind::Alerts],
        writes: WriteSupport::NONE,
        flag,
        options: Options::of::<NoOptions>(),
    }
}

static PROMETHEUS: KindSpec =
    plain("prometheus", "Prometheus", Some(Flag { source: "prom", example: "http://localhost:9090" }));
static ALERTMANAGER: KindSpec =
    plain("alertmanager", "Alertmanager", Some(Flag { source: "am", example: "http://localhost:9093" }));
/// A kind with options of its own, a key header, and a default URL.
static PAGER: KindSpec = KindSpec {
    address: Some(Address::Usual("https://pager.example.net")),
    auth: &[Scheme::Token(KeyHeader { name: "Private-Key", prefix: "Key " }), Scheme::Bearer],
    options: Options::of::<Pager>(),
    ..plain("pager", "Pager", None)
};
/// A kind without URL.
static JSON: KindSpec =
    KindSpec { address: None, options: Options::of::<Json>(), ..plain("json", "JSON file", None) };

/// All test kinds.
pub(in crate::config) static KINDS: [&KindSpec; 4] = [&PROMETHEUS, &ALERTMANAGER, &PAGER, &JSON];

/// The names for checks in tests that only need these kinds.
pub(in crate::config) fn known() -> KnownNames<'static> {
    KnownNames { kinds: &KINDS, ..KnownNames::default() }
}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Pager {
    /// The user of the requests.
    from: Option<String>,
    teams: Vec<String>,
    /// The number of list pages to read.
    pages: u64,
}

impl OwnSettings for Pager {
    fn failures(&self) -> Vec<(&'static str, String)> {
        let is_nobody = self.from.as_deref() == Some("");
        is_nobody.then(|| ("from", "is nobody".to_owned())).into_iter().collect()
    }
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Json {
    path: String,
}

impl OwnSettings for Json {
    const FILES: &'static [&'static str] = &["path"];
}

fn read(text: &str) -> Result<Settings, String> {
    parse("c.toml", text, &known()).map_err(|error| error.to_string())
}

#[test]
fn a_kind_has_options_of_its_own_with_their_defaults_and_the_others_have_not() {
    let settings =
        read("[sources.p]\nkind = \"pager\"\nfrom = \"ana\"\nauth.token.env = \"PATH\"\n").unwrap();
    let source = &settings.sources["p"];
    assert_eq!((source.address(), source.kind.name), ("https://pager.example.net", "pager"));
    let own: Pager = source.own().unwrap();
    assert_eq!((own.from.as_deref(), own.teams.len(), own.pages), (Some("ana"), 0, 0));
    let shown = toml::to_string(&settings).unwrap();
    assert!(shown.contains("kind = \"pager\"") && shown.contains("teams = []"), "{shown}");
    assert_eq!(read(&shown).unwrap(), settings);
}

#[test]
fn all_that_is_wrong_is_told_at_once_and_whose_option_it_is() {
    let wrong = read(
        "[sources.p]\nkind = \"pager\"\nfrom = \"\"\nteams = [1]\npagse = 3\n\
         [sources.a]\nkind = \"prometheus\"\nurl = \"nonsense\"\nteams = []\nauth.token.env = \"T\"\npath = \"x\"\n\
         [sources.j]\nkind = \"json\"\nurl = \"http://x\"\n\
         [sources.k]\nteams = []\ntaems = 1\n",
    );
    let expected = "\
c.toml:3:8: `from` in [sources.p] is nobody
c.toml:4:10: an entry of `teams` in [sources.p] must be a text, not a whole number
c.toml:5:1: unknown key `pagse` in [sources.p]; did you mean `pages`?
c.toml:8:7: `url` in [sources.a]: `nonsense` has no http:// or https://; did you mean `http://nonsense`?
c.toml:9:1: unknown key `teams` in [sources.a]; `teams` is an option of pager
c.toml:10:6: unknown key `token` in [sources.a.auth]; `token` is an option of pager
c.toml:11:1: unknown key `path` in [sources.a]; `path` is an option of json
c.toml:12:1: [sources.j] lacks `path`
c.toml:14:1: unknown key `url` in [sources.j]; `url` is an option of prometheus and alertmanager and pager
c.toml:15:1: [sources.k] lacks `kind`
c.toml:17:1: unknown key `taems` in [sources.k]; did you mean `teams`?";
    assert_eq!(wrong.unwrap_err(), expected);
}

#[test]
fn a_kind_that_is_not_there_is_told_with_the_nearest_and_its_options_are_looked_at_all_the_same() {
    let wrong = read("[sources.p]\nkind = \"pagre\"\nteams = []\nbananas = 1\nauth.token.env = \"T\"\n");
    let reported = wrong.unwrap_err();
    let mut lines = reported.lines();
    assert_eq!(
        lines.next(),
        Some("c.toml:2:8: `kind` in [sources.p] cannot be `pagre`; did you mean `pager`?")
    );
    assert!(
        lines.next().is_some_and(|line| line.starts_with("c.toml:4:1: unknown key `bananas`")),
        "{reported}"
    );
    assert_eq!(lines.next(), None);
}

#[test]
fn secrets_can_have_any_name_in_headers_cookies_and_parameters() {
    let one = "[sources.a]\nkind = \"prometheus\"\nurl = \"http://a\"\n";
    let named = "{ name = \"X-Key\", prefix = \"GenieKey \", secret = { env = \"PATH\" } }";
    for key in ["header", "cookie", "query"] {
        let single = read(&format!("{one}auth.{key} = {named}\n")).unwrap();
        assert_eq!(read(&format!("{one}auth.{key} = [{named}]\n")).unwrap(), single);
    }
    let secret = "secret = { env = \"PATH\" }";
    for (auth, expected) in [
        ("header = []", "[sources.a.auth.header] is empty"),
        ("header = { name = \"X-Key\" }", "[sources.a.auth.header] lacks `secret`"),
        (
            "header = { name = \"X-Key\", secret = \"s3cret\" }",
            "`secret` in [sources.a.auth.header] must be { command = ... } or { env = ... } or { file = ... } or { keyring = ... }, not a text",
        ),
        (
            &format!("header = {{ name = \"X Key\", {secret} }}"),
            "`X Key` in [sources.a.auth.header] is not a valid header name",
        ),
        (
            &format!("header = {{ name = \"Host\", {secret} }}"),
            "`Host` in [sources.a.auth.header] is a header that burnwatch itself sets",
        ),
        (
            &format!("cookie = {{ name = \"a;b\", {secret} }}"),
            "`a;b` in [sources.a.auth.cookie] is not a valid cookie name",
        ),
        (
            &format!("query = [{{ name = \"k\", {secret} }}, {{ name = \"K\", {secret} }}]"),
            "`K` is in [sources.a.auth.query] twice",
        ),
        (
            &format!("header = {{ nmae = \"k\", name = \"k\", {secret} }}"),
            "unknown key `nmae` in [sources.a.auth.header]; did you mean `name`?",
        ),
        (
            &format!("header = {{ name = \"x-team\", {secret} }}\nheaders.X-Team = \"sre\""),
            "[sources.a] has `x-team` in both `auth` and `headers`",
        ),
    ] {
        let reported = read(&format!("{one}auth.{auth}\n")).unwrap_err();
        assert!(reported.lines().count() == 1 && reported.ends_with(expected), "{auth}: {reported}");
    }
}

#[test]
fn a_file_of_a_kind_is_named_as_seen_from_the_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    std::fs::write(&path, "[sources.j]\nkind = \"json\"\npath = \"world.json\"\n").unwrap();
    let overrides = crate::config::load::Overrides::default();
    let loaded = crate::config::load::load(Some(&path), None, &overrides, &known()).unwrap();
    let own: Json = loaded.settings.sources["j"].own().unwrap();
    assert_eq!(own.path, dir.path().join("world.json").display().to_string());
}

#[test]
fn what_to_add_is_said_once_for_each_kind() {
    assert_eq!(
        sources_to_add(&KINDS[1..3], &[AskKind::Alerts, AskKind::Alerts]),
        "an Alertmanager (--alertmanager URL) or one of kind = \"pager\""
    );
    assert_eq!(sources_to_add(&KINDS, &[AskKind::OnCall]), "one");
}
