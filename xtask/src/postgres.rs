//! A server of PostgreSQL for the tests, thrown away afterwards.

use testbed::postgres::{Cluster, POSTGRES_VARIABLE, PostgresError};

use crate::debian::{install_debian_package, may_install_debian_packages};
use crate::skip::Skip;
use crate::workspace::Workspace;

/// Starts a cluster; on Debian, as root, installs PostgreSQL first where it is missing.
///
/// `None` if the environment names a server already, or if there is none to be had, which is
/// added to the skips. The cluster is stopped and removed with this value, and also if this
/// process is killed.
pub(crate) fn start(workspace: &Workspace, skips: &mut Vec<Skip>) -> Option<Cluster> {
    if std::env::var_os(POSTGRES_VARIABLE).is_some() {
        return None;
    }
    match Cluster::start().or_else(|error| install_and_start(workspace, error)) {
        Ok(cluster) => {
            println!("PostgreSQL for the tests: {}", cluster.url("postgres"));
            Some(cluster)
        }
        Err(error) => {
            skips.push(Skip::tool("postgresql", format!("{error:#}")));
            None
        }
    }
}

fn install_and_start(workspace: &Workspace, error: PostgresError) -> anyhow::Result<Cluster> {
    if !matches!(error, PostgresError::Missing { .. }) || !may_install_debian_packages() {
        return Err(error.into());
    }
    println!("{error}: installing Debian's package postgresql");
    install_debian_package(workspace, "postgresql")?;
    Ok(Cluster::start()?)
}
