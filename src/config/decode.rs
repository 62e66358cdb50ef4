//! How the plain types of infra.toml are read: strings, numbers, durations, lists, maps.

use std::collections::BTreeMap;

use super::model::{CpuUnits, MemoryMegabytes, PortMapping, Seconds, TransportProtocol};
use super::node::{Node, Value};
use super::reader::{Decode, Reader};
use super::table::table;

impl Decode for String {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if let Value::Text(text) = &node.value {
            return Some(text.clone());
        }
        let written = reader.source.text.get(node.at.clone()).unwrap_or_default();
        let hint = match node.value {
            Value::List(_) | Value::Table(_) | Value::Text(_) => None,
            _ => Some(format!("Write it in quotes: \"{written}\".")),
        };
        reader.expected(node, "a string", hint)
    }
}

impl Decode for bool {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Boolean(value) => Some(*value),
            Value::Text(text) if text == "true" || text == "false" => {
                let hint = format!("Write {text} without quotes.");
                reader.expected(node, "true or false", Some(hint))
            }
            _ => reader.expected(node, "true or false", None),
        }
    }
}

/// Reads a whole number of any size that the type holds.
fn integer<T: TryFrom<i64>>(node: &Node, reader: &mut Reader<'_>) -> Option<T> {
    let Value::Integer(number) = node.value else {
        let digits = |text: &&str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        let hint = node
            .text()
            .filter(digits)
            .map(|text| format!("Write {text} without quotes."));
        return reader.expected(node, "a whole number", hint);
    };
    let value = T::try_from(number).ok();
    if value.is_none() {
        let message = format!("{} cannot be {number}.", reader.key());
        reader.error(&node.at, message, None);
    }
    value
}

macro_rules! integers {
    ($($type:ty),*) => {
        $(impl Decode for $type {
            fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
                integer(node, reader)
            }
        })*
    };
}

integers!(i32, u16, u32, u64);

impl Decode for f64 {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match node.value {
            Value::Float(number) => Some(number),
            Value::Integer(_) => integer::<i32>(node, reader).map(Self::from),
            _ => reader.expected(node, "a number", None),
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        T::decode(node, reader).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Value::List(items) = &node.value else {
            let written = reader.source.text.get(node.at.clone()).unwrap_or_default();
            let hint = match node.value {
                Value::Table(_) => None,
                _ => Some(format!("Put it in brackets: [{written}].")),
            };
            return reader.expected(node, "a list", hint);
        };
        let values: Vec<Option<T>> = items.iter().map(|item| T::decode(item, reader)).collect();
        values.into_iter().collect()
    }
}

impl<T: Decode> Decode for BTreeMap<String, T> {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Value::Table(entries) = &node.value else {
            return reader.expected(node, "a table", Some("Write `{ NAME = ... }`.".to_owned()));
        };
        let mut map = Some(Self::new());
        for entry in entries {
            match (reader.value(&entry.key, &entry.node), &mut map) {
                (Some(value), Some(map)) => {
                    map.insert(entry.key.clone(), value);
                }
                _ => map = None,
            }
        }
        map
    }
}

impl Decode for serde_json::Value {
    fn decode(node: &Node, _: &mut Reader<'_>) -> Option<Self> {
        Some(json(node))
    }
}

fn json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Text(text) | Value::Datetime(text) => text.as_str().into(),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Boolean(value) => (*value).into(),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Table(entries) => entries
            .iter()
            .map(|entry| (entry.key.clone(), json(&entry.node)))
            .collect(),
    }
}

impl Decode for Seconds {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let hint = || Some("Write \"10m\", \"30s\", or a bare number of seconds.".to_owned());
        match &node.value {
            Value::Integer(number) if *number >= 0 => Some(Self(number.unsigned_abs())),
            Value::Text(text) => {
                let seconds = seconds(text);
                if seconds.is_none() {
                    let message = format!("{} is no duration: `{text}`.", reader.key());
                    reader.error(&node.at, message, hint());
                }
                seconds.map(Self)
            }
            Value::Integer(_) => {
                let message = format!("{} cannot be negative.", reader.key());
                reader.error(&node.at, message, hint());
                None
            }
            _ => reader.expected(node, "a duration", hint()),
        }
    }
}

/// The seconds of `"1h30m"`, `"10m"`, `"30s"`, `"2d"` or `"45"`.
fn seconds(text: &str) -> Option<u64> {
    if let Ok(bare) = text.parse() {
        return Some(bare);
    }
    let mut total = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let (number, unit) = rest.split_at_checked(digits)?;
        let number: u64 = number.parse().ok()?;
        let (factor, after) = match unit.chars().next()? {
            's' => (1, unit.strip_prefix('s')?),
            'm' => (60, unit.strip_prefix('m')?),
            'h' => (3600, unit.strip_prefix('h')?),
            'd' => (86_400, unit.strip_prefix('d')?),
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(factor)?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

impl Decode for CpuUnits {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        amount(
            node,
            reader,
            "vcpu",
            "CPU units such as 256, or \"0.25 vCPU\"",
        )
        .map(Self)
    }
}

impl Decode for MemoryMegabytes {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        amount(node, reader, "gb", "MiB such as 512, or \"0.5 GB\"").map(Self)
    }
}

/// Reads a number, or a string with a number or with a number of a unit of 1024.
fn amount(node: &Node, reader: &mut Reader<'_>, unit: &str, forms: &str) -> Option<i32> {
    // 1024 of the largest task that ECS knows fits many times; more is a slip of the keyboard.
    const MOST: f64 = 1_048_576.0;
    let Some(text) = node.text() else {
        return match node.value {
            Value::Integer(number) if number > 0 => integer(node, reader),
            Value::Integer(number) => {
                let message = format!("{} must be {forms}, not {number}.", reader.key());
                reader.error(&node.at, message, None);
                None
            }
            _ => reader.expected(node, forms, None),
        };
    };
    let lower = text.to_lowercase();
    let number = match lower.strip_suffix(unit) {
        Some(number) => number
            .trim()
            .parse::<f64>()
            .ok()
            .map(|number| number * 1024.0),
        None => lower.trim().parse::<f64>().ok(),
    };
    let whole = |number: &f64| (0.0..=MOST).contains(number) && number.fract() == 0.0;
    if let Some(number) = number.filter(whole) {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within MOST")]
        return Some(number as i32);
    }
    let message = format!("{} must be {forms}, not `{text}`.", reader.key());
    reader.error(&node.at, message, None);
    None
}

table! {
    /// A port of a container, in full.
    pub(super) struct PortTable {
        /// The port in the container; left out only with a range.
        container_port: Option<i32>,
        /// The port of the instance; with `awsvpc` the container's.
        host_port: Option<i32>,
        /// The transport protocol.
        protocol: TransportProtocol = TransportProtocol::Tcp,
        /// The name that Service Connect and VPC Lattice use.
        name: Option<String>,
        /// What is spoken, for Service Connect.
        app_protocol: Option<super::ApplicationProtocol>,
        /// A range of ports in the container, `FIRST-LAST`.
        container_port_range: Option<String>,
    }
}

impl Decode for PortMapping {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if let Value::Table(_) = node.value {
            let PortTable {
                container_port,
                host_port,
                protocol,
                name,
                app_protocol,
                container_port_range,
            } = PortTable::decode(node, reader)?;
            return Some(Self {
                container_port,
                host_port,
                protocol,
                name,
                app_protocol,
                container_port_range,
            });
        }
        Some(Self {
            container_port: Some(integer(node, reader)?),
            host_port: None,
            protocol: TransportProtocol::Tcp,
            name: None,
            app_protocol: None,
            container_port_range: None,
        })
    }
}
