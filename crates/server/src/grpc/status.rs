//! From what can go wrong to gRPC statuses, in one place.

use tonic::Status;

use crate::recommend::UnknownBook;

impl From<UnknownBook> for Status {
    fn from(_: UnknownBook) -> Self {
        Self::not_found("book_id: the shop has no such book")
    }
}
