//! The binary side of rpcv2Cbor, which CloudWatch speaks: bodies become JSON, JSON answers become
//! CBOR. What the sandbox keeps is JSON, so that a time is a number whose name says that it is one.

use aws_smithy_cbor::data::Type;
use aws_smithy_cbor::decode::DeserializeError;
use aws_smithy_cbor::{Decoder, Encoder};
use aws_smithy_types::DateTime;
use serde_json::{Map, Number, Value};

/// How deep a document may be: CloudWatch's own are five deep.
const DEEPEST: usize = 32;

/// Reads a body; none where it is no CBOR.
pub(super) fn decode(body: &[u8]) -> Option<Value> {
    let mut decoder = Decoder::new(body);
    let value = item(&mut decoder, DEEPEST).ok()?;
    (decoder.position() == body.len()).then_some(value)
}

fn item(decoder: &mut Decoder<'_>, depth: usize) -> Result<Value, DeserializeError> {
    if depth == 0 {
        return Err(DeserializeError::custom("too deep", decoder.position()));
    }
    match decoder.datatype()? {
        Type::Map | Type::MapIndef => map(decoder, depth),
        Type::Array | Type::ArrayIndef => list(decoder, depth),
        Type::String | Type::StringIndef => decoder.string().map(Value::String),
        Type::Bool => decoder.boolean().map(Value::Bool),
        Type::F16 | Type::F32 | Type::F64 => decoder.double().map(number),
        Type::Tag => decoder.timestamp().map(|time| number(time.as_secs_f64())),
        Type::Null | Type::Undefined => decoder.skip().map(|()| Value::Null),
        _ => decoder.long().map(Value::from),
    }
}

fn number(number: f64) -> Value {
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

fn map(decoder: &mut Decoder<'_>, depth: usize) -> Result<Value, DeserializeError> {
    let mut members = Map::new();
    let length = decoder.map()?;
    while more(decoder, length, members.len())? {
        let name = decoder.string()?;
        members.insert(name, item(decoder, depth - 1)?);
    }
    Ok(Value::Object(members))
}

fn list(decoder: &mut Decoder<'_>, depth: usize) -> Result<Value, DeserializeError> {
    let mut items = Vec::new();
    let length = decoder.list()?;
    while more(decoder, length, items.len())? {
        items.push(item(decoder, depth - 1)?);
    }
    Ok(Value::Array(items))
}

/// Whether a map or a list goes on: one of known length by its count, another until its break.
fn more(
    decoder: &mut Decoder<'_>,
    length: Option<u64>,
    read: usize,
) -> Result<bool, DeserializeError> {
    match length {
        Some(length) => Ok(u64::try_from(read).is_ok_and(|read| read < length)),
        None if decoder.datatype()? == Type::Break => decoder.skip().map(|()| false),
        None => Ok(true),
    }
}

/// Writes an answer. A number whose name ends in `Timestamp` is a time.
pub(super) fn encode(answer: &Value) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    put(&mut encoder, "", answer);
    encoder.into_writer()
}

fn put(encoder: &mut Encoder, name: &str, value: &Value) {
    match value {
        Value::Null => {
            encoder.null();
        }
        Value::Bool(flag) => {
            encoder.boolean(*flag);
        }
        Value::String(text) => {
            encoder.str(text);
        }
        Value::Number(number) => {
            let seconds = number.as_f64().unwrap_or_default();
            match number.as_i64() {
                _ if name.ends_with("Timestamp") => {
                    encoder.timestamp(&DateTime::from_secs_f64(seconds));
                }
                Some(whole) => {
                    encoder.long(whole);
                }
                None => {
                    encoder.double(seconds);
                }
            }
        }
        Value::Array(items) => {
            encoder.array(items.len());
            for item in items {
                put(encoder, "", item);
            }
        }
        Value::Object(members) => {
            encoder.map(members.len());
            for (name, member) in members {
                encoder.str(name);
                put(encoder, name, member);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let answer = json!({
            "MetricAlarms": [{"AlarmName": "é", "ActionsEnabled": true, "Threshold": 0.5, "Period": 60}],
            "StateUpdatedTimestamp": 1_793_491_200.25,
            "NextToken": null,
            "Negative": -3,
        });
        assert_eq!(decode(&encode(&answer)), Some(answer));
    }

    #[test]
    fn lengths_may_be_left_open_and_nonsense_is_none() {
        // {_ "a": [_ 1, 2]}
        let open = [0xbf, 0x61, b'a', 0x9f, 1, 2, 0xff, 0xff];
        assert_eq!(decode(&open), Some(json!({"a": [1, 2]})));
        assert_eq!(decode(b""), None);
        assert_eq!(decode(&[0xa1, 0x61]), None);
        assert_eq!(decode(&[0x01, 0x01]), None);
        assert_eq!(decode(&[0x81; 100]), None);
    }
}
