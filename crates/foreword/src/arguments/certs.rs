//! The arguments of `foreword certs`.

use std::path::PathBuf;

use clap::Args;

use super::Output;

/// How many days the authority is valid, and so the most that a pair can be.
const DAYS_MAX: i64 = 3650;

const EXAMPLES: &str = "\
Examples:
  Certificates to try mutual TLS with on this machine
    foreword certs --out certificates
  For a server that others reach by more names
    foreword certs --out certificates --name shop.example --name 192.0.2.7
  New ones in place of those, which a running server takes up by itself
    foreword certs --out certificates --force

These are for development. The authority's key, ca.key, lies beside the others: whoever has it can
be the server or any client. For a shop that others can reach, use an authority of your own.

The server's certificate is for recommendations, localhost, 127.0.0.1, ::1 and what --name adds;
the client's is for marketplace. The authority is valid for ten years.";

/// `certs`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Certs {
    /// Folder for ca.pem, ca.key, server.pem, server.key, client.pem and client.key
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Another name or address of the server; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Vec<String>,
    /// How many days the server's and the client's certificate are valid, at most 3650
    #[arg(long, value_name = "COUNT", default_value_t = 825, value_parser = clap::value_parser!(u32).range(1..=DAYS_MAX))]
    pub(crate) days: u32,
    /// Replace files that are there already; without it, nothing is written then
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}
