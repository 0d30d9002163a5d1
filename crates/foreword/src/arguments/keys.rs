//! The arguments of `foreword keys`.

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};
use server::access::Role;

use super::Output;

/// Ten years: who wants longer wants no end.
const DAYS_MAX: i64 = 3650;

const EXAMPLES: &str = "\
Examples:
  A key for the web shop, which asks for recommendations and tells events
    foreword keys create --name marketplace --role reader --role writer
  A key for a script that needs it once
    foreword keys create --name export --role admin --expires-days 1 --json

Servers take keys if their settings have access.api_keys = true. A client sends its key with every
call as `authorization: Bearer KEY`. A running server knows a new key, and refuses a revoked one,
within a second.";

/// `keys`.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Keys {
    /// Make a key and print it, this once: only a hash of it is stored
    Create(CreateKey),
    /// List the keys, without their secrets
    List(Output),
    /// Revoke a key for good
    Revoke {
        /// Its id, as `foreword keys list` shows it
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// `keys create`.
#[derive(Args, Debug)]
pub(crate) struct CreateKey {
    /// What to call it, such as the client's name
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// What it may do; may be given several times. None includes another: reader asks for
    /// recommendations and finds books, writer tells events, changes the catalogue and merges users,
    /// admin changes rules, and exports and deletes users
    #[arg(long = "role", value_name = "ROLE", required = true, hide_possible_values = true, value_parser = role_parser())]
    pub(crate) roles: Vec<Role>,
    /// How many days it is valid, at most 3650 [default: until it is revoked]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=DAYS_MAX))]
    pub(crate) expires_days: Option<u32>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Names of roles, with the nearest one in the error.
fn role_parser() -> impl clap::builder::TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.map(Role::name)).try_map(|name| name.parse::<Role>())
}
