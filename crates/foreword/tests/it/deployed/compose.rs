//! `deploy/compose.yaml` and the units of systemd: their commands, settings and files are the program's.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use serde_json::Value;
use testbed::postgres::database_or_skip;

use super::container::{Container, Ports, get, repository_file, wait_for};
use super::manifests::{list, text};
use crate::program::Program;
use crate::serve::{Manager, Serving};

const HOST: &str = "recommendations";

/// A container of a service of the file.
fn container(file: &Value, service: &str, ports: &Ports) -> Container {
    let service = &file["services"][service];
    let arguments = list(&service["command"]).map(text).map(str::to_owned).collect();
    let environment = service["environment"].as_object().into_iter().flatten();
    let environment =
        environment.map(|(name, value)| (name.clone(), text(value).to_owned())).collect();
    let container = Container::plain(arguments, environment, ports, HOST);
    for config in list(&service["configs"]) {
        let content = text(&file["configs"][text(&config["source"])]["content"]);
        container.write(text(&config["target"]), &container.here(content));
    }
    container
}

#[test]
fn a_compose_file_starts_the_program_in_its_parts() {
    let Some(database) = database_or_skip("a_compose_file_starts_the_program_in_its_parts") else {
        return;
    };
    let file: Value = serde_saphyr::from_str(&repository_file("deploy/compose.yaml")).unwrap();
    let ports = Ports::free();

    let certificates = container(&file, "certificates", &ports);
    assert!(certificates.command().status().unwrap().success());
    let written = certificates.path("/var/lib/foreword");
    let share = |container: &Container| {
        for name in ["ca.pem", "server.pem", "server.key", "client.pem", "client.key"] {
            let content = std::fs::read_to_string(written.join(name)).unwrap();
            container.write(&format!("/certificates/{name}"), &content);
        }
    };
    let migration = container(&file, "migration", &ports);
    migration.write("/run/secrets/database-url", database.url());
    let mut migrate = migration.command();
    migrate.env("FOREWORD_DATA_DIR", migration.path("/var/lib/foreword"));
    assert!(migrate.status().unwrap().success());

    let service = container(&file, "recommendations", &ports);
    service.write("/run/secrets/database-url", database.url());
    share(&service);
    let mut serve = service.command();
    // As the image has it.
    serve.env("FOREWORD_DATA_DIR", service.path("/var/lib/foreword"));
    let mut shop = container(&file, "marketplace", &ports);
    shop.write("/run/secrets/cookie-key", &"c".repeat(32));
    shop.set("FOREWORD_MARKETPLACE__TLS__SERVER_NAME", HOST);
    share(&shop);
    let mut running = [Serving::start(serve), Serving::start(shop.command())];
    running[0].line("serving");
    wait_for(ports.shop(), "/healthz", &mut running[1]);
    assert_eq!(get(ports.shop(), "/").0, 200);
    for serving in running {
        serving.signal("-TERM");
        assert_eq!(serving.code(), Some(0));
    }
}

/// The values of a key of a unit.
fn values<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

#[test]
fn a_unit_starts_the_program_on_the_sockets_it_hands_over() {
    let unit = repository_file("deploy/systemd/foreword.service");
    let program = Program::new();
    let folder = program.folder.path().display().to_string();
    let start = values(&unit, "ExecStart")[0].strip_prefix("/usr/bin/foreword ").unwrap();
    std::fs::create_dir(program.folder.path().join("foreword")).unwrap();
    std::fs::write(program.folder.path().join("foreword/foreword.toml"), "").unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    // What systemd does: descriptor 3 is the socket, and LISTEN_PID this very process.
    let script = "exec 3<&0 0</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_foreword")]);
    command.args(start.split_whitespace()).env_clear().stdin(Stdio::from(OwnedFd::from(socket)));
    for variable in values(&unit, "Environment") {
        let (name, value) = variable.split_once('=').unwrap();
        command.env(name, value.replace("%S", &folder).replace("%E", &folder));
    }
    // Other tests have the port for operators.
    command.env("FOREWORD_ADMIN__LISTEN", "[]");
    let manager = Manager::new();
    manager.watch(&mut command);
    let mut serving = Serving::start(command);
    assert_eq!(serving.address(), address);
    assert!(manager.is_told().contains("READY=1"), "Type=notify");
    serving.signal("-TERM");
    assert_eq!(serving.code(), Some(0));
}
