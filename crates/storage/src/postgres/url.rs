//! Where a database is: a URL, which may hold a password and is therefore never shown.

use std::fmt;
use std::str::FromStr as _;

use sqlx::postgres::PgConnectOptions;

/// The schemes of a URL that names a PostgreSQL database.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// What may be written behind the question mark. Others are refused: a misspelt `sslmode` would
/// otherwise go unnoticed, and a misspelt `password` into the log.
const PARAMETERS: [&str; 12] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

/// The longest URL, in bytes.
const BYTES_MAX: usize = 4096;

/// Where a PostgreSQL database is, and how to get in: `postgres://user:password@host:port/name`
/// or `postgresql://…`, with `sslmode` and the other parameters of libpq behind a question mark.
///
/// A host that begins with `/` (percent-encoded, or as parameter `host`) is a folder with a Unix
/// socket. What the URL leaves out comes from the variables of libpq such as `PGPASSWORD`, and a
/// password from `~/.pgpass` too.
///
/// A secret: neither `Debug` nor any error shows the password.
#[derive(Clone)]
pub struct DatabaseUrl {
    options: PgConnectOptions,
}

/// Why a text is no [`DatabaseUrl`]. Says nothing of the text itself, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found} in the database's URL, expected {expected}")]
pub struct DatabaseUrlError {
    /// What was found.
    pub found: String,
    /// What was expected.
    pub expected: String,
}

impl DatabaseUrl {
    /// Whether a text says by its scheme that it is meant as such a URL.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        SCHEMES.iter().any(|scheme| text.starts_with(scheme))
    }

    /// Reads a URL.
    ///
    /// # Errors
    ///
    /// [`DatabaseUrlError`] says what is wrong, without the text.
    pub fn parse(text: &str) -> Result<Self, DatabaseUrlError> {
        let refuse = |found: &str, expected: &str| {
            Err(DatabaseUrlError { found: found.to_owned(), expected: expected.to_owned() })
        };
        if text.len() > BYTES_MAX {
            return refuse(&format!("{} bytes", text.len()), &format!("at most {BYTES_MAX}"));
        }
        let Some(rest) = SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme)) else {
            return refuse("another scheme", "postgres:// or postgresql://");
        };
        // A '#', '?' or '/' of a password that was not encoded ends the part with the password;
        // the rest would be taken for the name of the database, and shown.
        let encoded = "any '#', '/', '?' and '@' of the password percent-encoded";
        let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let database = place.split_once('/').map_or("", |(_, database)| database);
        if text.contains('#') || database.contains('@') || database.contains('/') {
            return refuse("'#', or '@' or '/' where the name of the database is", encoded);
        }
        check_parameters(parameters)?;
        match PgConnectOptions::from_str(text) {
            Ok(options) => Ok(Self { options }),
            // Its message may quote a value.
            Err(_) => refuse(
                "no host, a port out of range, or a value that its parameter cannot have",
                "postgres://user:password@host:port/name, sslmode one of disable, prefer, \
                 require, verify-ca and verify-full",
            ),
        }
    }

    /// How to connect.
    pub(super) fn options(&self) -> &PgConnectOptions {
        &self.options
    }
}

fn check_parameters(parameters: &str) -> Result<(), DatabaseUrlError> {
    for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        // The name itself is not told either: behind an unencoded '?', it is part of a password.
        if !PARAMETERS.contains(&name) {
            let found = "an unknown parameter".to_owned();
            let expected = format!("only {}", PARAMETERS.join(", "));
            return Err(DatabaseUrlError { found, expected });
        }
        let is_unheeded = name == "sslmode" && value.eq_ignore_ascii_case("allow");
        let is_file = ["sslcert", "sslkey", "sslrootcert"].contains(&name);
        if is_unheeded {
            let found = "sslmode=allow".to_owned();
            let expected = "prefer, which encrypts if the server can".to_owned();
            return Err(DatabaseUrlError { found, expected });
        }
        if is_file && value.contains("BEGIN") {
            let found = format!("a certificate or key in {name}");
            return Err(DatabaseUrlError { found, expected: "the path of a file".to_owned() });
        }
    }
    Ok(())
}

/// Shows the place, not the way in.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = &self.options;
        match options.get_socket() {
            Some(socket) => write!(formatter, "{}", socket.display())?,
            None => write!(formatter, "{}:{}", options.get_host(), options.get_port())?,
        }
        // As PostgreSQL does it.
        let database = options.get_database().unwrap_or_else(|| options.get_username());
        write!(formatter, "/{database}")
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses and says what is shown of it, having checked that no password is.
    fn check(text: &str, expected: Result<&str, &str>) {
        let parsed = DatabaseUrl::parse(text);
        let debug = format!("{parsed:?}");
        assert!(!debug.contains("s3cr"), "{debug}");
        let shown = parsed.map(|url| url.to_string()).map_err(|error| error.to_string());
        match (&shown, expected) {
            (Ok(shown), Ok(expected)) => assert_eq!(shown, expected, "{text}"),
            (Err(error), Err(expected)) => assert!(error.contains(expected), "{text}: {error}"),
            _ => panic!("{text}: {shown:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn a_url_shows_its_place_and_never_its_password() {
        check("postgres://ann:s3cret@db.example:5433/shop", Ok("db.example:5433/shop"));
        check(
            "postgresql://ann:s3cret@db.example:5432/shop?sslmode=verify-full",
            Ok("db.example:5432/shop"),
        );
        check("postgres://ann@db.example:5432/shop?password=s3cret", Ok("db.example:5432/shop"));
        check("postgres://ann:s3cret@%2Frun%2Fpostgresql/shop", Ok("/run/postgresql/shop"));
        check("postgres:///shop?host=/run/postgresql&user=ann", Ok("/run/postgresql/shop"));
        check("postgres://ann:s3cret%2F%40@[::1]:5432/", Ok("[::1]:5432/ann"));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_text() {
        check("mysql://ann:s3cret@db.example/shop", Err("another scheme"));
        check("postgres://ann:s3cr#et@db.example/shop", Err("percent-encoded"));
        check("postgres://ann:12/s3cret@db.example/shop", Err("percent-encoded"));
        check("postgres://ann:12?s3cret@db.example/shop", Err("unknown parameter"));
        check("postgres://ann@db.example/shop?pasword=s3cret", Err("unknown parameter"));
        check("postgres://ann:s3cret@db.example/shop?sslmode=s3cret", Err("sslmode one of"));
        check("postgres://ann:s3cret@db.example/shop?sslmode=allow", Err("sslmode=allow"));
        check("postgres://ann:s3cret@db.example:99999/shop", Err("a port out of range"));
        check(
            "postgres://ann@db.example/shop?sslkey=-----BEGIN%20PRIVATE%20KEY-----s3cret",
            Err("the path of a file"),
        );
        check(&format!("postgres://{}", "s3cret".repeat(1000)), Err("6011 bytes"));
    }
}
