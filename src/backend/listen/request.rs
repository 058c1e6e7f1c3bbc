//! One HTTP/1.1 request: bounded, with a body of a known length.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The most bytes of the request line and the headers.
const MAX_HEAD: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;

/// Why a request cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum RequestError {
    #[error("this is not an HTTP/1.1 request")]
    Garbled,
    #[error("the headers are larger than 16 KiB")]
    HeadTooLarge,
    #[error("the request ended in the middle")]
    Cut,
    #[error("the request needs a Content-Length; chunked bodies are not supported")]
    NoLength,
    #[error("the body is larger than {limit} bytes")]
    BodyTooLarge { limit: usize },
}

impl RequestError {
    pub(super) const fn status(self) -> u16 {
        match self {
            Self::Garbled | Self::Cut => 400,
            Self::HeadTooLarge => 431,
            Self::NoLength => 411,
            Self::BodyTooLarge { .. } => 413,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) method: String,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// The beginning of the body, which was read with the head.
    begun: Vec<u8>,
}

impl Request {
    /// The value of a header, by its name in lower case; `None` if it is missing or has several values.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut values =
            self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let first = values.next()?;
        values.next().is_none().then_some(first)
    }

    /// Whether a header occurs, once or several times.
    pub(super) fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known == name)
    }

    /// Reads the request line and the headers.
    pub(super) async fn head(stream: &mut (impl AsyncRead + Unpin)) -> Result<Self, RequestError> {
        let mut bytes = Vec::with_capacity(2048);
        let mut chunk = [0; 2048];
        loop {
            let read =
                stream.read(&mut chunk).await.ok().filter(|read| *read > 0).ok_or(RequestError::Cut)?;
            bytes.extend_from_slice(chunk.get(..read).unwrap_or_default());
            let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
            let mut parsed = httparse::Request::new(&mut headers);
            match parsed.parse(&bytes) {
                Ok(httparse::Status::Complete(end)) => {
                    let header = |header: &httparse::Header<'_>| {
                        let value = std::str::from_utf8(header.value).ok()?;
                        Some((header.name.to_ascii_lowercase(), value.trim().to_owned()))
                    };
                    let read: Option<Vec<_>> = parsed.headers.iter().map(header).collect();
                    return Ok(Self {
                        method: parsed.method.unwrap_or_default().to_owned(),
                        headers: read.ok_or(RequestError::Garbled)?,
                        body: Vec::new(),
                        begun: bytes.get(end..).unwrap_or_default().to_vec(),
                    });
                }
                Ok(httparse::Status::Partial) if bytes.len() > MAX_HEAD => {
                    return Err(RequestError::HeadTooLarge);
                }
                Ok(httparse::Status::Partial) => {}
                Err(httparse::Error::TooManyHeaders) => return Err(RequestError::HeadTooLarge),
                Err(_) => return Err(RequestError::Garbled),
            }
        }
    }

    /// Reads the body, as long as the header says.
    pub(super) async fn read_body(
        &mut self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        limit: usize,
    ) -> Result<(), RequestError> {
        if self.has("transfer-encoding") {
            return Err(RequestError::NoLength);
        }
        let length = self.header("content-length").ok_or(RequestError::NoLength)?;
        let is_plain = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        let length: usize =
            length.parse().ok().filter(|_| is_plain).ok_or(RequestError::BodyTooLarge { limit })?;
        if length > limit {
            return Err(RequestError::BodyTooLarge { limit });
        }
        if self.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
            let sent = stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await;
            sent.ok().ok_or(RequestError::Cut)?;
        }
        self.body = std::mem::take(&mut self.begun);
        self.body.truncate(length);
        let begun = self.body.len();
        self.body.resize(length, 0);
        let rest = self.body.get_mut(begun..).unwrap_or_default();
        stream.read_exact(rest).await.ok().ok_or(RequestError::Cut)?;
        Ok(())
    }
}
