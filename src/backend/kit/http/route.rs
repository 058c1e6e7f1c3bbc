//! The connection settings of a source: trusted CA certificates, client certificate, and proxy.

use reqwest::{ClientBuilder, Identity, Proxy};
use ring::digest;
use rustls::Error;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use url::Url;
use zeroize::Zeroizing;

use super::credentials::{decoded, no_secret};
use super::redactor::Redactor;
use super::{failure, trusted};
use crate::config::is_this_machine;
use crate::config::secret::{Bytes, Secret, certificates, key_file};
use crate::config::settings::{Login, SourceSettings};
use crate::model::source::ErrorKind;

/// Environment variables that name a proxy; also read in upper case.
const PROXY_VARIABLES: [&str; 3] = ["http_proxy", "https_proxy", "all_proxy"];

/// The configured connection settings.
#[derive(Clone)]
pub(super) struct Route {
    ca_file: Option<String>,
    client_cert: Option<String>,
    client_key: Option<String>,
    proxy: Option<String>,
    proxy_auth: Option<Login>,
}

/// The current contents of the files and secrets of a [`Route`].
pub(super) struct RouteParts {
    ca: Option<Vec<u8>>,
    identity: Option<Bytes>,
    login: Option<(String, Secret)>,
}

impl RouteParts {
    /// A digest to recognise unchanged contents without keeping them.
    pub(super) fn digest(&self) -> Vec<u8> {
        let mut all = digest::Context::new(&digest::SHA256);
        let password = self.login.as_ref().map(|(_, password)| password.expose().as_bytes());
        let identity = self.identity.as_ref().map(|identity| identity.as_slice());
        for part in [self.ca.as_deref(), identity, password] {
            all.update(&part.map_or(0, <[u8]>::len).to_le_bytes());
            all.update(part.unwrap_or_default());
        }
        all.finish().as_ref().to_vec()
    }

    /// The client certificate with its key.
    fn shown(&self) -> Option<trusted::ClientCertificate> {
        let identity = self.identity.as_ref()?;
        Some((in_pem(identity).collect(), PrivateKeyDer::from_pem_slice(identity).ok()?))
    }

    /// Adds the proxy password to a redactor.
    pub(super) fn add_secrets_to(&self, redactor: Redactor) -> Redactor {
        let Some((user, password)) = &self.login else { return redactor };
        let both = Zeroizing::new(format!("{user}:{}", password.expose()));
        redactor.with(password).with(&Secret::new(&both))
    }
}

impl Route {
    pub(super) fn new(source: &SourceSettings) -> Self {
        Self {
            ca_file: source.ca_file.clone(),
            client_cert: source.client_cert.clone(),
            client_key: source.client_key.clone(),
            proxy: source.proxy.clone(),
            proxy_auth: source.proxy_auth.clone(),
        }
    }

    /// The same settings for another server, with another CA file and without the client certificate.
    pub(super) fn with_ca(&self, ca_file: Option<&String>) -> Self {
        let (client_cert, client_key) = (None, None);
        Self { ca_file: ca_file.cloned(), client_cert, client_key, ..self.clone() }
    }

    /// Whether a file or a secret has to be read; its contents may then change.
    pub(super) fn has_files(&self) -> bool {
        self.ca_file.is_some() || self.client_cert.is_some() || self.proxy_auth.is_some()
    }

    /// Reads the files and secrets. Blocks on files and programs.
    pub(super) fn read(&self) -> Result<RouteParts, ErrorKind> {
        let ca = self.ca_file.as_ref().map(|path| read_ca(path)).transpose()?;
        let identity = match (&self.client_cert, &self.client_key) {
            (Some(cert), Some(key)) => Some(read_identity(cert, key)?),
            _ => None,
        };
        let login = match &self.proxy_auth {
            Some(Login { user, password }) => {
                Some((user.clone(), password.read().map_err(|error| no_secret(&error))?))
            }
            None => None,
        };
        Ok(RouteParts { ca, identity, login })
    }

    /// Applies the settings to the builder of a client that connects to `to`.
    pub(super) fn configure_client(
        &self,
        mut builder: ClientBuilder,
        to: &Url,
        parts: &RouteParts,
    ) -> Result<ClientBuilder, ErrorKind> {
        if let (Some(ca), Some(path)) = (&parts.ca, &self.ca_file) {
            let config = trusted::config(in_pem(ca), parts.shown()).map_err(|error| match error {
                Error::InvalidCertificate(_) => not_pem("ca_file", path),
                error => failure::of_tls(&error),
            })?;
            builder = builder.tls_backend_preconfigured(config);
        } else {
            if !self.has_tls(to) {
                // otherwise the system's certificates, often more than a hundred, are read although they are not needed
                builder = builder.tls_certs_only([]);
            }
            if let (Some(identity), Some(path)) = (&parts.identity, &self.client_cert) {
                let identity =
                    Identity::from_pem(identity).ok().ok_or_else(|| not_pem("client_cert", path))?;
                builder = builder.identity(identity);
            }
        }
        match self.proxy.as_deref() {
            Some("direct") => Ok(builder.no_proxy()),
            Some(address) => {
                let mut proxy = Proxy::all(address)
                    .map_err(|error| ErrorKind::Unreachable { reason: format!("its proxy: {error}") })?;
                if let Some((user, password)) = &parts.login {
                    proxy = proxy.basic_auth(user, password.expose());
                }
                // the first matching proxy is used, and `Proxy::all` always matches
                Ok(builder.proxy(proxy))
            }
            None if is_this_machine(to) => Ok(builder.no_proxy()),
            None => Ok(builder),
        }
    }

    /// Whether the server or a proxy may be reached over TLS, so that CA certificates are needed.
    fn has_tls(&self, to: &Url) -> bool {
        let is_tls =
            |address: &str| address.get(..6).is_some_and(|begin| begin.eq_ignore_ascii_case("https:"));
        to.scheme() == "https"
            || match &self.proxy {
                Some(proxy) => is_tls(proxy),
                None => proxy_variables().any(|address| is_tls(&address)),
            }
    }

    /// The configured proxy, for display; `None` for `direct`.
    pub(super) fn configured_proxy(&self) -> Option<&str> {
        self.proxy.as_deref().filter(|proxy| *proxy != "direct")
    }
}

/// The values of the proxy variables.
fn proxy_variables() -> impl Iterator<Item = Zeroizing<String>> {
    PROXY_VARIABLES
        .iter()
        .flat_map(|name| [std::env::var(name), std::env::var(name.to_ascii_uppercase())])
        .filter_map(|value| value.ok().map(Zeroizing::new))
}

/// Adds the passwords in the proxy variables to a redactor.
pub(super) fn with_proxy_secrets(redactor: Redactor) -> Redactor {
    proxy_variables()
        .filter_map(|value| {
            // in these variables the scheme is optional
            let address =
                if value.contains("://") { value } else { Zeroizing::new(format!("http://{}", *value)) };
            Url::parse(&address).ok()
        })
        .filter_map(|url| Some((decoded(url.username()), Zeroizing::new(decoded(url.password()?)))))
        .fold(redactor, |redactor, (user, password)| {
            let both = Zeroizing::new(format!("{user}:{}", *password));
            redactor.with(&Secret::new(&password)).with(&Secret::new(&both))
        })
}

/// The certificates in the contents of a PEM file.
fn in_pem(bytes: &[u8]) -> impl Iterator<Item = CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(bytes).filter_map(Result::ok)
}

/// Reads a `ca_file`; fails unless it contains at least one certificate and all are valid PEM.
fn read_ca(path: &str) -> Result<Vec<u8>, ErrorKind> {
    let unreadable = |reason: String| ErrorKind::Certificate { reason };
    let bytes = certificates(path).map_err(|error| unreadable(format!("ca_file: {error}")))?;
    let found = CertificateDer::pem_slice_iter(&bytes).try_fold(0, |count, one| one.map(|_| count + 1));
    match found {
        Ok(0) | Err(_) => Err(not_pem("ca_file", path)),
        Ok(_) => Ok(bytes),
    }
}

/// Reads a client certificate and its key, as one PEM text.
fn read_identity(cert: &str, key: &str) -> Result<Bytes, ErrorKind> {
    let certificate = certificates(cert).map_err(|error| no_secret(&error))?;
    if CertificateDer::from_pem_slice(&certificate).is_err() {
        return Err(not_pem("client_cert", cert));
    }
    let secret = key_file(key).map_err(|error| no_secret(&error))?;
    if PrivateKeyDer::from_pem_slice(&secret).is_err() {
        let is_locked = secret.windows(9).any(|part| part == b"ENCRYPTED");
        let reason = if is_locked {
            format!("client_key {key} has a passphrase; `openssl pkey -in {key}` writes a key without one")
        } else {
            format!("client_key {key} contains no private key in PEM format")
        };
        return Err(ErrorKind::NoSecret { reason });
    }
    let mut both = Zeroizing::new(Vec::with_capacity(certificate.len() + secret.len() + 1));
    both.extend_from_slice(&secret);
    both.push(b'\n');
    both.extend_from_slice(&certificate);
    Ok(both)
}

fn not_pem(key: &str, path: &str) -> ErrorKind {
    ErrorKind::Certificate { reason: format!("{key} {path} contains no certificate in PEM format") }
}

#[cfg(test)]
mod tests;
