//! JSON as Open vSwitch prints it: sorted, and reals with 15 digits in the way of C.

use serde_json::Value;

pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Number(number) if number.is_f64() => general(number.as_f64().unwrap_or(0.0), 15),
        Value::Array(array) => {
            let inner: Vec<_> = array.iter().map(text).collect();
            format!("[{}]", inner.join(","))
        }
        Value::Object(object) => {
            let inner: Vec<_> = object
                .iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), text(value)))
                .collect();
            format!("{{{}}}", inner.join(","))
        }
        other => other.to_string(),
    }
}

/// `%.{digits}g`.
pub(crate) fn general(real: f64, digits: usize) -> String {
    if real == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{real:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').expect("the format has an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is a number");
    let trim = |text: &str| {
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    let digits = i32::try_from(digits).expect("few digits");
    if exponent < -4 || exponent >= digits {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trim(mantissa), exponent.abs());
    }
    let places = usize::try_from(digits - 1 - exponent).expect("at least none");
    trim(&format!("{real:.places$}"))
}
