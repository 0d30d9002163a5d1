//! A shop made once for the tests that only read it: the demo's, trained.

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
