//! Foreword's contract, and nothing else: protobuf messages, clients and server traits.
//!
//! [`tutorial`] is the contract of the tutorial that Foreword grew out of, unchanged
//! on the wire; [`v1`] is Foreword's own. Both are generated from `proto/` by
//! `cargo xtask codegen` and committed, so that a build needs no protobuf compiler;
//! `cargo xtask test` fails when they differ from what it would write.

mod idempotent;

pub use idempotent::idempotent_methods;

/// The tutorial's contract: package-less, served at `/Recommendations/Recommend`.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod tutorial {
    include!("generated/_.rs");
}

/// Foreword's own contract, package `foreword.v1`.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod v1 {
    include!("generated/foreword.v1.rs");
}

/// Foreword's own contract as JSON over HTTP, as an `OpenAPI` 3.1 document: what `/openapi.json`
/// serves.
pub const OPENAPI: &str = include_str!("generated/openapi.json");

/// A status code as the specification of gRPC writes it: `DEADLINE_EXCEEDED`.
#[must_use]
pub fn code_name(code: tonic::Code) -> &'static str {
    use tonic::Code;

    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// Both contracts as an encoded `google.protobuf.FileDescriptorSet`, without source
/// information: what server reflection serves.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/descriptor.bin");
