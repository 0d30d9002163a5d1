//! JSON over HTTP: unary calls for clients that know no gRPC, such as `curl`.
//!
//! It is the unary form of the Connect protocol, so that Connect's clients fit too; errors are
//! in its shape. Two layers do it, and all between them see gRPC:
//!
//! - [`JsonEdgeLayer`], outside of all that knows gRPC, makes gRPC requests of those in JSON,
//!   and HTTP answers of gRPC's. It runs where bytes are moved, and parses no messages.
//! - [`JsonLayer`], right around the routes and inside of `unstall::GrpcLayer`, makes protobuf
//!   of JSON and back, which takes milliseconds for large messages.
//!
//! | request | answer |
//! | --- | --- |
//! | gRPC | that of the wrapped service, untouched |
//! | GET or HEAD of a [`Document`] | the document; 304 if the client has it already |
//! | a path that is neither a document nor a method | 404 |
//! | another HTTP method than POST, for a document than GET and HEAD | 405 with `allow` |
//! | POST with another content type than `application/json` or `application/proto` | 415 with `accept-post` |
//! | `content-encoding` other than `identity` | 501 `unimplemented` |
//! | a method that streams | 501 `unimplemented` |
//! | `connect-protocol-version` other than 1, a malformed `connect-timeout-ms` | 400 `invalid_argument` |
//! | a body that is not the JSON of the method's message, unknown fields included | 400 `invalid_argument` with line and column |
//! | a body of more than 16,384 fields and elements of lists, all levels together | 400 `invalid_argument` |
//! | POST to a unary method | 200 and JSON, or the error's HTTP status and the error |
//! | gRPC with messages that are not protobuf, past [`JsonLayer`] | gRPC's `UNIMPLEMENTED` |
//!
//! Messages are in the canonical JSON of proto3: names in lowerCamelCase, 64-bit integers as
//! text, enums by name, unset fields left out. Headers of the answer are what the method sent
//! first; its trailers come as headers that begin with `trailer-`. Answers are not compressed.
//! Errors name fields at fault as JSON does. A 401 asks for `Bearer`, unless the service asks for
//! something else; the answer to HEAD has the length of its body, and no body.
//!
//! Specifications: <https://connectrpc.com/docs/protocol>,
//! <https://protobuf.dev/programming-guides/json>.

mod answer;
mod body;
mod contract;
mod debug;
mod document;
mod edge;
mod entries;
mod error;
mod frame;
mod head;
mod layer;
mod message;

pub use self::body::JsonBody;
pub use self::contract::{Contract, ContractError, Method};
pub use self::document::Document;
pub use self::edge::{EdgeFuture, EdgeService, JsonEdgeLayer};
pub use self::layer::{JsonFuture, JsonLayer, JsonService};
pub use self::message::{FromJsonError, Message, ToJsonError};

/// How the messages of a call are written. The edge leaves it with the request, and nobody else
/// can: what a client says of itself does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Codec {
    Json,
    /// Protobuf, bare: one message without gRPC's frame.
    Proto,
}

impl Codec {
    /// The content type of such a call towards the client.
    fn content_type(self) -> http::HeaderValue {
        http::HeaderValue::from_static(match self {
            Self::Json => "application/json",
            Self::Proto => "application/proto",
        })
    }

    /// The content type of such a call between the two layers.
    fn grpc_content_type(self) -> http::HeaderValue {
        http::HeaderValue::from_static(match self {
            Self::Json => "application/grpc+json",
            Self::Proto => "application/grpc+proto",
        })
    }
}
