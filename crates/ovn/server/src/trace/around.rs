//! What packets are asked about with: the whole network, or as a tenant may look at it.
//!
//! A packet of a tenant may cross rows of others: a router that is shared, a rule over everything. It is followed through
//! the whole, and told with what the tenant sees; all else is "another tenant's".

mod hush;

use super::{Asking, Flows, Question, Told, behind, refused, trace};
use crate::platform::Platform;
use hush::Hush;
use purlin_api::Problem;
use purlin_ovn_core::model::State;
use purlin_ovn_core::tenant::tenant_of;
use purlin_ovsdb::client::Snapshot;
use purlin_ovsdb::{DatabaseSchema, Uuid};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

const PORT: &str = "Logical_Switch_Port";
const ROUTER_PORT: &str = "Logical_Router_Port";
const NETWORKS: [&str; 2] = ["Logical_Switch", "Logical_Router"];

/// A platform's rows and flows at one moment.
pub(crate) struct Around {
    /// The one that is not narrowed.
    pub(crate) platform: Platform,
    tenant: Option<String>,
    schema: Arc<DatabaseSchema>,
    whole: Snapshot,
    part: Snapshot,
    flows: Option<Flows>,
}

impl Around {
    /// With the flows of the southbound.
    ///
    /// # Errors
    /// 503 without one, or when a database is not read.
    pub(crate) async fn of(platform: &Platform) -> Result<Self, Problem> {
        let mut around = Self::rows_of(platform).await?;
        around.flows = Some(Flows::of(&around.platform).await?);
        Ok(around)
    }

    /// Without them, for what can be told by rows alone.
    ///
    /// # Errors
    /// 503 when the northbound is not read.
    pub(crate) async fn rows_of(platform: &Platform) -> Result<Self, Problem> {
        let tenant = platform.tenant().map(|tenant| tenant.tenant.clone());
        let (schema, part) = platform.north().read().await?;
        let whole = platform.whole();
        let rows = match tenant {
            Some(_) => whole.north().read().await?.1,
            None => part.clone(),
        };
        Ok(Self {
            platform: whole,
            tenant,
            schema,
            whole: rows,
            part,
            flows: None,
        })
    }

    /// The rows that a question may name.
    pub(crate) fn seen(&self) -> State<'_> {
        State::new(&self.schema, &self.part.database)
    }

    /// The rows that decide.
    pub(crate) fn all(&self) -> State<'_> {
        State::new(&self.schema, &self.whole.database)
    }

    /// A packet that may be followed.
    ///
    /// # Errors
    /// 422 for a question that is none, or not the asker's to ask.
    pub(crate) fn checked(&self, question: &Question) -> Result<Asking, Problem> {
        self.between_own(question)?;
        // Rows of others may be on the way, and say where it goes; what keeps it from going is said in the asker's terms.
        match question.checked(&self.all()) {
            Ok(asking) => Ok(asking),
            Err(_) => question.checked(&self.seen()),
        }
    }

    /// Follows a packet.
    ///
    /// # Errors
    /// What keeps `ovn-trace` from answering.
    async fn follow(&self, asking: &Asking) -> Result<Told, Problem> {
        let flows = self.flows.as_ref().ok_or_else(without_flows)?;
        let mut told = trace(self.platform.programs(), flows, &self.all(), asking).await?;
        if self.tenant.is_some() {
            told.raw = String::new();
            self.hush_with(|hush| hush.story(&mut told.story));
        }
        Ok(told)
    }

    /// Checks a question, and follows its packet.
    ///
    /// # Errors
    /// 422 for a question that is none, or not the asker's to ask; what keeps `ovn-trace` from answering.
    pub(crate) async fn told(&self, question: &Question) -> Result<(Asking, Told), Problem> {
        let asking = self.checked(question)?;
        let told = self.follow(&asking).await?;
        Ok((asking, told))
    }

    /// The same, as it is answered.
    ///
    /// # Errors
    /// As [`Around::told`].
    pub(crate) async fn answer(&self, question: &Question) -> Result<Value, Problem> {
        let asking = self.checked(question)?;
        self.answer_to(&asking, question.raw).await
    }

    /// The same of a checked question; `raw` says whether the words of `ovn-trace` are wanted.
    ///
    /// # Errors
    /// What keeps `ovn-trace` from answering.
    pub(crate) async fn answer_to(&self, asking: &Asking, raw: bool) -> Result<Value, Problem> {
        let told = self.follow(asking).await?;
        let mut shown = told.shown(asking, raw && self.tenant.is_none());
        shown["behind"] = json!(behind(&self.all()));
        self.hush(&mut shown);
        Ok(shown)
    }

    /// The southbound that packets are followed in, whoever asks.
    ///
    /// # Errors
    /// When it is one without flows.
    pub(crate) fn into_southbound(self) -> Result<Snapshot, Problem> {
        Ok(self.flows.ok_or_else(without_flows)?.rows)
    }

    /// Takes out of an answer what the asker does not see.
    pub(crate) fn hush(&self, answer: &mut Value) {
        if self.tenant.is_some() {
            self.hush_with(|hush| hush.value(answer));
        }
    }

    fn hush_with(&self, work: impl FnOnce(&Hush<'_>)) {
        let (whole, part) = (self.all(), self.seen());
        work(&Hush {
            whole: &whole,
            part: &part,
        });
    }

    /// A tenant asks about packets from its own ports to its own ports.
    fn between_own(&self, question: &Question) -> Result<(), Problem> {
        if self.tenant.is_none() {
            return Ok(());
        }
        self.own_ports([question.from.as_str()])?;
        if question.microflow.is_some() {
            return Err(refused(
                "microflow: within a tenant a trace goes from one of its ports to another; say to",
            ));
        }
        if let Some(to) = &question.to {
            match to.parse() {
                Ok(address) => self.own_address(address)?,
                Err(_) => self.own_ports([to.as_str()])?,
            }
        }
        question
            .destination_ip
            .map_or(Ok(()), |address| self.own_address(address))
    }

    /// These ports are the tenant's own.
    ///
    /// # Errors
    /// 422 with the first that is not.
    pub(crate) fn own_ports<'p>(&self, ports: impl IntoIterator<Item = &'p str>) -> Result<(), Problem> {
        let Some(tenant) = &self.tenant else {
            return Ok(());
        };
        let seen = self.seen();
        let own = |table: &str, word: &str| {
            let by_uuid = Uuid::parse(word).filter(|uuid| seen.contains(table, *uuid));
            let found = by_uuid.or_else(|| seen.by_name(table, word));
            found.is_some_and(|uuid| tenant_of(&seen, table, uuid).as_deref() == Some(tenant))
        };
        match ports
            .into_iter()
            .find(|word| !own(PORT, word) && !own(ROUTER_PORT, word))
        {
            Some(port) => Err(refused(format!("{port:?} is no port of this tenant"))),
            None => Ok(()),
        }
    }

    /// Switches and routers that are the tenant's own; `None` for whoever has all of them.
    pub(crate) fn own_networks(&self) -> Option<BTreeSet<Uuid>> {
        let tenant = self.tenant.as_deref()?;
        let seen = self.seen();
        let own = NETWORKS.iter().flat_map(|table| {
            let rows = seen.uuids(table).into_iter();
            rows.filter(|uuid| tenant_of(&seen, table, *uuid).as_deref() == Some(tenant))
        });
        Some(own.collect())
    }

    fn own_address(&self, address: IpAddr) -> Result<(), Problem> {
        let Some(tenant) = &self.tenant else {
            return Ok(());
        };
        let seen = self.seen();
        let own = |table: &str, uuid: Uuid| tenant_of(&seen, table, uuid).as_deref() == Some(tenant);
        let port = |uuid: &Uuid| own(PORT, *uuid) && seen.port_addresses(*uuid).1.contains(&address);
        let router = |uuid: &Uuid| {
            let networks = seen.texts(ROUTER_PORT, *uuid, "networks");
            let is = |network: &str| {
                let (own, _) = network.split_once('/').unwrap_or((network, ""));
                own.parse() == Ok(address)
            };
            own(ROUTER_PORT, *uuid) && networks.iter().any(|network| is(network))
        };
        if seen.uuids(PORT).iter().any(port) || seen.uuids(ROUTER_PORT).iter().any(router) {
            return Ok(());
        }
        Err(refused(format!("{address} is at no port of this tenant")))
    }
}

fn without_flows() -> Problem {
    Problem::broken("a trace was asked for without flows")
}
