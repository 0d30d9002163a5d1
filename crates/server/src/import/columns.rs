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
struct Field {
    role: Role,
    name: &'static str,
    aliases: &'static [&'static str],
}

const fn field(role: Role, name: &'static str, aliases: &'static [&'static str]) -> Field {
    Field { role, name, aliases }
}

const FIELDS: &[Field] = &[
    field(
        Role::Books,
        "book",
        &["book", "book_id", "item", "item_id", "product_id", "sku", "id", "isbn13", "isbn"],
    ),
    field(Role::Books, "title", &["title", "book_title", "name"]),
    field(Role::Books, "authors", &["authors", "author", "book_author"]),
    field(
        Role::Books,
        "year",
        &["year", "published_year", "original_publication_year", "publication_year"],
    ),
    field(Role::Books, "language", &["language", "language_code"]),
    field(Role::Books, "categories", &["categories", "category", "genres", "genre"]),
    field(Role::Books, "series", &["series"]),
    field(Role::Books, "volume", &["volume"]),
    field(Role::Books, "work", &["work", "work_id"]),
    field(Role::Books, "isbn", &["isbn13", "isbn"]),
    field(Role::Books, "cover", &["cover", "cover_url", "image_url"]),
    field(Role::Books, "publisher", &["publisher", "publisher_name", "imprint"]),
    field(
        Role::Books,
        "stock",
        &["stock", "in_stock", "stock_quantity", "quantity", "qty", "inventory"],
    ),
    field(Role::Books, "price", &["price", "list_price", "sale_price", "retail_price"]),
    field(Role::Books, "currency", &["currency", "currency_code", "price_currency"]),
    field(
        Role::Books,
        "min_age",
        &["min_age", "age_min", "minimum_age", "reading_age", "age_from", "age"],
    ),
    field(
        Role::Interactions,
        "user",
        &["user", "user_id", "customer", "customer_id", "reader", "reader_id", "member_id"],
    ),
    field(
        Role::Interactions,
        "book",
        &["book", "book_id", "item", "item_id", "product_id", "sku", "isbn13", "isbn"],
    ),
    field(Role::Interactions, "kind", &["kind", "event", "event_type", "type"]),
    field(Role::Interactions, "rating", &["rating", "stars"]),
    field(Role::Interactions, "time", &["time", "timestamp", "date"]),
    field(Role::Interactions, "event_id", &["event_id"]),
];

/// Why an argument such as `user=customer_id` cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ColumnError {
    /// No `=`, or nothing on one side of it.
    #[error("found {found:?}, expected FIELD=COLUMN such as user=customer_id")]
    Format {
        /// The argument.
        found: String,
    },
    /// The part before the `=` is nothing that a column can hold.
    #[error("unknown field {found:?}, expected one of {}", known_fields())]
    UnknownField {
        /// The part before the `=`.
        found: String,
    },
    /// Two arguments say where the same thing is.
    #[error("{field} is given twice, expected one column")]
    Repeated {
        /// What is given twice.
        field: String,
    },
}

impl Field {
    /// Its name, with its file in front if both files have one of that name.
    fn full_name(&self) -> String {
        let namesakes = FIELDS.iter().filter(|field| field.name == self.name);
        match namesakes.count() {
            1 => self.name.to_owned(),
            _ => format!("{}.{}", self.role.name(), self.name),
        }
    }
}

fn known_fields() -> String {
    let names: Vec<String> = FIELDS.iter().map(Field::full_name).collect();
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
    /// the field means that file only; without it the column is expected in every
    /// file that has such a field.
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
        let (field, column) = argument
            .split_once('=')
            .map(|(field, column)| (field.trim(), column.trim()))
            .filter(|(field, column)| !field.is_empty() && !column.is_empty())
            .ok_or_else(|| ColumnError::Format { found: argument.to_owned() })?;
        let (role, name) =
            field.split_once('.').map_or((None, field), |(role, name)| (Some(role), name));
        let mut found = false;
        for (index, known) in FIELDS.iter().enumerate() {
            if known.name != name || role.is_some_and(|role| role != known.role.name()) {
                continue;
            }
            found = true;
            if self.named.iter().any(|(named, _)| *named == index) {
                return Err(ColumnError::Repeated { field: field.to_owned() });
            }
            self.named.push((index, column.to_owned()));
        }
        match found {
            true => Ok(()),
            false => Err(ColumnError::UnknownField { found: field.to_owned() }),
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
        let (index, field) = known_field(role, name);
        match self.named.iter().find(|(named, _)| *named == index) {
            Some((_, column)) => {
                let hint = format!("--column {}={column} names none of them", field.full_name());
                table.require(column, &hint).map(Some)
            }
            None => Ok(table.find(field.aliases)),
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
            let (_, field) = known_field(role, name);
            let hint = format!("say which with --column {}=NAME", field.full_name());
            table.missing(name, &hint)
        })
    }
}

fn known_field(role: Role, name: &str) -> (usize, &'static Field) {
    let known = |(_, field): &(usize, &Field)| field.role == role && field.name == name;
    FIELDS.iter().enumerate().find(known).expect("only known fields are asked for")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<ColumnNames, String> {
        ColumnNames::parse(arguments).map_err(|error| error.to_string())
    }

    #[test]
    fn a_field_without_a_file_means_every_file_that_has_it() {
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
            (["user"].as_slice(), "found \"user\", expected FIELD=COLUMN such as user=customer_id"),
            (&["=x"], "found \"=x\", expected FIELD=COLUMN such as user=customer_id"),
            (
                &["user=a", "interactions.user=b"],
                "interactions.user is given twice, expected one column",
            ),
            (
                &["books.user=a"],
                "unknown field \"books.user\", expected one of books.book, title, authors, year, language, categories, series, volume, work, isbn, cover, publisher, stock, price, currency, min_age, user, interactions.book, kind, rating, time, event_id, or book for both",
            ),
        ] {
            assert_eq!(parse(arguments), Err(message.to_owned()), "{arguments:?}");
        }
    }
}
