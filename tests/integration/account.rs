//! An emulator's account as boto3 reads it, and comparisons of it.

use serde_json::Value;

use crate::emulators::Server;

/// Everything that the account holds, read by `account.py`.
pub(crate) fn account(server: &Server) -> Value {
    serde_json::from_str(&python(server, "account.py")).unwrap()
}

/// Runs a script beside this file with the environment's Python; gives what it printed.
pub(crate) fn python(server: &Server, script: &str) -> String {
    let path = format!("{}/tests/integration/{script}", env!("CARGO_MANIFEST_DIR"));
    let output = server.command("python").unwrap().arg(path).output();
    let output = output.unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}

/// Asserts that everything of `expected` stands in `found`; an object may have more members, unless
/// it is a set of tags, names or documents, which `exact` compares.
pub(crate) fn assert_holds(what: &str, found: &Value, expected: &Value) {
    let mut wrong = Vec::new();
    compare(what, found, expected, &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn compare(path: &str, found: &Value, expected: &Value, wrong: &mut Vec<String>) {
    match (found, expected) {
        (Value::Object(members), Value::Object(wanted)) => {
            for (name, value) in wanted {
                let member = members.get(name).unwrap_or(&Value::Null);
                let path = format!("{path}.{name}");
                if ["tags", "inline", "trust", "document"].contains(&name.as_str()) {
                    if member != value {
                        wrong.push(format!("{path} is {member}, not {value}"));
                    }
                } else {
                    compare(&path, member, value, wrong);
                }
            }
        }
        (Value::Array(items), Value::Array(wanted)) if items.len() == wanted.len() => {
            for (index, (item, value)) in items.iter().zip(wanted).enumerate() {
                compare(&format!("{path}[{index}]"), item, value, wrong);
            }
        }
        _ if found == expected => {}
        _ => wrong.push(format!("{path} is {found}, not {expected}")),
    }
}

/// What one account has and another has not, by table and name.
pub(crate) fn gained(before: &Value, after: &Value) -> Value {
    let mut gained = after.clone();
    for (table, rows) in gained.as_object_mut().into_iter().flatten() {
        for (name, row) in rows.as_object_mut().into_iter().flatten() {
            if before[table.as_str()].get(name) == Some(row) {
                *row = Value::Null;
            }
        }
        if let Some(rows) = rows.as_object_mut() {
            rows.retain(|_, row| !row.is_null());
        }
    }
    gained
}
