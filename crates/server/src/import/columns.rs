//! Which column of a shop's files holds what: by its name, or as the caller says.

use super::error::ImportError;
use super::table::Table;

/// The files of a shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Books,
    Interactions,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Books => "books",
            Self::Interactions => "interactions",
        }
    }
}

/// What a column can hold, and how it is named in the wild, likeliest first.
struct Target {
    role: Role,
    name: &'static str,
    aliases: &'static [&'static str],
}

const fn target(role: Role, name: &'static str, aliases: &'static [&'static str]) -> Target {
    Target { role, name, aliases }
}

const TARGETS: &[Target] = &[
    target(
        Role::Books,
        "book",
        &["book", "book_id", "item", "item_id", "product_id", "sku", "id", "isbn13", "isbn"],
    ),
    target(Role::Books, "title", &["title", "book_title", "name"]),
    target(Role::Books, "authors", &["authors", "author", "book_author"]),
    target(
        Role::Books,
        "year",
        &["year", "published_year", "original_publication_year", "publication_year"],
    ),
    target(Role::Books, "language", &["language", "language_code"]),
    target(Role::Books, "categories", &["categories", "category", "genres", "genre"]),
    target(Role::Books, "series", &["series"]),
    target(Role::Books, "volume", &["volume"]),
    target(Role::Books, "work", &["work", "work_id"]),
    target(Role::Books, "isbn", &["isbn13", "isbn"]),
    target(Role::Books, "cover", &["cover", "cover_url", "image_url"]),
    target(
        Role::Interactions,
        "user",
        &["user", "user_id", "customer", "customer_id", "reader", "reader_id", "member_id"],
    ),
    target(
        Role::Interactions,
        "book",
        &["book", "book_id", "item", "item_id", "product_id", "sku", "isbn13", "isbn"],
    ),
    target(Role::Interactions, "kind", &["kind", "event", "event_type", "type"]),
    target(Role::Interactions, "rating", &["rating", "stars"]),
    target(Role::Interactions, "time", &["time", "timestamp", "date"]),
    target(Role::Interactions, "event_id", &["event_id", "id"]),
];

/// Why an argument such as `user=customer_id` cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ColumnError {
    /// No `=`, or nothing on one side of it.
    #[error("found {found:?}, expected TARGET=COLUMN such as user=customer_id")]
    Format {
        /// The argument.
        found: String,
    },
    /// The part before the `=` is nothing that a column can hold.
    #[error("unknown target {found:?}, expected one of {}", known_targets())]
    UnknownTarget {
        /// The part before the `=`.
        found: String,
    },
    /// Two arguments say where the same thing is.
    #[error("{target} is given twice, expected one column")]
    Repeated {
        /// What is given twice.
        target: String,
    },
}

impl Target {
    /// Its name, with its file in front if both files have one of that name.
    fn full_name(&self) -> String {
        let namesakes = TARGETS.iter().filter(|target| target.name == self.name);
        match namesakes.count() {
            1 => self.name.to_owned(),
            _ => format!("{}.{}", self.role.name(), self.name),
        }
    }
}

fn known_targets() -> String {
    let names: Vec<String> = TARGETS.iter().map(Target::full_name).collect();
    format!("{}, or book for both", names.join(", "))
}

/// Which columns the caller named; the others are found by their usual names.
///
/// ```
/// use server::import::ColumnNames;
///
/// let names = ColumnNames::parse(["user=customer_id", "books.book=isbn"])?;
/// assert!(ColumnNames::parse(["reader=name"]).is_err());
/// # let _ = names;
/// # Ok::<(), server::import::ColumnError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnNames {
    named: Vec<(usize, String)>,
}

impl ColumnNames {
    /// Reads arguments such as `user=customer_id`. `books.` or `interactions.` before
    /// the target means that file only; without it the column is expected in every
    /// file that has such a target.
    ///
    /// # Errors
    ///
    /// [`ColumnError`] says which argument is wrong and what there is.
    pub fn parse<T: AsRef<str>>(
        arguments: impl IntoIterator<Item = T>,
    ) -> Result<Self, ColumnError> {
        let mut names = Self::default();
        for argument in arguments {
            names.add(argument.as_ref())?;
        }
        Ok(names)
    }

    fn add(&mut self, argument: &str) -> Result<(), ColumnError> {
        let (target, column) = argument
            .split_once('=')
            .map(|(target, column)| (target.trim(), column.trim()))
            .filter(|(target, column)| !target.is_empty() && !column.is_empty())
            .ok_or_else(|| ColumnError::Format { found: argument.to_owned() })?;
        let (role, name) =
            target.split_once('.').map_or((None, target), |(role, name)| (Some(role), name));
        let mut found = false;
        for (index, known) in TARGETS.iter().enumerate() {
            if known.name != name || role.is_some_and(|role| role != known.role.name()) {
                continue;
            }
            found = true;
            if self.named.iter().any(|(named, _)| *named == index) {
                return Err(ColumnError::Repeated { target: target.to_owned() });
            }
            self.named.push((index, column.to_owned()));
        }
        match found {
            true => Ok(()),
            false => Err(ColumnError::UnknownTarget { found: target.to_owned() }),
        }
    }

    /// The column of a table that holds this, if there is one.
    ///
    /// Fails if the caller named a column that the table does not have.
    pub(super) fn find(
        &self,
        table: &Table,
        role: Role,
        name: &str,
    ) -> Result<Option<usize>, ImportError> {
        let (index, target) = known_target(role, name);
        match self.named.iter().find(|(named, _)| *named == index) {
            Some((_, column)) => {
                let hint = format!("--column {}={column} names none of them", target.full_name());
                table.require(column, &hint).map(Some)
            }
            None => Ok(table.find(target.aliases)),
        }
    }

    /// The column of a table that holds this.
    pub(super) fn require(
        &self,
        table: &Table,
        role: Role,
        name: &str,
    ) -> Result<usize, ImportError> {
        self.find(table, role, name)?.ok_or_else(|| {
            let (_, target) = known_target(role, name);
            let hint = format!("say which with --column {}=NAME", target.full_name());
            table.missing(name, &hint)
        })
    }
}

fn known_target(role: Role, name: &str) -> (usize, &'static Target) {
    let known = |(_, target): &(usize, &Target)| target.role == role && target.name == name;
    TARGETS.iter().enumerate().find(known).expect("only known targets are asked for")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<ColumnNames, String> {
        ColumnNames::parse(arguments).map_err(|error| error.to_string())
    }

    #[test]
    fn a_target_without_a_file_means_every_file_that_has_it() {
        assert_eq!(parse(&["book=isbn"]).map(|names| names.named.len()), Ok(2));
        assert_eq!(
            parse(&["books.book = isbn", "interactions.book=item"]).map(|names| names.named.len()),
            Ok(2)
        );
        assert_eq!(
            parse(&["user=a=b"]).map(|names| names.named[0].1.clone()),
            Ok("a=b".to_owned())
        );
    }

    #[test]
    fn wrong_arguments_are_refused_with_what_there_is() {
        for (arguments, message) in [
            (
                ["user"].as_slice(),
                "found \"user\", expected TARGET=COLUMN such as user=customer_id",
            ),
            (&["=x"], "found \"=x\", expected TARGET=COLUMN such as user=customer_id"),
            (
                &["user=a", "interactions.user=b"],
                "interactions.user is given twice, expected one column",
            ),
            (
                &["books.user=a"],
                "unknown target \"books.user\", expected one of books.book, title, authors, year, language, categories, series, volume, work, isbn, cover, user, interactions.book, kind, rating, time, event_id, or book for both",
            ),
        ] {
            assert_eq!(parse(arguments), Err(message.to_owned()), "{arguments:?}");
        }
    }
}
