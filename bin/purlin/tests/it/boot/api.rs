//! The boot file routes, each answer held against the OpenAPI document.

use super::Boot;
use crate::schema::Api;
use serde_json::json;

#[test]
fn what_is_answered_is_what_the_document_says() {
    let boot = Boot::start();
    assert_eq!(boot.get("boot.bin", "copy.bin").code, 0);
    assert_eq!(boot.get("nothing.bin", "x").code, 3);
    let api = Api::of(&boot.node);
    for path in [
        "/api/v1/tftp/status",
        "/api/v1/tftp/transfers",
        "/api/v1/tftp/records",
        "/api/v1/tftp/records?fields=at,file&notable=true",
        "/api/v1/boot/files",
        "/api/v1/boot/profiles",
        "/api/v1/boot/resolve?name=boot.bin",
        "/api/v1/boot/resolve?name=hello.txt&client=10.0.0.5&scheme=http",
        "/api/v1/boot/resolve?name=../x",
        "/api/v1/boot/resolve?name=up/new&write=true",
        "/api/v1/why?subject=127.0.0.1",
    ] {
        assert_eq!(api.ask("GET", path, None).0, 200, "{path}");
    }
    for path in [
        "/api/v1/boot/resolve",
        "/api/v1/boot/resolve?name=a&client=x",
        "/api/v1/tftp/records?code=x",
        "/api/v1/tftp/records?cursor=00000000-1.1.1",
    ] {
        assert_eq!(api.ask("GET", path, None).0, 400, "{path}");
    }
    let (_, dry) = api.ask("POST", "/api/v1/boot/cache/drop?dryRun=true", None);
    assert_eq!((&dry["octets"], &dry["dry_run"]), (&json!(200_000), &json!(true)));
}

#[test]
fn records_are_paged_into_the_past_without_a_gap() {
    let boot = Boot::start();
    for number in 0..7 {
        assert_eq!(boot.get(&format!("missing-{number}"), "x").code, 3);
    }
    let api = Api::of(&boot.node);
    let (mut cursor, mut seen) = (String::new(), Vec::new());
    loop {
        let (_, page) = api.ask(
            "GET",
            &format!("/api/v1/tftp/records?limit=3&cursor={cursor}"),
            None,
        );
        let items = page["items"].as_array().expect("a page");
        seen.splice(
            0..0,
            items
                .iter()
                .map(|record| record["file"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    let expected: Vec<String> = (0..7).map(|number| format!("missing-{number}")).collect();
    assert_eq!(seen, expected);
}

#[test]
fn profiles_are_created_replaced_changed_and_removed_as_revisions() {
    let boot = Boot::start();
    let api = Api::of(&boot.node);
    let all = "/api/v1/boot/profiles";
    let one = "/api/v1/boot/profiles/a";
    let profile = json!({"name": "a", "arch": ["uefi-x64"], "file": "a.efi"});
    let (status, dry) = api.ask("POST", &format!("{all}?dryRun=true"), Some(&profile));
    assert_eq!((status, &dry["dry_run"]), (200, &json!(true)), "{dry}");
    assert_eq!(api.ask("GET", one, None).0, 404, "a dry run changes nothing");
    let (status, change) = api.ask("POST", all, Some(&profile));
    assert_eq!((status, &change["object"]), (201, &profile), "{change}");
    assert_eq!(api.ask("POST", all, Some(&profile)).0, 409);
    assert_eq!(api.ask("POST", all, Some(&json!({"file": "x"}))).0, 422);
    let patch = json!({"arch": null, "values": {"console": "ttyS0"}});
    assert_eq!(
        api.ask_with("PATCH", one, Some(&patch), "If-Match: \"r1\"\r\n").0,
        412
    );
    let (status, change) = api.ask_with("PATCH", one, Some(&patch), "If-Match: \"r2\"\r\n");
    let expected = json!({"name": "a", "file": "a.efi", "values": {"console": "ttyS0"}});
    assert_eq!((status, &change["object"]), (200, &expected), "{change}");
    let wrong = json!({"name": "a", "arch": ["toaster"], "file": "a.efi"});
    assert_eq!(api.ask("PUT", one, Some(&wrong)).0, 422);
    assert_eq!(api.ask("PUT", one, Some(&profile)).0, 200);
    assert_eq!(api.ask("DELETE", one, None).0, 200);
    assert_eq!(api.ask("DELETE", one, None).0, 404);
}
