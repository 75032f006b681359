//! What holds over a node's own files holds over a cluster's PostgreSQL, and between two nodes of it.

use crate::postgres::{Server, ledger};
use crate::world::{DATABASE, World};
use crate::{sessions, tenants};
use axum::Router;
use axum::http::Method;
use purlin_accounts::{Desk, routes};
use purlin_api::{Shell, shell::Limits};
use serde_json::{Value, json};
use std::sync::Arc;

#[test]
fn accounts_keep_their_promises_over_postgresql() {
    let Some(server) = Server::start() else { return };
    let promises: [(&str, fn()); 17] = [
        (
            "no default password",
            sessions::there_is_no_user_and_no_password_until_an_admin_makes_one,
        ),
        (
            "sessions",
            sessions::a_session_from_a_login_is_good_for_the_whole_api,
        ),
        ("logging out", sessions::logging_out_ends_the_session_at_once),
        (
            "refresh tokens",
            sessions::a_refresh_token_works_once_and_its_copy_ends_the_session,
        ),
        ("ends", sessions::tokens_end_with_their_time),
        ("admins", sessions::what_an_admin_does_to_a_user_holds_at_once),
        ("passwords", sessions::weak_passwords_are_refused),
        (
            "other nodes",
            sessions::another_node_knows_sessions_and_forgets_what_was_revoked,
        ),
        ("defaults", tenants::a_tenant_has_the_documented_defaults),
        (
            "strangers",
            tenants::a_tenant_is_not_there_for_whoever_is_no_member,
        ),
        ("trees", tenants::a_membership_above_holds_below),
        (
            "tenant admins",
            tenants::admins_of_a_tenant_manage_it_and_not_their_own_bounds,
        ),
        (
            "keys",
            tenants::a_key_is_bound_to_its_tenant_and_its_scopes_and_ends_at_once,
        ),
        (
            "invitations",
            tenants::an_invitation_is_for_one_address_and_works_once,
        ),
        ("members", tenants::members_come_change_and_go),
        ("belongings", tenants::a_tenant_that_has_something_stays),
        (
            "audit",
            tenants::what_is_done_to_accounts_is_audited_without_secrets,
        ),
    ];
    for (name, promise) in promises {
        println!("{name}");
        DATABASE.set(Some(server.database()));
        promise();
    }
    DATABASE.set(None);
}

/// Another node over the database of a world. It is told of nothing: what it knows it asks for.
async fn second(world: &World, url: &str) -> World {
    let (ledger, _) = ledger(url).await;
    let desk = Desk::open(
        ledger.clone(),
        world.clock.clone(),
        world.tokens.clone(),
        Vec::new(),
    );
    let desk = desk.await.expect("the database answers");
    desk.share();
    let router: Router = Shell::new(&ledger, &world.tokens, &world.clock)
        .limits(Limits::default())
        .accounts(Arc::new(desk.clone()))
        .mount(routes(&desk))
        .router();
    world.beside(router, ledger, desk)
}

async fn refresh(world: &World, token: &Value) -> u16 {
    let body = json!({ "refresh_token": token });
    world.ask(Method::POST, "/auth/refresh", &[], &body).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_at_one_node_is_good_at_the_next_with_the_next_request() {
    let Some(server) = Server::start() else { return };
    let url = server.database();
    DATABASE.set(Some(url.clone()));
    let (one, _) = World::new().await;
    DATABASE.set(None);
    let two = second(&one, &url).await;
    // Made after the second node has read everything.
    let (id, token) = one.user("alice", "viewer").await;
    let profile = two.get(&token, "/auth/profile").await;
    assert_eq!(
        (profile.status, profile.body["id"].as_str()),
        (200, Some(id.as_str()))
    );
    // A refresh token works once, not once at each node, and its copy ends the session everywhere.
    let opened = one.login("alice").await;
    assert_eq!(refresh(&two, &opened["refresh_token"]).await, 200);
    assert_eq!(refresh(&one, &opened["refresh_token"]).await, 401);
    // The first node has read the row again to say so, and with it that the session is over.
    let access = opened["access_token"].as_str().expect("a token");
    assert_eq!(one.get(access, "/whoami").await.status, 401);
    // A key made here is good there, and one that was revoked there is revoked whatever else was written to it.
    let tenant = one.tenant(json!({"name": "acme", "type": "organization"})).await;
    let key = one
        .make(&format!("/tenants/{tenant}/api-keys"), json!({"name": "robot"}))
        .await;
    let text = key["key"].as_str().expect("shown once").to_owned();
    assert_eq!(two.get(&text, "/whoami").await.status, 200);
    let path = format!(
        "/tenants/{tenant}/api-keys/{}",
        key["id"].as_str().expect("an id")
    );
    let gone = one.send(&one.admin, Method::DELETE, &path, Value::Null).await;
    assert_eq!(gone.status, 200, "{:#}", gone.body);
    assert_eq!(one.get(&text, "/whoami").await.status, 401);
    // The second one is told by the database within milliseconds; here by hand.
    let row = (
        "api_keys".to_owned(),
        key["id"].as_str().expect("an id").as_bytes().to_vec(),
    );
    two.desk.take_over(vec![row]).await.expect("the database answers");
    assert_eq!(two.get(&text, "/whoami").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_of_one_user_at_two_nodes_at_once_all_work() {
    let Some(server) = Server::start() else { return };
    let url = server.database();
    DATABASE.set(Some(url.clone()));
    let (one, _) = World::new().await;
    DATABASE.set(None);
    one.user("alice", "viewer").await;
    let two = second(&one, &url).await;
    let logins = (0..8).map(|n| {
        if n % 2 == 0 {
            one.login("alice")
        } else {
            two.login("alice")
        }
    });
    let opened = futures_util::future::join_all(logins).await;
    for session in opened {
        let token = session["access_token"].as_str().expect("a token");
        assert_eq!(one.get(token, "/whoami").await.status, 200);
        assert_eq!(two.get(token, "/whoami").await.status, 200);
    }
}
