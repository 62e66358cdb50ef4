//! Where a rollout stands once its tasks run: the stages of its strategy, the share of the traffic at
//! each, and the bake time at the end. Pure: the time that has passed is all that counts.

use serde_json::Value;

use super::super::world::Members as _;

/// How long one stage of a traffic shift takes where nothing bakes.
const SHIFT: f64 = 5.0;

/// A stage: its name, and the share of production traffic that the new revision has in it, in percent.
pub(super) type Stage = (&'static str, Option<f64>);

/// The stage after the tasks have run for `elapsed` seconds; none once all stages are through.
pub(super) fn stage(configuration: &Value, elapsed: f64) -> Option<Stage> {
    let mut begins = 0.0;
    for (name, share, lasts) in stages(configuration) {
        begins += lasts;
        if elapsed < begins {
            return Some((name, share));
        }
    }
    None
}

/// The stages with how long each lasts, in seconds.
fn stages(configuration: &Value) -> Vec<(&'static str, Option<f64>, f64)> {
    let shift = "PRODUCTION_TRAFFIC_SHIFT";
    let mut stages = Vec::new();
    let shifts = configuration.str("strategy");
    match shifts {
        "BLUE_GREEN" => stages.push((shift, Some(0.0), SHIFT)),
        "CANARY" => {
            let canary = configuration.get("canaryConfiguration");
            let share = share(canary, "canaryPercent", 5.0);
            let bake = minutes(canary, "canaryBakeTimeInMinutes", 10);
            stages.push((shift, Some(share), bake));
        }
        "LINEAR" => {
            let linear = configuration.get("linearConfiguration");
            let step = share(linear, "stepPercent", 10.0).max(1.0);
            let bake = minutes(linear, "stepBakeTimeInMinutes", 6);
            let mut reached = step;
            while reached < 100.0 {
                stages.push((shift, Some(reached), bake));
                reached += step;
            }
        }
        _ => {}
    }
    let all = matches!(shifts, "BLUE_GREEN" | "CANARY" | "LINEAR").then_some(100.0);
    let bake = minutes(Some(configuration), "bakeTimeInMinutes", 0);
    stages.push(("BAKE_TIME", all, bake));
    if all.is_some() {
        stages.push(("CLEAN_UP", all, SHIFT));
    }
    stages
}

fn share(configuration: Option<&Value>, field: &str, default: f64) -> f64 {
    let given = configuration.and_then(|all| all.get(field)?.as_f64());
    given.unwrap_or(default)
}

fn minutes(configuration: Option<&Value>, field: &str, default: u32) -> f64 {
    let given = configuration
        .and_then(|all| all.number(field))
        .and_then(|minutes| u32::try_from(minutes).ok());
    f64::from(given.unwrap_or(default)) * 60.0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::stage;

    #[test]
    fn rolling_only_bakes() {
        assert_eq!(stage(&json!({}), 0.0), None);
        let bakes = json!({"strategy": "ROLLING", "bakeTimeInMinutes": 1});
        assert_eq!(stage(&bakes, 59.0), Some(("BAKE_TIME", None)));
        assert_eq!(stage(&bakes, 60.0), None);
    }

    #[test]
    fn the_traffic_shifts_in_the_steps_of_the_strategy() {
        let shift = |share: f64| Some(("PRODUCTION_TRAFFIC_SHIFT", Some(share)));
        let linear = json!({
            "strategy": "LINEAR",
            "linearConfiguration": {"stepPercent": 40.0, "stepBakeTimeInMinutes": 1},
        });
        assert_eq!(stage(&linear, 0.0), shift(40.0));
        assert_eq!(stage(&linear, 60.0), shift(80.0));
        assert_eq!(stage(&linear, 120.0), Some(("CLEAN_UP", Some(100.0))));
        assert_eq!(stage(&linear, 125.0), None);
        let canary = json!({
            "strategy": "CANARY",
            "canaryConfiguration": {"canaryPercent": 7.5, "canaryBakeTimeInMinutes": 2},
            "bakeTimeInMinutes": 1,
        });
        assert_eq!(stage(&canary, 119.0), shift(7.5));
        assert_eq!(stage(&canary, 120.0), Some(("BAKE_TIME", Some(100.0))));
        let blue = json!({"strategy": "BLUE_GREEN"});
        assert_eq!(stage(&blue, 0.0), shift(0.0));
        assert_eq!(stage(&blue, 5.0), Some(("CLEAN_UP", Some(100.0))));
    }
}
