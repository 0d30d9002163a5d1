//! A container without a container: its files below a folder, its ports others that are free.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::Secrets;
use super::manifests::{Manifests, list, text};
use crate::serve::{Serving, tick};

/// How often a page is asked for again, with a moment between.
const LOOKS: u32 = 1200;

/// Where files of containers are.
const FOLDERS: [&str; 4] =
    ["/etc/foreword/", "/var/lib/foreword", "/certificates/", "/run/secrets/"];

/// Ports of the containers, and which of this machine stand for them.
#[derive(Clone)]
pub(super) struct Ports([(u64, u16); 3]);

impl Ports {
    pub(super) fn free() -> Self {
        // All are taken at once, so that no two are the same.
        let sockets = [50051, 50052, 5000]
            .map(|port| (port, TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()));
        Self(sockets.map(|(port, socket)| (port, socket.local_addr().unwrap().port())))
    }

    pub(super) fn calls(&self) -> u16 {
        self.0[0].1
    }

    pub(super) fn shop(&self) -> u16 {
        self.0[2].1
    }

    fn of(&self, port: u64) -> u16 {
        self.0.iter().find(|(own, _)| *own == port).unwrap_or_else(|| panic!("port {port}")).1
    }
}

/// What is to be started.
pub(super) struct Container {
    root: TempDir,
    ports: Ports,
    host: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    named_ports: Vec<(String, u64)>,
}

impl Container {
    /// A container of a pod, without files yet. The service is known as `host`.
    pub(super) fn new(spec: &Value, ports: &Ports, host: &str) -> Self {
        let arguments = list(&spec["args"]).map(text).map(str::to_owned).collect();
        let variable = |it: &Value| (text(&it["name"]).to_owned(), text(&it["value"]).to_owned());
        let environment = list(&spec["env"]).map(variable).collect();
        let mut container = Self::plain(arguments, environment, ports, host);
        container.named_ports = list(&spec["ports"])
            .map(|it| (text(&it["name"]).to_owned(), it["containerPort"].as_u64().unwrap()))
            .collect();
        container
    }

    /// One of arguments and environment.
    pub(super) fn plain(
        arguments: Vec<String>,
        environment: Vec<(String, String)>,
        ports: &Ports,
        host: &str,
    ) -> Self {
        let root = tempfile::tempdir().unwrap();
        let (ports, host) = (ports.clone(), host.to_owned());
        Self { root, ports, host, arguments, environment, named_ports: Vec::new() }
    }

    /// Writes the files of its volumes.
    pub(super) fn mount(&mut self, pod: &Value, manifests: &Manifests, secrets: &Secrets) {
        for mount in list(&pod["containers"][0]["volumeMounts"]) {
            let volume = list(&pod["volumes"]).find(|it| it["name"] == mount["name"]);
            let volume = volume.unwrap_or_else(|| panic!("no volume {}", mount["name"]));
            let folder = text(&mount["mountPath"]);
            std::fs::create_dir_all(self.path(folder)).unwrap();
            if let Some(map) = volume["configMap"]["name"].as_str() {
                let data = manifests.get("ConfigMap", map)["data"].as_object().unwrap();
                for (name, content) in data {
                    self.write(&format!("{folder}/{name}"), &self.here(text(content)));
                }
            } else if let Some(name) = volume["secret"]["secretName"].as_str() {
                let wanted = &volume["secret"]["items"];
                let of_secret = secrets.iter().filter(|((secret, _), _)| secret == name);
                let mut written = 0;
                for ((_, key), content) in of_secret {
                    let item = list(wanted).find(|item| item["key"] == **key);
                    if wanted.is_null() || item.is_some() {
                        let path = item.map_or(&**key, |item| text(&item["path"]));
                        self.write(&format!("{folder}/{path}"), content);
                        written += 1;
                    }
                }
                assert!(written > 0, "a pod waits for its secret {name} with {wanted}");
            } else {
                let is_folder = ["emptyDir", "persistentVolumeClaim"]
                    .iter()
                    .any(|kind| !volume[kind].is_null());
                assert!(is_folder, "{volume}");
            }
        }
    }

    /// Where a path of the container is.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    pub(super) fn write(&self, path: &str, content: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// A variable as it is rendered.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.iter().find(|(own, _)| own == name).map(|(_, value)| &**value)
    }

    /// Sets a variable that is not rendered.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// What is rendered, with the addresses and folders of this machine.
    pub(super) fn here(&self, rendered: &str) -> String {
        if rendered == "/tmp" {
            return self.path("/tmp").display().to_string();
        }
        let mut here = rendered.to_owned();
        for folder in FOLDERS {
            here = here.replace(folder, &format!("{}{folder}", self.root.path().display()));
        }
        for (port, free) in self.ports.0 {
            for host in ["0.0.0.0", &self.host] {
                here = here.replace(&format!("{host}:{port}"), &format!("127.0.0.1:{free}"));
            }
        }
        here
    }

    /// The program as its image starts it, with nothing else in its environment.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_foreword"));
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).current_dir("/");
        command.args(self.arguments.iter().map(|argument| self.here(argument)));
        command.envs(self.environment.iter().map(|(name, value)| (name, self.here(value))));
        command
    }

    /// Waits until a probe is answered well.
    pub(super) fn answers(&self, probe: &Value, serving: &mut Serving) {
        let port = self.named_ports.iter().find(|(name, _)| probe["port"] == **name);
        let port = self.ports.of(port.unwrap_or_else(|| panic!("no port of {probe}")).1);
        wait_for(port, text(&probe["path"]), serving);
    }
}

/// Waits until a page is there. Whoever ends before that fails the test.
pub(super) fn wait_for(port: u16, path: &str, serving: &mut Serving) {
    for _ in 0..LOOKS {
        if get(port, path).0 == 200 {
            return;
        }
        assert!(serving.is_running(), "{}", serving.rest());
        tick();
    }
    panic!("{path}: {:?}", get(port, path));
}

/// Status and body of a page; 0 if nobody answers.
pub(super) fn get(port: u16, path: &str) -> (u16, String) {
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
        return (0, String::new());
    };
    let ask = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n");
    let mut answer = Vec::new();
    if stream.write_all(ask.as_bytes()).and_then(|()| stream.read_to_end(&mut answer)).is_err() {
        return (0, String::new());
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split_whitespace().nth(1).and_then(|status| status.parse().ok());
    (status.unwrap_or_default(), answer)
}

/// A file of the repository.
pub(super) fn repository_file(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(crate::needs::repository().join(path)).unwrap()
}
