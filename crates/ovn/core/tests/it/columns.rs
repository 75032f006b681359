//! Columns as people write them.

use purlin_ovn_core::model::{nb_schema, row_from_natural};
use serde_json::json;

#[test]
fn a_column_that_is_not_there_is_told_with_what_there_is() {
    let meter = nb_schema().table("Meter_Band").unwrap();
    let faults = |column: &str| {
        let columns = json!({ column: 1 });
        row_from_natural(columns.as_object().unwrap(), meter).unwrap_err()
    };
    assert_eq!(
        faults("brst_size"),
        [(
            "brst_size".to_owned(),
            "there is no such column; did you mean `burst_size`?".to_owned()
        )]
    );
    let (_, far) = faults("switch").remove(0);
    assert_eq!(
        far,
        "there is no such column; there are action, burst_size, external_ids, rate"
    );
}
