//! A handler that never returns: reported, and its client gets its deadline.

use std::time::{Duration, Instant};

use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::rt::TokioExecutor;
use tonic::body::Body;
use tonic::{Code, Request};

use crate::handler::block;
use crate::row::Row;
use crate::server::{Kind, Server};
use crate::sleepers::RUNS;
use crate::volley::Client;
use crate::{Outcome, Plan, wire};

const DEADLINE: Duration = Duration::from_millis(300);

pub(crate) fn forever(_: &Plan) -> Outcome {
    let (mut late, mut reports) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let server = Server::start(Kind::Unstall)?;
        let client = Client::new(server.address, 1)?;
        // Not tonic's channel: that ends calls by a clock of its own.
        let hyper =
            HyperClient::builder(TokioExecutor::new()).http2_only(true).build_http::<Body>();
        let grpc =
            tonic::client::Grpc::with_origin(hyper, format!("http://{}", server.address).parse()?);
        let health = wire::call(grpc.clone(), Request::new(()), "Health", Duration::ZERO);
        client.runtime.block_on(health)?;
        let mut request = Request::new(());
        request.set_timeout(DEADLINE);
        let began = Instant::now();
        let answer = client.runtime.block_on(wire::call(grpc, request, "Forever", Duration::ZERO));
        let took = began.elapsed();
        if answer.as_ref().map_err(tonic::Status::code) != Err(Code::DeadlineExceeded) {
            return Err(format!("expected DEADLINE_EXCEEDED, found {answer:?}").into());
        }
        late.push(took.saturating_sub(DEADLINE).as_secs_f64() * 1e3);
        block(Duration::from_millis(50));
        let still_stuck = server.gate.waiting() == 1;
        reports.push(if still_stuck { server.reports.begun("Forever").len() as f64 } else { 0.0 });
    }
    let case = "a handler that never returns";
    Ok(vec![
        Row::median(format!("{case}: DEADLINE_EXCEEDED is late by"), "ms", &late).at_most(50.0),
        Row::median(format!("{case}: reports that it has begun"), "reports", &reports)
            .at_least(1.0),
    ])
}
