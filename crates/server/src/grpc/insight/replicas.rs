//! Replicas as messages.

use std::time::SystemTime;

use api::v1::{ListReplicasResponse, Replica as ReplicaMessage};
use storage::Replica;

use crate::grpc::time::{timestamp, timestamp_of};

/// The replicas that a database tells of, the one called `own_name` first. It is there too if the
/// database does not tell of it, since `started`.
pub(super) fn to_message(
    found: &[Replica],
    own_name: &str,
    started: SystemTime,
) -> ListReplicasResponse {
    let message = |replica: &Replica| ReplicaMessage {
        name: replica.name.clone(),
        address: replica.address.clone().unwrap_or_default(),
        start_time: Some(timestamp(replica.since_ms)),
        answering: replica.name == own_name,
    };
    let mut replicas: Vec<ReplicaMessage> = found.iter().map(message).collect();
    if !replicas.iter().any(|replica| replica.answering) {
        replicas.push(ReplicaMessage {
            name: own_name.to_owned(),
            address: String::new(),
            start_time: timestamp_of(started),
            answering: true,
        });
    }
    replicas.sort_by_key(|replica| !replica.answering);
    ListReplicasResponse { replicas }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_answers_comes_first_and_is_always_there() {
        let replica = |name: &str, since_ms| Replica {
            name: name.to_owned(),
            address: Some("10.0.0.7".to_owned()),
            since_ms,
        };
        let found = [replica("a/1", 5), replica("b/2", 6)];
        for (own_name, expected) in [
            ("b/2", &["b/2", "a/1"][..]),
            ("c/3", &["c/3", "a/1", "b/2"]),
            ("a/1", &["a/1", "b/2"]),
        ] {
            let told = to_message(&found, own_name, SystemTime::UNIX_EPOCH).replicas;
            let names: Vec<&str> = told.iter().map(|one| one.name.as_str()).collect();
            assert_eq!(names, expected);
            let answering: Vec<bool> = told.iter().map(|one| one.answering).collect();
            assert_eq!(answering.iter().position(|one| *one), Some(0));
            assert_eq!(answering.iter().filter(|one| **one).count(), 1);
        }
    }
}
