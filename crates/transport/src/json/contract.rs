//! The methods that can be called, by path.

use std::collections::HashMap;
use std::sync::Arc;

use prost_reflect::{DescriptorPool, MethodDescriptor};

use super::message::Message;

/// The methods of some services. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Contract {
    methods: Arc<HashMap<String, Method>>,
}

/// One method.
#[derive(Clone, Debug)]
pub struct Method {
    input: Message,
    output: Message,
    streams: bool,
}

/// A contract cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read a contract: {0}")]
pub struct ContractError(#[from] prost_reflect::DescriptorError);

impl Contract {
    /// Every method of every service in a pool.
    #[must_use]
    pub fn new(pool: &DescriptorPool) -> Self {
        let methods = pool.services().flat_map(|service| {
            let name = service.full_name().to_owned();
            let methods: Vec<_> = service.methods().collect();
            methods
                .into_iter()
                .map(move |method| (format!("/{name}/{}", method.name()), Method::new(&method)))
        });
        Self { methods: Arc::new(methods.collect()) }
    }

    /// Every method of every service in an encoded `google.protobuf.FileDescriptorSet`.
    ///
    /// # Errors
    ///
    /// If it is none, or refers to what is not in it.
    pub fn decode(file_descriptor_set: &[u8]) -> Result<Self, ContractError> {
        Ok(Self::new(&DescriptorPool::decode(file_descriptor_set)?))
    }

    /// The method at a path such as `/shop.Books/Find`.
    #[must_use]
    pub fn method(&self, path: &str) -> Option<&Method> {
        self.methods.get(path)
    }
}

impl Method {
    fn new(descriptor: &MethodDescriptor) -> Self {
        Self {
            input: Message::new(descriptor.input()),
            output: Message::new(descriptor.output()),
            streams: descriptor.is_client_streaming() || descriptor.is_server_streaming(),
        }
    }

    /// What it is asked.
    #[must_use]
    pub fn input(&self) -> &Message {
        &self.input
    }

    /// What it answers.
    #[must_use]
    pub fn output(&self) -> &Message {
        &self.output
    }

    /// Whether there may be more than one message in a request or an answer.
    #[must_use]
    pub fn streams(&self) -> bool {
        self.streams
    }
}
