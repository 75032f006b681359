//! How far a change has come, on standard error, while its answer is waited for.

use crate::cli::{Context, paging};
use crate::client::{Ask, Client};
use crate::exit::Failure;
use crate::output::Painted;
use serde_json::Value;
use std::future::Future;
use std::time::{Duration, Instant};

/// Quick changes show nothing.
const FIRST: Duration = Duration::from_millis(400);
const EVERY: Duration = Duration::from_millis(250);

/// Waits for `answer`; where somebody looks, says meanwhile who has the change already.
pub(super) async fn shown(
    answer: impl Future<Output = Result<Value, Failure>>,
    context: &Context,
) -> Result<Value, Failure> {
    let mut line = Painted::new(false);
    if !line.is_on() {
        return answer.await;
    }
    let mut answer = std::pin::pin!(answer);
    let began = Instant::now();
    let mut asking = context.client()?;
    let mut pause = FIRST;
    loop {
        tokio::select! {
            done = &mut answer => {
                line.clear();
                return done;
            }
            () = tokio::time::sleep(pause) => pause = EVERY,
        }
        if let Some(stage) = stage(&mut asking).await {
            line.show(|| format!("{stage}, {:.1} s", began.elapsed().as_secs_f64()));
        }
    }
}

/// One sentence from the counts that OVN keeps.
async fn stage(client: &mut Client) -> Option<String> {
    let global = client.value(Ask::get("/api/v1/ovn/nb/NB_Global")).await.ok()?;
    let chassis = paging::all(client, "/api/v1/ovn/sb/Chassis_Private").await;
    said(&global["items"][0], chassis.ok().as_deref())
}

fn said(global: &Value, chassis: Option<&[Value]>) -> Option<String> {
    let goal = global["nb_cfg"].as_i64()?;
    let has = |count: Option<i64>| count.is_some_and(|count| count >= goal);
    if !has(global["sb_cfg"].as_i64()) {
        return Some(format!(
            "waiting for ovn-northd: at {} of {goal}",
            global["sb_cfg"].as_i64().unwrap_or(0)
        ));
    }
    let Some(rows) = chassis else {
        return Some("the flows are written; waiting for the hypervisors".to_owned());
    };
    let applied = rows.iter().filter(|row| has(row["nb_cfg"].as_i64())).count();
    Some(format!(
        "the flows are written; {applied} of {} hypervisors have them",
        rows.len()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn northd_is_waited_for_first_then_the_hypervisors() {
        let chassis = [json!({ "nb_cfg": 5 }), json!({ "nb_cfg": 4 })];
        let late = json!({ "nb_cfg": 5, "sb_cfg": 3 });
        assert_eq!(
            said(&late, Some(&chassis)).expect("a sentence"),
            "waiting for ovn-northd: at 3 of 5"
        );
        let there = json!({ "nb_cfg": 5, "sb_cfg": 5 });
        assert_eq!(
            said(&there, Some(&chassis)).expect("a sentence"),
            "the flows are written; 1 of 2 hypervisors have them"
        );
        assert_eq!(said(&json!(null), None), None);
    }
}
