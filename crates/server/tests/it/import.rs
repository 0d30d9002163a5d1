//! Imports of small files, good and bad, into a real store.

mod bad_input;
mod goodbooks;
mod goodreads;
mod packing;
mod properties;
mod scratch;
mod shop_csv;
mod stop;
