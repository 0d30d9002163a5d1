//! Schemas of messages and enums, in canonical JSON of proto3.

use std::collections::BTreeMap;

use anyhow::{bail, ensure};
use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};

use super::comments::Comments;
use super::json::{Json, list, object, text};
use super::{limits, reference};

/// Schemas of what methods are asked and answer.
pub(super) struct Schemas<'a> {
    comments: &'a Comments,
    package: &'a str,
    /// By the names that they have in the document, with their full names.
    known: BTreeMap<String, (String, Json)>,
}

/// Whether fields that the contract does not have are refused.
#[derive(Clone, Copy)]
enum Unknown {
    Refused,
    /// A later server may send more.
    MayCome,
}

impl<'a> Schemas<'a> {
    pub(super) fn new(comments: &'a Comments, package: &'a str) -> Self {
        Self { comments, package, known: BTreeMap::new() }
    }

    /// Adds a message that clients send, and all that it is made of. To be added before those
    /// that they get.
    pub(super) fn add_input(&mut self, message: &MessageDescriptor) -> anyhow::Result<()> {
        self.add_message(message, Unknown::Refused)
    }

    /// Adds a message that clients get.
    pub(super) fn add_output(&mut self, message: &MessageDescriptor) -> anyhow::Result<()> {
        self.add_message(message, Unknown::MayCome)
    }

    /// A reference to a message or enum by its full name.
    pub(super) fn reference(&self, full_name: &str) -> Json {
        reference(format!("#/components/schemas/{}", self.name(full_name)))
    }

    pub(super) fn into_components(self) -> Vec<(String, Json)> {
        self.known.into_iter().map(|(name, (_, schema))| (name, schema)).collect()
    }

    /// The name without the package; messages inside of others have both names.
    fn name(&self, full_name: &str) -> String {
        let name = full_name.strip_prefix(self.package).unwrap_or(full_name);
        name.replace('.', "")
    }

    /// Whether it is to be described: it is not known yet.
    fn is_new(&mut self, full_name: &str) -> anyhow::Result<bool> {
        let name = self.name(full_name);
        if let Some((known, _)) = self.known.get(&name) {
            ensure!(known == full_name, "{known} and {full_name} are both called {name}");
            return Ok(false);
        }
        // Known from now on, so that a message may hold itself.
        self.known.insert(name, (full_name.to_owned(), Json::Flag(true)));
        Ok(true)
    }

    fn set(&mut self, full_name: &str, schema: Json) {
        self.known.insert(self.name(full_name), (full_name.to_owned(), schema));
    }

    fn add_message(&mut self, message: &MessageDescriptor, unknown: Unknown) -> anyhow::Result<()> {
        if !self.is_new(message.full_name())? {
            return Ok(());
        }
        let mut properties = Vec::new();
        let mut required = Vec::new();
        for field in message.fields() {
            properties.push((field.json_name().to_owned(), self.field(&field, unknown)?));
            if limits::is_required(field.full_name()) {
                required.push(text(field.json_name()));
            }
        }
        let mut comment = self.comments.of(&message.parent_file(), message.path());
        for oneof in message.oneofs().filter(|oneof| !oneof.is_synthetic()) {
            let names: Vec<_> =
                oneof.fields().map(|field| format!("`{}`", field.json_name())).collect();
            comment.push_str(&format!("\n\nAt most one of {}.", names.join(", ")));
        }
        let mut schema = vec![("type", text("object")), ("description", text(comment))];
        if !required.is_empty() {
            schema.push(("required", list(required)));
        }
        schema.push(("properties", object(properties)));
        if matches!(unknown, Unknown::Refused) {
            schema.push(("additionalProperties", Json::Flag(false)));
        }
        self.set(message.full_name(), object(schema));
        Ok(())
    }

    fn add_enum(&mut self, kind: &EnumDescriptor) -> anyhow::Result<()> {
        if !self.is_new(kind.full_name())? {
            return Ok(());
        }
        let file = kind.parent_file();
        let mut comment = self.comments.of(&file, kind.path());
        comment.push('\n');
        for value in kind.values() {
            let meaning = self.comments.of(&file, value.path());
            comment.push_str(&format!("\n- `{}`: {meaning}", value.name()));
        }
        let names = kind.values().map(|value| text(value.name())).collect::<Vec<_>>();
        let schema =
            [("type", text("string")), ("description", text(comment)), ("enum", list(names))];
        self.set(kind.full_name(), object(schema));
        Ok(())
    }

    fn field(&mut self, field: &FieldDescriptor, unknown: Unknown) -> anyhow::Result<Json> {
        let file = field.parent_message().parent_file();
        let comment = self.comments.of(&file, field.path());
        let mut schema = vec![("description", text(comment))];
        let name = field.full_name();
        if field.is_map() {
            let Kind::Message(entry) = field.kind() else { bail!("{name} is an odd map") };
            let value = self.value(&entry.map_entry_value_field(), unknown)?;
            schema.extend([("type", text("object")), ("additionalProperties", object(value))]);
        } else if field.is_list() {
            let value = self.value(field, unknown)?;
            schema.extend([("type", text("array")), ("items", object(value))]);
            schema.extend(limits::of_list(name));
        } else {
            schema.extend(self.value(field, unknown)?);
        }
        Ok(object(schema))
    }

    /// The keywords of one value.
    fn value(
        &mut self,
        field: &FieldDescriptor,
        unknown: Unknown,
    ) -> anyhow::Result<Vec<(&'static str, Json)>> {
        let of = |kind: &str, format: &str| vec![("type", text(kind)), ("format", text(format))];
        let mut schema = match field.kind() {
            Kind::String => vec![("type", text("string"))],
            Kind::Bool => vec![("type", text("boolean"))],
            Kind::Bytes => vec![("type", text("string")), ("contentEncoding", text("base64"))],
            Kind::Double => of("number", "double"),
            Kind::Float => of("number", "float"),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
                let mut schema = of("integer", "int32");
                schema.push(("minimum", Json::Whole(i32::MIN.into())));
                schema.push(("maximum", Json::Whole(i32::MAX.into())));
                schema
            }
            Kind::Uint32 | Kind::Fixed32 => {
                let mut schema = of("integer", "uint32");
                schema.push(("minimum", Json::Whole(0)));
                schema.push(("maximum", Json::Whole(u32::MAX.into())));
                schema
            }
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => of("string", "int64"),
            Kind::Uint64 | Kind::Fixed64 => of("string", "uint64"),
            Kind::Enum(kind) => {
                self.add_enum(&kind)?;
                vec![(
                    "$ref",
                    text(format!("#/components/schemas/{}", self.name(kind.full_name()))),
                )]
            }
            Kind::Message(message) => self.message_value(&message, unknown)?,
        };
        for (key, value) in limits::of_value(field.full_name()) {
            schema.retain(|(known, _)| *known != key);
            schema.push((key, value));
        }
        Ok(schema)
    }

    fn message_value(
        &mut self,
        message: &MessageDescriptor,
        unknown: Unknown,
    ) -> anyhow::Result<Vec<(&'static str, Json)>> {
        let name = message.full_name();
        Ok(match name {
            "google.protobuf.Timestamp" => {
                vec![("type", text("string")), ("format", text("date-time"))]
            }
            "google.protobuf.Duration" => {
                let pattern = text(r"^-?[0-9]+(\.[0-9]{1,9})?s$");
                vec![("type", text("string")), ("pattern", pattern)]
            }
            "google.protobuf.FieldMask" => vec![("type", text("string"))],
            "google.protobuf.Empty" => vec![("type", text("object"))],
            _ => {
                ensure!(!name.starts_with("google."), "{name} is not described yet: add it here");
                self.add_message(message, unknown)?;
                vec![("$ref", text(format!("#/components/schemas/{}", self.name(name))))]
            }
        })
    }
}
