//! Volleys: many calls at once.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::Failure;
use crate::wire::{ask, connect};

/// A client with connections to a server.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) runtime: Runtime,
    channels: Vec<Channel>,
}

/// One call's end.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// From the call on.
    pub(crate) took: Duration,
    pub(crate) result: Result<(), Status>,
}

/// Calls on their way.
#[derive(Debug)]
pub(crate) struct Volley<'a> {
    client: &'a Client,
    calls: Vec<tokio::task::JoinHandle<Answer>>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, connections: usize) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("client")
            .enable_all()
            .build()?;
        let mut channels = Vec::new();
        for _ in 0..connections {
            channels.push(runtime.block_on(connect(address))?);
        }
        Ok(Self { runtime, channels })
    }

    /// One call; waits for its answer.
    pub(crate) fn call(&self, method: &str, duration: Duration) -> Answer {
        let began = Instant::now();
        let result = self.runtime.block_on(ask(self.channels[0].clone(), method, duration));
        Answer { took: began.elapsed(), result }
    }

    /// So many calls at once, by turns over methods and connections.
    pub(crate) fn send(
        &self,
        methods: &[&'static str],
        count: usize,
        duration: Duration,
    ) -> Volley<'_> {
        let call = |number: usize| {
            let channel = self.channels[number % self.channels.len()].clone();
            let method = methods[number % methods.len()];
            self.runtime.spawn(async move {
                let began = Instant::now();
                let result = ask(channel, method, duration).await;
                Answer { took: began.elapsed(), result }
            })
        };
        Volley { client: self, calls: (0..count).map(call).collect() }
    }
}

impl Volley<'_> {
    /// Waits for all answers.
    pub(crate) fn answers(self) -> Result<Vec<Answer>, Failure> {
        let calls = self.calls.into_iter();
        calls.map(|call| Ok(self.client.runtime.block_on(call)?)).collect()
    }

    /// Has the client go away.
    pub(crate) fn abort(self) {
        self.calls.iter().for_each(tokio::task::JoinHandle::abort);
    }

    /// How many are answered.
    pub(crate) fn answered(&self) -> usize {
        self.calls.iter().filter(|call| call.is_finished()).count()
    }
}

/// The longest, if all were answered well.
pub(crate) fn longest(answers: &[Answer]) -> Result<Duration, Failure> {
    if let Some(status) = answers.iter().find_map(|answer| answer.result.as_ref().err()) {
        return Err(format!("a call failed: {status}").into());
    }
    Ok(answers.iter().map(|answer| answer.took).max().unwrap_or_default())
}

/// The calls that ended with a code.
pub(crate) fn with_code(answers: &[Answer], code: Code) -> Vec<&Answer> {
    let has = |answer: &&Answer| answer.result.as_ref().is_err_and(|it| it.code() == code);
    answers.iter().filter(has).collect()
}
