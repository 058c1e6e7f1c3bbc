//! The transport of all requests: the network, or a simulated server in this process.

use std::pin::Pin;
use std::sync::Arc;

use reqwest::header::HeaderMap;
use reqwest::{Client, Request, Response, ResponseBuilderExt, StatusCode};

use super::failure::Unsent;
use super::promql::OutgoingRequest;
use crate::model::source::ErrorKind;

/// A complete response.
#[derive(Debug, Clone)]
pub struct Received {
    /// The HTTP status.
    pub status: StatusCode,
    /// The response headers.
    pub headers: HeaderMap,
    /// The body, not compressed.
    pub body: Vec<u8>,
}

/// The future of a response.
pub type Receiving<'a> = Pin<Box<dyn Future<Output = Result<Received, ErrorKind>> + Send + 'a>>;

/// Answers requests in this process, in place of the network: a simulated or recorded system.
pub trait LocalServer: Send + Sync {
    /// Answers one request, which already has its credentials.
    fn answer(&self, request: Request) -> Receiving<'_>;
}

/// How requests are sent.
#[derive(Clone, Default)]
pub enum Transport {
    /// Over the network.
    #[default]
    Network,
    /// To a server in this process.
    Local(Arc<dyn LocalServer>),
}

impl Transport {
    /// Opens a connection. `client` creates the HTTP client; it is only called for the network, because it reads
    /// certificates.
    pub(super) fn open<E>(&self, client: impl FnOnce() -> Result<Client, E>) -> Result<Connection, E> {
        Ok(match self {
            Self::Network => Connection::Network(client()?),
            Self::Local(server) => Connection::Local(Arc::clone(server)),
        })
    }
}

/// A connection of one transport.
#[derive(Clone)]
pub(super) enum Connection {
    Network(Client),
    Local(Arc<dyn LocalServer>),
}

impl Connection {
    /// Sends a request and waits for the start of the response.
    pub(super) async fn send(
        &self,
        OutgoingRequest { request, query, .. }: OutgoingRequest<'_>,
    ) -> Result<Response, Unsent> {
        match self {
            Self::Network(client) => match query {
                Some((query, base)) => query.send(client, base, request).await,
                None => client.execute(request).await.map_err(Unsent::in_transit),
            },
            Self::Local(server) => {
                let url = request.url().clone();
                let received = server.answer(request).await.map_err(Unsent::Before)?;
                let mut response = http::Response::builder()
                    .url(url)
                    .status(received.status)
                    .body(received.body)
                    .expect("a status and an address are all that it is made of");
                *response.headers_mut() = received.headers;
                Ok(response.into())
            }
        }
    }
}
