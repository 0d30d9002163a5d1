//! Tests on the development data, where it lies beside the repository.
