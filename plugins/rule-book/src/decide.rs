//! Decides by a table: the first rule that holds.

use serde_json::{Map, Value as Json, json};

use crate::table::{Comparison, Condition, Table, Value};

/// What a table gives for what it is given, by the fields' names as flows write them; none when no
/// rule holds.
pub(crate) fn decide(table: &Table, given: &Map<String, Json>) -> Option<Json> {
    let given: Vec<Option<Value>> = table
        .given
        .iter()
        .map(|field| given.get(&in_flows(&field.name)).and_then(read))
        .collect();
    let rule = table.rules.iter().find(|rule| holds(&rule.when, &given));
    let values = rule.map(|rule| &rule.then).or(table.otherwise.as_ref())?;
    let fields = table.gives.iter().zip(values);
    Some(Json::Object(
        fields
            .map(|(field, value)| (in_flows(&field.name), told(value)))
            .collect(),
    ))
}

/// A name as flows write it.
fn in_flows(name: &str) -> String {
    name.replace('-', "_")
}

fn read(json: &Json) -> Option<Value> {
    match json {
        Json::String(text) => Some(Value::Text(text.clone())),
        Json::Number(number) => number.as_i64().map(Value::Number),
        Json::Bool(yes) => Some(Value::YesOrNo(*yes)),
        _ => None,
    }
}

fn told(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Number(number) => json!(number),
        Value::YesOrNo(yes) => json!(yes),
    }
}

/// Whether a condition holds. What is absent is like nothing: no comparison with it holds.
fn holds(condition: &Condition, given: &[Option<Value>]) -> bool {
    match condition {
        Condition::All(parts) => parts.iter().all(|part| holds(part, given)),
        Condition::Any(parts) => parts.iter().any(|part| holds(part, given)),
        Condition::Not(part) => !holds(part, given),
        Condition::Is(place) => given[*place] == Some(Value::YesOrNo(true)),
        Condition::In(place, values) => given[*place].as_ref().is_some_and(|value| values.contains(value)),
        Condition::Compare(place, Comparison::Same, value) => given[*place].as_ref() == Some(value),
        Condition::Compare(place, comparison, value) => {
            let (Some(Value::Number(given)), Value::Number(other)) = (&given[*place], value) else {
                return false;
            };
            match comparison {
                Comparison::Same => given == other,
                Comparison::Less => given < other,
                Comparison::LessOrSame => given <= other,
                Comparison::More => given > other,
                Comparison::MoreOrSame => given >= other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::book;

    fn decided(table: usize, given: Json) -> Option<Json> {
        let Json::Object(given) = given else { panic!() };
        decide(&book(crate::RULES).unwrap()[table], &given)
    }

    #[test]
    fn the_first_rule_that_holds_decides() {
        let office = |district: &str, matter: &str, daytime: bool| {
            let given = json!({ "district": district, "matter": matter, "daytime": daytime });
            decided(0, given).map(|answer| answer["office"].as_str().unwrap().to_owned())
        };
        assert_eq!(
            office("xihu", "water", true).as_deref(),
            Some("West Lake water works")
        );
        assert_eq!(office("xihu", "water", false).as_deref(), Some("water emergency"));
        assert_eq!(
            office("binjiang", "road", true).as_deref(),
            Some("Binjiang city management")
        );
        assert_eq!(
            office("gongshu", "noise", true).as_deref(),
            Some("city management")
        );
        assert_eq!(office("gongshu", "gas", false).as_deref(), Some("gas emergency"));
        assert_eq!(office("gongshu", "other", true), None);
    }

    #[test]
    fn what_is_absent_compares_with_nothing_and_else_is_the_rest() {
        let answer = |stars: i64, complaints: Json| {
            decided(1, json!({ "stars": stars, "complaints": complaints })).unwrap()
        };
        assert_eq!(
            answer(5, Json::Null),
            json!({ "call_back": false, "within_hours": 0 })
        );
        assert_eq!(
            answer(5, json!(3)),
            json!({ "call_back": true, "within_hours": 24 })
        );
        assert_eq!(
            answer(3, json!(1)),
            json!({ "call_back": true, "within_hours": 72 })
        );
        assert_eq!(answer(2, Json::Null)["within_hours"], 24);
    }
}
