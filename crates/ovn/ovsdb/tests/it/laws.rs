//! Laws that hold for every value.

use proptest::collection::{btree_map, btree_set};
use proptest::prelude::*;
use purlin_ovsdb::value::{DatumSeed, Interner};
use purlin_ovsdb::{Atom, AtomicType, BaseType, ColumnType, Datum, Names, Uuid};
use serde::de::DeserializeSeed;

fn atom(kind: AtomicType) -> BoxedStrategy<Atom> {
    match kind {
        AtomicType::Integer => prop_oneof![-3i64..3, any::<i64>()].prop_map(Atom::from).boxed(),
        AtomicType::Real => prop_oneof![-1e3..1e3, any::<f64>()]
            .prop_filter("JSON has no other", |real: &f64| real.is_finite())
            .prop_map(Atom::from)
            .boxed(),
        AtomicType::Boolean => any::<bool>().prop_map(Atom::from).boxed(),
        AtomicType::String => prop_oneof!["[a-c]{0,2}", ".*"].prop_map(Atom::from).boxed(),
        AtomicType::Uuid => prop_oneof![(0u8..4).prop_map(|last| [last; 16]), any::<[u8; 16]>()]
            .prop_map(|bytes| Atom::from(Uuid::from_bytes(bytes)))
            .boxed(),
    }
}

fn kinds() -> impl Strategy<Value = ColumnType> {
    let atomic = || prop::sample::select(AtomicType::ALL.to_vec());
    let most = prop::sample::select(vec![1, 4, ColumnType::UNLIMITED]);
    (atomic(), prop::option::of(atomic()), 0u32..2, most).prop_map(|(key, value, min, max)| ColumnType {
        key: BaseType::any(key),
        value: value.map(BaseType::any),
        min,
        max,
    })
}

fn datum(kind: &ColumnType) -> BoxedStrategy<Datum> {
    let size = kind.min as usize..=(kind.max.min(6) as usize);
    match &kind.value {
        None => btree_set(atom(kind.key.atomic), size)
            .prop_map(Datum::set)
            .boxed(),
        Some(value) => btree_map(atom(kind.key.atomic), atom(value.atomic), size)
            .prop_map(Datum::map)
            .boxed(),
    }
}

fn two() -> impl Strategy<Value = (ColumnType, Datum, Datum)> {
    kinds().prop_flat_map(|kind| {
        let (a, b) = (datum(&kind), datum(&kind));
        (Just(kind), a, b)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// ovsdb-server(7), section 4.1.14.
    #[test]
    fn a_difference_put_on_the_old_value_gives_the_new_one((kind, old, new) in two()) {
        match old.diff(&new, &kind) {
            None => prop_assert_eq!(old, new),
            Some(diff) => prop_assert_eq!(old.apply(&diff, &kind), new),
        }
    }

    #[test]
    fn values_survive_json_on_both_ways_in((kind, datum, _) in two()) {
        let text = serde_json::to_string(&datum).unwrap();
        let json = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(datum.to_json(), serde_json::from_str::<serde_json::Value>(&text).unwrap());
        prop_assert_eq!(&Datum::parse(&kind, &json, Names::Refused).unwrap(), &datum);
        let seed = DatumSeed { kind: &kind, interner: &mut Interner::new() };
        let read = seed.deserialize(&mut serde_json::Deserializer::from_str(&text)).unwrap();
        prop_assert_eq!(read, datum);
    }

    #[test]
    fn types_survive_json(kind in kinds()) {
        prop_assert_eq!(ColumnType::parse(&kind.to_json()).unwrap(), kind);
    }

    #[test]
    fn both_ways_in_refuse_the_same_forms(kind in kinds(), text in r#"(\["(set|map|uuid|named-uuid)",)?\[?["0-9a-z,]{0,6}\]?\]?"#) {
        let Ok(json) = serde_json::from_str::<serde_json::Value>(&text) else { return Ok(()) };
        let seed = DatumSeed { kind: &kind, interner: &mut Interner::new() };
        let streamed = seed.deserialize(&mut serde_json::Deserializer::from_str(&text)).ok();
        // A stream does not count its elements; all else is the same.
        let kind = ColumnType { min: kind.min.min(u32::from(!kind.is_scalar())), ..kind };
        if let Ok(strict) = Datum::parse(&kind, &json, Names::Refused) {
            prop_assert_eq!(streamed, Some(strict));
        }
    }
}
