use super::*;
use crate::operations::raft::Member;
use crate::operations::{Chassis, Northd};

fn member(alive: bool, role: &str) -> Member {
    Member {
        endpoint: Some("tcp:h:6641".to_owned()),
        connected: alive,
        in_cluster: alive,
        role: alive.then(|| role.to_owned()),
        ..Member::default()
    }
}

fn cluster(members: Vec<Member>, leader: Option<&str>) -> DatabaseLook {
    let alive = members.iter().filter(|member| is_alive(member)).count();
    DatabaseLook {
        database: "OVN_Northbound".to_owned(),
        model: "clustered".to_owned(),
        note: "",
        followed: true,
        trouble: None,
        cluster: None,
        leader: leader.map(str::to_owned),
        term: None,
        election_timer_ms: None,
        quorum: Some(majority(members.len())),
        members_alive: alive,
        members,
        rows: 0,
        file_octets: None,
        connections: Vec::new(),
    }
}

fn kinds(look: &Look) -> Vec<&'static str> {
    let all = of(look, &Operating::default());
    assert!(all.iter().all(|alarm| KINDS.contains(&alarm.kind)));
    assert!(
        all.iter()
            .all(|alarm| GROUPS.iter().any(|(_, kinds, _)| kinds.contains(&alarm.kind)))
    );
    all.iter().map(|alarm| alarm.kind).collect()
}

#[test]
fn a_cluster_is_fine_thin_or_without_a_leader() {
    let of = |alive: [bool; 3], leader: Option<&str>| {
        let members = alive.map(|alive| member(alive, "follower")).to_vec();
        kinds(&Look {
            databases: vec![cluster(members, leader)],
            ..Look::default()
        })
    };
    assert_eq!(of([true, true, true], Some("a")), Vec::<&str>::new());
    assert_eq!(of([true, true, false], Some("a")), ["quorum_thin", "member_lost"]);
    assert_eq!(
        of([true, false, false], None),
        ["no_leader", "member_lost", "member_lost"]
    );
}

#[test]
fn a_standalone_database_is_never_without_a_leader() {
    let mut alone = cluster(vec![member(true, "leader")], None);
    alone.model = "standalone".to_owned();
    let look = Look {
        databases: vec![alone],
        ..Look::default()
    };
    assert_eq!(kinds(&look), Vec::<&str>::new());
}

#[test]
fn who_is_behind_for_too_long_is_told_of() {
    let of = |northd: f64, chassis: f64, active: Option<bool>| {
        kinds(&Look {
            northd: Northd {
                behind_seconds: Some(northd),
                active,
                ..Northd::default()
            },
            chassis: vec![Chassis {
                name: "hv1".to_owned(),
                stale_seconds: Some(chassis),
                ..Chassis::default()
            }],
            ..Look::default()
        })
    };
    assert_eq!(of(30.0, 60.0, None), Vec::<&str>::new());
    assert_eq!(of(31.0, 0.0, Some(true)), ["northd_behind"]);
    assert_eq!(of(0.0, 61.0, None), ["chassis_stale"]);
    assert_eq!(of(31.0, 61.0, Some(false)), ["northd_missing", "chassis_stale"]);
}
