//! Learning: from interactions to what a model is made of, one file a part.

mod cholesky;
pub mod gram;
pub mod ridge;
pub mod trend;
