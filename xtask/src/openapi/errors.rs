//! Errors as Connect has them: one schema, and one answer for each HTTP status.

use super::json::{Json, list, object, text};
use super::reference;

/// HTTP statuses, the codes that come with each, and when. Of the codes that Connect has, those
/// that share a status are told apart by `code`. Without codes there is no body.
const STATUSES: [(&str, &[&str], &str); 14] = [
    (
        "400",
        &["invalid_argument", "failed_precondition", "out_of_range"],
        "The request is not valid: it must be changed. For fields, `details` names each at fault.",
    ),
    (
        "401",
        &["unauthenticated"],
        "The caller did not say who it is, or not in a way that is valid.",
    ),
    (
        "403",
        &["permission_denied"],
        "The caller may not do this. Without a body: it is a web page, of an origin that the \
         server does not list.",
    ),
    (
        "404",
        &["not_found", "unimplemented"],
        "What was asked about is not there, or no such method.",
    ),
    (
        "405",
        &["unimplemented"],
        "Methods are called by POST. The answers to HEAD and OPTIONS have no body.",
    ),
    ("409", &["already_exists", "aborted"], "It is there already, or something else came first."),
    ("415", &["unimplemented"], "The body is not `application/json` in UTF-8."),
    (
        "429",
        &["resource_exhausted"],
        "A limit on calls, or on what the server holds at once: trying again later may help. Or \
         the body is too long: only a shorter one helps.",
    ),
    ("431", &[], "The headers are too long. There is no body."),
    ("499", &["canceled"], "The caller gave up."),
    ("500", &["unknown", "internal", "data_loss"], "A defect of the server; its log says more."),
    ("501", &["unimplemented"], "The server does not do this: a compressed body, for example."),
    ("503", &["unavailable"], "The server is stopping or overloaded. Try again."),
    ("504", &["deadline_exceeded"], "It took longer than the caller waits."),
];

/// The schemas of errors.
pub(super) fn schemas() -> Vec<(String, Json)> {
    let mut codes: Vec<&str> = STATUSES.iter().flat_map(|(_, codes, _)| *codes).copied().collect();
    codes.sort_unstable();
    codes.dedup();
    let field =
        |description: &str| object([("type", text("string")), ("description", text(description))]);
    let code = object([
        ("type", text("string")),
        ("description", text("What went wrong, for programs.")),
        ("enum", list(codes.into_iter().map(text))),
    ]);
    let details = object([
        ("type", text("array")),
        ("description", text("Messages that say more.")),
        ("items", reference("#/components/schemas/ErrorDetail")),
    ]);
    let error = object([
        ("type", text("object")),
        ("description", text("An error of the Connect protocol.")),
        ("required", list([text("code")])),
        (
            "properties",
            object([
                ("code", code),
                ("message", field("What went wrong, for people.")),
                ("details", details),
            ]),
        ),
    ]);
    let debug = "The same in JSON, to be read: for `google.rpc.BadRequest` an object with \
                 `fieldViolations`, each with `field`, such as `history[0].bookId`, and `description`.";
    let detail = object([
        ("type", text("object")),
        ("description", text("A message that says more about an error.")),
        ("required", list([text("type"), text("value")])),
        (
            "properties",
            object([
                ("type", field("The message's type, such as `google.rpc.BadRequest`.")),
                ("value", field("The message: protobuf as base64 without padding.")),
                ("debug", object([("description", text(debug))])),
            ]),
        ),
    ]);
    vec![("Error".to_owned(), error), ("ErrorDetail".to_owned(), detail)]
}

/// The answers with errors, by name.
pub(super) fn responses() -> Json {
    object(STATUSES.map(|(status, codes, description)| {
        let mut response = vec![("description", text(description))];
        if let Some(headers) = headers(status) {
            response.push(("headers", headers));
        }
        if !codes.is_empty() {
            response.push(("content", content(codes)));
        }
        (name(status), object(response))
    }))
}

fn content(codes: &[&str]) -> Json {
    let codes = object([("enum", list(codes.iter().copied().map(text)))]);
    let narrowed = object([("properties", object([("code", codes)]))]);
    let schema = object([("allOf", list([reference("#/components/schemas/Error"), narrowed]))]);
    object([("application/json", object([("schema", schema)]))])
}

fn headers(status: &str) -> Option<Json> {
    let (header, kind, description) = match status {
        "401" => ("WWW-Authenticate", "string", "How to say who is calling: `Bearer`."),
        "405" => ("Allow", "string", "`POST`."),
        "415" => ("Accept-Post", "string", "The content types that are taken."),
        "429" | "503" => ("Retry-After", "integer", "When to try again, in seconds, if known."),
        _ => return None,
    };
    let schema = object([("type", text(kind))]);
    let header_object = object([("description", text(description)), ("schema", schema)]);
    Some(object([(header, header_object)]))
}

/// References to all of them, by HTTP status.
pub(super) fn references() -> impl Iterator<Item = (String, Json)> {
    STATUSES.iter().map(|(status, ..)| {
        (status.to_string(), reference(format!("#/components/responses/{}", name(status))))
    })
}

fn name(status: &str) -> String {
    format!("Error{status}")
}
