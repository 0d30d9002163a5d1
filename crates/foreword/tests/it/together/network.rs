//! A network of a test's own, in which addresses can be walled off: what goes to them or comes from
//! them is dropped without a word, as by a broken network. Root on Linux only.

use std::net::Ipv4Addr;
use std::process::Command;

use testbed::skip;

/// Says to a test that it is inside.
const INSIDE: &str = "TEST_IS_IN_A_NETWORK_OF_ITS_OWN";

/// Runs one test of this program again, inside a network of its own that has nothing but loopback.
/// Returns whether this is that run; otherwise it is over, or was skipped.
pub(super) fn is_own(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        let up = Command::new("ip").args(["link", "set", "lo", "up"]).status();
        assert!(up.is_ok_and(|up| up.success()), "loopback is not up");
        return true;
    }
    let can = Command::new("unshare").args(["--net", "iptables", "-L", "-n"]).output();
    if !can.is_ok_and(|can| can.status.success()) {
        skip::tool(
            test,
            "no network of its own can be made: that takes root, unshare and iptables",
        );
        return false;
    }
    let status = Command::new("unshare")
        .arg("--net")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--include-ignored", "--nocapture"])
        .env(INSIDE, "yes")
        .status()
        .unwrap();
    assert!(status.success(), "{test} failed in a network of its own: see above");
    false
}

/// Walls an address off, until this network ends.
pub(super) fn wall_off(ip: Ipv4Addr) {
    for side in ["-s", "-d"] {
        let ip = ip.to_string();
        let rule = ["-w", "-I", "INPUT", side, &ip, "-j", "DROP"];
        assert!(Command::new("iptables").args(rule).status().unwrap().success());
    }
}
