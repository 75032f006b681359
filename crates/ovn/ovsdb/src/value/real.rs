//! Real numbers as OVSDB writes and compares them.

use serde_json::{Number, Value};

/// Beyond this a double does not hold every integer.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// No two zeros: OVSDB compares them equal.
pub(super) fn canonical(real: f64) -> f64 {
    if real == 0.0 { 0.0 } else { real }
}

/// `real` as an integer, when it is one that a double holds exactly.
#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and in range")]
pub(super) fn whole(real: f64) -> Option<i64> {
    (real.fract() == 0.0 && real.abs() <= WHOLE_MAX).then_some(real as i64)
}

/// The integer that a JSON number means: `1e3` is one, `0.5` is none.
pub(super) fn integer(value: &Value) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| whole(value.as_f64().filter(|_| value.is_f64())?))
}

/// JSON of a real: whole numbers without a point.
pub(super) fn number(real: f64) -> Value {
    match whole(real) {
        Some(whole) => Value::from(whole),
        None => Number::from_f64(real).map_or(Value::Null, Value::Number),
    }
}
