"""What schemathesis holds the server to, beside its own checks.

Canonical JSON of proto3 takes more than a document can say without a mess: null for a field
that is not set, numbers as text, enums by number. A request that is wrong in no other way may
be answered; all others that the document does not allow must be refused.
"""

import jsonschema_rs
import schemathesis
from schemathesis.specs.openapi.checks import negative_data_rejection


@schemathesis.check
def wrong_requests_are_refused(ctx, response, case):
    document = case.operation.schema.raw_schema
    content = case.operation.definition.raw["requestBody"]["content"]
    schema = content["application/json"]["schema"]
    if isinstance(case.body, dict):
        plain = as_documented(case.body, schema, document)
        if plain != case.body and is_valid(plain, schema, document):
            return
    negative_data_rejection(ctx, response, case)


def is_valid(body, schema, document):
    whole = {**schema, "components": document["components"]}
    return jsonschema_rs.validator_for(whole).is_valid(body)


def as_documented(value, schema, document):
    """The value as the document has it, where proto3 lets it be written otherwise."""
    while "$ref" in schema:
        target = document
        for key in schema["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        schema = target
    kind = schema.get("type")
    if kind == "object" and isinstance(value, dict):
        properties = schema.get("properties", {})
        return {
            name: as_documented(entry, properties.get(name, {}), document)
            for name, entry in value.items()
            if not (entry is None and name in properties)
        }
    if kind == "array" and isinstance(value, list):
        return [as_documented(entry, schema.get("items", {}), document) for entry in value]
    if kind in ("integer", "number") and isinstance(value, str):
        try:
            return int(value) if kind == "integer" else float(value)
        except ValueError:
            return value
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if kind == "string" and schema.get("format") in ("int64", "uint64") and is_number:
        return str(value)
    if "enum" in schema and is_number and 0 <= value < len(schema["enum"]):
        return schema["enum"][value]
    return value
