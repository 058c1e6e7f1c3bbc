//! Certificate verification with a `ca_file`: trusts certificates issued by a CA in the file, and the certificates in the
//! file themselves.
//!
//! Many servers have a self-signed certificate, and users name exactly that one in `ca_file`. OpenSSL, and so curl, accepts
//! it; rustls only accepts a certificate as the root of a chain, and refuses a server certificate that is marked as a CA (as
//! `openssl req -x509` makes them) or whose issuer is not in the file. This verifier also accepts a server certificate that
//! is byte for byte in the file, if it is within its validity period and matches the server's name. All other checks are
//! those of rustls.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// `commonName`, 2.5.4.3, in DER.
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];

/// One certificate of the `ca_file`.
#[derive(Debug)]
struct PinnedCertificate {
    der: CertificateDer<'static>,
    /// The common name: the server's name in certificates without a list of names.
    common_name: Option<String>,
}

#[derive(Debug)]
struct CertificateVerifier {
    chains: Arc<WebPkiServerVerifier>,
    own: Vec<PinnedCertificate>,
}

/// The client certificate with its chain, and its key.
pub(super) type ClientCertificate = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// A TLS configuration that trusts the `trusted` certificates and certificates issued by them.
///
/// # Errors
/// If no certificate can be used, or if the key does not belong to the client certificate.
pub(super) fn config(
    trusted: impl IntoIterator<Item = CertificateDer<'static>>,
    shown: Option<ClientCertificate>,
) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(CertificateVerifier::new(trusted, &provider)?);
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match shown {
        Some((chain, key)) => builder.with_client_auth_cert(chain, key)?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

impl CertificateVerifier {
    fn new(
        trusted: impl IntoIterator<Item = CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, Error> {
        let (mut roots, mut own) = (RootCertStore::empty(), Vec::new());
        let mut refused = CertificateError::BadEncoding.into();
        for der in trusted {
            match roots.add(der.clone()) {
                Ok(()) => {
                    let common_name = roots.roots.last().and_then(|root| common_name(&root.subject));
                    own.push(PinnedCertificate { der, common_name });
                }
                Err(error) => refused = error,
            }
        }
        let chains = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        // building only fails if there is no root certificate
        let chains = chains.build().map_err(|_none_left| refused)?;
        Ok(Self { chains, own })
    }
}

impl ServerCertVerifier for CertificateVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let checked =
            self.chains.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let Some(own) = self.own.iter().find(|own| own.der.as_ref() == end_entity.as_ref()) else {
            return checked;
        };
        let named = match checked {
            // webpki checks the validity period before the issuer, and the name afterwards: so the name is checked here
            Err(Error::InvalidCertificate(error)) if is_about_issuer(&error) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)
            }
            other => other.map(|_verified| ()),
        };
        match named {
            Err(Error::InvalidCertificate(CertificateError::NotValidForNameContext {
                presented, ..
            })) if presented.is_empty() && own.matches_common_name(server_name) => {
                Ok(ServerCertVerified::assertion())
            }
            other => other.map(|()| ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// Whether the only problem of a certificate is its issuer.
fn is_about_issuer(error: &CertificateError) -> bool {
    matches!(error, CertificateError::UnknownIssuer | CertificateError::BadSignature)
        || is_self_signed_ca(error)
}

/// Whether the server presents a CA certificate, which is nearly always self-signed. This error of the verifier can only be
/// recognised by its text.
pub(super) fn is_self_signed_ca(error: &CertificateError) -> bool {
    matches!(error, CertificateError::Other(_)) && format!("{error:?}").contains("CaUsedAsEndEntity")
}

impl PinnedCertificate {
    /// Whether the common name matches the server: the same name, the same address, or a wildcard `*.` of the same domain.
    fn matches_common_name(&self, server: &ServerName<'_>) -> bool {
        let Some(own) = &self.common_name else { return false };
        match server {
            ServerName::DnsName(name) => {
                let name = name.as_ref();
                let domain = own.strip_prefix("*.").filter(|domain| domain.contains('.'));
                let is_below = |domain: &str| {
                    name.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(domain))
                };
                own.eq_ignore_ascii_case(name) || domain.is_some_and(is_below)
            }
            ServerName::IpAddress(address) => own.parse() == Ok(IpAddr::from(*address)),
            _ => false,
        }
    }
}

/// The last common name in a DER-encoded subject.
fn common_name(subject: &[u8]) -> Option<String> {
    let mut found = None;
    let mut parts = subject;
    while let Some((set, rest)) = element(parts) {
        parts = rest;
        let mut pairs = set;
        while let Some((pair, rest)) = element(pairs) {
            pairs = rest;
            if let Some((kind, value)) = element(pair)
                && kind == COMMON_NAME
                && let Some((name, _)) = element(value)
            {
                found = std::str::from_utf8(name).ok().map(str::to_owned);
            }
        }
    }
    found
}

/// The contents of the first DER element, and the bytes after the element.
fn element(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = der.get(1..)?.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f).min(4))?;
        (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
    };
    rest.split_at_checked(length)
}
