//! The asyncio server of the tutorial, if there is a Python with grpcio.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use api::tutorial::RecommendationRequest;
use api::tutorial::recommendations_client::RecommendationsClient;

use crate::Failure;
use crate::handler::block;
use crate::row::Row;
use crate::wire::connect;

/// Ends the server with the case.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Five requests at once to a handler that calls `time.sleep(5)`.
pub(crate) fn five(case: &str) -> Result<Row, Failure> {
    let case = format!("{case}, Python asyncio: all answered");
    let Some(python) = python() else {
        return Ok(Row::skipped(case, "no Python with grpcio (FOREWORD_TEST_PYTHON)"));
    };
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let address = format!("127.0.0.1:{port}");
    let mut command = Command::new(python);
    command.arg(crate_dir.join("examples/tutorial_asyncio.py"));
    command.arg(crate_dir.join("../api/proto")).arg(&address);
    let _running = Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
    let deadline = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(&address).is_err() {
        if Instant::now() > deadline {
            return Ok(Row::skipped(case, "the Python server did not start"));
        }
        block(Duration::from_millis(50));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let took = runtime.block_on(five_requests(address.parse()?))?;
    Ok(Row::one(case, "s", took.as_secs_f64()))
}

async fn five_requests(address: SocketAddr) -> Result<Duration, Failure> {
    let client = RecommendationsClient::new(connect(address).await?);
    let began = Instant::now();
    let ask = |mut client: RecommendationsClient<_>| async move {
        let request = RecommendationRequest { user_id: 1, category: 0, max_results: 3 };
        client.recommend(request).await.map(drop)
    };
    let requests: Vec<_> = (0..5).map(|_| tokio::spawn(ask(client.clone()))).collect();
    for request in requests {
        request.await??;
    }
    Ok(began.elapsed())
}

fn python() -> Option<PathBuf> {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/python-venv/bin/python");
    let python = std::env::var_os("FOREWORD_TEST_PYTHON").map_or(venv, PathBuf::from);
    let mut has_grpc = Command::new(&python);
    has_grpc.args(["-c", "import grpc, grpc_tools"]).stdout(Stdio::null()).stderr(Stdio::null());
    has_grpc.status().is_ok_and(|status| status.success()).then_some(python)
}
