//! What the bookseller's console is made of: figures as they come, what they say, and trainings.

mod figures;
mod summary;
mod training;

pub(crate) use self::figures::{Figures, Moment, PAST};
pub(crate) use self::summary::{Latencies, MethodLine, Summary};
pub(crate) use self::training::{Stage, Training};
