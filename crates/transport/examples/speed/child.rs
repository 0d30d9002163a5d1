//! Servers in processes of their own, so that their CPU time is theirs.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use api::tutorial::RecommendationRequest;
use api::tutorial::recommendations_client::RecommendationsClient;
use clap::ValueEnum;
use evaluation::load::Process;
use rustls::ClientConfig;
use tonic::transport::Endpoint;

use crate::Failure;
use crate::certificates::Certificates;
use crate::server::Kind;

/// A server that runs. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) kind: Kind,
    pub(crate) address: SocketAddr,
    /// How the load speaks to it; `None` is plaintext.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    child: Child,
}

impl Serving {
    /// Starts a server, and has a real client call it once. `defaults` is the program of
    /// [`Kind::TonicDefaults`].
    pub(crate) async fn start(
        kind: Kind,
        defaults: &Path,
        certificates: &Certificates,
    ) -> Result<Self, Failure> {
        let mut command = match kind {
            Kind::TonicDefaults => Command::new(defaults),
            _ => {
                let name = kind.to_possible_value().ok_or("a kind without a name")?;
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["serve", name.get_name()]);
                command.arg("--certificates").arg(certificates.folder());
                command
            }
        };
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        let mut line = String::new();
        let stdout = child.stdout.take().ok_or("no standard output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().parse().map_err(|_| format!("{} did not start", kind.name()))?;
        let tls = kind.speaks_tls().then(|| certificates.for_load()).transpose()?;
        let serving = Self { kind, address, tls, child };
        serving.check(certificates).await?;
        Ok(serving)
    }

    pub(crate) fn process(&self) -> Process {
        Process(self.child.id())
    }

    /// What is measured is an answer that a real client understands.
    async fn check(&self, certificates: &Certificates) -> Result<(), Failure> {
        let endpoint = if self.kind.speaks_tls() {
            Endpoint::from_shared(format!("https://{}", self.address))?
                .tls_config(certificates.for_tonic()?)?
        } else {
            Endpoint::from_shared(format!("http://{}", self.address))?
        };
        let answer = RecommendationsClient::new(endpoint.connect().await?)
            .recommend(RecommendationRequest::default())
            .await?;
        match answer.into_inner().recommendations.len() {
            0 => Ok(()),
            books => Err(format!("{} answered with {books} books", self.kind.name()).into()),
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
