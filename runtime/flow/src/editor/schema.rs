//! JSON Schema (draft-07, which YAML editors understand) of each kind of file.

use serde_json::{Map, Value as Json, json};

use crate::language::{Field, FileShape, Kind, Mapping, Shape, Subject};

/// The names of all schemas: `flow`, `hotline`, `prompts` and so on.
pub fn names() -> impl Iterator<Item = &'static str> {
    FileShape::ALL.into_iter().map(FileShape::as_str)
}

/// The schema of one kind of file; none for a name that is none of [`names`].
pub fn schema(name: &str) -> Option<Json> {
    let file = FileShape::ALL.into_iter().find(|file| file.as_str() == name)?;
    let mut schemas = Schemas::default();
    let mut root = schemas.shape(file.shape());
    // Anchors may be kept under any key that no field has; the checker says more.
    let Json::Object(object) = &mut root else {
        return None;
    };
    object.insert("$schema".into(), json!("http://json-schema.org/draft-07/schema#"));
    object.insert("title".into(), json!(format!("Trunkline: {name}")));
    object.insert("definitions".into(), Json::Object(schemas.definitions));
    Some(root)
}

#[derive(Default)]
struct Schemas {
    definitions: Map<String, Json>,
}

impl Schemas {
    fn shape(&mut self, shape: &'static Shape) -> Json {
        match shape {
            Shape::Word(kind) => word(*kind),
            Shape::Mapping(mapping) => self.mapping(mapping),
            Shape::Entries { key, value } => {
                let mut entries = json!({
                    "type": "object",
                    "additionalProperties": self.shape(value),
                });
                if let Kind::Key = key {
                    entries["propertyNames"] = json!({ "pattern": "^[0-9*#]$" });
                }
                entries
            }
            Shape::Besides { fields, value, .. } => {
                let mut properties = Map::new();
                for field in fields.fields {
                    self.property(&mut properties, field);
                }
                json!({
                    "type": "object",
                    "properties": properties,
                    "additionalProperties": self.shape(value),
                })
            }
            Shape::List(inside) => json!({ "type": "array", "items": self.shape(inside) }),
            Shape::Value => json!({}),
            Shape::Either(several) => {
                let shapes: Vec<Json> = several.iter().map(|shape| self.shape(shape)).collect();
                json!({ "anyOf": shapes })
            }
        }
    }

    /// A reference to a mapping's definition, which is written once.
    fn mapping(&mut self, mapping: &'static Mapping) -> Json {
        let name: String = mapping
            .what
            .chars()
            .filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-')
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let reference = json!({ "$ref": format!("#/definitions/{name}") });
        if self.definitions.contains_key(&name) {
            return reference;
        }
        // Before its fields, which may lead back to it.
        self.definitions.insert(name.clone(), Json::Null);
        let mut properties = Map::new();
        for verb in mapping.verbs {
            self.property(&mut properties, &verb.field);
        }
        for field in mapping
            .verbs
            .iter()
            .flat_map(|verb| verb.fields)
            .chain(mapping.fields)
        {
            self.property(&mut properties, field);
        }
        let mut schema = json!({
            "type": "object",
            "description": mapping.doc,
            "properties": properties,
            "additionalProperties": false,
        });
        let required: Vec<&str> = required(mapping.fields);
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        if !mapping.verbs.is_empty() {
            let one: Vec<Json> = mapping
                .verbs
                .iter()
                .map(|verb| json!({ "required": [verb.field.name] }))
                .collect();
            let each: Vec<Json> = mapping
                .verbs
                .iter()
                .map(|verb| {
                    let fields = mapping.fields_with(Some(verb)).map(|field| field.name);
                    let own: Map<String, Json> = verb
                        .fields
                        .iter()
                        .map(|field| (field.name.to_owned(), self.described(field)))
                        .collect();
                    json!({
                        "if": { "required": [verb.field.name] },
                        "then": {
                            "propertyNames": { "enum": fields.collect::<Vec<_>>() },
                            "properties": own,
                            "required": required_of(verb.fields),
                        },
                    })
                })
                .collect();
            schema["oneOf"] = json!(one);
            schema["allOf"] = json!(each);
        }
        self.definitions.insert(name, schema);
        reference
    }

    /// A field that several verbs have takes what any of them takes; what each takes stands
    /// with the verb.
    fn property(&mut self, properties: &mut Map<String, Json>, field: &'static Field) {
        let described = self.described(field);
        match properties.get_mut(field.name) {
            None => {
                properties.insert(field.name.to_owned(), described);
            }
            Some(known) if *known == described => {}
            Some(known) => {
                *known = json!({ "description": known["description"].clone() });
            }
        }
    }

    fn described(&mut self, field: &'static Field) -> Json {
        let mut schema = self.shape(&field.shape);
        if schema.get("$ref").is_some() {
            // What stands beside a reference is not read in draft-07.
            schema = json!({ "allOf": [schema] });
        }
        schema["description"] = json!(field.doc);
        schema
    }
}

fn required(fields: &[Field]) -> Vec<&'static str> {
    required_of(fields)
}

fn required_of(fields: &[Field]) -> Vec<&'static str> {
    fields
        .iter()
        .filter(|field| field.needed)
        .map(|field| field.name)
        .collect()
}

/// What YAML gives for a plain value: editors read `1`, `true` and days without quotes as
/// numbers, booleans and texts.
fn word(kind: Kind) -> Json {
    let any = json!(["string", "number", "boolean"]);
    match kind {
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Whole => json!({ "type": "integer" }),
        Kind::Decimal => json!({ "type": "number" }),
        Kind::Key => json!({ "type": ["string", "integer"], "pattern": "^[0-9*#]$" }),
        Kind::Duration => json!({ "type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$" }),
        Kind::Condition => json!({ "type": "string", "pattern": "^\\$\\{" }),
        Kind::Choice(choices) => {
            let words: Vec<&str> = choices.iter().map(|choice| choice.word).collect();
            let docs: Vec<&str> = choices.iter().map(|choice| choice.doc).collect();
            // `enumDescriptions` is read by editors and passed over by all else.
            json!({ "enum": words, "enumDescriptions": docs })
        }
        Kind::Names(Subject::Function) => json!({ "type": "string", "pattern": "\\." }),
        Kind::Names(Subject::Step | Subject::Variable | Subject::Flow | Subject::Queue | Subject::Survey)
        | Kind::Type => json!({ "type": "string" }),
        _ => json!({ "type": any }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Enough of draft-07 to try the schemas on files: what they use of it.
    fn valid(root: &Json, schema: &Json, value: &Json, at: &str) -> Result<(), String> {
        let fail = |why: &str| Err(format!("{at}: {why}: {value}"));
        if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
            let name = reference.rsplit('/').next().unwrap();
            return valid(root, &root["definitions"][name], value, at);
        }
        let kind = match value {
            Json::Null => "null",
            Json::Bool(_) => "boolean",
            Json::Number(number) if number.is_i64() => "integer",
            Json::Number(_) => "number",
            Json::String(_) => "string",
            Json::Array(_) => "array",
            Json::Object(_) => "object",
        };
        let fits = |wanted: &str| wanted == kind || wanted == "number" && kind == "integer";
        match schema.get("type") {
            Some(Json::String(wanted)) if !fits(wanted) => return fail(wanted),
            Some(Json::Array(several)) if !several.iter().any(|one| fits(one.as_str().unwrap())) => {
                return fail("type");
            }
            _ => {}
        }
        if let Some(words) = schema.get("enum").and_then(Json::as_array)
            && !words.contains(value)
        {
            return fail("enum");
        }
        for (word, least, most) in [
            ("anyOf", 1, usize::MAX),
            ("oneOf", 1, 1),
            ("allOf", 0, usize::MAX),
        ] {
            if let Some(several) = schema.get(word).and_then(Json::as_array) {
                let results: Vec<_> = several.iter().map(|one| valid(root, one, value, at)).collect();
                let good = results.iter().filter(|result| result.is_ok()).count();
                let least = if word == "allOf" { several.len() } else { least };
                if good < least || good > most {
                    return Err(format!("{at}: {word}: {results:?}"));
                }
            }
        }
        if let Some(condition) = schema.get("if")
            && valid(root, condition, value, at).is_ok()
        {
            valid(root, &schema["then"], value, at)?;
        }
        if let (Json::Array(items), Some(inside)) = (value, schema.get("items")) {
            for item in items {
                valid(root, inside, item, &format!("{at}[]"))?;
            }
        }
        if let Json::Object(object) = value {
            for name in schema
                .get("required")
                .and_then(Json::as_array)
                .into_iter()
                .flatten()
            {
                if !object.contains_key(name.as_str().unwrap()) {
                    return fail(&format!("needs {name}"));
                }
            }
            for (name, value) in object {
                let at = format!("{at}.{name}");
                if let Some(names) = schema.get("propertyNames") {
                    valid(root, names, &json!(name), &at)?;
                }
                match schema.get("properties").and_then(|known| known.get(name)) {
                    Some(known) => valid(root, known, value, &at)?,
                    None => match schema.get("additionalProperties") {
                        Some(Json::Bool(false)) => return Err(format!("{at} is not known")),
                        Some(other) => valid(root, other, value, &at)?,
                        None => {}
                    },
                }
            }
        }
        Ok(())
    }

    /// A YAML file as an editor reads it.
    fn as_json(text: &str) -> Json {
        use crate::{
            diagnostics::Findings,
            source::{Files, Sources},
            yaml::{self, Node},
        };
        fn node(here: &Node) -> Json {
            match &here.kind {
                yaml::Kind::Scalar { text, plain: true } => serde_json::from_str(text)
                    .ok()
                    .filter(|json: &Json| json.is_number() || json.is_boolean())
                    .unwrap_or_else(|| json!(&**text)),
                yaml::Kind::Scalar { text, .. } => json!(&**text),
                yaml::Kind::Sequence(nodes) => nodes.iter().map(node).collect(),
                yaml::Kind::Mapping(entries) => entries
                    .iter()
                    .map(|entry| (entry.key.value.to_string(), node(&entry.value)))
                    .collect::<Map<_, _>>()
                    .into(),
            }
        }
        let files = Files::new(&Sources::new([("a.yaml", text)]));
        let document = yaml::read(0, &files.0[0], &mut Findings::default());
        node(&document.root.unwrap())
    }

    macro_rules! city {
        ($path:literal) => {
            include_str!(concat!("../../../../flows/city-hotline/", $path))
        };
    }

    #[test]
    fn the_citys_hotline_fits_the_schemas() {
        for (name, text) in [
            ("hotline", city!("hotline.yaml")),
            ("grants", city!("grants.yaml")),
            (
                "grants",
                "departments: { civil: { signed-by: [keys/a.pub] } }\ncrm: { kv: true }\n",
            ),
            ("flow", city!("flows/city.yaml")),
            ("flow", city!("flows/housing-fund.yaml")),
            ("prompts", city!("prompts/en.yaml")),
            ("prompts", city!("prompts/zh-CN.yaml")),
            ("calendar", city!("calendars/office.yaml")),
        ] {
            let schema = schema(name).unwrap();
            valid(&schema, &schema, &as_json(text), name).unwrap();
        }
    }

    #[test]
    fn mistakes_do_not_fit() {
        let schema = schema("flow").unwrap();
        for text in [
            "{ flow: a, start: b, steps: { b: { sya: hello, next: c } } }",
            "{ flow: a, start: b, steps: { b: { say: hello, menu: hello } } }",
            "{ flow: a, start: b, steps: { b: { say: hello, retries: 2 } } }",
            "{ flow: a, start: b, steps: { b: { ask: hello } } }",
            "{ flow: a, start: b }",
            "{ flow: a, start: b, steps: { b: { ask: hello, answer: nothing } } }",
            "{ flow: a, start: b, steps: { b: { call: a.b, at-most-once: yes } } }",
        ] {
            let result = valid(&schema, &schema, &as_json(text), "flow");
            assert!(result.is_err(), "{text}");
        }
    }

    #[test]
    fn every_field_is_described() {
        for name in names() {
            let schema = schema(name).unwrap();
            let definitions = schema["definitions"].as_object().unwrap();
            for (what, definition) in definitions {
                for (field, property) in definition["properties"].as_object().unwrap() {
                    assert!(property["description"].is_string(), "{name}: {what}.{field}");
                }
            }
        }
        assert!(names().all(|name| name != "nonsense"));
    }
}
