//! What a server makes of a component that was put into the folder it watches.

use std::{path::Path, time::Duration};

use anyhow::anyhow;
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use crate::{
    api::{Api, ApiError},
    exit::Failure,
};

/// How often the server is asked whether it has noticed.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How long it may take to notice, build and check.
const NOTICE_MAX: Duration = Duration::from_secs(30);

/// A server, which may or may not be there.
pub(super) struct Server {
    api: Api,
    key: Option<String>,
}

/// Whether a server answers, and the number of its last build.
pub(super) enum Live {
    Reached(u64),
    Unreachable,
    /// It answers, and does not say: it wants a key, or is no server of ours.
    Refused(ApiError),
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    reports: Vec<Report>,
}

#[derive(Deserialize)]
struct Report {
    number: u64,
    verdict: String,
    #[serde(default)]
    release: Option<String>,
    #[serde(default)]
    text: String,
}

impl Server {
    pub(super) fn at(address: &str, key: Option<String>) -> Result<Self, Failure> {
        Ok(Self {
            api: Api::at(address)?,
            key,
        })
    }

    pub(super) fn base(&self) -> &str {
        self.api.base()
    }

    async fn builds(&self) -> Result<Vec<Report>, ApiError> {
        let listed: Listed = self
            .api
            .get("/api/v1/releases", self.key.as_deref(), Duration::ZERO)
            .await?;
        Ok(listed.reports)
    }

    /// The number of the last build, if a server answers.
    pub(super) async fn last_build(&self) -> Live {
        match self.builds().await {
            Ok(reports) => Live::Reached(reports.last().map_or(0, |report| report.number)),
            Err(ApiError::Unreachable { .. }) => Live::Unreachable,
            Err(error) => Live::Refused(error),
        }
    }

    /// Waits for the build after a former one, and says what became of it.
    ///
    /// # Errors
    /// The server took no notice, or what it built does not check.
    pub(super) async fn tell_next_build(
        &self,
        before: u64,
        ended: Instant,
        hotline: &Path,
    ) -> Result<(), Failure> {
        let until = Instant::now() + NOTICE_MAX;
        while Instant::now() < until {
            let reports = self.builds().await.unwrap_or_default();
            if let Some(report) = reports.into_iter().find(|report| report.number > before) {
                return self.tell(&report, ended.elapsed());
            }
            sleep(LOOK_EVERY).await;
        }
        Err(Failure::from(anyhow!(
            "the server at {} took no notice within {} s: it has to serve {} with --watch",
            self.base(),
            NOTICE_MAX.as_secs(),
            hotline.display()
        )))
    }

    fn tell(&self, report: &Report, took: Duration) -> Result<(), Failure> {
        const RELEASE_CHARS: usize = 12;
        let release: String = report
            .release
            .as_deref()
            .unwrap_or("?")
            .chars()
            .take(RELEASE_CHARS)
            .collect();
        match report.verdict.as_str() {
            "refused" | "failed" => {
                anstream::eprintln!("{}", report.text.trim_end());
                Err(Failure::from(anyhow!(
                    "the server at {} refused it; callers go on with what is live",
                    self.base()
                )))
            }
            verdict => {
                let green = anstyle::AnsiColor::Green.on_default().bold();
                anstream::println!(
                    "{green}{verdict}{green:#} on {} as release {release}, {} ms after the build",
                    self.base(),
                    took.as_millis()
                );
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    #[tokio::test]
    async fn a_server_that_wants_a_key_is_not_one_that_is_away() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server::at(&format!("http://{}", listener.local_addr().unwrap()), None).unwrap();
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 4_096];
            let _ = stream.read(&mut asked).await.unwrap();
            let problem = r#"{"type":"about:blank","title":"x","status":401,"code":"unauthorized","detail":"a key is wanted","mend":"send one"}"#;
            let reply = format!(
                "HTTP/1.1 401 Unauthorized\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{problem}",
                problem.len()
            );
            stream.write_all(reply.as_bytes()).await.unwrap();
        });
        assert!(matches!(server.last_build().await, Live::Refused(_)));
        serving.await.unwrap();
        // Nobody listens any more.
        assert!(matches!(server.last_build().await, Live::Unreachable));
    }
}
