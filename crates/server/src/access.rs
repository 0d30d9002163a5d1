//! Who may do what: identities, their roles, and how a request shows whose it is.

mod identity;
mod role;

pub use identity::{Identity, IdentityKind};
pub use role::{Role, Roles, UnknownRole};
