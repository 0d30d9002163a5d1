//! The acceptor: one thread that takes connections from all listeners and hands each to the
//! loop with the fewest.
//!
//! One for all, because a socket for each loop (`SO_REUSEPORT`) would hash a shop's one or two
//! long connections onto one loop half of the time; and what systemd hands over is one socket.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};
use unstall::Executor;

use super::event_loop::{LoopHandle, runtime, spawn};
use super::{Alarm, StartError};
use crate::clock::millis;
use crate::connection::Connection;
use crate::connections::{Connections, Summary};
use crate::ending::Ending;
use crate::listen::{Accepted, Listener};

/// After descriptors or memory ran out, so long until the next try, doubled each time …
const BACK_OFF_FIRST: Duration = Duration::from_millis(5);
/// … up to this.
const BACK_OFF_MAX: Duration = Duration::from_secs(1);

/// How often the log is told that accepting fails.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// How often the log is told of connections that ended badly.
const SUMMARY_EVERY: Duration = Duration::from_secs(60);

/// What the acceptor's thread needs.
pub(super) struct Acceptor {
    pub(super) listeners: Vec<Listener>,
    pub(super) connections: Arc<Connections>,
    pub(super) loops: Vec<LoopHandle>,
    pub(super) age_max: Duration,
    pub(super) sweep_every: Duration,
}

impl Acceptor {
    /// Starts the thread. It accepts until `stop`, and sweeps until `end`.
    pub(super) fn start(
        self,
        executor: &Executor,
        stop: oneshot::Receiver<()>,
        mut alarm: Alarm,
    ) -> Result<JoinHandle<()>, StartError> {
        let name = "transport-accept".to_owned();
        let runtime = runtime(&name, executor)?;
        let run = move || {
            runtime.block_on(async {
                let Self { listeners, connections, loops, age_max, sweep_every } = self;
                let intake =
                    Arc::new(Intake { connections: Arc::clone(&connections), loops, age_max });
                let mut accepting = JoinSet::new();
                for listener in listeners {
                    accepting.spawn(accept(listener, Arc::clone(&intake)));
                }
                let stopping = async move {
                    // An error means that the server is gone.
                    let _ = stop.await;
                    // Listeners close with their tasks.
                    accepting.shutdown().await;
                };
                let sweeping = sweep(&connections, sweep_every);
                tokio::select! {
                    () = alarm.end() => {}
                    ((), ()) = async { tokio::join!(stopping, sweeping) } => {}
                }
            });
        };
        spawn(name, run)
    }
}

/// Where accepted sockets go.
struct Intake {
    connections: Arc<Connections>,
    loops: Vec<LoopHandle>,
    age_max: Duration,
}

impl Intake {
    fn enter(&self, socket: Accepted) {
        let connection = Connection::new(socket.peer(), self.age_max());
        let Ok(admission) = self.connections.join(connection) else {
            tracing::debug!("a connection was closed: there are as many as may be");
            return;
        };
        let running = self.loops.iter().filter(|one| one.is_running());
        let Some(least) = running.min_by_key(|one| one.load()) else { return };
        if let Err((_, admission)) = least.hand_in(socket, admission) {
            admission.leave(Ending::NoRoom);
        }
    }

    /// The age limit, up to a tenth earlier, so that connections that came together do not go
    /// together.
    fn age_max(&self) -> u64 {
        let age_max = millis(self.age_max);
        let tenth = usize::try_from(age_max / 10).unwrap_or(usize::MAX).max(1);
        age_max - crate::random::below(tenth) as u64
    }
}

async fn accept(listener: Listener, intake: Arc<Intake>) {
    let listener = match listener.register() {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "a listener cannot be used"),
    };
    let mut back_off = BACK_OFF_FIRST;
    let (mut tries, mut told) = (0_u32, None::<Instant>);
    loop {
        match listener.accept().await {
            Ok(socket) => {
                back_off = BACK_OFF_FIRST;
                intake.enter(socket);
            }
            // The peer has gone before it was accepted.
            Err(error) if is_the_peers(&error) => tracing::debug!(%error, "a connection was lost"),
            Err(error) => {
                // One that is spared frees what the next one needs.
                let spared = is_shortage(&error) && intake.connections.make_room();
                tries += 1;
                if told.is_none_or(|told| told.elapsed() >= TOLD_EVERY) {
                    tracing::warn!(
                        %error,
                        tries,
                        spared,
                        "cannot accept, trying again; for file descriptors raise ulimit -n or LimitNOFILE="
                    );
                    (tries, told) = (0, Some(Instant::now()));
                }
                sleep(back_off).await;
                back_off = (back_off * 2).min(BACK_OFF_MAX);
            }
        }
    }
}

/// Whether accepting fails for what happened to this one connection, as accept(2) has it.
fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::Interrupted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::HostUnreachable
    )
}

/// Whether accepting fails for want of something that others hold.
fn is_shortage(error: &io::Error) -> bool {
    let shortages = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS];
    error.raw_os_error().is_some_and(|code| shortages.iter().any(|one| one.raw_os_error() == code))
}

async fn sweep(connections: &Connections, every: Duration) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut summary = Summary::default();
    let mut summarised = Instant::now();
    loop {
        ticks.tick().await;
        connections.sweep();
        if summarised.elapsed() >= SUMMARY_EVERY {
            summarised = Instant::now();
            connections.summarise(&mut summary);
        }
    }
}
