//! `foreword serve` as a service manager and its clients meet it: signals, notifications,
//! sockets that are handed over, certificates.

use std::fs::File;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use api::v1::TrendingRequest;
use api::v1::recommendation_service_client::RecommendationServiceClient;
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tonic::Status;
use tonic::transport::{Channel, Endpoint, Uri};

use crate::program::{Program, Ran};
use crate::shop;

/// The longest that a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server of the demo shop; killed if a test forgets it.
pub(crate) struct Serving {
    child: Child,
    lines: Receiver<String>,
    log: Vec<String>,
}

impl Serving {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines, log: Vec::new() }
    }

    /// The first line of its log with this text, from now on.
    pub(crate) fn line(&mut self, text: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("no {text:?} in {:#?}", self.log));
            self.log.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Where it says that it listens.
    pub(crate) fn address(&mut self) -> SocketAddr {
        let line = self.line("serving");
        let (_, rest) = line.split_once("addresses=[\"").unwrap();
        rest.split_once('"').unwrap().0.parse().unwrap()
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let process = self.id().to_string();
        assert!(Command::new("kill").args([signal, &process]).status().unwrap().success());
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// All that it has logged, once it has ended.
    pub(crate) fn rest(&mut self) -> String {
        self.log.extend(self.lines.iter());
        self.log.join("\n")
    }

    pub(crate) fn code(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It has ended already, or the test is failing anyway.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a service manager is told.
pub(crate) struct Manager {
    socket: UnixDatagram,
    folder: TempDir,
}

impl Manager {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, folder }
    }

    pub(crate) fn watch(&self, command: &mut Command) {
        command.env("NOTIFY_SOCKET", self.folder.path().join("notify"));
    }

    pub(crate) fn is_told(&self) -> String {
        let mut text = vec![0; 4096];
        let count = self.socket.recv(&mut text).unwrap();
        text.truncate(count);
        String::from_utf8(text).unwrap()
    }
}

fn serve() -> Command {
    shop::demo().command("serve --listen 127.0.0.1:0")
}

/// How many books are trending.
async fn trending(channel: Channel) -> Result<usize, Status> {
    let mut client = RecommendationServiceClient::new(channel);
    let answer = client.trending(TrendingRequest::default()).await?;
    Ok(answer.into_inner().books.len())
}

/// The same, asked in plaintext.
async fn ask(address: SocketAddr) -> Result<usize, Status> {
    let endpoint = Endpoint::try_from(format!("http://{address}")).unwrap();
    trending(endpoint.timeout(PATIENCE).connect_lazy()).await
}

#[tokio::test]
async fn a_manager_is_told_of_start_and_stop_and_the_program_ends_well() {
    let manager = Manager::new();
    let mut command = serve();
    manager.watch(&mut command);
    let mut serving = Serving::start(command);
    let address = serving.address();
    assert!(manager.is_told().contains("READY=1"));
    assert_eq!(ask(address).await.unwrap(), 10);
    serving.signal("-TERM");
    let told = manager.is_told();
    assert!(told.contains("STOPPING=1") && told.contains("EXTEND_TIMEOUT_USEC="), "{told}");
    assert_eq!(serving.code(), Some(0));
}

/// Lets another process come on.
#[expect(clippy::disallowed_methods, reason = "no service runs on this thread")]
pub(crate) fn tick() {
    std::thread::sleep(Duration::from_millis(50));
}

#[test]
fn a_second_signal_ends_the_program_at_once() {
    let manager = Manager::new();
    let mut command = serve();
    manager.watch(&mut command);
    command.env("FOREWORD_TRANSPORT__STREAM_GRACE_MS", "3600000");
    command.env("FOREWORD_TRANSPORT__DRAIN_MS", "3600000");
    let mut serving = Serving::start(command);
    let mut open = TcpStream::connect(serving.address()).unwrap();
    // The body of this call never comes.
    let head = "POST /grpc.health.v1.Health/Check HTTP/1.1\r\nhost: localhost\r\n\
        content-type: application/grpc-web+proto\r\nexpect: 100-continue\r\n\
        content-length: 5\r\n\r\n";
    open.write_all(head.as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(&open).read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 100 Continue\r\n", "the call is open");
    assert!(manager.is_told().contains("READY=1"));
    serving.signal("-TERM");
    assert!(manager.is_told().contains("STOPPING=1"));
    assert!(serving.child.try_wait().unwrap().is_none(), "the call is still open");
    // One that comes right after the first is the same, handed on twice.
    while serving.child.try_wait().unwrap().is_none() {
        serving.signal("-TERM");
        tick();
    }
    assert_eq!(serving.code(), Some(130));
}

#[tokio::test]
async fn a_socket_that_is_handed_over_is_served() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    // What systemd does: descriptor 3 is the socket, and LISTEN_PID this very process.
    let script = "exec 3<&0 0</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"";
    let mut command = in_shell(script, "serve --listen systemd --insecure");
    command.stdin(Stdio::from(OwnedFd::from(socket)));
    let mut serving = Serving::start(command);
    assert_eq!(serving.address(), address);
    assert_eq!(ask(address).await.unwrap(), 10);
    serving.signal("-TERM");
    assert_eq!(serving.code(), Some(0));
}

/// The program, run by a script that is given its command line.
fn in_shell(script: &str, arguments: &str) -> Command {
    let program = shop::demo().command(arguments);
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).arg(program.get_program()).args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_program_that_runs_out_of_descriptors_goes_on_serving() {
    const CROWD: usize = 60;
    let mut serving = Serving::start(serve());
    assert_eq!(ask(serving.address()).await.unwrap(), 10);
    let files = std::fs::read_dir(format!("/proc/{}/fd", serving.child.id())).unwrap().count();
    serving.signal("-TERM");
    assert_eq!(serving.code(), Some(0));

    // Room for fewer connections than the program would take.
    let script = format!("ulimit -n {}; exec \"$@\"", files + 4);
    let mut serving = Serving::start(in_shell(&script, "serve --listen 127.0.0.1:0"));
    let address = serving.address();
    let silent: Vec<TcpStream> = (0..CROWD).map(|_| TcpStream::connect(address).unwrap()).collect();
    serving.line("Too many open files");
    assert_eq!(ask(address).await.unwrap(), 10);
    drop(silent);
    assert_eq!(ask(address).await.unwrap(), 10);
    serving.signal("-TERM");
    assert_eq!(serving.code(), Some(0));
}

/// Certificates, and settings that ask clients for theirs.
struct Secured {
    program: Program,
}

impl Secured {
    fn new() -> Self {
        let program = Program::new();
        let secured = Self { program };
        let out = secured.file("certificates");
        secured.program.run(&format!("certs --out {out}")).succeeded();
        let name = |name| secured.file(&format!("certificates/{name}"));
        let settings = format!(
            "[tls]\ncertificate = {:?}\nkey = {:?}\nclient_ca = {:?}\n",
            name("server.pem"),
            name("server.key"),
            name("ca.pem"),
        );
        let mut file = File::create(secured.file("settings.toml")).unwrap();
        file.write_all(settings.as_bytes()).unwrap();
        secured
    }

    fn file(&self, name: &str) -> String {
        self.program.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn serve(&self) -> Command {
        let settings = self.file("settings.toml");
        shop::demo().command(&format!("--config {settings} serve --listen 127.0.0.1:0"))
    }
}

/// A channel over TLS to a server of that name on this machine, with the certificate of a client if it
/// is given.
pub(crate) fn secured(
    port: u16,
    name: &'static str,
    authority: &Path,
    pair: Option<(&Path, &Path)>,
) -> Channel {
    let certificate = |path: &Path| CertificateDer::from_pem_file(path).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate(authority)).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots);
    let mut config = match pair {
        None => config.with_no_client_auth(),
        Some((chain, key)) => {
            let key = PrivateKeyDer::from_pem_file(key).unwrap();
            config.with_client_auth_cert(vec![certificate(chain)], key).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let connector = TlsConnector::from(Arc::new(config));
    let connect = tower::service_fn(move |_: Uri| {
        let connector = connector.clone();
        async move {
            let socket = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
            let name = ServerName::try_from(name).unwrap();
            connector.connect(name, socket).await.map(TokioIo::new)
        }
    });
    let endpoint = Endpoint::from_static("http://localhost").timeout(PATIENCE);
    endpoint.connect_with_connector_lazy(connect)
}

/// Asks over TLS, with the certificate of a client if it is given.
async fn ask_over_tls(port: u16, folder: &Path, pair: Option<&str>) -> Result<usize, Status> {
    let file = |name: &str| folder.join(name);
    let pair = pair.map(|name| (file(&format!("{name}.pem")), file(&format!("{name}.key"))));
    let pair = pair.as_ref().map(|(chain, key)| (&**chain, &**key));
    trending(secured(port, "localhost", &file("ca.pem"), pair)).await
}

#[tokio::test]
async fn certificates_that_were_written_serve_clients_that_show_theirs() {
    let secured = Secured::new();
    let mut serving = Serving::start(secured.serve());
    let port = serving.address().port();
    let folder = secured.file("certificates");
    let folder = Path::new(&folder);
    assert_eq!(ask_over_tls(port, folder, Some("client")).await.unwrap(), 10);
    ask_over_tls(port, folder, None).await.unwrap_err();
    serving.signal("-TERM");
    assert_eq!(serving.code(), Some(0));
}

#[test]
fn a_certificate_that_is_none_stops_the_start_and_is_named() {
    let secured = Secured::new();
    for (name, contents) in [
        ("server.pem", Some("not a certificate")),
        ("server.key", Some("not a key")),
        ("ca.pem", Some("")),
        ("ca.pem", None),
    ] {
        let path = secured.file(&format!("certificates/{name}"));
        let good = std::fs::read(&path).unwrap();
        match contents {
            Some(contents) => std::fs::write(&path, contents).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        let ran = Ran::new(&secured.serve().output().unwrap(), secured.program.folder.path());
        let errors = ran.failed(4);
        assert!(errors.contains(&format!("DATA/certificates/{name}")), "{errors}");
        std::fs::write(&path, good).unwrap();
    }
}
