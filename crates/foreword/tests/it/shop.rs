//! A shop made once for the tests that only read it: the demo's, trained.

use std::fs;
use std::sync::OnceLock;

use crate::program::Program;

static SHOP: OnceLock<Program> = OnceLock::new();

/// The demo shop. Nobody may change it.
pub(crate) fn demo() -> &'static Program {
    SHOP.get_or_init(|| {
        let program = Program::new();
        let started = program.start("demo --listen 127.0.0.1:0");
        started.read_until("Ctrl-C stops it.");
        assert_eq!(started.end_with("-TERM"), 0);
        program
    })
}

/// The same for a test that changes it.
pub(crate) fn own() -> Program {
    let (from, own) = (demo().folder.path(), Program::new());
    let to = own.folder.path();
    fs::copy(from.join("foreword.db"), to.join("foreword.db")).unwrap();
    fs::create_dir(to.join("models")).unwrap();
    for file in fs::read_dir(from.join("models")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join("models").join(file.file_name())).unwrap();
    }
    own
}
