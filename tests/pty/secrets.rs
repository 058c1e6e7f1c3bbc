//! Secrets of every kind in every place, servers that repeat each request in their answers, every verb and the screen: no output
//! and no file contains a secret.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tempfile::TempDir;

use crate::harness::Terminal;
use crate::screen::BURNWATCH;
use crate::verbs::run_all;

/// A secret of this kind, with a fixed beginning and characters that are percent-encoded in a URL.
fn canary(kind: &str) -> String {
    format!("canary/{kind}+0123456789")
}

/// All kinds of secrets; those that are sent to a server as they are or in base64 come first.
const SENT: [&str; 14] = [
    "env",
    "file",
    "command",
    "keyring",
    "basic",
    "header",
    "oauth-client",
    "oauth-token",
    "session",
    "aws-id",
    "proxy",
    "variable",
    "pager",
    "runbook",
];
const KEPT: [&str; 2] = ["aws-secret", "client-key"];

/// A server that repeats each request in its answer, each time with another kind of error; it also issues OAuth tokens.
struct Echo {
    port: u16,
    heard: Arc<Mutex<String>>,
}

impl Echo {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard: Arc<Mutex<String>> = Arc::default();
        let log = Arc::clone(&heard);
        std::thread::spawn(move || {
            for (count, stream) in listener.incoming().flatten().enumerate() {
                let log = Arc::clone(&log);
                std::thread::spawn(move || serve(stream, count, &log));
            }
        });
        Self { port, heard }
    }

    fn heard(&self) -> String {
        self.heard.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, count: usize, log: &Mutex<String>) {
    let mut bytes = [0; 16 * 1024];
    let length = stream.read(&mut bytes).unwrap_or(0);
    let said = String::from_utf8_lossy(&bytes[..length]).into_owned();
    // base64 is decoded before it is recorded
    let words = said.split([' ', '\r', '\n']);
    let opened = words.filter_map(|word| BASE64_STANDARD.decode(word).ok());
    let opened: Vec<String> = opened.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect();
    let meant = percent_decoded(&format!("{said}\n{}", opened.join("\n")));
    log.lock().unwrap().push_str(&meant);
    let all = format!("{said} {} {meant}", opened.join(" ")).replace(['\r', '\n'], " ");
    let json = serde_json::json!({"status": "error", "errorType": "x", "error": all, "message": all});
    let alerts = serde_json::json!([{"labels": {"alertname": "Echo", "said": all}, "annotations": {"summary": all},
        "startsAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z",
        "fingerprint": "0123456789abcdef", "receivers": [{"name": "r"}],
        "status": {"state": "active", "inhibitedBy": [], "silencedBy": []}}]);
    let token = serde_json::json!({"access_token": canary("oauth-token"), "expires_in": 3600});
    let (status, more, body) = match count % 6 {
        _ if said.contains("/alerts/groups") => ("404 Not Found", String::new(), all),
        _ if said.contains("/grants") => ("200 OK", String::new(), token.to_string()),
        _ if said.contains("/api/v2/alerts") => ("200 OK", String::new(), alerts.to_string()),
        0 => ("401 Unauthorized", String::new(), json.to_string()),
        1 => ("400 Bad Request", String::new(), json.to_string()),
        2 => ("500 Internal Server Error", String::new(), all),
        3 => ("200 OK", String::new(), json.to_string()),
        4 => ("302 Found", format!("Location: /login/{}\r\n", all.replace(' ', "%20")), String::new()),
        _ => ("200 OK", String::new(), serde_json::json!([all]).to_string()),
    };
    let head =
        format!("HTTP/1.1 {status}\r\n{more}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).ok();
}

fn percent_decoded(text: &str) -> String {
    text.replace("%2F", "/").replace("%2B", "+").replace("%3A", ":")
}

/// A home directory with a configuration that has a source for each kind of secret.
pub(crate) struct SecretsHome {
    home: TempDir,
    planted: Vec<PathBuf>,
    echo: Echo,
}

impl SecretsHome {
    pub(crate) fn new() -> Self {
        let mut house = Self { home: TempDir::new().unwrap(), planted: Vec::new(), echo: Echo::start() };
        let file = house.plant("token", &canary("file"), 0o600);
        let command = house.plant("print", &format!("#!/bin/sh\necho '{}'\n", canary("command")), 0o700);
        house.plant(
            "bin/secret-tool",
            &format!(
                "#!/bin/sh\n[ \"$*\" = 'lookup service burnwatch username ring' ] && echo '{}'\n",
                canary("keyring")
            ),
            0o700,
        );
        let key =
            format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", canary("client-key"));
        let key = house.plant("me.key", &key, 0o600);
        let cert =
            house.plant("me.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 0o644);
        let port = house.echo.port;
        let url = format!("http://127.0.0.1:{port}");
        let source = |name: &str, kind: &str, rest: &str| {
            format!("[sources.{name}]\nkind = \"{kind}\"\nurl = \"{url}\"\n{rest}\n\n")
        };
        let oauth = |path: &str| {
            format!(
                "auth.oauth2 = {{ token_url = \"{url}/{path}\", client_id = \"me\", client_secret = {{ env = \"T_OAUTH\" }} }}"
            )
        };
        let text = [
            source("by-env", "prometheus", "auth.bearer.env = \"T_ENV\""),
            source("by-file", "alertmanager", &format!("auth.bearer.file = \"{file}\"")),
            source(
                "by-command",
                "prometheus",
                &format!("auth.bearer.command = [\"{command}\", \"{}\"]", canary("command")),
            ),
            source("by-keyring", "alertmanager", "auth.bearer.keyring = { user = \"ring\" }"),
            source(
                "by-basic",
                "prometheus",
                "auth.basic = { user = \"ana\", password = { env = \"T_BASIC\" } }",
            ),
            source("by-header", "prometheus", "headers.X-Gate = { env = \"T_HEADER\" }"),
            source("by-oauth", "prometheus", &oauth("denies")),
            source("by-grant", "alertmanager", &oauth("grants")),
            source(
                "by-aws",
                "prometheus",
                "auth.sigv4 = { region = \"r\", access_key = { env = \"T_AWS_ID\" }, secret_key = { env = \"T_AWS\" }, session_token = { env = \"T_SESSION\" } }",
            ),
            format!(
                "[sources.by-key]\nkind = \"prometheus\"\nurl = \"https://127.0.0.1:{port}\"\nclient_cert = \"{cert}\"\nclient_key = \"{key}\"\n\n"
            ),
            format!(
                "[sources.by-proxy]\nkind = \"prometheus\"\nurl = \"http://prom.invalid\"\nproxy = \"{url}\"\nproxy_auth = {{ user = \"ana\", password = {{ env = \"T_PROXY\" }} }}\n\n"
            ),
            "[sources.by-variable]\nkind = \"alertmanager\"\nurl = \"http://am.invalid\"\n\n".to_owned(),
            source("pager", "pagerduty", "auth.token.env = \"T_PAGER\"\nfrom = \"ana@example.org\""),
            format!(
                "[runbooks]\nallow_private = true\ntemplates = [\"{url}/runbook.md\"]\ntokens.\"127.0.0.1\" = {{ env = \"T_RUNBOOK\" }}\n"
            ),
            "[limits]\ntimeout = \"5s\"\n".to_owned(),
        ];
        house.plant("config.toml", &text.concat(), 0o600);
        house
    }

    fn plant(&mut self, name: &str, text: &str, mode: u32) -> String {
        let path = self.home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        self.planted.push(path.clone());
        path.display().to_string()
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let home = self.home.path().display().to_string();
        let password = canary("variable").replace('/', "%2F").replace('+', "%2B");
        let path = format!("{home}/bin:{}", std::env::var("PATH").unwrap_or_default());
        let proxy = format!("http://ana:{password}@127.0.0.1:{}", self.echo.port);
        let mut all = vec![("PATH".to_owned(), path), ("http_proxy".to_owned(), proxy)];
        for (variable, kind) in [
            ("T_ENV", "env"),
            ("T_BASIC", "basic"),
            ("T_HEADER", "header"),
            ("T_OAUTH", "oauth-client"),
            ("T_AWS_ID", "aws-id"),
            ("T_AWS", "aws-secret"),
            ("T_SESSION", "session"),
            ("T_PROXY", "proxy"),
            ("T_PAGER", "pager"),
            ("T_RUNBOOK", "runbook"),
        ] {
            all.push((variable.to_owned(), canary(kind)));
        }
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"] {
            all.push((name.to_owned(), home.clone()));
        }
        for (name, value) in [
            ("BURNWATCH_CONFIG", format!("{home}/config.toml").as_str()),
            ("BURNWATCH_LOG", "trace"),
            ("RUST_LOG", "trace"),
            ("RUST_BACKTRACE", "full"),
            ("TZ", "UTC"),
            ("USER", "ana"),
        ] {
            all.push((name.to_owned(), value.to_owned()));
        }
        all
    }

    /// All files that burnwatch created, with their contents.
    pub(crate) fn left(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let (mut folders, mut found) = (vec![self.home.path().to_owned()], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if !self.planted.contains(&path) {
                    found.push((path.clone(), fs::read(&path).unwrap()));
                }
            }
        }
        found
    }
}

/// The secrets in some output: as they are, in base64, or percent-encoded.
pub(crate) fn found_in(written: &[u8]) -> Vec<String> {
    let has = |form: &str| written.windows(form.len()).any(|part| part == form.as_bytes());
    let forms = |kind: &str| {
        let plain = canary(kind);
        let in_address = plain.replace('/', "%2F").replace('+', "%2B");
        // in base64 a text looks different by its offset
        let shifted = ["", "x", "xx"].map(|before| {
            let text = BASE64_STANDARD.encode(format!("{before}{plain}"));
            text.get(4..text.len() - 4).expect("it is longer").to_owned()
        });
        [vec![plain, in_address], shifted.to_vec()].concat()
    };
    let kinds = SENT.into_iter().chain(KEPT);
    kinds.filter(|kind| forms(kind).iter().any(|form| has(form))).map(str::to_owned).collect()
}

#[test]
fn the_search_finds_what_it_is_to_find() {
    for (said, kinds) in [
        (canary("env"), vec!["env"]),
        (BASE64_STANDARD.encode(format!("ana:{}", canary("basic"))), vec!["basic"]),
        ("x=canary%2Fheader%2B0123456789".to_owned(), vec!["header"]),
        ("canary/none".to_owned(), vec![]),
    ] {
        assert_eq!(found_in(said.as_bytes()), kinds, "{said}");
    }
}

#[test]
fn no_secret_is_in_anything_that_was_written() {
    let house = SecretsHome::new();
    let verbs = [
        "status",
        "services",
        "slos",
        "alerts",
        "incidents",
        "oncall",
        "silences",
        "journal",
        "sources",
        "doctor",
        "sources -o json",
        "doctor -o json",
        "status -o json",
        "alerts -o json",
        "snapshot",
        "check",
        "stats",
        "handoff",
        "postmortem 1",
        "config show",
        "config check",
        "config path",
        "config schema",
        "config show --context nonsense",
        "ack 1 --dry-run",
        "ack 1 --yes",
        "silence said=~.+ --for 1h -c x --dry-run",
        "silence alertname=Echo --for 1h -c x --yes",
        "silence alertname=Echo --for 1h -c x --yes --confirm-name default",
        "--prometheus http://ana:canary/env+0123456789@127.0.0.1 status",
        "--prometheus ana:canary/env+0123456789@127.0.0.1 status",
    ];
    let environment = house.environment();
    let outputs = run_all(&verbs.map(|words| words.split(' ').collect()), &environment);
    let mut written: Vec<(String, Vec<u8>)> = verbs
        .iter()
        .zip(outputs)
        .map(|(words, output)| ((*words).to_owned(), [output.stdout, output.stderr].concat()))
        .collect();

    let environment: Vec<_> =
        environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut screen = Terminal::start(BURNWATCH, &[], &environment, (160, 48));
    for (key, name, shown) in [
        ("1", "┏━", "Status"),
        ("2", "Services", "Services"),
        ("3", "SLOs", "SLOs"),
        ("5", "Incidents", "Incidents"),
        ("6", "On-call", "On-call"),
        ("7", "Timeline", "Timeline"),
        ("9", "Sources", "by-variable"),
        ("4", "Alerts", "Echo"),
    ] {
        screen.send(key);
        screen.wait_until(&format!("{name} shows {shown}"), |screen| {
            let contents = screen.contents();
            let title = contents.lines().nth(2).unwrap_or_default();
            title.trim_start().starts_with(name) && contents.contains(shown)
        });
    }
    screen.send("\r");
    screen.send("r");
    screen.wait_until("the runbook was looked for", |_| house.echo.heard().contains("runbook.md"));
    screen.send("q");
    screen.exit();
    written.push(("the screen".to_owned(), screen.output()));

    let heard = house.echo.heard();
    let unheard: Vec<_> = SENT.iter().filter(|kind| !heard.contains(&canary(kind))).collect();
    assert!(unheard.is_empty(), "never sent, so nothing is proved: {unheard:?}");
    let names: BTreeSet<String> =
        house.left().iter().filter_map(|(path, _)| Some(path.file_name()?.to_str()?.to_owned())).collect();
    assert!(names.contains("burnwatch.log"), "{names:?}");
    let files = house.left().into_iter().map(|(path, bytes)| (path.display().to_string(), bytes));
    for (what, bytes) in written.iter().cloned().chain(files) {
        let found = found_in(&bytes);
        assert!(found.is_empty(), "{found:?} in {what}:\n{}", String::from_utf8_lossy(&bytes));
    }
    let all: Vec<u8> = written.into_iter().flat_map(|(_, bytes)| bytes).collect();
    assert!(all.windows(8).any(|part| part == b"[secret]"), "nothing was repeated, so nothing is proved");

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for (path, _) in house.left() {
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700), "{}", path.display());
    }
}
