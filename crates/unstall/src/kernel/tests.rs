use super::*;

#[test]
fn a_running_thread_is_running() {
    assert_eq!(parse_view(b"running\n"), View::Running);
}
