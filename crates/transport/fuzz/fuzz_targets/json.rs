//! JSON that nobody expects, as a message of a contract: an error or a message, never a panic
//! or an overflow; and a message stays the same from protobuf to JSON and back.
//!
//! The contract is gRPC's test service, whose messages hold numbers, bytes, enums and lists, and
//! each other. The first byte chooses a method.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use transport::json::{Contract, Message};

static CONTRACT: LazyLock<Contract> = LazyLock::new(|| {
    let descriptors = include_bytes!("../../examples/interop/generated/descriptor.bin");
    Contract::decode(descriptors).expect("it is committed")
});

const METHODS: [&str; 3] = ["UnaryCall", "StreamingInputCall", "StreamingOutputCall"];

fuzz_target!(|input: &[u8]| {
    let Some((first, rest)) = input.split_first() else { return };
    let method = METHODS[usize::from(*first) % METHODS.len()];
    let method = CONTRACT.method(&format!("/grpc.testing.TestService/{method}"));
    let method = method.expect("the contract has it");
    for message in [method.input(), method.output()] {
        from_json(message, rest);
        from_protobuf(message, rest);
    }
});

/// What is a message in JSON is the same message once it is written anew.
fn from_json(message: &Message, json: &[u8]) {
    match message.from_json(json, 3) {
        Ok(protobuf) => {
            assert_eq!(protobuf[..3], [0; 3]);
            again(message, &protobuf[3..]);
        }
        Err(error) => assert!(error.to_string().chars().count() < 300, "{error}"),
    }
}

/// What is a message in protobuf can be written in JSON, and that is read again.
fn from_protobuf(message: &Message, protobuf: &[u8]) {
    let Ok(json) = message.to_json(protobuf, 0) else { return };
    let canonical = message.from_json(&json, 0).expect("our own JSON is valid");
    again(message, &canonical);
}

fn again(message: &Message, protobuf: &[u8]) {
    let json = message.to_json(protobuf, 0).expect("it was just written");
    let same = message.from_json(&json, 0).expect("our own JSON is valid");
    assert_eq!(same, protobuf, "{}", String::from_utf8_lossy(&json));
}
