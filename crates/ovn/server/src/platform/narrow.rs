//! What a platform is to whom it is narrowed to.

use super::{Platform, Side};
use crate::backups;
use crate::stream::Eyes;
use crate::templates::Shelf;
use purlin_api::Problem;
use purlin_ovn_core::tenant::Confine;
use std::sync::Arc;

impl Platform {
    /// The tenant that it is narrowed to.
    pub(crate) fn tenant(&self) -> Option<&Confine> {
        let within = self.1.as_ref()?.north.within.as_ref()?;
        Some(&within.confine)
    }

    /// The templates of those who ask.
    ///
    /// # Errors
    /// As [`Platform::history`].
    pub(crate) fn templates(&self) -> Result<Shelf<'_>, Problem> {
        Ok(Shelf {
            history: self.history()?,
            tenant: self.tenant().map(|tenant| tenant.tenant.as_str()),
        })
    }

    /// The backups of those who ask.
    ///
    /// # Errors
    /// As [`Platform::history`].
    pub(crate) fn backups(&self) -> Result<backups::Shelf<'_>, Problem> {
        Ok(backups::Shelf {
            history: self.history()?,
            tenant: self.tenant(),
        })
    }

    /// As whom streams look; `None` sees all.
    pub(crate) fn eyes(&self) -> Option<Eyes> {
        let tenant = self.tenant()?;
        Some(Eyes {
            tenant: tenant.tenant.clone(),
            external: tenant.external,
        })
    }

    /// The platform that is not narrowed, for answers that are looked through before they are handed out.
    pub(crate) fn whole(&self) -> Self {
        Self(Arc::clone(&self.0), None)
    }

    /// This platform for whom another is narrowed to: copies, as the asker may read and write them.
    pub(crate) fn for_asker_of(&self, other: &Self) -> Self {
        match other.1.as_ref().and_then(|narrow| narrow.north.within.as_ref()) {
            Some(within) => self.over(within.over(&self.0.views)),
            None => self.clone(),
        }
    }

    /// The southbound as the asker may read it: all of it, or the bindings of a tenant's ports.
    ///
    /// # Errors
    /// 404 where there is none.
    pub(crate) fn readable_south(&self) -> Result<Side, Problem> {
        let Some(narrow) = &self.1 else {
            return self.south().cloned();
        };
        let mut south = self.whole().south()?.clone();
        south.within.clone_from(&narrow.north.within);
        south.beside = Some(Arc::new(self.0.north.clone()));
        // Those of the whole would show rows of others.
        south.orders = Arc::default();
        Ok(south)
    }
}
