//! Logging in, refreshing, logging out; and what ovncp did wrong with each.

use crate::world::{PASSWORD, World};
use axum::http::Method;
use purlin_accounts::Desk;
use serde_json::{Value, json};
use std::time::Duration;

async fn refresh(world: &World, token: &Value) -> (u16, Value) {
    let body = json!({ "refresh_token": token });
    let answer = world.ask(Method::POST, "/auth/refresh", &[], &body).await;
    (answer.status, answer.body)
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn there_is_no_user_and_no_password_until_an_admin_makes_one() {
    let (world, _) = World::new().await;
    for (username, password) in [("admin", "admin"), ("admin", ""), ("root", "root"), ("", "")] {
        let answer = world.local_login(username, password).await;
        assert_eq!(
            (answer.status, &answer.body["slug"]),
            (401, &json!("login_refused"))
        );
        assert!(answer.body["error"].is_string() && answer.body["request_id"].is_string());
    }
    let users = world.get(&world.admin, "/auth/users").await.body;
    assert_eq!(users, json!({"users": [], "total": 0}));
    // A password that is made here is shown once, and works.
    let made = world
        .make("/auth/users", json!({"username": "alice", "role": "viewer"}))
        .await;
    let password = made["password"].as_str().unwrap().to_owned();
    assert_eq!(world.local_login("alice", &password).await.status, 200);
    let shown = world.get(&world.admin, "/auth/users/alice").await.body;
    assert!(!shown.to_string().contains(&password) && shown.get("hash").is_none());
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn a_session_from_a_login_is_good_for_the_whole_api() {
    let (world, _) = World::new().await;
    let (id, token) = world.user("alice", "viewer").await;
    let profile = world.get(&token, "/auth/profile").await;
    assert_eq!(
        (profile.status, profile.body["id"].as_str()),
        (200, Some(id.as_str()))
    );
    assert_eq!(world.get(&token, "/whoami").await.body["role"], "viewer");
    assert_eq!(world.get(&token, "/tokens").await.status, 403);
    // The forged kinds: a token signed with a published secret, an id with a made-up secret.
    let forged = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.x";
    let guessed = format!("{}_{}", token.rsplit_once('_').unwrap().0, "0".repeat(40));
    for token in [forged, &guessed, "pus_", "ovncp_x"] {
        assert_eq!(world.get(token, "/whoami").await.status, 401, "{token}");
    }
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn logging_out_ends_the_session_at_once() {
    let (world, _) = World::new().await;
    let (_, token) = world.user("alice", "viewer").await;
    assert_eq!(
        world
            .ask(Method::POST, "/auth/logout", &[], &Value::Null)
            .await
            .status,
        401
    );
    let other = world.login("alice").await;
    assert_eq!(world.post(&token, "/auth/logout", Value::Null).await.status, 200);
    assert_eq!(world.get(&token, "/whoami").await.status, 401);
    assert_eq!(
        world
            .get(other["access_token"].as_str().unwrap(), "/whoami")
            .await
            .status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn a_refresh_token_works_once_and_its_copy_ends_the_session() {
    let (world, _) = World::new().await;
    world.user("alice", "viewer").await;
    let first = world.login("alice").await;
    let (status, second) = refresh(&world, &first["refresh_token"]).await;
    assert_eq!(status, 200);
    assert_eq!(
        world
            .get(first["access_token"].as_str().unwrap(), "/whoami")
            .await
            .status,
        401
    );
    assert_eq!(
        world
            .get(second["access_token"].as_str().unwrap(), "/whoami")
            .await
            .status,
        200
    );
    let (status, told) = refresh(&world, &first["refresh_token"]).await;
    assert_eq!(status, 401, "{told}");
    assert!(told["detail"].as_str().unwrap().contains("used before"));
    assert_eq!(
        world
            .get(second["access_token"].as_str().unwrap(), "/whoami")
            .await
            .status,
        401
    );
    assert_eq!(refresh(&world, &second["refresh_token"]).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn tokens_end_with_their_time() {
    let (world, _) = World::new().await;
    world.user("alice", "viewer").await;
    let opened = world.login("alice").await;
    world.clock.step(Duration::from_secs(15 * 60));
    assert_eq!(
        world
            .get(opened["access_token"].as_str().unwrap(), "/whoami")
            .await
            .status,
        401
    );
    let (status, next) = refresh(&world, &opened["refresh_token"]).await;
    assert_eq!(status, 200);
    world.clock.step(Duration::from_secs(8 * 24 * 3600));
    assert_eq!(refresh(&world, &next["refresh_token"]).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn what_an_admin_does_to_a_user_holds_at_once() {
    let (world, _) = World::new().await;
    let (id, token) = world.user("alice", "viewer").await;
    let role = json!({"role": "admin"});
    let path = format!("/auth/users/{id}/role");
    assert_eq!(
        world.send(&token, Method::PUT, &path, role.clone()).await.status,
        403
    );
    assert_eq!(
        world.send(&world.admin, Method::PUT, &path, role).await.status,
        200
    );
    assert_eq!(world.get(&token, "/tokens").await.status, 200);
    // Oneself needs the password that one has; every session ends with it.
    let path = format!("/auth/users/{id}/password");
    let wrong = json!({"password": "another long one", "current_password": "no"});
    assert_eq!(world.send(&token, Method::PUT, &path, wrong).await.status, 401);
    let right = json!({"password": "another long one", "current_password": PASSWORD});
    assert_eq!(world.send(&token, Method::PUT, &path, right).await.status, 200);
    assert_eq!(world.get(&token, "/whoami").await.status, 401);
    let answer = world
        .send(&world.admin, Method::DELETE, "/auth/users/alice", Value::Null)
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(world.local_login("alice", "another long one").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn weak_passwords_are_refused() {
    let (world, _) = World::new().await;
    for password in ["short", "", &"x".repeat(300), "alice-alice-1"] {
        let body = json!({"username": "alice-alice-1", "role": "viewer", "password": password});
        assert_eq!(
            world.post(&world.admin, "/auth/users", body).await.status,
            422,
            "{password}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn a_provider_that_nobody_named_is_none() {
    let (world, _) = World::new().await;
    let body = json!({"provider": "github"});
    let answer = world.ask(Method::POST, "/auth/login", &[], &body).await;
    assert_eq!((answer.status, &answer.body["providers"]), (404, &json!([])));
    let path = "/auth/callback/github?code=x&state=y";
    assert_eq!(world.ask(Method::GET, path, &[], &Value::Null).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn another_node_knows_sessions_and_forgets_what_was_revoked() {
    let (world, _) = World::new().await;
    let (_, token) = world.user("alice", "viewer").await;
    let other = Desk::open(
        world.ledger.clone(),
        world.clock.clone(),
        world.tokens.clone(),
        Vec::new(),
    );
    let other = other.await.unwrap();
    use purlin_api::tenancy::Accounts;
    assert_eq!(other.login(&token).await.unwrap().unwrap().name, "alice");
    assert_eq!(world.post(&token, "/auth/logout", Value::Null).await.status, 200);
    other.refresh().await.unwrap();
    assert!(other.login(&token).await.unwrap().is_none());
    assert!(world.desk.login(&token).await.unwrap().is_none());
}
