//! The tutorial's service with the tutorial's trap: an async handler that blocks for five
//! seconds. On `unstall`, five requests at once take five seconds all the same.
//!
//! ```text
//! cargo run --release -p unstall --example tutorial             # handlers on unstall
//! cargo run --release -p unstall --example tutorial -- --inline # handlers on plain tonic
//! python crates/unstall/examples/five_requests.py 127.0.0.1:50051 crates/api/proto
//! ```
//!
//! `tutorial_asyncio.py` is the same service on grpcio's asyncio server. The books are made up
//! for the example: what matters here is the time.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use api::tutorial::recommendations_server::{Recommendations, RecommendationsServer};
use api::tutorial::{
    BookCategory, BookRecommendation, RecommendationRequest, RecommendationResponse,
};
use tonic::transport::Server;
use tonic::{Request, Response, Status};
use tracing_subscriber::EnvFilter;
use unstall::{Executor, GrpcLayer, Settings};

const DEFAULT_ADDRESS: &str = "127.0.0.1:50051";

/// Three books a category, numbered through.
const SHELVES: [(BookCategory, [&str; 3]); 3] = [
    (BookCategory::Mystery, ["The Locked Greenhouse", "Nine Tides", "A Debt of Ink"]),
    (BookCategory::ScienceFiction, ["Slow Light", "The Glass Orbit", "Seed Vault Nine"]),
    (BookCategory::SelfHelp, ["Begin Badly", "The Shorter List", "Rest Is Work"]),
];

/// The price in cents. Blocks the thread for five seconds, as a call to a slow service through
/// a client that is not async does.
#[inline(never)]
#[expect(clippy::disallowed_methods, reason = "blocking is what this example is about")]
fn price_lookup() -> u32 {
    std::thread::sleep(Duration::from_secs(5));
    // Without something to do afterwards the function would not be on the stack during the
    // sleep, but jump there.
    std::hint::black_box(1_299)
}

#[expect(clippy::print_stdout, reason = "the tutorial's service prints these lines")]
fn say(line: &str) {
    println!("{line}");
}

struct Tutorial;

#[tonic::async_trait]
impl Recommendations for Tutorial {
    async fn recommend(
        &self,
        request: Request<RecommendationRequest>,
    ) -> Result<Response<RecommendationResponse>, Status> {
        say("Handling request");
        let RecommendationRequest { category, max_results, .. } = request.into_inner();
        let shelf = SHELVES.iter().position(|(shelf, _)| *shelf as i32 == category);
        let shelf = shelf.ok_or_else(|| Status::not_found("category: not one of the three"))?;
        let cents = price_lookup();
        tracing::debug!(cents, "looked the price up");
        let wanted = usize::try_from(max_results).unwrap_or(0);
        let numbers = 1 + 3 * shelf as i32..;
        let recommendations = numbers
            .zip(SHELVES[shelf].1)
            .take(wanted)
            .map(|(id, title)| BookRecommendation { id, title: title.to_owned() })
            .collect();
        say("Done");
        Ok(Response::new(RecommendationResponse { recommendations }))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();

    let (flags, addresses): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let inline = match flags.as_slice() {
        [] => false,
        [flag] if flag == "--inline" => true,
        _ => return Err("usage: tutorial [--inline] [ADDRESS]".into()),
    };
    let address: SocketAddr = addresses.first().map_or(DEFAULT_ADDRESS, String::as_str).parse()?;

    let service = RecommendationsServer::new(Tutorial);
    tracing::info!(%address, inline, "listening");
    if inline {
        Server::builder().add_service(service).serve(address).await?;
    } else {
        let executor = Executor::start(Settings::for_this_machine(), ())?;
        let mut server = Server::builder().layer(GrpcLayer::new(executor));
        server.add_service(service).serve(address).await?;
    }
    Ok(())
}
