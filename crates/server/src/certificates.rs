//! Certificates for development, as [`transport`] makes them: what `foreword certs` writes.

pub use transport::development::{
    Existing, Plan, VALIDITY_DEFAULT, VALIDITY_MAX, WriteError, Written, write_certificates,
};
