//! The routes of the four nouns.

use super::{Noun, Object, Verb, create, list, one, write};
use crate::routes::Desk;
use axum::Json;
use axum::extract::State;
use purlin_api::asked::{Asked, Input, Name, Preconditions};
use purlin_api::route::{self, Draft};
use purlin_api::schema::{self, Schema};
use purlin_api::{Operator, Viewer};

/// The words and paths of one noun.
struct Words {
    noun: Noun,
    all: &'static str,
    all_short: &'static str,
    each: &'static str,
    each_short: &'static str,
    schema: &'static str,
    /// Schemas of the bodies of POST, PUT and PATCH.
    bodies: [&'static str; 3],
    /// Summaries of list, create, show, replace, change, remove.
    say: [&'static str; 6],
}

const WORDS: [Words; 4] = [
    Words {
        noun: Noun::Subnet,
        all: "/api/v1/dhcp/subnets",
        all_short: "/api/v1/subnets",
        each: "/api/v1/dhcp/subnets/{name}",
        each_short: "/api/v1/subnets/{name}",
        schema: "Subnet",
        bodies: ["NewSubnet", "NewSubnet", "SubnetPatch"],
        say: [
            "Lists the subnets with how full they are",
            "Adds a subnet",
            "Shows a subnet",
            "Replaces a subnet",
            "Changes members of a subnet",
            "Removes a subnet",
        ],
    },
    Words {
        noun: Noun::Pool,
        all: "/api/v1/dhcp/pools",
        all_short: "/api/v1/pools",
        each: "/api/v1/dhcp/pools/{id}",
        each_short: "/api/v1/pools/{id}",
        schema: "Pool",
        bodies: ["NewPool", "WholePool", "PoolPatch"],
        say: [
            "Lists the pools of all subnets",
            "Adds a pool to a subnet",
            "Shows a pool",
            "Replaces a pool",
            "Changes members of a pool",
            "Removes a pool",
        ],
    },
    Words {
        noun: Noun::Reservation,
        all: "/api/v1/dhcp/reservations",
        all_short: "/api/v1/reservations",
        each: "/api/v1/dhcp/reservations/{id}",
        each_short: "/api/v1/reservations/{id}",
        schema: "Reservation",
        bodies: ["NewReservation", "NewReservation", "ReservationPatch"],
        say: [
            "Lists the reservations",
            "Adds a reservation",
            "Shows a reservation",
            "Replaces a reservation",
            "Changes members of a reservation",
            "Removes a reservation",
        ],
    },
    Words {
        noun: Noun::Class,
        all: "/api/v1/dhcp/classes",
        all_short: "/api/v1/classes",
        each: "/api/v1/dhcp/classes/{name}",
        each_short: "/api/v1/classes/{name}",
        schema: "Class",
        bodies: ["NewClass", "NewClass", "ClassPatch"],
        say: [
            "Lists the client classes",
            "Adds a client class",
            "Shows a client class",
            "Replaces a client class",
            "Changes members of a client class",
            "Removes a client class",
        ],
    },
];

const MERGE: &str = "JSON merge patch (RFC 7396): members given are set, those given as null are taken away.";

pub(in crate::routes) fn drafts() -> Vec<Draft<Desk>> {
    WORDS
        .iter()
        .flat_map(|words| [lists(words), creates(words)].into_iter().chain(singles(words)))
        .collect()
}

fn lists(words: &Words) -> Draft<Desk> {
    let noun = words.noun;
    let handler = async move |_: Viewer, State(desk): State<Desk>, asked: Asked| {
        list(noun, &desk, &asked).await.map(Json)
    };
    let mut draft = route::get(words.all, handler)
        .alias(words.all_short)
        .summary(words.say[0])
        .query("q", schema::string("Part of any text in it."));
    if matches!(noun, Noun::Pool | Noun::Reservation) {
        draft = draft.query("subnet", schema::string("Only those of this subnet."));
    }
    draft.paged().answers(200, schema::page_of(words.schema))
}

fn creates(words: &Words) -> Draft<Desk> {
    let noun = words.noun;
    let handler = async move |Operator(caller): Operator,
                              State(desk): State<Desk>,
                              asked: Asked,
                              Input(object): Input<Object>| {
        create(noun, &desk, &caller, &asked, object).await
    };
    route::post(words.all, handler)
        .alias(words.all_short)
        .summary(words.say[1])
        .body(schema::reference(words.bodies[0]))
        .answers(201, schema::reference("Change"))
        .answers(200, schema::reference("Change"))
        .errors(&[404])
}

fn singles(words: &Words) -> [Draft<Desk>; 4] {
    let noun = words.noun;
    let show = async move |_: Viewer, State(desk): State<Desk>, name: Name| one(noun, &desk, &name.0).await;
    let replace = async move |Operator(caller): Operator,
                              State(desk): State<Desk>,
                              asked: Asked,
                              wanted: Preconditions,
                              name: Name,
                              Input(object): Input<Object>| {
        write(
            noun,
            &desk,
            &caller,
            &asked,
            &wanted,
            &name.0,
            Verb::Replace(object),
        )
        .await
    };
    let change = async move |Operator(caller): Operator,
                             State(desk): State<Desk>,
                             asked: Asked,
                             wanted: Preconditions,
                             name: Name,
                             Input(patch): Input<Object>| {
        write(noun, &desk, &caller, &asked, &wanted, &name.0, Verb::Merge(patch)).await
    };
    let remove = async move |Operator(caller): Operator,
                             State(desk): State<Desk>,
                             asked: Asked,
                             wanted: Preconditions,
                             name: Name| {
        write(noun, &desk, &caller, &asked, &wanted, &name.0, Verb::Remove).await
    };
    let body: Schema = schema::reference(words.schema);
    let finish = |draft: Draft<Desk>, say: usize| {
        draft
            .alias(words.each_short)
            .summary(words.say[say])
            .errors(&[404])
    };
    let changes = |draft: Draft<Desk>, say| {
        finish(draft, say)
            .if_match()
            .answers(200, schema::reference("Change"))
    };
    [
        finish(route::get(words.each, show), 2).answers(200, body),
        changes(route::put(words.each, replace), 3).body(schema::reference(words.bodies[1])),
        changes(route::patch(words.each, change), 4)
            .description(MERGE)
            .body(schema::reference(words.bodies[2])),
        changes(route::delete(words.each, remove), 5),
    ]
}
