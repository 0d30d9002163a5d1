//! What every kind of store does, whatever database it is in.
//!
//! Each file ends with the list of its tests; one that is not in it the compiler calls unused.

/// Runs these tests on every kind of store.
macro_rules! on_every_kind {
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::support::Kind::Sqlite).await;
            })*
        }

        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                let name = concat!(module_path!(), "::", stringify!($test));
                if testbed::postgres::database_or_skip(name).is_some() {
                    super::$test(crate::support::Kind::Postgres).await;
                }
            })*
        }
    };
}

mod acceptance;
mod api_keys;
mod books;
mod events;
mod ids;
mod record;
mod rows;
mod rules;
mod search;
mod stock;
mod users;
mod writing;
