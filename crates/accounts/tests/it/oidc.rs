//! Logging in with a provider that is somebody else: its own program in all but name, over a socket.

mod idp;

use crate::world::World;
use axum::body::Body;
use axum::http::{Method, Request, Response, header};
use idp::{Idp, Twist};
use purlin_config::sections::oidc::OidcSettings;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tower::ServiceExt;

const BACK: &str = "http://127.0.0.1:8080/api/v1/auth/callback/oidc";

fn settings(idp: &Idp) -> OidcSettings {
    OidcSettings {
        issuer: idp.issuer(),
        name: "oidc".into(),
        client_id: "purlin".into(),
        client_secret: Some(idp::SECRET.into()),
        redirect_url: BACK.into(),
        scopes: vec!["openid".into(), "email".into()],
        ca_certificate: None,
        username_claim: "preferred_username".into(),
        groups_claim: "realm_access.roles".into(),
        roles: BTreeMap::from([
            ("net-admins".into(), "admin".into()),
            ("readers".into(), "viewer".into()),
        ]),
        tenants: vec![("devs".into(), "acme".into(), "operator".into())],
    }
}

/// A world that trusts a provider, at which alice is known.
async fn trusting() -> (World, Idp) {
    let (world, _) = World::new().await;
    let idp = Idp::start(world.clock.clone()).await;
    world.desk.trust(&settings(&idp)).expect("no file is read");
    (world, idp)
}

async fn ask(world: &World, request: axum::http::request::Builder, body: Body) -> Response<Body> {
    let request = request.body(body).expect("a request");
    world.router.clone().oneshot(request).await.expect("an answer")
}

async fn told(response: Response<Body>) -> (u16, Value) {
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20)
        .await
        .expect("a body");
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// Where the browser is sent, and its cookie with all that goes with it.
async fn begin(world: &World) -> (String, String) {
    let request = Request::builder()
        .method(Method::POST)
        .uri("/api/v1/auth/login")
        .header(header::CONTENT_TYPE, "application/json");
    let response = ask(
        world,
        request,
        Body::from(json!({"provider": "oidc"}).to_string()),
    )
    .await;
    let cookie = response.headers().get(header::SET_COOKIE);
    let cookie = cookie.expect("a cookie").to_str().expect("text").to_owned();
    let (status, body) = told(response).await;
    assert_eq!(status, 200, "{body:#}");
    (body["auth_url"].as_str().expect("an address").to_owned(), cookie)
}

async fn back(world: &World, query: &str, cookie: Option<&str>) -> (u16, Value) {
    let mut request = Request::builder().uri(format!("/api/v1/auth/callback/oidc?{query}"));
    if let Some(cookie) = cookie {
        let pair = cookie.split(';').next().expect("a pair");
        request = request.header(header::COOKIE, format!("theme=dark; {pair}"));
    }
    told(ask(world, request, Body::empty()).await).await
}

/// The whole way of a browser.
async fn login(world: &World, idp: &Idp) -> (u16, Value) {
    let (url, cookie) = begin(world).await;
    back(world, &idp.consents(&url), Some(&cookie)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_at_the_provider_opens_a_session_with_its_role_and_tenants() {
    let (world, idp) = trusting().await;
    let tenant = world
        .tenant(json!({"name": "acme", "type": "organization"}))
        .await;
    idp.says("realm_access", json!({"roles": ["devs", "readers", "strangers"]}));
    let (url, cookie) = begin(&world).await;
    assert!(
        url.starts_with(&format!("{}/authorize?", idp.issuer())),
        "nowhere else: {url}"
    );
    for part in [
        "HttpOnly",
        "SameSite=Lax",
        "Path=/api/v1/auth/callback",
        "Max-Age=600",
    ] {
        assert!(cookie.contains(part), "{part}: {cookie}");
    }
    assert!(
        url.contains("code_challenge_method=S256") && url.contains("scope=openid%20email"),
        "{url}"
    );
    let query = idp.consents(&url);
    let (status, opened) = back(
        &world,
        &format!("{query}&session_state=x&scope=openid"),
        Some(&cookie),
    )
    .await;
    assert_eq!(status, 200, "{opened:#}");
    assert_eq!(
        (
            &opened["user"]["username"],
            &opened["user"]["role"],
            &opened["user"]["provider"]
        ),
        (&json!("alice"), &json!("viewer"), &json!(idp.issuer()))
    );
    let audit = world.get(&world.admin, "/audit").await.body;
    let row = &audit["items"][0];
    assert_eq!(row["name"], "alice", "{audit:#}");
    // The code stands in the query, and the audit has none.
    let path = row["path"].as_str().expect("a path");
    assert!(
        path.starts_with("/api/v1/auth/callback/") && !path.contains('?'),
        "{path}"
    );
    let token = opened["access_token"].as_str().expect("a token");
    let profile = world.get(token, "/auth/profile").await.body;
    assert_eq!(
        profile["tenants"],
        json!([{"id": tenant, "name": "acme", "role": "operator"}])
    );
    // The same person under another name is the same user.
    idp.says("preferred_username", json!("alice2"));
    let (_, again) = login(&world, &idp).await;
    assert_eq!(again["user"]["id"], opened["user"]["id"]);
    assert_eq!(world.get(&world.admin, "/auth/users").await.body["total"], 1);
    // It has no password, and gets none.
    assert_eq!(world.local_login("alice", "").await.status, 401);
    let id = opened["user"]["id"].as_str().expect("an id");
    let path = format!("/auth/users/{id}/password");
    let refused = world
        .send(
            &world.admin,
            Method::PUT,
            &path,
            json!({"password": "correct horse battery"}),
        )
        .await;
    assert_eq!(refused.status, 409, "{:#}", refused.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_id_token_leaves_out_is_asked_at_userinfo() {
    let (world, idp) = trusting().await;
    idp.tells_at_userinfo(json!({
        "sub": "f3a1", "preferred_username": "alice", "email": "alice@example.com", "email_verified": true,
        "realm_access": {"roles": ["readers"]},
    }));
    let (status, opened) = login(&world, &idp).await;
    assert_eq!(
        (
            status,
            &opened["user"]["username"],
            &opened["user"]["role"],
            &opened["user"]["email"]
        ),
        (
            200,
            &json!("alice"),
            &json!("viewer"),
            &json!("alice@example.com")
        ),
        "{opened:#}"
    );
    // What is signed counts, whatever stands beside it.
    idp.says("realm_access", json!({"roles": []}));
    assert_eq!(login(&world, &idp).await.1["user"]["role"], "member");
    // An answer about somebody else, or none at all, opens nothing.
    for told in [
        json!({"sub": "f3a2", "preferred_username": "mallory"}),
        json!("a.signed.one"),
    ] {
        idp.tells_at_userinfo(told);
        assert_eq!(login(&world, &idp).await.0, 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_ends_once_in_the_browser_that_began_it() {
    let (world, idp) = trusting().await;
    let (url, cookie) = begin(&world).await;
    let (_, other) = begin(&world).await;
    let query = idp.consents(&url);
    // A victim that is sent here with somebody else's code and state, and one with a login of its own under way.
    assert_eq!(back(&world, &query, None).await.0, 401);
    let (url, cookie_2) = begin(&world).await;
    let stolen = idp.consents(&url);
    assert_eq!(back(&world, &stolen, Some(&other)).await.0, 401);
    assert_eq!(
        back(&world, &stolen, Some(&cookie_2)).await.0,
        401,
        "what was tried once is over"
    );
    assert_eq!(
        back(&world, &query, Some(&cookie)).await.0,
        401,
        "what was tried once is over"
    );
    let (url, cookie) = begin(&world).await;
    let query = idp.consents(&url);
    assert_eq!(back(&world, &query, Some(&cookie)).await.0, 200);
    assert_eq!(
        back(&world, &query, Some(&cookie)).await.0,
        401,
        "and once is all"
    );
    let (url, cookie) = begin(&world).await;
    let late = idp.consents(&url);
    world.clock.step(Duration::from_secs(601));
    assert_eq!(back(&world, &late, Some(&cookie)).await.0, 401);
    assert_eq!(back(&world, "code=x&state=y", Some(&cookie)).await.0, 401);
    assert_eq!(back(&world, "state=y", Some(&cookie)).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_the_providers_for_this_login_opens_nothing() {
    let (world, idp) = trusting().await;
    for twist in [
        Twist::Claim("nonce", json!("another")),
        Twist::Claim("nonce", Value::Null),
        Twist::Claim("iss", json!("https://elsewhere.example.com")),
        Twist::Claim("aud", json!("somebody-else")),
        Twist::Claim("aud", json!(["purlin", "somebody-else"])),
        Twist::Claim("azp", json!("somebody-else")),
        Twist::Claim("exp", json!(1)),
        Twist::Claim("exp", Value::Null),
        Twist::Claim("iat", json!(9_999_999_999_u64)),
        Twist::Claim("sub", Value::Null),
        Twist::Unsigned,
        Twist::KeyedWithThePublicKey,
        Twist::AnotherKey,
        Twist::ChangedAfterwards,
        Twist::NoToken,
    ] {
        idp.twists(Some(twist.clone()));
        let (status, body) = login(&world, &idp).await;
        assert_eq!(
            (status, &body["slug"]),
            (401, &json!("login_refused")),
            "{twist:?}: {body:#}"
        );
    }
    idp.twists(None);
    assert_eq!(
        world.get(&world.admin, "/auth/users").await.body["total"],
        0,
        "nobody was made"
    );
    assert_eq!(login(&world, &idp).await.0, 200, "and the right one is right");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_is_worth_nothing_without_the_verifier() {
    let (world, idp) = trusting().await;
    let (url, cookie) = begin(&world).await;
    let (_, fresh) = begin(&world).await;
    // The provider compares: with the challenge of another login it gives nothing.
    let query = idp.consents(&url.replace("code_challenge=", "code_challenge=A"));
    assert_eq!(back(&world, &query, Some(&cookie)).await.0, 401);
    assert_ne!(cookie, fresh);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_becomes_a_user_that_was_made_here() {
    let (world, idp) = trusting().await;
    world.user("alice", "admin").await;
    idp.says("email", json!("alice@example.com"));
    idp.says("email_verified", json!(true));
    let (status, body) = login(&world, &idp).await;
    assert_eq!(status, 409, "{body:#}");
    // Under another name it is another user, without the address that is taken.
    idp.says("preferred_username", json!("alice.idp"));
    let (status, opened) = login(&world, &idp).await;
    assert_eq!(
        (status, &opened["user"]["role"], &opened["user"]["email"]),
        (200, &json!("member"), &json!(""))
    );
    // An address that the provider has not verified is nobody's.
    idp.says("email", json!("bob@example.com"));
    idp.says("email_verified", json!(false));
    assert_eq!(login(&world, &idp).await.1["user"]["email"], "");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_group_gave_goes_with_the_group_and_what_people_gave_stays() {
    let (world, idp) = trusting().await;
    let acme = world
        .tenant(json!({"name": "acme", "type": "organization"}))
        .await;
    let shop = world
        .tenant(json!({"name": "shop", "type": "organization"}))
        .await;
    idp.says("realm_access", json!({"roles": ["devs", "net-admins"]}));
    let (_, opened) = login(&world, &idp).await;
    assert_eq!(opened["user"]["role"], "admin");
    let id = opened["user"]["id"].as_str().expect("an id");
    let member = json!({"user_id": id, "role": "viewer"});
    let joined = world
        .post(&world.admin, &format!("/tenants/{shop}/members"), member)
        .await;
    assert_eq!(joined.status, 201, "{:#}", joined.body);
    idp.says("realm_access", json!({"roles": []}));
    let (_, opened) = login(&world, &idp).await;
    assert_eq!(opened["user"]["role"], "member");
    let token = opened["access_token"].as_str().expect("a token");
    let tenants = world.get(token, "/auth/profile").await.body["tenants"].clone();
    assert_eq!(
        tenants,
        json!([{"id": shop, "name": "shop", "role": "viewer"}]),
        "{acme}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_may_change_its_keys_and_be_away() {
    let (world, idp) = trusting().await;
    assert_eq!(login(&world, &idp).await.0, 200);
    idp.changes_its_key();
    world.clock.step(Duration::from_secs(11));
    assert_eq!(login(&world, &idp).await.0, 200);
    let (url, cookie) = begin(&world).await;
    let query = idp.consents(&url);
    idp.twists(Some(Twist::Away));
    let (status, body) = back(&world, &query, Some(&cookie)).await;
    assert_eq!(status, 502, "{body:#}");
    assert!(
        body["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains(&idp.issuer())),
        "{body:#}"
    );
    idp.twists(None);
    let (status, body) = back(
        &world,
        "error=access_denied&state=x&error_description=%3Cscript%3E",
        None,
    )
    .await;
    assert_eq!(status, 401);
    let text = body.to_string();
    assert!(
        text.contains("access_denied") && !text.contains("script"),
        "{text}"
    );
    let elsewhere = format!("{}&iss=https%3A%2F%2Felsewhere.example.com", "code=x&state=y");
    assert_eq!(back(&world, &elsewhere, None).await.0, 401);
    // A provider that is not configured is none.
    let request = Request::builder().uri("/api/v1/auth/callback/github?code=x&state=y");
    assert_eq!(told(ask(&world, request, Body::empty()).await).await.0, 404);
}
