//! SIGHUP to the real program: what is taken up, what needs a restart, what changes nothing.

use std::fs;
use std::path::PathBuf;

use api::v1::TrendingRequest;
use api::v1::recommendation_service_client::RecommendationServiceClient;
use tonic::Code;
use tonic::transport::Endpoint;

use crate::program::Program;
use crate::serve::{Manager, Serving};
use crate::shop;

/// A server of the demo shop with a settings file.
struct Reloading {
    program: Program,
    manager: Manager,
    serving: Serving,
}

impl Reloading {
    fn new(file: &str) -> Self {
        let (program, manager) = (Program::new(), Manager::new());
        let path = program.folder.path().join("settings.toml");
        fs::write(&path, file).unwrap();
        let config = format!("--config {} serve --listen 127.0.0.1:0", path.display());
        let mut command = shop::demo().command(&config);
        manager.watch(&mut command);
        let serving = Serving::start(command);
        assert!(manager.is_told().contains("READY=1"));
        Self { program, manager, serving }
    }

    fn file(&self) -> PathBuf {
        self.program.folder.path().join("settings.toml")
    }

    /// Writes the file and reloads, and waits until that is done.
    fn reload(&mut self, file: &str) {
        fs::write(self.file(), file).unwrap();
        self.serving.signal("-HUP");
        let told = self.manager.is_told();
        assert!(told.contains("RELOADING=1") && told.contains("MONOTONIC_USEC="), "{told}");
        assert!(self.manager.is_told().contains("READY=1"));
    }

    fn stop(self) {
        self.serving.signal("-TERM");
        assert_eq!(self.serving.code(), Some(0));
    }
}

/// The answer to a request for so many books: their number, or the status.
async fn ask(port: u16, max_results: i32) -> Result<usize, Code> {
    let endpoint = Endpoint::try_from(format!("http://127.0.0.1:{port}")).unwrap();
    let mut client = RecommendationServiceClient::new(endpoint.connect_lazy());
    let request = TrendingRequest { max_results, ..TrendingRequest::default() };
    let answer = client.trending(request).await;
    answer.map(|answer| answer.into_inner().books.len()).map_err(|status| status.code())
}

#[tokio::test]
async fn a_reload_takes_up_what_it_can_and_says_what_needs_a_restart() {
    let mut reloading = Reloading::new("");
    let port = reloading.serving.address().port();
    assert_eq!(ask(port, 0).await, Ok(10));
    reloading.reload(
        "[serve]\nresults_default = 3\nresults_max = 5\n[limits]\nopen_calls_max = 19999\n[train]\nthreads = 2\n",
    );
    let line = reloading.serving.line("limits.open_calls_max");
    assert!(line.contains("applied"), "{line}");
    let line = reloading.serving.line("serve.results_default");
    assert!(line.contains("applied"), "{line}");
    let line = reloading.serving.line("train.threads");
    assert!(line.contains("WARN") && line.contains("needs a restart"), "{line}");
    reloading.serving.line("settings reloaded");
    assert_eq!(ask(port, 0).await, Ok(3));
    assert_eq!(ask(port, 6).await, Err(Code::InvalidArgument));
    reloading.stop();
}

#[tokio::test]
async fn a_bad_reload_changes_nothing_and_says_what_to_do() {
    let mut reloading = Reloading::new("[serve]\nresults_default = 4\n");
    let port = reloading.serving.address().port();
    for bad in [
        "[serve]\nresults_default = 7\n[train]\nneighbour = 1\n",
        "[serve",
        "[serve]\nresults_default = 7\n[models]\nkeep = 0",
    ] {
        reloading.reload(bad);
        let line = reloading.serving.line("settings were not reloaded");
        assert!(line.contains("ERROR") && line.contains("mend what is wrong"), "{line}");
        assert_eq!(ask(port, 0).await, Ok(4));
    }
    fs::remove_file(reloading.file()).unwrap();
    reloading.serving.signal("-HUP");
    reloading.serving.line("does not exist");
    assert_eq!(ask(port, 0).await, Ok(4));
    reloading.stop();
}
