//! Fresh databases for tests, on one server for all of them.

use std::env;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::binaries::Binaries;
use super::{Cluster, PostgresError};
use crate::skip;

/// Names a running server: the URL of a superuser, with any database.
pub const POSTGRES_VARIABLE: &str = "FOREWORD_TEST_POSTGRES";

/// A database that is dropped with this value.
#[derive(Debug)]
pub struct Database {
    binaries: Binaries,
    server: String,
    name: String,
    url: String,
}

impl Database {
    /// Its URL, as superuser.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name, which no other database of any test has.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs one SQL command and gives the rows, columns separated by `|`.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached or refuses it.
    pub fn query(&self, sql: &str) -> Result<String, PostgresError> {
        self.binaries.psql(&self.url, sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Connections that a test forgot are cut. A server that is gone needs no tidying.
        let drop = format!("drop database if exists \"{}\" with (force)", self.name);
        let _ = self.binaries.psql(&self.server, &drop);
    }
}

/// Creates an empty database: on the server that [`POSTGRES_VARIABLE`] names, else on one that
/// this process starts for all its tests and that ends with it.
///
/// # Errors
///
/// [`PostgresError::Missing`] if there is no PostgreSQL, for which a test is skipped; the others
/// if there is one and it does not work, for which a test fails.
pub fn database() -> Result<Database, PostgresError> {
    if let Some(server) = env::var_os(POSTGRES_VARIABLE) {
        let server = server.to_string_lossy().into_owned();
        return create(Binaries::find()?, server);
    }
    static SHARED: OnceLock<Result<Cluster, PostgresError>> = OnceLock::new();
    match SHARED.get_or_init(Cluster::start) {
        Ok(cluster) => cluster.create_database(),
        Err(PostgresError::Missing { reason }) => {
            Err(PostgresError::Missing { reason: reason.clone() })
        }
        Err(error) => Err(PostgresError::Failed {
            program: "the cluster of these tests".to_owned(),
            complaint: error.to_string(),
        }),
    }
}

/// The same for the test with this name: without PostgreSQL, `None`, and the skip is noted.
///
/// # Panics
///
/// If there is PostgreSQL and it does not work.
#[must_use]
pub fn database_or_skip(test: &str) -> Option<Database> {
    match database() {
        Ok(database) => Some(database),
        Err(missing @ PostgresError::Missing { .. }) => {
            skip::tool(test, &missing.to_string());
            None
        }
        Err(error) => panic!("PostgreSQL is there and gives no database: {error}"),
    }
}

/// Creates a database on the server with this URL.
pub(super) fn create(binaries: Binaries, server: String) -> Result<Database, PostgresError> {
    let name = unique_name();
    binaries.psql(&server, &format!("create database \"{name}\""))?;
    let url = with_database(&server, &name);
    Ok(Database { binaries, server, name, url })
}

/// A name that differs between tests, processes and runs.
fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("test_{}_{now:x}_{count}", std::process::id())
}

/// The URL with this database in place of its own.
fn with_database(url: &str, name: &str) -> String {
    let (before_query, query) = match url.split_once('?') {
        Some((before, query)) => (before, format!("?{query}")),
        None => (url, String::new()),
    };
    let authority = before_query.find("://").map_or(0, |at| at + 3);
    let end = before_query[authority..].find('/').map_or(before_query.len(), |at| authority + at);
    format!("{}/{name}{query}", &before_query[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_keeps_all_but_its_database() {
        let check = |url, expected: &str| assert_eq!(with_database(url, "new"), expected);
        check("postgres://me@127.0.0.1:5432/old", "postgres://me@127.0.0.1:5432/new");
        check("postgres://me@127.0.0.1:5432", "postgres://me@127.0.0.1:5432/new");
        check("postgresql://h/", "postgresql://h/new");
        check("postgres://%2Frun%2Fpg/old?user=me", "postgres://%2Frun%2Fpg/new?user=me");
        check("postgres://h?sslmode=disable", "postgres://h/new?sslmode=disable");
    }

    #[test]
    fn no_two_names_are_the_same() {
        assert_ne!(unique_name(), unique_name());
    }
}
