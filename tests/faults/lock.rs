//! Certificates of a test authority: one is valid, the others must be refused.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::fault::Fault;
use crate::names::HOST;

/// The certificates that a proxy for HTTPS presents, by fault.
#[derive(Clone)]
pub(crate) struct TlsCertificates {
    good: TlsAcceptor,
    expired: TlsAcceptor,
    unknown: TlsAcceptor,
    other_host: TlsAcceptor,
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate")
}

fn lock(authority: &CertifiedIssuer<'static, KeyPair>, hosts: &[&str], is_over: bool) -> TlsAcceptor {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = CertificateParams::new(hosts).expect("names");
    if is_over {
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    }
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    let private = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .expect("a certificate with its key");
    TlsAcceptor::from(Arc::new(config))
}

impl TlsCertificates {
    /// Creates certificates; also returns the certificate of their authority.
    pub(crate) fn new() -> (Self, String) {
        let (ours, nobodys) = (authority("ours"), authority("nobody's"));
        let locks = Self {
            good: lock(&ours, &["127.0.0.1", HOST], false),
            expired: lock(&ours, &["127.0.0.1"], true),
            unknown: lock(&nobodys, &["127.0.0.1"], false),
            other_host: lock(&ours, &["elsewhere.example"], false),
        };
        (locks, ours.pem())
    }

    /// Accepts a TLS connection with the certificate of this fault, unless the client refuses it.
    pub(crate) async fn open(
        &self,
        mut client: TcpStream,
        fault: Fault,
    ) -> std::io::Result<Option<TlsStream<TcpStream>>> {
        let lock = match fault {
            Fault::Expired => &self.expired,
            Fault::Unknown => &self.unknown,
            Fault::OtherHost => &self.other_host,
            Fault::NoLock => {
                client.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await?;
                client.shutdown().await?;
                return Ok(None);
            }
            _ => &self.good,
        };
        lock.accept(client).await.map(Some)
    }
}
