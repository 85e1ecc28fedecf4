//! The document that names everything that is wrong with an input.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

use crate::data::{FIELDS, PATTERN};

fn document(detail: Vec<Value>) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "detail": detail }))).into_response()
}

/// Something that could not be read at all.
pub fn unreadable(source: &str, message: String) -> Response {
    document(vec![json!({ "type": "value_error", "loc": [source], "msg": message })])
}

/// What the validator found; `sent` is the JSON that it looked at, or null.
pub fn problems(errors: &ValidationErrors, source: &str, sent: &Value) -> Response {
    let mut detail = Vec::new();
    walk(errors, &[source.into()], sent, &mut detail);
    document(detail)
}

fn walk(errors: &ValidationErrors, loc: &[Value], sent: &Value, detail: &mut Vec<Value>) {
    let mut fields: Vec<_> = errors.errors().iter().collect();
    fields.sort_by_key(|(name, _)| FIELDS.iter().position(|field| field == name));
    for (name, kind) in fields {
        let here = [loc, &[Value::from(name.as_ref())]].concat();
        let value = &sent[name.as_ref()];
        match kind {
            ValidationErrorsKind::Struct(inner) => walk(inner, &here, value, detail),
            ValidationErrorsKind::List(items) => {
                for (number, inner) in items {
                    walk(inner, &[&here[..], &[(*number).into()]].concat(), &value[*number], detail);
                }
            }
            ValidationErrorsKind::Field(found) => {
                detail.extend(found.iter().map(|error| describe(error, &here, sent, value)));
            }
        }
    }
}

fn describe(error: &ValidationError, loc: &[Value], parent: &Value, value: &Value) -> Value {
    let given = error.params.get("value").unwrap_or(value);
    let integer = |name: &str| error.params.get(name).and_then(Value::as_i64);
    let length = given.as_str().map_or(0, |text| text.chars().count()) as i64;
    let (kind, message, name, limit) = match error.code.as_ref() {
        "required" => {
            return json!({ "type": "missing", "loc": loc, "msg": "Field required", "input": parent });
        }
        "length" => match (integer("min"), integer("max")) {
            (_, Some(max)) if length > max => {
                ("string_too_long", format!("String should have at most {max} characters"), "max_length", json!(max))
            }
            (min, _) => {
                let min = min.unwrap_or(0);
                ("string_too_short", format!("String should have at least {min} characters"), "min_length", json!(min))
            }
        },
        "range" => match (whole(error, "min"), whole(error, "max")) {
            (_, Some(max)) if given.as_i64().is_some_and(|number| number > max) => {
                ("less_than_equal", format!("Input should be less than or equal to {max}"), "le", json!(max))
            }
            (min, _) => {
                let min = min.unwrap_or(0);
                ("greater_than_equal", format!("Input should be greater than or equal to {min}"), "ge", json!(min))
            }
        },
        _ => ("string_pattern_mismatch", format!("String should match pattern '{PATTERN}'"), "pattern", json!(PATTERN)),
    };
    let context = Map::from_iter([(name.to_owned(), limit)]);
    json!({ "type": kind, "loc": loc, "msg": message, "input": given, "ctx": context })
}

/// A bound of a range, whichever kind of number the validator made of it.
fn whole(error: &ValidationError, name: &str) -> Option<i64> {
    let bound = error.params.get(name)?;
    bound.as_i64().or_else(|| bound.as_f64().map(|number| number as i64))
}
