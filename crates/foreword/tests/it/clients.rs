//! The clients in `clients/` against the running program: the Python package, from its wheel, and the
//! same example in each language.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::needs;
use crate::program::Ran;
use crate::shop;

/// The Python package as others get it: a wheel, in an environment that has nothing else of it.
struct Installed {
    folder: TempDir,
}

impl Installed {
    fn new(python: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let installed = Self { folder };
        let (source, wheels) = (installed.path("source"), installed.path("wheels"));
        // Building leaves files beside the sources.
        copy(&needs::repository().join("clients/python"), &source);
        succeed(
            Command::new(python)
                .args(["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"])
                .args(["--no-index", "--wheel-dir"])
                .arg(&wheels)
                .arg(&source),
        );
        succeed(
            Command::new(python).args(["-m", "venv", "--without-pip"]).arg(installed.path("venv")),
        );
        let wheel = std::fs::read_dir(&wheels).unwrap().next().unwrap().unwrap().path();
        succeed(
            Command::new(python)
                .args(["-m", "pip", "--python"])
                .arg(installed.python())
                .args(["install", "--quiet", "--no-deps", "--no-index"])
                .arg(&wheel),
        );
        // What it depends on is there already: nothing is fetched.
        let site = "import sysconfig; print(sysconfig.get_path('purelib'))";
        let site = |python: &Path| succeed(Command::new(python).args(["-c", site]));
        let dependencies = PathBuf::from(site(&installed.python()).trim()).join("dependencies.pth");
        std::fs::write(dependencies, site(python)).unwrap();
        installed
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn python(&self) -> PathBuf {
        self.path("venv/bin/python")
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Runs a command to its end; its output.
fn succeed(command: &mut Command) -> String {
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap();
    Ran::new(&output, Path::new("/nowhere")).succeeded()
}

#[test]
fn the_python_package_works_from_its_wheel() {
    let Some(python) = needs::python_client("the_python_package_works_from_its_wheel") else {
        return;
    };
    let installed = Installed::new(&python);
    let where_from = "import foreword; print(foreword.__file__)";
    let file = succeed(Command::new(installed.python()).args(["-c", where_from]));
    assert!(Path::new(&file).starts_with(installed.path("venv")), "{file}");
    assert!(Path::new(file.trim()).with_file_name("py.typed").is_file());
    succeed(
        Command::new(installed.python())
            .args(["-m", "pytest", "--quiet", "tests"])
            .current_dir(needs::repository().join("clients/python"))
            .env("FOREWORD_PROGRAM", env!("CARGO_BIN_EXE_foreword"))
            .env("FOREWORD_SHOP", shop::demo().folder.path()),
    );
}

/// Runs an example with a service, and without one.
fn play(example: impl Fn() -> Command) {
    let shop = shop::own();
    let server = shop.start("demo --listen 127.0.0.1:0");
    let lines = server.read_until("Serving gRPC on localhost:");
    let port = lines.last().unwrap().split(['.', ':']).nth(1).unwrap();
    let target = format!("127.0.0.1:{port}");
    let told = succeed(example().args([&target, "1"]));
    assert!(told.contains("Picked for you, now:\n  1. "), "{told}");
    assert!(told.trim_end().ends_with(": what was bought is gone."), "{told}");
    let revision = told.split("Revision ").nth(1).unwrap().split(':').next().unwrap();
    assert!(revision.parse::<u64>().unwrap() > 0);
    assert_eq!(server.end_with("-TERM"), 0);
    let told = succeed(example().args([&target, "1"]));
    assert!(told.starts_with("The service is away ("), "{told}");
}

#[test]
fn the_example_in_python_sees_its_own_purchase() {
    const TEST: &str = "the_example_in_python_sees_its_own_purchase";
    let Some(python) = needs::python_client(TEST) else { return };
    let folder = needs::repository().join("clients/python");
    play(|| {
        let mut command = Command::new(&python);
        command.arg(folder.join("examples/shelf.py")).env("PYTHONPATH", folder.join("src"));
        command
    });
}

#[test]
fn the_example_in_typescript_sees_its_own_purchase() {
    const TEST: &str = "the_example_in_typescript_sees_its_own_purchase";
    let Some(script) = needs::typescript(TEST) else { return };
    play(|| {
        let mut command = Command::new("node");
        command.arg(&script);
        command
    });
}

#[test]
fn the_example_in_rust_sees_its_own_purchase() {
    const TEST: &str = "the_example_in_rust_sees_its_own_purchase";
    let Some(example) = needs::example(TEST, "shelf") else { return };
    play(|| Command::new(&example));
}
