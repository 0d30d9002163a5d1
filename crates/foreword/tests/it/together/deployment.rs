//! A whole deployment on this machine: PostgreSQL, services that share it, web shops in front of
//! them, mutual TLS between all, and a name server that knows who is there.
//!
//! Replicas have addresses of their own on loopback and the same port, as pods have. What
//! Kubernetes would do is done by the test: it takes whoever is not ready out of the name, waits,
//! sends SIGTERM, and kills whoever is still there after the time of grace.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use testbed::names::{NameServer, Zone};
use testbed::postgres::{Cluster, Database};

use super::certificates::Certificates;
use super::replica::Replica;
use crate::durability::shop;
use crate::program::Program;

/// How long answers of the name server are good for, in seconds: as `CoreDNS` has it for headless
/// services.
const NAMES_TTL: u32 = 5;

/// How long a replica that ends goes on before it is told: others hear meanwhile that it is not
/// ready.
pub(super) const PRE_STOP: Duration = Duration::from_secs(2);

/// What it may take then, before it is killed: more than `transport.drain_ms`.
pub(super) const GRACE: Duration = Duration::from_secs(20);

/// How many replicas a deployment has.
pub(super) const REPLICAS: u8 = 3;

/// The deployment without its processes. Folders and database go when this does.
pub(super) struct Deployment {
    pub(super) names: NameServer,
    pub(super) certificates: Certificates,
    pub(super) port: u16,
    pub(super) admin_port: u16,
    programs: Vec<Program>,
    database: Database,
    pub(super) cluster: Cluster,
}

impl Deployment {
    /// A database with a small shop that is trained; `None` if there is no PostgreSQL.
    pub(super) fn new(test: &str) -> Option<Self> {
        let cluster = Cluster::start_or_skip(test)?;
        let database = cluster.create_database().unwrap();
        let programs: Vec<Program> = (0..REPLICAS).map(|_| Program::new()).collect();
        let on_it = format!("--set store.database={}", database.url());
        shop::fill(&programs[0], &on_it);
        programs[0].run(&format!("train {on_it}")).succeeded();
        let [port, admin_port] = free_ports();
        Some(Self {
            names: NameServer::start(Zone::Missing).unwrap(),
            certificates: Certificates::new(),
            port,
            admin_port,
            programs,
            database,
            cluster,
        })
    }

    /// Where the replica of this number is.
    pub(super) fn ip(number: u8) -> Ipv4Addr {
        Ipv4Addr::new(127, 0, 0, 11 + number)
    }

    /// The program with the data folder of a replica.
    pub(super) fn program(&self, ip: Ipv4Addr) -> &Program {
        &self.programs[usize::from(ip.octets()[3] - Self::ip(0).octets()[3])]
    }

    pub(super) fn database_url(&self) -> String {
        self.database.url().to_owned()
    }

    /// The name of the database within its cluster.
    pub(super) fn database_name(&self) -> &str {
        self.database.url().rsplit('/').next().unwrap()
    }

    pub(super) fn file(&self, name: &str) -> String {
        self.certificates.path(name).display().to_string()
    }

    /// Starts so many replicas, waits until they are ready, and tells where they are.
    pub(super) async fn start(&self, count: u8) -> Vec<Replica> {
        let mut replicas: Vec<Replica> =
            (0..count).map(|number| Replica::start(self, Self::ip(number))).collect();
        for replica in &mut replicas {
            replica.until_ready().await;
        }
        self.announce(&replicas);
        replicas
    }

    /// Whom the name stands for from now on.
    pub(super) fn announce<'a>(&self, replicas: impl IntoIterator<Item = &'a Replica>) {
        let ips = replicas.into_iter().map(|replica| replica.ip).collect();
        self.names.set(Zone::Addresses(ips, NAMES_TTL));
    }
}

/// Ends a replica as Kubernetes does. It is out of the name already.
pub(super) async fn end(mut replica: Replica) {
    tokio::time::sleep(PRE_STOP).await;
    replica.process.signal("-TERM");
    let code = replica.process.code_within(GRACE).await;
    assert_eq!(code, Some(0), "{} ended badly: {}", replica.ip, replica.process.log());
}

/// Replaces each replica by a new process at the same place, one after the other.
pub(super) async fn roll(deployment: &Deployment, replicas: &mut Vec<Replica>) {
    for _ in 0..replicas.len() {
        let leaving = replicas.remove(0);
        let ip = leaving.ip;
        deployment.announce(&*replicas);
        end(leaving).await;
        let mut next = Replica::start(deployment, ip);
        next.until_ready().await;
        replicas.push(next);
        deployment.announce(&*replicas);
    }
}

/// An address on loopback where nobody listens.
pub(super) fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

/// Two ports on which nobody listens, whatever the address. Whoever takes one of them meanwhile
/// makes the start of a replica fail, which says so.
fn free_ports() -> [u16; 2] {
    let drawn = [0, 1].map(|_| TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap());
    drawn.map(|listener| listener.local_addr().unwrap().port())
}
