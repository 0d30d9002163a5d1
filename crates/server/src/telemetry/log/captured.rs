//! What a test logs, in a log of its own.

use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::layer::SubscriberExt as _;

use super::{Colours, lines};
use crate::settings::LogFormat;

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// All that is logged on this thread meanwhile, up to level INFO.
pub(crate) fn captured(format: LogFormat, logging: impl FnOnce()) -> String {
    let written = Written::default();
    let writer = written.clone();
    let lines = lines(move || writer.clone(), Colours::None, format);
    let levels = tracing_subscriber::filter::LevelFilter::INFO;
    let subscriber = tracing_subscriber::registry().with(levels).with(lines);
    tracing::subscriber::with_default(subscriber, logging);
    let bytes = written.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}
