use std::fs;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::*;
use crate::backend::kit::change_lines::{BadLines, read_all};
use crate::model::change::{Change, ChangeState, merged};

const NOW: &str = "2026-11-30T12:00:00Z";

struct Hook {
    listener: Arc<WebhookListener>,
    file: PathBuf,
    _folder: tempfile::TempDir,
}

impl Hook {
    async fn start(adjust: impl FnOnce(&mut ListenOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("changes.jsonl");
        let mut options = ListenOptions {
            file: file.clone(),
            secrets: Vec::new(),
            fields: FieldMap::default(),
            max_body: 64 * 1024,
            max_file: 1024 * 1024,
            clock: Clock::fixed(NOW.parse().unwrap()),
        };
        adjust(&mut options);
        let address = ListenAddress::parse("127.0.0.1:0").unwrap();
        let listener = Arc::new(WebhookListener::bind(&address, options).await.unwrap());
        let serving = Arc::clone(&listener);
        tokio::spawn(async move { serving.serve(|_| {}).await });
        Self { listener, file, _folder: folder }
    }

    async fn connect(&self) -> TcpStream {
        let address = self.listener.address();
        TcpStream::connect(address.trim_start_matches("http://").trim_end_matches('/')).await.unwrap()
    }

    /// Sends these bytes, and returns the answer.
    async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // a server that has refused the head does not read the rest
        stream.write_all(bytes).await.ok();
        stream.shutdown().await.ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok();
        String::from_utf8(answer).unwrap()
    }

    async fn post(&self, headers: &str, body: &str) -> (u16, Value) {
        let head = format!("POST / HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
        let answer = self.raw(format!("{head}{body}").as_bytes()).await;
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap())
    }

    /// The changes in the file, each merged.
    fn changes(&self) -> Vec<Change> {
        let text = fs::read(&self.file).unwrap();
        let mut bad = BadLines::default();
        let lines = text.split(|byte| *byte == b'\n');
        let changes = read_all(lines, &SourceId::new("file"), NOW.parse().unwrap(), &mut bad);
        assert!(bad.is_empty(), "{:?}", bad.warning());
        merged(changes)
    }

    fn lines(&self) -> usize {
        fs::read_to_string(&self.file).unwrap().lines().count()
    }
}

/// A GitLab deployment event with the fields of its documentation.
fn gitlab_deployment(status: &str) -> String {
    json!({
        "object_kind": "deployment", "status": status, "status_changed_at": "2026-11-30 11:24:38 +0000",
        "deployment_id": 15, "deployable_id": 796, "deployable_url": "https://gitlab.example.net/shop/pay/-/jobs/796",
        "environment": "production", "environment_tier": "production",
        "project": { "id": 30, "name": "pay", "path_with_namespace": "shop/pay", "web_url": "https://gitlab.example.net/shop/pay" },
        "short_sha": "279484c0", "user": { "id": 1, "name": "Ana Ruiz", "username": "aruiz", "email": "[REDACTED]" },
        "commit_url": "https://gitlab.example.net/shop/pay/-/commit/279484c09fbe69ededfced8c1bb6e6d24616b468",
        "commit_title": "Release 4.19.0", "ref": "v4.19.0"
    })
    .to_string()
}

const GITLAB: &str = "X-Gitlab-Event: Deployment Hook\r\n";

#[tokio::test]
async fn a_gitlab_deployment_that_runs_and_succeeds_is_one_change() {
    let hook = Hook::start(|_| {}).await;
    assert_eq!(hook.post(GITLAB, &gitlab_deployment("created")).await.0, 200);
    assert_eq!(hook.post(GITLAB, &gitlab_deployment("running")).await, (201, json!({ "written": 1 })));
    assert_eq!(hook.changes()[0].state, ChangeState::Running);
    assert_eq!(hook.post(GITLAB, &gitlab_deployment("success")).await, (201, json!({ "written": 1 })));
    // a delivery that is repeated
    let again = hook.post(GITLAB, &gitlab_deployment("success")).await;
    assert_eq!(again, (200, json!({ "written": 0, "repeated": true })));
    assert_eq!(hook.lines(), 2);
    let changes = hook.changes();
    let [change] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!(change.sentence(), "deploy -> v4.19.0, by aruiz");
    assert_eq!((change.service.as_deref(), change.state), (Some("pay"), ChangeState::Done));
    assert_eq!(change.at.to_string(), "2026-11-30T11:24:38Z");
    assert_eq!(change.labels.value("commit"), "279484c09fbe69ededfced8c1bb6e6d24616b468");
    assert_eq!(hook.post("X-Gitlab-Event: Push Hook\r\n", "{}").await.0, 200);
    assert_eq!(hook.post(GITLAB, "{}").await.0, 400);
    assert_eq!(hook.lines(), 2);
}

#[tokio::test]
async fn github_events_are_changes_if_they_change_something() {
    let hook = Hook::start(|_| {}).await;
    let repository = json!({ "name": "pay", "full_name": "shop/pay", "html_url": "https://github.example.net/shop/pay", "default_branch": "main" });
    let deployment = json!({ "id": 42, "ref": "v2", "sha": "279484c09fbe69ededfced8c1bb6e6d24616b468", "environment": "production",
        "creator": { "login": "ana" }, "created_at": "2026-11-30T11:00:00Z" });
    let event =
        |name: &str, delivery: &str| format!("X-GitHub-Event: {name}\r\nX-GitHub-Delivery: {delivery}\r\n");
    let status = |state: &str| {
        json!({ "deployment_status": { "state": state, "created_at": "2026-11-30T11:05:00Z" }, "deployment": deployment, "repository": repository }).to_string()
    };
    let body = json!({ "deployment": deployment, "repository": repository }).to_string();
    assert_eq!(hook.post(&event("deployment", "d1"), &body).await.0, 201);
    assert_eq!(hook.post(&event("deployment", "d1"), &body.replace("v2", "v3")).await.1["repeated"], true);
    assert_eq!(hook.post(&event("deployment_status", "d2"), &status("success")).await.0, 201);
    assert_eq!(hook.post(&event("deployment_status", "d3"), &status("inactive")).await.0, 200);
    assert_eq!(hook.changes().iter().map(Change::sentence).collect::<Vec<_>>(), ["deploy -> v2, by ana"]);
    let push = json!({ "ref": "refs/heads/main", "after": "5b1f", "commits": [{}, {}], "head_commit": { "message": "fix: it\n\nmore", "timestamp": "2026-11-30T11:30:00Z" },
        "pusher": { "name": "bo" }, "repository": repository });
    assert_eq!(hook.post(&event("push", "p1"), &push.to_string()).await.0, 201);
    assert_eq!(
        hook.post(&event("push", "p2"), &push.to_string().replace("heads/main", "heads/x")).await.0,
        200
    );
    let run = json!({ "action": "completed", "workflow_run": { "id": 7, "name": "Deploy", "conclusion": "failure", "head_sha": "5b1f",
        "updated_at": "2026-11-30T11:40:00Z", "html_url": "https://github.example.net/run/7", "actor": { "login": "bo" } }, "repository": repository });
    assert_eq!(hook.post(&event("workflow_run", "w1"), &run.to_string()).await.0, 201);
    let release = json!({ "action": "published", "release": { "id": 9, "tag_name": "v2", "published_at": "2026-11-30T11:50:00Z" }, "repository": repository });
    assert_eq!(hook.post(&event("release", "r1"), &release.to_string()).await.0, 201);
    assert_eq!(hook.post(&event("ping", "x"), "{}").await.0, 200);
    let told: Vec<String> = hook.changes().iter().map(Change::sentence).collect();
    assert_eq!(
        told,
        [
            "release v2 published",
            "deploy workflow Deploy: failure (failed), by bo",
            "pushed 2 commits to main: fix: it, by bo",
            "deploy -> v2, by ana"
        ]
    );
}

#[tokio::test]
async fn argo_applications_and_generic_json_are_read_by_their_shape() {
    let hook = Hook::start(|options| options.fields = FieldMap::default()).await;
    let application = json!({ "app": { "metadata": { "name": "pay" }, "spec": { "destination": { "namespace": "shop" } }, "status": {
        "operationState": { "phase": "Succeeded", "startedAt": "2026-11-30T11:00:00Z", "syncResult": { "revision": "5b1f3c2" } },
        "summary": { "images": ["r.example.net/pay:4.19.0"] } } } });
    assert_eq!(hook.post("", &application.to_string()).await.0, 201);
    let line = json!({ "id": "chg-1", "time": "2026-11-30T11:10:00.5Z", "kind": "flag", "service": "fraud", "from": "bulk=0", "to": "bulk=1", "by": "dlevi" });
    assert_eq!(hook.post("", &line.to_string()).await.0, 201);
    assert_eq!(hook.post("", &line.to_string()).await.1["repeated"], true);
    let list = json!([{ "title": "one", "service": "a" }, { "title": "two", "service": "a" }]);
    assert_eq!(hook.post("", &list.to_string()).await, (201, json!({ "written": 2 })));
    let told: Vec<String> = hook.changes().iter().map(Change::sentence).collect();
    assert!(
        told.contains(&"flag bulk on, by dlevi".to_owned())
            && told.contains(&"deploy -> 5b1f3c2, by Argo CD".to_owned()),
        "{told:?}"
    );
    // without a time, the time of the request counts
    let both = hook.changes().iter().filter(|change| change.at.to_string() == NOW).count();
    assert_eq!(both, 2);
    for (body, why) in [
        ("nonsense", "the body is not JSON"),
        ("7", "the body is neither a JSON object nor a list of them"),
        ("[]", "the body is neither"),
        ("{}", "a change without title, kind and values"),
        (r#"{"title": "x", "time": 0}"#, "a change with a time before 2000"),
        (r#"{"title": "x", "time": "2030-01-01T00:00:00Z"}"#, "a change with a time in the future"),
    ] {
        let (status, answer) = hook.post("", body).await;
        assert!(status == 400 && answer["error"].as_str().unwrap().starts_with(why), "{body}: {answer}");
    }
    assert_eq!(hook.lines(), 4);
}

#[tokio::test]
async fn a_template_says_where_the_fields_are() {
    let fields = ["service=/app/name", "title=/event/text", "kind=config"];
    let fields: FieldMap = fields.iter().map(|field| field.parse::<FieldMap>().unwrap()).collect();
    let hook = Hook::start(|options| options.fields = fields).await;
    let body =
        r#"{"app": {"name": "pay", "token": "hidden"}, "event": {"text": "limits raised"}, "secret": "x"}"#;
    assert_eq!(hook.post("", body).await.0, 201);
    let text = fs::read_to_string(&hook.file).unwrap();
    assert!(text.contains("limits raised") && !text.contains("hidden") && !text.contains("secret"), "{text}");
    assert_eq!(hook.changes()[0].service.as_deref(), Some("pay"));
    for wrong in ["service", "=x", "a b=/x", "service="] {
        assert!(wrong.parse::<FieldMap>().is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn a_sender_needs_the_secret_in_one_of_three_ways() {
    let hook =
        Hook::start(|options| options.secrets = vec![Secret::new("open sesame"), Secret::new("other")]).await;
    let body = r#"{"title": "x", "time": "2026-11-30T11:00:00Z"}"#;
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"other");
    let tag = ring::hmac::sign(&key, body.as_bytes());
    let signature: Vec<String> = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let signature = signature.concat();
    let signed = format!("X-Hub-Signature-256: sha256={signature}\r\n");
    for (headers, status) in [
        ("", 401),
        ("X-Gitlab-Token: open\r\n", 401),
        ("Authorization: Basic open sesame\r\n", 401),
        ("Authorization: Bearer wrong\r\n", 401),
        ("X-Hub-Signature-256: sha256=00\r\n", 401),
        ("X-Hub-Signature-256: open sesame\r\n", 401),
        ("X-Gitlab-Token: open sesame\r\nX-Gitlab-Token: x\r\n", 401),
        ("X-Gitlab-Token: open sesame\r\n", 201),
        ("Authorization: bearer open sesame\r\n", 200),
        (signed.as_str(), 200),
    ] {
        assert_eq!(hook.post(headers, body).await.0, status, "{headers}");
    }
    assert_eq!(hook.post(&signed, &body.replace('x', "y")).await.0, 401);
    assert_eq!(hook.lines(), 1);
    let page = "Origin: https://evil.example.net\r\nX-Gitlab-Token: open sesame\r\n";
    assert_eq!(hook.post(page, body).await.0, 403);
}

#[tokio::test]
async fn requests_that_are_none_or_too_large_are_refused_and_the_next_one_is_served() {
    let hook = Hook::start(|options| options.max_body = 100).await;
    let long = format!("POST / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    let many = format!("POST / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(80));
    for (request, status) in [
        ("\u{1}\u{2}nonsense\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n{", "400"),
        ("GET / HTTP/1.1\r\n\r\n", "405"),
        ("POST / HTTP/1.1\r\n\r\n", "411"),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "411"),
        ("POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n", "413"),
        ("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "413"),
        ("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", "413"),
        ("POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "411"),
        (long.as_str(), "431"),
        (many.as_str(), "431"),
    ] {
        let answer = hook.raw(request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request:.60}: {answer}");
    }
    // connections that say nothing hold no one up, until there are too many of them
    let mut idle = Vec::new();
    for _ in 0..CONNECTIONS {
        idle.push(hook.connect().await);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(hook.post("", "{}").await.0, 503);
    drop(idle);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(hook.post("", r#"{"title": "x"}"#).await.0, 201);
}

#[tokio::test]
async fn a_flood_is_slowed_down_and_a_full_file_is_renamed() {
    let hook = Hook::start(|options| options.max_file = 2_000).await;
    let mut statuses = Vec::new();
    for n in 0..130 {
        statuses.push(hook.post("", &json!({ "title": format!("change {n}") }).to_string()).await.0);
    }
    assert!(statuses.contains(&429) && statuses.iter().take(90).all(|status| *status == 201), "{statuses:?}");
    let old = hook.file.with_extension("jsonl.1");
    assert!(fs::metadata(&hook.file).unwrap().len() <= 2_000 && fs::metadata(old).unwrap().len() <= 2_000);
}

#[tokio::test]
async fn what_was_written_before_a_restart_is_not_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("changes.jsonl");
    let fields = || {
        let Value::Object(fields) = json!({ "title": "x", "time": NOW }) else { panic!() };
        vec![fields]
    };
    assert_eq!(ChangeStore::open(&file, 1 << 20).unwrap().append(fields(), Some("d1")).unwrap(), 1);
    // a crash in the middle of a line
    fs::OpenOptions::new().append(true).open(&file).unwrap().write_all_at_end(b"{\"title\": \"cut");
    let mut store = ChangeStore::open(&file, 1 << 20).unwrap();
    assert_eq!(store.append(fields(), Some("d1")).unwrap(), 0);
    assert_eq!(store.append(fields(), None).unwrap(), 0);
    let mut other = fields();
    other[0].insert("title".to_owned(), "y".into());
    assert_eq!(store.append(other.clone(), Some("d1")).unwrap(), 0, "the same delivery");
    assert_eq!(store.append(other, Some("d2")).unwrap(), 1);
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 3);
    // another program moves the file away
    fs::rename(&file, folder.path().join("moved")).unwrap();
    let mut third = fields();
    third[0].insert("title".to_owned(), "z".into());
    assert_eq!(store.append(third, None).unwrap(), 1);
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 1);
}

trait WriteAtEnd {
    fn write_all_at_end(&mut self, bytes: &[u8]);
}

impl WriteAtEnd for fs::File {
    fn write_all_at_end(&mut self, bytes: &[u8]) {
        std::io::Write::write_all(self, bytes).unwrap();
    }
}

#[tokio::test]
async fn a_unix_socket_is_private_and_a_used_one_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let options = || ListenOptions {
        file: folder.path().join("changes.jsonl"),
        secrets: Vec::new(),
        fields: FieldMap::default(),
        max_body: 1024,
        max_file: 1 << 20,
        clock: Clock::fixed(NOW.parse().unwrap()),
    };
    let address = ListenAddress::parse(&format!("unix:{}", path.display())).unwrap();
    let listener = WebhookListener::bind(&address, options()).await.unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let error = WebhookListener::bind(&address, options()).await.err().unwrap();
    assert!(error.ends_with("another program listens there"), "{error}");
    drop(listener);
    assert!(!path.exists());
    fs::write(&path, "").unwrap();
    let error = WebhookListener::bind(&address, options()).await.err().unwrap();
    assert!(error.ends_with("there is a file that is not a socket"), "{error}");
}

#[test]
fn only_addresses_of_this_machine_are_local() {
    for (text, is_local) in [
        ("127.0.0.1:9414", Some(true)),
        ("[::1]:9414", Some(true)),
        ("unix:/run/x", Some(true)),
        ("0.0.0.0:9414", Some(false)),
        ("[::]:9414", Some(false)),
        ("unix:", None),
        ("9414", None),
        ("", None),
    ] {
        assert_eq!(ListenAddress::parse(text).ok().map(|address| address.is_local()), is_local, "{text}");
    }
}
