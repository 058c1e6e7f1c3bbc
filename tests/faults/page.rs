//! The page of a runbook behind every fault: that there is none is said with its reason and in time, and it is found again.

use std::time::Duration;

use burnwatch::testing::backend;
use burnwatch::testing::config::settings::Settings;
use burnwatch::testing::model::ask::{Answer, Query};
use burnwatch::testing::model::labels::Labels;
use burnwatch::testing::model::runbook::{RunbookQuery, RunbookSearch};
use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::fault::Fault;
use crate::proxy::Proxy;

/// The time that a page may take by default, and what a busy machine needs on top.
const IN_TIME: Duration = Duration::from_secs(14);

/// What is said of a page in this trouble; none: what came is shown as it is, for markdown may be anything.
fn words(fault: Fault) -> Option<&'static str> {
    Some(match fault {
        Fault::Refuses => "connection refused",
        Fault::Vanishes => "without an answer",
        Fault::Resets => "broke in the middle",
        Fault::Drips | Fault::Hangs | Fault::HangsInHead | Fault::HangsInBody => "no whole answer within 10s",
        Fault::TooMany
        | Fault::TooManySeconds
        | Fault::TooManyDate
        | Fault::TooManyOdd
        | Fault::TooManyAbsurd => "429",
        Fault::Broken => "500",
        Fault::Gateway => "502",
        Fault::Unavailable | Fault::StartingUp => "503",
        Fault::Empty => "it is empty",
        Fault::Login => "it is a web page, not markdown",
        Fault::LoginElsewhere => "it redirects to sso.example.com/login",
        Fault::Loops => "it redirects to 127.0.0.1",
        Fault::Floods | Fault::Bomb => "larger than 1 MiB",
        Fault::BadGzip => "compression is broken",
        Fault::NotHttp => "does not speak HTTP",
        _ => return None,
    })
}

/// A server that has the page.
async fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer =
                b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 14\r\n\r\n# What to do\r\n";
            let Ok(1..) = stream.read(&mut [0; 4096]).await else { continue };
            stream.write_all(answer).await.ok();
            stream.shutdown().await.ok();
        }
    });
    address.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runbook_behind_every_fault_is_missing_for_a_reason_and_found_again() {
    let server = server().await;
    let mut settings = Settings::default();
    settings.runbooks.hosts = vec!["127.0.0.1".into()];
    let source = backend::runbooks(&settings, &backend::Transport::Network);
    let plays = Fault::PLAIN.map(|fault| {
        let (source, server) = (&source, &server);
        async move {
            let proxy = Proxy::start(server, None).await;
            let url = Some(format!("{}/HighErrors.md", proxy.url).into());
            let wanted = RunbookQuery { name: "HighErrors".into(), url, labels: Labels::default() };
            let ask = Query::Runbook { wanted: wanted.into() }.now();
            let search = async || -> RunbookSearch {
                match source.answer(&ask, None).await.expect("that there is none is an answer").answer {
                    Answer::Runbook(search) => search,
                    other => panic!("{other:?}"),
                }
            };
            proxy.fault.send(fault).expect("the proxy runs");
            let begun = Instant::now();
            let ill = search().await;
            assert!(begun.elapsed() < IN_TIME, "{fault:?} took {:?}", begun.elapsed());
            if let Some(words) = words(fault) {
                let why = ill.tried.first().map(|tried| tried.why.to_string()).unwrap_or_default();
                assert!(ill.found.is_none() && why.contains(words), "{fault:?}: {why:?}");
            }
            proxy.fault.send(Fault::None).expect("the proxy runs");
            let well = async {
                while search().await.found.is_none_or(|found| !found.text.contains("What to do")) {}
            };
            tokio::time::timeout(IN_TIME, well)
                .await
                .unwrap_or_else(|_| panic!("{fault:?}: not found again"));
        }
    });
    join_all(plays).await;
}
