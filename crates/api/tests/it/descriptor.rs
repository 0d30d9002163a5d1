//! Reads the committed descriptor set as text, one line for each thing on the wire.

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet};

/// The file with this path.
pub(crate) fn file(path: &str) -> FileDescriptorProto {
    let set = FileDescriptorSet::decode(api::FILE_DESCRIPTOR_SET)
        .expect("the committed descriptor set decodes");
    set.file
        .into_iter()
        .find(|file| file.name() == path)
        .unwrap_or_else(|| panic!("no {path} in the descriptor set"))
}

/// The names of all methods of `foreword.v1` whose requests may not be sent twice.
pub(crate) fn not_repeatable() -> Vec<String> {
    let set = FileDescriptorSet::decode(api::FILE_DESCRIPTOR_SET)
        .expect("the committed descriptor set decodes");
    let repeatable = api::idempotent_methods();
    let files = set.file.iter().filter(|file| file.package() == "foreword.v1");
    let lines = files.flat_map(describe_services);
    let paths = lines.map(|line| line.split(' ').next().unwrap_or_default().to_owned());
    let others = paths.filter(|path| !repeatable.contains(path));
    others.map(|path| path.rsplit('/').next().unwrap_or_default().to_owned()).collect()
}

/// The file's messages, enums and methods, in the order of the file.
pub(crate) fn describe(file: &FileDescriptorProto) -> Vec<String> {
    let enums = file.enum_type.iter().flat_map(describe_enum);
    let messages = file.message_type.iter().flat_map(describe_message);
    enums.chain(messages).chain(describe_services(file)).collect()
}

fn describe_enum(declared: &EnumDescriptorProto) -> Vec<String> {
    let line = |value: &prost_types::EnumValueDescriptorProto| {
        format!("{} {} = {}", declared.name(), value.name(), value.number())
    };
    declared.value.iter().map(line).collect()
}

fn describe_message(message: &DescriptorProto) -> Vec<String> {
    let line = |field: &prost_types::FieldDescriptorProto| {
        let repeated = if field.label() == Label::Repeated { "repeated " } else { "" };
        let kind = match field.r#type() {
            Type::Enum | Type::Message => field.type_name().to_owned(),
            scalar => scalar.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
        };
        format!("{} {} = {} {repeated}{kind}", message.name(), field.name(), field.number())
    };
    message.field.iter().map(line).collect()
}

fn describe_services(file: &FileDescriptorProto) -> Vec<String> {
    let package = match file.package() {
        "" => String::new(),
        package => format!("{package}."),
    };
    let mut lines = Vec::new();
    for service in &file.service {
        for method in &service.method {
            let request = streamed(method.client_streaming(), method.input_type());
            let response = streamed(method.server_streaming(), method.output_type());
            let path = format!("/{package}{}/{}", service.name(), method.name());
            lines.push(format!("{path} {request} -> {response}"));
        }
    }
    lines
}

fn streamed(is_stream: bool, message: &str) -> String {
    if is_stream { format!("stream {message}") } else { message.to_owned() }
}
