//! The JSON Schema of infra.toml, from the same definitions that read it.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::declared::KINDS;
use super::decode::PortTable;
use super::model::{Cluster, LogGroup, Secret, Service};
use super::model::{
    ClusterReference, CpuUnits, Image, LogGroupReference, MemoryMegabytes, PolicyReference,
    PortMapping, RoleReference, Seconds, SecretReference,
};
use super::reader::Decode;
use super::references::{ForeignLogGroupTable, ImageTable};
use super::tables::{
    AuditTable, Day, EnvironmentTable, GithubTable, OidcProviderTable, PolicyTable, ProjectTable,
    RepositoryTable, RoleTable, Variable,
};

/// The schema of one table while it is put together.
pub(super) struct Shape {
    description: String,
    properties: Map<String, Value>,
    required: Vec<Value>,
}

impl Shape {
    pub(super) fn new(doc: &[&str]) -> Self {
        Self {
            description: prose(doc),
            properties: Map::new(),
            required: Vec::new(),
        }
    }

    pub(super) fn field<T: JsonSchema + Decode + serde::Serialize>(
        &mut self,
        key: &str,
        doc: &[&str],
        default: Option<fn() -> T>,
        generator: &mut SchemaGenerator,
    ) {
        let mut schema = without_null(generator.subschema_for::<T>());
        schema.insert("description".to_owned(), prose(doc).into());
        match default {
            Some(default) => {
                let value = serde_json::to_value(default()).unwrap_or_default();
                if value != json!("") && value != json!([]) && value != json!({}) {
                    schema.insert("default".to_owned(), value);
                }
            }
            None if T::absent().is_none() => self.required.push(key.into()),
            None => {}
        }
        self.properties.insert(key.to_owned(), schema.into());
    }

    pub(super) fn finish(self) -> Schema {
        let mut schema = json_schema!({
            "type": "object",
            "description": self.description,
            "properties": self.properties,
            "additionalProperties": false,
        });
        if !self.required.is_empty() {
            schema.insert("required".to_owned(), self.required.into());
        }
        schema
    }
}

fn prose(lines: &[&str]) -> String {
    let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    lines.join(" ")
}

/// The schema of a string that is one of a few words.
pub(super) fn words(doc: &[&str], words: &[(&str, &str)]) -> Schema {
    let alternatives: Vec<Value> = words
        .iter()
        .map(|(word, doc)| json!({ "const": word, "description": doc.trim() }))
        .collect();
    json_schema!({ "description": prose(doc), "oneOf": alternatives })
}

macro_rules! scalar {
    ($($type:ty => $name:literal, $schema:expr;)*) => {
        $(impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let make: fn(&mut SchemaGenerator) -> Value = $schema;
                Schema::try_from(make(generator)).unwrap_or_default()
            }
        })*
    };
}

scalar! {
    Seconds => "Duration", |_| json!({ "title": "duration", "anyOf": [
        { "type": "integer", "minimum": 0 },
        { "type": "string", "examples": ["10m", "30s"] },
    ] });
    CpuUnits => "CpuUnits", |_| json!({ "title": "number or string", "type": ["integer", "string"] });
    MemoryMegabytes => "Memory", |_| json!({ "title": "number or string", "type": ["integer", "string"] });
    RoleReference => "RoleName", |_| json!({ "type": "string" });
    PolicyReference => "PolicyName", |_| json!({ "type": "string" });
    ClusterReference => "ClusterName", |_| json!({ "type": "string" });
    SecretReference => "SecretName", |_| json!({ "type": "string" });
    LogGroupReference => "LogGroupName", |generator| json!({ "anyOf": [
        { "type": "string" },
        generator.subschema_for::<ForeignLogGroupTable>(),
    ] });
    Image => "ImageName", |generator| json!({ "anyOf": [
        { "type": "string" },
        generator.subschema_for::<ImageTable>(),
    ] });
    PortMapping => "PortMapping", |generator| json!({ "anyOf": [
        { "type": "integer", "minimum": 0, "maximum": 65535 },
        generator.subschema_for::<PortTable>(),
    ] });
    Variable => "Variable", |_| json!({ "title": "string, number or boolean", "type": ["string", "integer", "number", "boolean"] });
    Day => "Day", |_| json!({ "type": "string", "format": "date" });
}

/// The JSON Schema of infra.toml. A number, a boolean or a word may also be a placeholder, and an
/// environment's overlays are tables of which any key may be left out.
#[must_use]
pub fn schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut properties = Map::new();
    let mut enter = |key: &str, schema: Value| properties.insert(key.to_owned(), schema);
    enter(
        "project",
        generator.subschema_for::<ProjectTable>().to_value(),
    );
    enter(
        "github",
        generator.subschema_for::<GithubTable>().to_value(),
    );
    enter(
        "environment",
        by_name(&generator.subschema_for::<EnvironmentTable>()),
    );
    enter("audit", generator.subschema_for::<AuditTable>().to_value());
    for (kind, schema) in KINDS.into_iter().zip(kinds(&mut generator)) {
        enter(kind, by_name(&schema));
    }
    let mut definitions = generator.take_definitions(false);
    for name in KIND_NAMES {
        add_environments(definitions.get_mut(*name));
    }
    add_overlays(definitions.get_mut("Environment"));
    definitions.values_mut().for_each(allow_placeholders);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "infra.toml",
        "description": "What provision makes so.",
        "type": "object",
        "required": ["project"],
        "additionalProperties": false,
        "properties": properties,
        "$defs": definitions,
    })
}

/// The names of the kinds' definitions, in the order of KINDS.
const KIND_NAMES: &[&str] = &[
    "OidcProvider",
    "Policy",
    "Role",
    "Repository",
    "LogGroup",
    "Secret",
    "Cluster",
    "Service",
];

fn kinds(generator: &mut SchemaGenerator) -> [Schema; 8] {
    [
        generator.subschema_for::<OidcProviderTable>(),
        generator.subschema_for::<PolicyTable>(),
        generator.subschema_for::<RoleTable>(),
        generator.subschema_for::<RepositoryTable>(),
        generator.subschema_for::<LogGroup>(),
        generator.subschema_for::<Secret>(),
        generator.subschema_for::<Cluster>(),
        generator.subschema_for::<Service>(),
    ]
}

fn by_name(schema: &Schema) -> Value {
    json!({ "type": "object", "additionalProperties": schema })
}

fn properties_of(definition: Option<&mut Value>) -> Option<&mut Map<String, Value>> {
    definition?.get_mut("properties")?.as_object_mut()
}

fn add_environments(definition: Option<&mut Value>) {
    if let Some(properties) = properties_of(definition) {
        let schema = json!({
            "description": "The environments for which the table is expanded, once for each.",
            "type": "array",
            "items": { "type": "string" },
        });
        properties.insert("environments".to_owned(), schema);
    }
}

fn add_overlays(definition: Option<&mut Value>) {
    if let Some(properties) = properties_of(definition) {
        for kind in KINDS {
            let schema = json!({
                "description": format!("Laid over the tables [{kind}.NAME] in this environment."),
                "type": "object",
                "additionalProperties": { "type": "object" },
            });
            properties.insert(kind.to_owned(), schema);
        }
    }
}

/// Lets every scalar that is no free string be a placeholder as well.
fn allow_placeholders(schema: &mut Value) {
    let Some(table) = schema.as_object_mut() else {
        return;
    };
    table.values_mut().for_each(|value| match value {
        Value::Array(items) => items.iter_mut().for_each(allow_placeholders),
        other => allow_placeholders(other),
    });
    let scalar = table
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if ["integer", "number", "boolean"].contains(&scalar) {
        table.insert("type".to_owned(), json!([scalar, "string"]));
        table.insert("pattern".to_owned(), r"^\{\{.+\}\}$".into());
    }
    if let Some(Value::Array(words)) = table.get_mut("oneOf")
        && words.iter().all(|word| word.get("const").is_some())
    {
        words.push(json!({ "pattern": r"\{\{.+\}\}", "description": "A placeholder." }));
    }
}

/// The schema without `null`, which TOML does not have.
fn without_null(schema: Schema) -> Map<String, Value> {
    let mut table = schema.to_value().as_object().cloned().unwrap_or_default();
    if let Some(Value::Array(types)) = table.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            table.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = table.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
        if let [Value::Object(only)] = choices.as_slice() {
            return only.clone();
        }
    }
    table
}
