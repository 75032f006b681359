//! The tree, its members, its keys.

use crate::world::World;
use axum::http::Method;
use purlin_api::access::{Caller, Role};
use purlin_api::tenancy::Accounts;
use serde_json::{Value, json};
use std::time::Duration;

/// An organization with a project in it: their ids.
async fn acme(world: &World) -> (String, String) {
    let org = world
        .tenant(json!({"name": "acme", "type": "organization"}))
        .await;
    let shop = json!({"name": "shop", "type": "project", "parent": "acme", "settings": {"network_name_prefix": "shop-"}});
    (org, world.tenant(shop).await)
}

async fn join(world: &World, tenant: &str, user: &str, role: &str) {
    let body = json!({"user_id": user, "role": role});
    world.make(&format!("/tenants/{tenant}/members"), body).await;
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn a_tenant_has_the_documented_defaults() {
    let (world, _) = World::new().await;
    let tenant = world
        .make(
            "/tenants",
            json!({"name": "acme", "type": "organization", "quotas": {"max_ports": -1}}),
        )
        .await;
    assert_eq!(
        tenant["quotas"],
        json!({"max_switches": 100, "max_routers": 50, "max_ports": -1, "max_acls": 500, "max_load_balancers": 20,
            "max_address_sets": 100, "max_port_groups": 100, "max_backups": 50})
    );
    assert_eq!(tenant["settings"]["require_approval"], false);
    assert_eq!(
        (&tenant["type"], &tenant["status"]),
        (&json!("organization"), &json!("active"))
    );
    let list = world.get(&world.admin, "/tenants").await.body;
    assert_eq!(list["pagination"]["total_count"], 1);
    for bad in [
        json!({"name": "Acme", "type": "organization"}),
        json!({"name": "x", "type": "environment"}),
        json!({"name": "x", "type": "organization", "parent": "acme"}),
        json!({"name": "x", "type": "project", "quotas": {"max_cats": 1}}),
        json!({"name": "x", "type": "project", "quotas": {"max_ports": -2}}),
        json!({"name": "x", "type": "project", "settings": {"network_name_prefix": "1 "}}),
        json!({"name": "x", "type": "project", "settings": {"typo": 1}}),
    ] {
        assert_eq!(
            world.post(&world.admin, "/tenants", bad.clone()).await.status,
            422,
            "{bad}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn a_tenant_is_not_there_for_whoever_is_no_member() {
    let (world, _) = World::new().await;
    let (_, shop) = acme(&world).await;
    // Roles in the installation are none in a tenant.
    let (_, bob) = world.user("bob", "operator").await;
    for path in ["", "/usage", "/members", "/api-keys", "/invitations"] {
        let answer = world.get(&bob, &format!("/tenants/{shop}{path}")).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.body);
    }
    assert_eq!(world.get(&bob, "/tenants").await.body["tenants"], json!([]));
    let caller = world.desk.login(&bob).await.unwrap().unwrap();
    let unknown = world.desk.tenancy(&caller, "nothing").unwrap_err();
    let foreign = world.desk.tenancy(&caller, &shop).unwrap_err();
    assert_eq!(
        (unknown.status(), foreign.status()),
        (foreign.status(), unknown.status())
    );
    assert_eq!(foreign.detail().replace(&shop, "nothing"), unknown.detail());
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn a_membership_above_holds_below() {
    let (world, _) = World::new().await;
    let (org, shop) = acme(&world).await;
    let (bob, token) = world.user("bob", "member").await;
    join(&world, &org, &bob, "operator").await;
    let caller = world.desk.login(&token).await.unwrap().unwrap();
    let tenancy = world.desk.tenancy(&caller, "shop").unwrap();
    assert_eq!((tenancy.role, tenancy.prefix.as_str()), (Role::Operator, "shop-"));
    assert_eq!((tenancy.root.as_str(), tenancy.bounds.len()), (org.as_str(), 2));
    let mut below = tenancy.bounds[1].tenants.clone();
    below.sort();
    let mut both = vec![org, shop.clone()];
    both.sort();
    assert_eq!(below, both, "the organization's quotas count its projects");
    assert_eq!(tenancy.bounds[0].tenants, [shop]);
    // Without a tenant, a member is nobody.
    assert_eq!(world.get(&token, "/tokens").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn admins_of_a_tenant_manage_it_and_not_their_own_bounds() {
    let (world, _) = World::new().await;
    let (org, shop) = acme(&world).await;
    let (bob, token) = world.user("bob", "member").await;
    join(&world, &shop, &bob, "admin").await;
    let path = format!("/tenants/{shop}");
    let put = |body: Value| world.send(&token, Method::PUT, &path, body);
    assert_eq!(
        put(json!({"display_name": "The shop", "settings": {"require_approval": true}}))
            .await
            .status,
        200
    );
    let shown = world.get(&token, &path).await.body;
    assert_eq!(
        shown["settings"]["network_name_prefix"], "shop-",
        "the others stay"
    );
    for above in [
        json!({"quotas": {"max_ports": -1}}),
        json!({"status": "suspended"}),
        json!({"settings": {"allow_external_networks": true}}),
    ] {
        assert_eq!(put(above.clone()).await.status, 403, "{above}");
    }
    assert_eq!(
        world
            .send(&token, Method::DELETE, &path, Value::Null)
            .await
            .status,
        403
    );
    let top = json!({"name": "mine", "type": "organization"});
    assert_eq!(world.post(&token, "/tenants", top).await.status, 403);
    // An environment of the own project, yes.
    let below = json!({"name": "shop-test", "type": "environment", "parent": shop});
    assert_eq!(world.post(&token, "/tenants", below).await.status, 201);
    assert_eq!(world.get(&token, &format!("/tenants/{org}")).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn a_key_is_bound_to_its_tenant_and_its_scopes_and_ends_at_once() {
    let (world, _) = World::new().await;
    let (org, shop) = acme(&world).await;
    let keys = format!("/tenants/{shop}/api-keys");
    let made = world
        .make(
            &keys,
            json!({"name": "ci", "scopes": ["read", "switches:write"], "expires_in": 30}),
        )
        .await;
    let key = made["key"].as_str().unwrap().to_owned();
    assert!(key.starts_with("ovncp_"));
    let listed = world.get(&world.admin, &keys).await.body;
    assert_eq!(listed["api_keys"][0]["name"], "ci");
    assert!(!listed.to_string().contains(&key) && listed["api_keys"][0].get("digest").is_none());
    // As a bearer token and in its own header.
    assert_eq!(
        world.get(&key, "/whoami").await.body["tenant"]["id"],
        shop.as_str()
    );
    let own = world
        .ask(Method::GET, "/whoami", &[("x-api-key", &key)], &Value::Null)
        .await;
    assert_eq!(own.body["name"], "ci");
    // Nothing but its tenant, whatever it names.
    let bearer = format!("Bearer {key}");
    for tenant in [org.as_str(), "nothing"] {
        let headers = [("authorization", bearer.as_str()), ("x-tenant-id", tenant)];
        assert_eq!(
            world
                .ask(Method::GET, "/whoami", &headers, &Value::Null)
                .await
                .status,
            404
        );
    }
    assert_eq!(
        world.get(&key, &format!("/tenants/{shop}/usage")).await.status,
        200
    );
    assert_eq!(world.get(&key, &format!("/tenants/{org}")).await.status, 404);
    for path in [keys.as_str(), "/tokens", "/audit", "/auth/users"] {
        assert_eq!(world.get(&key, path).await.status, 403, "{path}");
    }
    let id = made["id"].as_str().unwrap();
    let answer = world
        .send(&world.admin, Method::DELETE, &format!("{keys}/{id}"), Value::Null)
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(world.get(&key, "/whoami").await.status, 401);
    // Another ends with its time, and with its tenant's rest.
    let key = world.make(&keys, json!({"name": "short", "expires_in": 1})).await["key"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(world.get(&key, "/whoami").await.status, 200);
    let rest = json!({"status": "suspended"});
    assert_eq!(
        world
            .send(&world.admin, Method::PUT, &format!("/tenants/{shop}"), rest)
            .await
            .status,
        200
    );
    assert_eq!(world.get(&key, "/whoami").await.status, 401);
    let back = json!({"status": "active"});
    assert_eq!(
        world
            .send(&world.admin, Method::PUT, &format!("/tenants/{shop}"), back)
            .await
            .status,
        200
    );
    assert_eq!(world.get(&key, "/whoami").await.status, 200);
    world.clock.step(Duration::from_secs(86_400));
    assert_eq!(world.get(&key, "/whoami").await.status, 401);
    for scopes in [json!([]), json!(["admin"]), json!(["switches:delete"])] {
        let body = json!({"name": "x", "scopes": scopes});
        assert_eq!(
            world.post(&world.admin, &keys, body).await.status,
            422,
            "{scopes}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn an_invitation_is_for_one_address_and_works_once() {
    let (world, _) = World::new().await;
    let (_, shop) = acme(&world).await;
    let (_, bob) = world.user("bob", "member").await;
    let (_, eve) = world.user("eve", "member").await;
    let path = format!("/tenants/{shop}/invitations");
    let invite = |email: &str| world.make(&path, json!({"email": email, "role": "operator"}));
    let made = invite("Bob@example.com").await;
    let accept = format!("/invitations/{}/accept", made["token"].as_str().unwrap());
    assert_eq!(world.post(&eve, &accept, Value::Null).await.status, 404);
    assert_eq!(world.post(&world.admin, &accept, Value::Null).await.status, 404);
    let joined = world.post(&bob, &accept, Value::Null).await;
    assert_eq!((joined.status, &joined.body["role"]), (200, &json!("operator")));
    assert_eq!(world.post(&bob, &accept, Value::Null).await.status, 404);
    assert_eq!(world.get(&bob, &format!("/tenants/{shop}")).await.status, 200);
    let late = invite("eve@example.com").await;
    world.clock.step(Duration::from_secs(8 * 86_400));
    let eve = world.login("eve").await["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let accept = format!("/invitations/{}/accept", late["token"].as_str().unwrap());
    assert_eq!(world.post(&eve, &accept, Value::Null).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn members_come_change_and_go() {
    let (world, _) = World::new().await;
    let (_, shop) = acme(&world).await;
    let (bob, token) = world.user("bob", "member").await;
    join(&world, &shop, "bob", "viewer").await;
    let path = format!("/tenants/{shop}/members");
    let twice = world
        .post(&world.admin, &path, json!({"user_id": bob, "role": "viewer"}))
        .await;
    assert_eq!(twice.status, 409);
    let nobody = world
        .post(
            &world.admin,
            &path,
            json!({"user_id": "nobody", "role": "viewer"}),
        )
        .await;
    assert_eq!(nobody.status, 404);
    // A viewer reads, and changes nothing: not its own role either.
    assert_eq!(
        world.get(&token, &path).await.body["members"][0]["user_id"],
        bob.as_str()
    );
    let role = json!({"role": "admin"});
    let own = format!("{path}/{bob}/role");
    assert_eq!(
        world.send(&token, Method::PUT, &own, role.clone()).await.status,
        403
    );
    assert_eq!(
        world.send(&world.admin, Method::PUT, &own, role).await.status,
        200
    );
    assert_eq!(
        world
            .get(&token, &format!("/tenants/{shop}/api-keys"))
            .await
            .status,
        200
    );
    let gone = world
        .send(
            &world.admin,
            Method::DELETE,
            &format!("{path}/{bob}"),
            Value::Null,
        )
        .await;
    assert_eq!(gone.status, 200);
    assert_eq!(world.get(&token, &path).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn a_tenant_that_has_something_stays() {
    let (world, busy) = World::new().await;
    let (org, shop) = acme(&world).await;
    let remove = |id: &str| {
        let path = format!("/tenants/{id}");
        let world = &world;
        async move { world.send(&world.admin, Method::DELETE, &path, Value::Null).await }
    };
    assert_eq!(remove(&org).await.status, 409, "a project is below it");
    busy.lock().unwrap().push(shop.clone());
    let usage = world
        .get(&world.admin, &format!("/tenants/{shop}/usage"))
        .await
        .body;
    assert_eq!((&usage["switches"], &usage["ports"]), (&json!(1), &json!(0)));
    let refused = remove(&shop).await;
    assert_eq!(refused.status, 409);
    assert!(
        refused.body["detail"].as_str().unwrap().contains("1 switches"),
        "{}",
        refused.body
    );
    busy.lock().unwrap().clear();
    assert_eq!(remove(&shop).await.status, 200);
    assert_eq!(remove(&org).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn what_is_done_to_accounts_is_audited_without_secrets() {
    let (world, _) = World::new().await;
    let (_, shop) = acme(&world).await;
    world.user("bob", "member").await;
    let key = world
        .make(&format!("/tenants/{shop}/api-keys"), json!({"name": "ci"}))
        .await;
    let audit = world.get(&world.admin, "/audit").await.body;
    let text = audit.to_string();
    assert_eq!(audit["items"][0]["changes"]["key"], "ci");
    assert!(
        !text.contains(key["key"].as_str().unwrap())
            && !text.contains("argon2")
            && !text.contains(crate::world::PASSWORD)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_logs_in_is_in_the_audit_and_who_is_refused_is_not() {
    let (world, _) = World::new().await;
    world.user("bob", "member").await;
    let logins = async || {
        let audit = world.get(&world.admin, "/audit").await.body;
        let rows = audit["items"].as_array().expect("rows").clone().into_iter();
        let logins = rows.filter(|row| row["path"] == "/api/v1/auth/login/local");
        logins.collect::<Vec<Value>>()
    };
    let before = logins().await.len();
    assert_eq!(world.local_login("bob", "wrong").await.status, 401);
    assert_eq!(logins().await.len(), before);
    let opened = world.login("bob").await;
    let after = logins().await;
    assert_eq!(after.len(), before + 1);
    let row = &after[0];
    assert_eq!(
        (&row["name"], &row["status"], &row["role"]),
        (&json!("bob"), &json!(200), &json!("member"))
    );
    let token = opened["access_token"].as_str().expect("a token");
    assert!(!row.to_string().contains(token), "{row:#}");
}

/// Streams ask so whenever something has changed.
#[tokio::test(flavor = "multi_thread")]
async fn who_was_let_in_before_is_asked_about_again() {
    let (world, _) = World::new().await;
    let (org, _) = acme(&world).await;
    let (alice, token) = world.user("alice", "viewer").await;
    let before = world.desk.login(&token).await.unwrap().expect("she logged in");
    let again = |before: &Caller| world.desk.again(before).map(|caller| caller.role);
    assert_eq!(again(&before), Some(Role::Viewer));
    let stranger = Caller {
        token: before.token.replace(&alice, "somebody"),
        ..before.clone()
    };
    assert_eq!(again(&stranger), None, "the session is not that user's");
    // It goes on for as long as it is renewed, and with the tokens that this brings.
    let mut changes = world.desk.changes();
    let opened = world.login("alice").await;
    let renewed = world
        .desk
        .login(opened["access_token"].as_str().unwrap())
        .await
        .unwrap()
        .unwrap();
    let body = json!({"refresh_token": opened["refresh_token"]});
    world.clock.step(Duration::from_secs(14 * 60));
    assert_eq!(world.post("", "/auth/refresh", body).await.status, 200);
    assert!(changes.has_changed().unwrap());
    world.clock.step(Duration::from_secs(2 * 60));
    assert_eq!((again(&before), again(&renewed)), (None, Some(Role::Viewer)));
    changes.borrow_and_update();
    let path = format!("/auth/users/{alice}");
    let gone = world.send(&world.admin, Method::DELETE, &path, Value::Null).await;
    assert!(gone.status < 300, "{:#}", gone.body);
    assert!(changes.has_changed().unwrap());
    assert_eq!(again(&renewed), None);
    // A key, for as long as it and its tenant hold.
    let path = format!("/tenants/{org}/api-keys");
    let made = world
        .make(&path, json!({"name": "robot", "scopes": ["read"]}))
        .await;
    let before = world
        .desk
        .login(made["key"].as_str().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(again(&before), Some(Role::Viewer));
    let set = async |status: &str| {
        let body = json!({"status": status});
        let path = format!("/tenants/{org}");
        let set = world.send(&world.admin, Method::PUT, &path, body).await;
        assert_eq!(set.status, 200, "{:#}", set.body);
    };
    set("suspended").await;
    assert_eq!(again(&before), None);
    set("active").await;
    assert_eq!(again(&before), Some(Role::Viewer));
    let path = format!("{path}/{}", made["id"].as_str().unwrap());
    changes.borrow_and_update();
    let gone = world.send(&world.admin, Method::DELETE, &path, Value::Null).await;
    assert!(gone.status < 300 && changes.has_changed().unwrap());
    assert_eq!(again(&before), None);
}
