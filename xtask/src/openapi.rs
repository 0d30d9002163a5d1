//! The description of a contract as JSON over HTTP: `OpenAPI` 3.1, from the protos and their
//! comments.
//!
//! It says what a client should send, which is less than what is taken: canonical JSON also
//! allows null for a field that is not set, numbers as text, and enums by number.

mod comments;
mod errors;
mod examples;
mod json;
mod limits;
mod schema;

use anyhow::{Context as _, ensure};
use prost_reflect::{DescriptorPool, MethodDescriptor, ServiceDescriptor};
use prost_types::FileDescriptorSet;

use self::comments::Comments;
use self::json::{Json, list, object, text};
use self::schema::Schemas;

const DESCRIPTION: &str = "Every call is a POST of one JSON object, answered by one JSON object: \
the unary form of the Connect protocol, with the canonical JSON of proto3. Fields that are not \
set are left out of answers. The same methods are served by gRPC and gRPC-Web.";

/// The document for all unary methods of a package, as it is to be committed.
///
/// # Errors
///
/// If the contract holds what is not described here.
pub(crate) fn document(descriptors: &FileDescriptorSet, package: &str) -> anyhow::Result<Vec<u8>> {
    let pool = DescriptorPool::from_file_descriptor_set(descriptors.clone())?;
    limits::check(&pool)?;
    let comments = Comments::new(descriptors);
    let services: Vec<_> =
        pool.services().filter(|service| service.package_name() == package).collect();
    ensure!(!services.is_empty(), "there is no service in package {package}");
    let is_unary =
        |method: &MethodDescriptor| !method.is_client_streaming() && !method.is_server_streaming();
    let methods: Vec<_> = services.iter().flat_map(ServiceDescriptor::methods).collect();
    let methods: Vec<_> = methods.into_iter().filter(is_unary).collect();

    let mut schemas = Schemas::new(&comments, package);
    for method in &methods {
        schemas.add_input(&method.input())?;
    }
    let mut paths = Vec::new();
    for method in &methods {
        schemas.add_output(&method.output())?;
        let name = method.parent_service().full_name().to_owned();
        paths.push((format!("/{name}/{}", method.name()), path(method, &comments, &schemas)?));
    }
    let mut components = schemas.into_components();
    components.extend(errors::schemas());
    let document = object([
        ("openapi", text("3.1.0")),
        ("info", info()),
        ("servers", list([object([("url", text("/"))])])),
        // A server may be set to ask nobody who they are.
        ("security", list([object::<&str>([]), object([("bearer", list([]))])])),
        ("tags", list(services.iter().map(|service| tag(service, &comments)))),
        ("paths", object(paths)),
        (
            "components",
            object([
                ("schemas", object(components)),
                ("responses", errors::responses()),
                ("parameters", parameters()),
                ("securitySchemes", object([("bearer", bearer())])),
            ]),
        ),
    ]);
    document.print()
}

fn info() -> Json {
    let license =
        object([("name", text("MIT OR Apache-2.0")), ("identifier", text("MIT OR Apache-2.0"))]);
    object([
        ("title", text("Foreword")),
        ("summary", text("Recommendations for bookshops, libraries and reading apps.")),
        ("description", text(DESCRIPTION)),
        // The workspace's, which is this package's too.
        ("version", text(env!("CARGO_PKG_VERSION"))),
        ("license", license),
    ])
}

fn tag(service: &ServiceDescriptor, comments: &Comments) -> Json {
    let comment = comments.of(&service.parent_file(), service.path());
    object([("name", text(service.name())), ("description", text(comment))])
}

/// The one operation at a method's path.
fn path(
    method: &MethodDescriptor,
    comments: &Comments,
    schemas: &Schemas<'_>,
) -> anyhow::Result<Json> {
    let comment = comments.of(&method.parent_service().parent_file(), method.path());
    let first = comment.split_inclusive(". ").next().unwrap_or_default();
    let service = method.parent_service();
    let examples = examples::examples(method.full_name())
        .with_context(|| format!("no example for {}: add one", method.full_name()))?;
    let input = object([
        ("schema", schemas.reference(method.input().full_name())),
        ("examples", object(examples)),
    ]);
    let output = object([("schema", schemas.reference(method.output().full_name()))]);
    let answered = object([
        ("description", text("The answer.")),
        ("content", object([("application/json", output)])),
    ]);
    let mut responses = vec![("200".to_owned(), answered)];
    responses.extend(errors::references());
    let operation = object([
        ("operationId", text(format!("{}_{}", service.name(), method.name()))),
        ("tags", list([text(service.name())])),
        ("summary", text(first.trim_end().trim_end_matches('.'))),
        ("description", text(comment.clone())),
        (
            "parameters",
            list(PARAMETERS.map(|(key, ..)| reference(format!("#/components/parameters/{key}")))),
        ),
        (
            "requestBody",
            object([
                ("required", Json::Flag(true)),
                ("content", object([("application/json", input)])),
            ]),
        ),
        ("responses", object(responses)),
    ]);
    Ok(object([("post", operation)]))
}

/// Headers that every call may have: key, name, description, pattern, example.
const PARAMETERS: [(&str, &str, &str, &str, &str); 2] = [
    (
        "ConnectTimeoutMs",
        "Connect-Timeout-Ms",
        "How long the caller waits, in milliseconds; then the answer is `deadline_exceeded`.",
        "^[0-9]{1,10}$",
        "5000",
    ),
    (
        "ConnectProtocolVersion",
        "Connect-Protocol-Version",
        "The version of the Connect protocol, if the caller wants to be sure.",
        "^1$",
        "1",
    ),
];

fn parameters() -> Json {
    object(PARAMETERS.map(|(key, name, description, pattern, example)| {
        let schema = object([("type", text("string")), ("pattern", text(pattern))]);
        let parameter = object([
            ("name", text(name)),
            ("in", text("header")),
            ("description", text(description)),
            ("required", Json::Flag(false)),
            ("schema", schema),
            ("example", text(example)),
        ]);
        (key, parameter)
    }))
}

fn bearer() -> Json {
    object([
        ("type", text("http")),
        ("scheme", text("bearer")),
        ("description", text("An API key or a JWT, where the server asks who is calling.")),
    ])
}

fn reference(to: impl Into<String>) -> Json {
    object([("$ref", text(to))])
}
