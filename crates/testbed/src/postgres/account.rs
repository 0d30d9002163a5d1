//! Who runs the server: not root, which PostgreSQL refuses.

use std::fs;

use super::PostgresError;

/// The numbers of a user and of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Account {
    /// The user.
    pub(super) user: u32,
    /// The group.
    pub(super) group: u32,
}

impl Account {
    /// As root, the account of `postgres` or else of `nobody`; `None` for everybody else, who
    /// run it themselves.
    pub(super) fn for_server() -> Result<Option<Self>, PostgresError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let path = "/etc/passwd";
        let accounts = fs::read_to_string(path)
            .map_err(|source| PostgresError::File { path: path.into(), source })?;
        let found = ["postgres", "nobody"].iter().find_map(|name| Self::named(name, &accounts));
        let reason = || "it refuses root, and there is no account postgres or nobody".to_owned();
        found.map(Some).ok_or_else(|| PostgresError::Missing { reason: reason() })
    }

    /// Reads `name:password:user:group:…` lines.
    fn named(name: &str, accounts: &str) -> Option<Self> {
        let fields = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let mut ours = fields.filter(|fields| fields[0] == name);
        let fields = ours.next()?;
        let number = |field: usize| fields.get(field)?.parse().ok().filter(|it| *it != 0);
        Some(Self { user: number(2)?, group: number(3)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name_and_is_never_root() {
        let accounts = "root:x:0:0:root:/root:/bin/bash\npostgresql:x:7:7::/:/bin/sh\n\
                        postgres:x:101:104:PostgreSQL:/var/lib/postgresql:/bin/bash\n\
                        odd:x:0:0::/:/bin/sh\ncut\n";
        let check = |name, expected| assert_eq!(Account::named(name, accounts), expected);
        check("postgres", Some(Account { user: 101, group: 104 }));
        check("odd", None);
        check("cut", None);
        check("nobody", None);
    }
}
