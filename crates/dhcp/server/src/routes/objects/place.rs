//! Where an object lies in the configuration document.

use serde_json::Value;

/// One element of one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    /// JSON pointer of the list: `/dhcp/subnets/0/pools`.
    pub(super) list: String,
    pub(super) index: usize,
    /// Name of the subnet (for a subnet: of the shared network) that the list belongs to.
    pub(super) owner: Option<String>,
}

impl Spot {
    /// The element itself.
    pub(super) fn object<'a>(&self, config: &'a Value) -> Option<&'a Value> {
        config.pointer(&self.list)?.get(self.index)
    }

    /// The pointer of the list `key` inside the element.
    pub(super) fn inner(&self, key: &str) -> String {
        format!("{}/{}/{key}", self.list, self.index)
    }

    pub(super) fn set(&self, config: &mut Value, value: Value) {
        if let Some(slot) = config
            .pointer_mut(&self.list)
            .and_then(|list| list.get_mut(self.index))
        {
            *slot = value;
        }
    }

    pub(super) fn remove(&self, config: &mut Value) {
        if let Some(list) = config.pointer_mut(&self.list).and_then(Value::as_array_mut)
            && self.index < list.len()
        {
            list.remove(self.index);
        }
    }
}

/// The elements of the list at `pointer`.
pub(super) fn elements(config: &Value, pointer: &str, owner: Option<&str>) -> Vec<Spot> {
    let count = config
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    let spot = |index| Spot {
        list: pointer.to_owned(),
        index,
        owner: owner.map(str::to_owned),
    };
    (0..count).map(spot).collect()
}

/// The list `key` of the table at `pointer`, made when it is not there. `None` when something else is there.
pub(super) fn list_of<'a>(config: &'a mut Value, pointer: &str, key: &str) -> Option<&'a mut Vec<Value>> {
    let table = config.pointer_mut(pointer)?.as_object_mut()?;
    table
        .entry(key)
        .or_insert_with(|| Value::Array(Vec::new()))
        .as_array_mut()
}
