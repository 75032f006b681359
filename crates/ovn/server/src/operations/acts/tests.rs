use super::*;

fn member(at: u8, alive: bool) -> Member {
    Member {
        endpoint: Some(format!("tcp:h{at}:6641")),
        server: Some(format!("{at}{at}{at}{at}0000-0000-4000-8000-000000000000")),
        connected: alive,
        in_cluster: alive,
        role: alive.then(|| if at == 1 { "leader" } else { "follower" }.to_owned()),
        control: alive.then(|| PathBuf::from(format!("/run/h{at}.ctl"))),
        ..Member::default()
    }
}

fn cluster(alive: &[bool]) -> DatabaseLook {
    let members = (1_u8..).zip(alive).map(|(at, alive)| member(at, *alive));
    DatabaseLook {
        database: "D".to_owned(),
        model: "clustered".to_owned(),
        note: "",
        followed: true,
        trouble: None,
        cluster: None,
        leader: None,
        term: None,
        election_timer_ms: Some(1000),
        quorum: None,
        members_alive: alive.iter().filter(|alive| **alive).count(),
        members: members.collect(),
        rows: 0,
        file_octets: None,
        connections: Vec::new(),
    }
}

fn refused(act: &Act, database: &DatabaseLook) -> String {
    Deed::plan(act, database)
        .expect_err("it must not be done")
        .detail()
        .to_owned()
}

#[test]
fn nobody_is_kicked_whom_the_quorum_needs() {
    let kick = |alive: &[bool], whom: &str| Deed::plan(&Act::Kick(whom.to_owned()), &cluster(alive));
    assert!(kick(&[true, true, true], "tcp:h3:6641").is_ok());
    assert!(
        kick(&[true, true, false], "tcp:h3:6641").is_ok(),
        "the dead one goes"
    );
    assert!(
        kick(&[true, true, false], "tcp:h2:6641").is_err(),
        "one of two would be left"
    );
    assert!(
        kick(&[true, false, false], "tcp:h3:6641").is_err(),
        "nobody could agree"
    );
    assert!(kick(&[true], "tcp:h1:6641").is_err(), "the last one");
    assert!(kick(&[true, true, true, false, false], "tcp:h3:6641").is_err());
    assert!(kick(&[true, true, true, false, false], "tcp:h4:6641").is_ok());
    let leave = Act::Leave("2222".to_owned());
    assert!(refused(&leave, &cluster(&[true, true, false])).contains("nothing could be written any more"));
}

#[test]
fn a_timer_grows_by_doubling() {
    let steps = |wanted: u64| {
        let deed = Deed::plan(&Act::ElectionTimer(wanted), &cluster(&[true, true, true])).expect("a plan");
        deed.steps
            .iter()
            .map(|step| step.arguments[1].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(steps(5000), ["2000", "4000", "5000"]);
    assert_eq!(steps(2000), ["2000"]);
    assert_eq!(steps(500), ["500"], "down it goes at once");
    assert_eq!(steps(1000), Vec::<String>::new());
    assert!(refused(&Act::ElectionTimer(99), &cluster(&[true])).contains("out of range"));
}

#[test]
fn what_is_in_no_cluster_says_so() {
    let mut alone = cluster(&[true]);
    alone.model = "standalone".to_owned();
    assert!(refused(&Act::Transfer, &alone).contains("is in no cluster"));
    assert!(Deed::plan(&Act::Compact(None), &alone).is_ok());
}

#[test]
fn a_member_is_called_by_endpoint_or_id_and_must_be_reached() {
    let all = cluster(&[true, true, true]);
    let by = |word: &str| Deed::plan(&Act::Compact(Some(word.to_owned())), &all);
    assert_eq!(by("tcp:h2:6641").ok(), by("2222").ok());
    assert!(by("2222").is_ok());
    assert_eq!(by("nobody").expect_err("there is none").status(), 404);
    assert!(by("2").is_err(), "too short to mean one");
    let mut far = all.clone();
    far.members[0].control = None;
    assert!(refused(&Act::Transfer, &far).contains("control socket"));
    let deed = Deed::plan(&Act::Compact(None), &far).expect("the others are there");
    assert_eq!(deed.steps.len(), 2);
    assert!(deed.warnings[0].contains("1 of 3"));
}

#[test]
fn nobody_hands_over_to_nobody() {
    assert!(Deed::plan(&Act::Transfer, &cluster(&[true, true, false])).is_ok());
    assert!(refused(&Act::Transfer, &cluster(&[true])).contains("no other member"));
}
