//! Times: how long the parts of a training took.

use serde::{Deserialize, Serialize};

/// Wall-clock seconds of a training's parts, in their order.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Times {
    /// To measure how well such a model ranks; 0 if that was not done.
    pub measure_seconds: f64,
    /// To read the events.
    pub read_seconds: f64,
    /// To fit the model.
    pub fit_seconds: f64,
}
