//! The service that is measured, and what a server's process does beside it. All servers share
//! this file, those built otherwise included.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};

use api::tutorial::recommendations_server::{Recommendations, RecommendationsServer};
use api::tutorial::{RecommendationRequest, RecommendationResponse};
use rustix::thread::{CpuSet, sched_setaffinity};
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// The servers' core; the load has the next.
pub(crate) const SERVER_CORE: usize = 0;

/// Answers everything with nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nothing;

#[tonic::async_trait]
impl Recommendations for Nothing {
    async fn recommend(
        &self,
        _: Request<RecommendationRequest>,
    ) -> Result<Response<RecommendationResponse>, Status> {
        Ok(Response::new(RecommendationResponse::default()))
    }
}

pub(crate) fn service() -> RecommendationsServer<Nothing> {
    RecommendationsServer::new(Nothing)
}

/// Keeps the calling thread, and those that it starts, on one core. Done before anything asks
/// how many cores there are.
pub(crate) fn pin(core: usize) -> io::Result<()> {
    let mut cores = CpuSet::new();
    cores.set(core);
    Ok(sched_setaffinity(None, &cores)?)
}

/// A free port of this machine, listened on as `tonic::transport::Server::serve` does.
pub(crate) fn incoming() -> io::Result<(TcpIncoming, SocketAddr)> {
    let incoming = TcpIncoming::bind((Ipv4Addr::LOCALHOST, 0).into())?.with_nodelay(Some(true));
    let address = incoming.local_addr()?;
    Ok((incoming, address))
}

/// Tells the parent where the server is, and ends the process with the parent.
pub(crate) fn announce(address: SocketAddr) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{address}")?;
    out.flush()?;
    std::thread::Builder::new().name("parent".to_owned()).spawn(|| {
        // Whatever comes of it, the parent has gone.
        let _ = io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    })?;
    Ok(())
}
