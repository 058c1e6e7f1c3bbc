//! Tests of certificates against a real TLS server, and of proxies that record their requests.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::backend::kit::double::{CannedResponse, Double};
use crate::backend::kit::http::{Http, install_provider};
use crate::backend::{Clock, SourceDeps, kind};
use crate::config::settings::{
    AuthSettings, ConfigDuration, LimitSettings, SecretProgram, SecretRef, Settings,
};
use crate::model::source::SourceId;

fn http(source: &SourceSettings) -> Http {
    let limits =
        LimitSettings { timeout: ConfigDuration(Duration::from_secs(20)), ..LimitSettings::default() };
    let settings = Settings { limits, ..Settings::default() };
    let deps = SourceDeps::new(&settings, Clock::fixed(jiff::Timestamp::UNIX_EPOCH));
    Http::new(&SourceId::new("prom"), source, deps).unwrap()
}

async fn failure(source: &SourceSettings) -> String {
    http(source).get("api", &[]).await.err().expect("it must fail").kind.to_string()
}

fn secret(text: &str) -> SecretRef {
    SecretRef::Command(SecretProgram(vec!["echo".into(), text.into()]))
}

/// A certificate authority, and a folder for its certificates.
struct Authority {
    folder: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), root.pem()).unwrap();
        Self { folder, issuer: Issuer::new(params, key), root: root.der().clone() }
    }

    /// Creates a certificate for this machine, as `NAME.pem` and `NAME.key`.
    fn issue(&self, name: &str) -> (CertificateDer<'static>, KeyPair) {
        let params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        fs::write(self.path(&format!("{name}.pem")), cert.pem()).unwrap();
        private(Path::new(&self.path(&format!("{name}.key"))), &key.serialize_pem());
        (cert.der().clone(), key)
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

fn private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
}

/// Starts a TLS server in front of a test server; requires client certificates issued by `clients`, if any. Returns the
/// address.
async fn tls(double: &Double, authority: &Authority, clients: Option<&Authority>) -> String {
    install_provider();
    let builder = match clients {
        None => ServerConfig::builder().with_no_client_auth(),
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            roots.add(clients.root.clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
            ServerConfig::builder().with_client_cert_verifier(verifier)
        }
    };
    let (cert, key) = authority.issue("server");
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    serve(double, builder.with_single_cert(vec![cert], key).unwrap()).await
}

/// As above, with a complete TLS configuration.
async fn serve(double: &Double, config: ServerConfig) -> String {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let to = double.url.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, to) = (acceptor.clone(), to.clone());
            tokio::spawn(async move {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let mut there = TcpStream::connect(to).await.unwrap();
                    copy_bidirectional(&mut stream, &mut there).await.ok();
                }
            });
        }
    });
    format!("https://{address}")
}

#[tokio::test]
async fn only_the_ca_that_was_named_is_trusted() {
    let (ours, others) = (Authority::new("ours"), Authority::new("others"));
    let double = Double::start(|_| CannedResponse::json("{}")).await;
    let mut source = SourceSettings::new(kind("prometheus"), &tls(&double, &ours, None).await);
    assert!(failure(&source).await.contains("its certificate was not accepted"));
    source.ca_file = Some(others.path("ca.pem"));
    assert!(failure(&source).await.contains("its certificate was not accepted"));
    assert_eq!(double.asked().len(), 0);
    // several certificates in one file
    let both = fs::read_to_string(others.path("ca.pem")).unwrap()
        + &fs::read_to_string(ours.path("ca.pem")).unwrap();
    fs::write(others.path("both.pem"), both).unwrap();
    for file in [ours.path("ca.pem"), others.path("both.pem")] {
        source.ca_file = Some(file);
        http(&source).get("api", &[]).await.unwrap();
    }
    for (name, text, why) in [
        ("none.pem", None, "none.pem: not found"),
        ("odd.pem", Some("hello"), "contains no certificate in PEM format"),
    ] {
        if let Some(text) = text {
            fs::write(ours.path(name), text).unwrap();
        }
        source.ca_file = Some(ours.path(name));
        let reported = failure(&source).await;
        assert!(reported.contains("ca_file") && reported.contains(why), "{reported}");
    }
}

/// A self-signed certificate, as `NAME.pem`.
struct SelfMade {
    folder: tempfile::TempDir,
    cert: rcgen::Certificate,
    key: KeyPair,
}

impl SelfMade {
    fn new(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let cert = params.self_signed(&key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("own.pem"), cert.pem()).unwrap();
        Self { folder, cert, key }
    }

    async fn serve(&self, double: &Double) -> SourceSettings {
        install_provider();
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der()).into();
        let builder = ServerConfig::builder().with_no_client_auth();
        let config = builder.with_single_cert(vec![self.cert.der().clone()], key).unwrap();
        let mut source = SourceSettings::new(kind("prometheus"), &serve(double, config).await);
        source.ca_file = Some(self.path());
        source
    }

    fn path(&self) -> String {
        self.folder.path().join("own.pem").display().to_string()
    }
}

fn is_a_ca(params: &mut CertificateParams) {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
}

fn is_called(name: &'static str) -> impl Fn(&mut CertificateParams) {
    move |params| {
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::OrganizationName, "Us");
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
    }
}

#[tokio::test]
async fn a_certificate_that_a_server_made_for_itself_is_taken_where_the_file_names_it() {
    let double = Double::start(|_| CannedResponse::json("{}")).await;
    let here = ["localhost", "127.0.0.1"];
    for own in [
        SelfMade::new(&here, |_| {}),
        // as `openssl req -x509` makes them
        SelfMade::new(&here, is_a_ca),
        SelfMade::new(&[], |params| {
            is_a_ca(params);
            is_called("127.0.0.1")(params);
        }),
        SelfMade::new(&[], is_called("127.0.0.1")),
    ] {
        let mut source = own.serve(&double).await;
        http(&source).get("api", &[]).await.unwrap();
        // by host name, and in a file with other certificates
        source.url = source.url.replace("127.0.0.1", "localhost");
        let others = Authority::new("others");
        let both = fs::read_to_string(others.path("ca.pem")).unwrap() + &own.cert.pem();
        fs::write(others.path("both.pem"), both).unwrap();
        source.ca_file = Some(others.path("both.pem"));
        let reported = http(&source).get("api", &[]).await;
        let is_named = own.cert.der().windows(9).any(|part| part == b"localhost");
        assert_eq!(reported.is_ok(), is_named, "{:?}", reported.err());
    }
}

#[tokio::test]
async fn a_certificate_whose_ca_is_not_named_is_taken_where_the_file_names_it() {
    let (ours, double) = (Authority::new("ours"), Double::start(|_| CannedResponse::json("{}")).await);
    let mut source = SourceSettings::new(kind("prometheus"), &tls(&double, &ours, None).await);
    source.ca_file = Some(ours.path("server.pem"));
    http(&source).get("api", &[]).await.unwrap();
    // another certificate of the same CA is not accepted
    ours.issue("other");
    source.ca_file = Some(ours.path("other.pem"));
    assert!(failure(&source).await.contains("issuer not trusted on this machine"));
}

#[tokio::test]
async fn a_certificate_of_the_file_still_has_its_time_and_its_name() {
    let double = Double::start(|_| CannedResponse::json("{}")).await;
    let here = ["localhost", "127.0.0.1"];
    let expired = |params: &mut CertificateParams| {
        (params.not_before, params.not_after) =
            (rcgen::date_time_ymd(2019, 1, 1), rcgen::date_time_ymd(2020, 1, 1));
    };
    for (own, why) in [
        (SelfMade::new(&here, expired), "expired"),
        (
            SelfMade::new(&here, |params| {
                is_a_ca(params);
                expired(params);
            }),
            "expired",
        ),
        (SelfMade::new(&["prom.example.net"], is_a_ca), "issued for another name"),
        (SelfMade::new(&["prom.example.net"], is_called("127.0.0.1")), "issued for another name"),
        (SelfMade::new(&[], is_called("prom.example.net")), "issued for another name"),
    ] {
        let reported = failure(&own.serve(&double).await).await;
        assert!(reported.contains(why), "{reported}");
    }
    // a certificate with the same contents but another key is not accepted
    let (one, other) = (SelfMade::new(&here, is_a_ca), SelfMade::new(&here, is_a_ca));
    let mut source = one.serve(&double).await;
    source.ca_file = Some(other.path());
    assert!(failure(&source).await.contains("self-signed"));
    assert_eq!(double.asked().len(), 0);
}

#[tokio::test]
async fn a_certificate_of_ours_is_shown_and_its_key_is_private() {
    let (servers, people) = (Authority::new("servers"), Authority::new("people"));
    let double = Double::start(|_| CannedResponse::json("{}")).await;
    let url = tls(&double, &servers, Some(&people)).await;
    people.issue("ana");
    people.issue("bob");
    servers.issue("eve");
    let mut source = SourceSettings::new(kind("prometheus"), &url);
    source.ca_file = Some(servers.path("ca.pem"));
    let none = failure(&source).await;
    assert!(none.contains("set client_cert and client_key"), "{none}");
    let show = |cert: String, key: String| SourceSettings {
        client_cert: Some(cert),
        client_key: Some(key),
        ..source.clone()
    };
    http(&show(people.path("ana.pem"), people.path("ana.key"))).get("api", &[]).await.unwrap();
    assert_eq!(double.asked().len(), 1);
    let eve = failure(&show(servers.path("eve.pem"), servers.path("eve.key"))).await;
    assert!(eve.contains("does not accept our client_cert"), "{eve}");
    let crossed = failure(&show(people.path("ana.pem"), people.path("bob.key"))).await;
    assert!(crossed.contains("client_key is not the key of client_cert"), "{crossed}");
    fs::set_permissions(people.path("bob.key"), PermissionsExt::from_mode(0o644)).unwrap();
    let exposed = failure(&show(people.path("bob.pem"), people.path("bob.key"))).await;
    assert!(exposed.contains("can be read by everyone"), "{exposed}");
    let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    private(Path::new(&people.path("locked.key")), locked);
    let locked = failure(&show(people.path("bob.pem"), people.path("locked.key"))).await;
    assert!(locked.contains("has a passphrase"), "{locked}");
    assert_eq!(double.asked().len(), 1);
}

/// A test proxy: records the first request of each connection, and can refuse requests.
struct Middle {
    address: String,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Middle {
    /// Answers the first request with the result of `answer`, then forwards the connection to `to`.
    async fn start(to: &str, answer: impl Fn(&[u8]) -> (Vec<u8>, bool) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heard: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let (log, answer, to) = (Arc::clone(&heard), Arc::new(answer), to.to_owned());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (log, answer, to) = (Arc::clone(&log), Arc::clone(&answer), to.clone());
                tokio::spawn(async move {
                    let mut bytes = vec![0; 4096];
                    loop {
                        let length = stream.read(&mut bytes).await.unwrap_or(0);
                        if length == 0 {
                            return;
                        }
                        log.lock().unwrap().push(bytes[..length].to_vec());
                        let (said, is_through) = answer(&bytes[..length]);
                        stream.write_all(&said).await.ok();
                        if is_through {
                            break;
                        }
                    }
                    let mut there = TcpStream::connect(to).await.unwrap();
                    copy_bidirectional(&mut stream, &mut there).await.ok();
                });
            }
        });
        Self { address, heard }
    }

    fn heard(&self) -> String {
        let heard = self.heard.lock().unwrap();
        heard.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect::<Vec<_>>().join("|")
    }
}

#[tokio::test]
async fn a_proxy_connects_to_the_server_knows_who_asks_and_sees_nothing_else() {
    let ours = Authority::new("ours");
    let double = Double::start(|_| CannedResponse::json("{}")).await;
    let url = tls(&double, &ours, None).await;
    let proxy = Middle::start(url.trim_start_matches("https://"), |asked| {
        // ana:canary-proxy-password
        let is_known = String::from_utf8_lossy(asked).contains("Basic YW5hOmNhbmFyeS1wcm94eS1wYXNzd29yZA==");
        let said = if is_known { "200 OK" } else { "407 Proxy Authentication Required" };
        (format!("HTTP/1.1 {said}\r\n\r\n").into_bytes(), is_known)
    })
    .await;
    let mut source = SourceSettings::new(kind("prometheus"), &url);
    source.ca_file = Some(ours.path("ca.pem"));
    source.auth = Some(AuthSettings::Bearer(secret("canary-bearer-00001")));
    source.proxy = Some(format!("http://{}", proxy.address));
    let unknown = failure(&source).await;
    assert!(unknown.contains("set proxy_auth") && unknown.contains(&proxy.address), "{unknown}");
    source.proxy_auth = Some(Login { user: "ana".into(), password: secret("canary-proxy-password") });
    http(&source).get("api", &[]).await.unwrap();
    assert!(proxy.heard().contains("CONNECT ") && !proxy.heard().contains("canary"), "{}", proxy.heard());
    let asked = double.asked();
    assert_eq!(asked[0].header("proxy-authorization"), None);
    source.proxy = Some("http://127.0.0.1:1".into());
    let refused = failure(&source).await;
    assert_eq!(refused, "cannot connect (connection refused; through the proxy http://127.0.0.1:1)");
    source.proxy = Some("direct".into());
    source.proxy_auth = None;
    http(&source).get("api", &[]).await.unwrap();
}

#[tokio::test]
async fn a_proxy_without_tls_is_given_the_request_and_its_own_password() {
    let proxy = Double::start(|asked| match asked.header("proxy-authorization") {
        // ana:p@ss:word/+%
        Some("Basic YW5hOnBAc3M6d29yZC8rJQ==") => CannedResponse::json("{}"),
        _ => CannedResponse::new(407, "text/plain", "who?"),
    })
    .await;
    let mut source = SourceSettings::new(kind("prometheus"), "http://prom.internal.invalid:9090/p");
    source.proxy = Some(proxy.url.clone());
    assert!(failure(&source).await.contains("set proxy_auth"));
    source.proxy_auth = Some(Login { user: "ana".into(), password: secret("p@ss:word/+%") });
    http(&source).get("api", &[]).await.unwrap();
    assert_eq!(proxy.asked()[1].path, "http://prom.internal.invalid:9090/p/api");
}

#[tokio::test]
async fn through_socks_names_are_looked_up_at_its_far_end() {
    let double = Double::start(|_| CannedResponse::json("{}")).await;
    // RFC 1928: no authentication, then "connected"
    let socks = Middle::start(double.url.trim_start_matches("http://"), |asked| match asked.get(1) {
        Some(1) if asked.len() > 5 => (vec![5, 0, 0, 1, 0, 0, 0, 0, 0, 0], true),
        _ => (vec![5, 0], false),
    })
    .await;
    let mut source = SourceSettings::new(kind("prometheus"), "http://prom.internal.invalid:9090");
    source.proxy = Some(format!("socks5h://{}", socks.address));
    http(&source).get("api", &[]).await.unwrap();
    assert!(socks.heard().contains("prom.internal.invalid"), "{:?}", socks.heard());
    // also for an address that looks like this machine: for the proxy, localhost is the proxy's machine
    source.url = "http://localhost:9090".into();
    http(&source).get("api", &[]).await.unwrap();
    assert_eq!(double.asked().len(), 2);
    source.proxy = Some("socks5h://127.0.0.1:1".into());
    let gone = failure(&source).await;
    assert_eq!(gone, "cannot connect (the proxy cannot be reached; through the proxy socks5h://127.0.0.1:1)");
}

#[test]
fn passwords_of_proxies_are_hidden_and_their_parts_recognised() {
    let parts = |password: &str| RouteParts {
        ca: None,
        identity: None,
        login: Some(("ana".into(), Secret::new(password))),
    };
    assert_eq!(parts("one").digest(), parts("one").digest());
    assert_ne!(parts("one").digest(), parts("two").digest());
    let redactor = parts("canary-proxy-password").add_secrets_to(Redactor::default());
    let said = "canary-proxy-password YW5hOmNhbmFyeS1wcm94eS1wYXNzd29yZA== canary-proxy%2Dpassword";
    assert!(redactor.words(said).starts_with("[secret] [secret] "));
}

#[test]
fn tls_is_got_ready_only_where_it_may_be_spoken() {
    let way = |proxy: Option<&str>, to: &str| {
        let mut source = SourceSettings::new(kind("prometheus"), to);
        source.proxy = proxy.map(str::to_owned);
        Route::new(&source).has_tls(&Url::parse(to).unwrap())
    };
    assert!(way(None, "https://prom.example") && way(Some("direct"), "https://prom.example"));
    assert!(way(Some("HTTPS://proxy.example"), "http://prom.example"));
    assert!(!way(Some("direct"), "http://prom.example") && !way(Some("http://proxy"), "http://prom.example"));
}
