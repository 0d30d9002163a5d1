//! One act: a server is started, the client asks it, and both are heard until the client ends.
//!
//! Every wait has an end, and whatever was started is killed, by its id, when the act ends in
//! whichever way.

use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use super::running::{LOOK, Line, Running, Speaker};

/// For the client to end; one request after the other takes 25 s.
const CLIENT_MAX: Duration = Duration::from_secs(90);
/// For what the server has to say about the last request.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Plays an act, and returns the lines of the client.
///
/// `say` gets each line of both that belongs into a transcript, as soon as it is heard, with the
/// seconds since the first of them.
///
/// # Errors
///
/// If the server does not listen, or the client does not succeed, in time.
pub(super) fn play(
    server: impl FnOnce(&str) -> Command,
    client: impl FnOnce(&str) -> Command,
    mut say: impl FnMut(&str),
) -> anyhow::Result<Vec<String>> {
    let address = free_address()?;
    let (sender, lines) = mpsc::channel();
    let mut server = Running::start(server(&address.to_string()), Speaker::Server, &sender)?;
    server.wait_until_it_listens(address, &lines)?;

    let mut client = Running::start(client(&address.to_string()), Speaker::Client, &sender)?;
    let mut heard = Heard { first: None, client: Vec::new(), say: &mut say };
    let deadline = Instant::now() + CLIENT_MAX;
    let status = loop {
        if let Ok(line) = lines.recv_timeout(LOOK) {
            heard.hear(line);
        } else if let Some(status) = client.child.try_wait()? {
            break status;
        } else if let Some(status) = server.child.try_wait()? {
            bail!("the server ended before the client: {status}");
        }
        ensure!(Instant::now() < deadline, "the client had not ended after {CLIENT_MAX:?}");
    };
    client.hear_to_the_end();
    let end = Instant::now() + LAST_WORDS;
    while let Ok(line) = lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
        heard.hear(line);
    }
    ensure!(status.success(), "the client failed: {status}");
    Ok(heard.client)
}

/// An address of this machine that nobody listens on at this moment.
fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free port")?;
    Ok(listener.local_addr()?)
}

struct Heard<'a> {
    first: Option<Instant>,
    client: Vec<String>,
    say: &'a mut dyn FnMut(&str),
}

impl Heard<'_> {
    fn hear(&mut self, line: Line) {
        let since = line.at.saturating_duration_since(*self.first.get_or_insert(line.at));
        let speaker = match line.speaker {
            Speaker::Server => "server",
            Speaker::Client => "client",
        };
        if let Some(text) = for_transcript(&line.text) {
            (self.say)(&format!("{:>6.2}  {speaker}  {text}\n", since.as_secs_f64()));
        }
        if line.speaker == Speaker::Client {
            self.client.push(line.text);
        }
    }
}

/// A line without what would hide the scene: no books, and of the log neither times of day nor
/// the fields after the message, among which is a stack of fifty functions.
fn for_transcript(line: &str) -> Option<&str> {
    if line.starts_with("  ") {
        return None;
    }
    let without_time = match line.split_once("Z ") {
        Some((time, rest)) if time.contains('T') && !time.contains(' ') => rest.trim_start(),
        _ => line,
    };
    // Reports of stalls begin their fields with the first, those of a starved host with the second.
    let fields = [" method=", " kind="].iter().filter_map(|field| without_time.find(field)).min();
    Some(fields.map_or(without_time, |at| &without_time[..at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_does_not_start_is_an_error_with_its_own_words() {
        let shell = |script: &str| {
            let mut shell = Command::new("sh");
            shell.args(["-c", script]);
            shell
        };
        let played = play(|_| shell("echo port taken >&2; exit 3"), |_| shell(""), |_| {});
        let message = played.unwrap_err().to_string();
        assert!(message.contains("ended") && message.contains("port taken"), "{message}");
    }

    #[test]
    fn the_transcript_has_neither_books_nor_times_of_day_nor_fields() {
        let check = |line, expected| assert_eq!(for_transcript(line), expected);
        check("  1: Nine Tides", None);
        check("Handling request", Some("Handling request"));
        check("answered after 5.001 s", Some("answered after 5.001 s"));
        check(
            "2026-11-22T14:40:46.199858Z  WARN unstall::reporter: /R/R blocked 53 ms \
             at a::b (c.rs:41) method=\"/A/B\" kind=\"blocked\" thread=\"unstall-0\"",
            Some("WARN unstall::reporter: /R/R blocked 53 ms at a::b (c.rs:41)"),
        );
    }
}
