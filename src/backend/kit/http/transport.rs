//! The one place that all exchanges with the systems pass: over the network, or with a server in this process.

use std::pin::Pin;
use std::sync::Arc;

use reqwest::header::HeaderMap;
use reqwest::{Client, Request, Response, ResponseBuilderExt, StatusCode};

use super::promql::OutgoingRequest;
use super::trouble::Unsent;
use crate::model::source::ErrorKind;

/// A whole answer, as it comes over the wire.
#[derive(Debug, Clone)]
pub struct Received {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, not compressed.
    pub body: Vec<u8>,
}

/// An answer on its way, or why there is none.
pub type Receiving<'a> = Pin<Box<dyn Future<Output = Result<Received, ErrorKind>> + Send + 'a>>;

/// Answers requests in this process, in place of the network: a simulated system, or one that was recorded.
pub trait LocalServer: Send + Sync {
    /// Answers one request, which has its credentials already.
    fn answer(&self, request: Request) -> Receiving<'_>;
}

/// How requests are answered.
#[derive(Clone, Default)]
pub enum Transport {
    /// Over the network.
    #[default]
    Network,
    /// In this process.
    Local(Arc<dyn LocalServer>),
}

impl Transport {
    /// A way to send requests. `client` is what the network takes; it is made only if it is needed, for it reads certificates.
    pub(super) fn open<E>(&self, client: impl FnOnce() -> Result<Client, E>) -> Result<Connection, E> {
        Ok(match self {
            Self::Network => Connection::Network(client()?),
            Self::Local(server) => Connection::Local(Arc::clone(server)),
        })
    }
}

#[derive(Clone)]
pub(super) enum Connection {
    Network(Client),
    Local(Arc<dyn LocalServer>),
}

impl Connection {
    /// Sends a request, and waits for the beginning of its answer.
    pub(super) async fn send(
        &self,
        OutgoingRequest { request, query }: OutgoingRequest<'_>,
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
