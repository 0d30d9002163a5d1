//! A replica of the service: a process with addresses of its own, on the database of all.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::Duration;

use super::deployment::Deployment;
use super::http::{Answer, get};
use crate::process::{Process, until};

/// What a kubelet waits for a probe.
const PROBE_LIMIT: Duration = Duration::from_secs(2);

/// A replica, with its data folder.
pub(super) struct Replica {
    pub(super) ip: Ipv4Addr,
    admin: SocketAddr,
    pub(super) process: Process,
}

impl Replica {
    /// Starts the program as the replica at this address; the first one trains.
    pub(super) fn start(deployment: &Deployment, ip: Ipv4Addr) -> Self {
        let mut command = deployment.program(ip).command("serve");
        Self::start_as(deployment, ip, &mut command)
    }

    /// The same with a program that reads the same settings.
    pub(super) fn start_as(deployment: &Deployment, ip: Ipv4Addr, command: &mut Command) -> Self {
        let admin = SocketAddr::from((ip, deployment.admin_port));
        let settings = [
            ("SERVE__LISTEN", format!("[\"{ip}:{}\"]", deployment.port)),
            ("ADMIN__LISTEN", format!("[\"{admin}\"]")),
            ("STORE__DATABASE", deployment.database_url()),
            ("TLS__CERTIFICATE", deployment.file("server.pem")),
            ("TLS__KEY", deployment.file("server.key")),
            ("TLS__CLIENT_CA", deployment.file("ca.pem")),
            ("ACCESS__CERTIFICATE_ROLES", "[\"reader\", \"writer\", \"admin\"]".to_owned()),
            ("RETRAIN__ON", (ip == Deployment::ip(0)).to_string()),
            ("LOG__LEVELS", "info".to_owned()),
        ];
        for (name, value) in settings {
            command.env(format!("FOREWORD_{name}"), value);
        }
        Self { ip, admin, process: Process::start(command) }
    }

    /// What it answers to operators.
    pub(super) async fn tells(&self, path: &str) -> Answer {
        get(self.admin, path, "", PROBE_LIMIT).await
    }

    pub(super) async fn is_ready(&self) -> bool {
        self.tells("/readyz").await.status == 200
    }

    /// Waits until it is; fails at once if it ends instead.
    pub(super) async fn until_ready(&mut self) {
        let what = format!("{} to be ready", self.ip);
        until(&what, async || {
            let ended = self.process.code();
            assert_eq!(ended, None, "{} ended: {}", self.ip, self.process.log());
            self.is_ready().await
        })
        .await;
    }

    /// How many calls it has answered, however they ended.
    pub(super) async fn calls(&self) -> f64 {
        self.metric("rpc_server_call_duration_seconds_count").await
    }

    /// The sum of the samples whose lines begin so.
    pub(super) async fn metric(&self, begin: &str) -> f64 {
        let metrics = self.tells("/metrics").await.text;
        let lines = metrics.lines().filter(|line| line.starts_with(begin));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }
}
