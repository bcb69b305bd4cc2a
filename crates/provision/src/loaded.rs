//! Connectors with their rules compiled, kept for as long as nobody changes them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use directory::rules::{CompiledRules, RuleError};
use directory::{CompiledLimits, Connector, ConnectorId, Precedence, Rules};
use jiff::Timestamp;
use scim::{CustomSchema, Dialect, ResourceTypes};
use store::{ReadTx, StoredConnector, StoredSchema};

use crate::{AddressRange, Provision, ProvisionError, schemas};

/// A connector ready for work.
#[derive(Debug)]
pub struct LoadedConnector {
    /// As it is stored.
    pub connector: Connector,
    /// Which version of it this is.
    pub version: i64,
    /// Its rules, compiled.
    pub rules: CompiledRules,
    /// How much it may take away at once.
    pub limits: CompiledLimits,
    /// What its resources can have.
    pub types: Arc<ResourceTypes>,
    /// How its IdP departs from the RFCs.
    pub dialect: Dialect,
    /// Where requests may come from; empty means anywhere.
    pub addresses: Vec<AddressRange>,
    /// Until when its reads are recorded.
    pub reads_recorded: Option<Timestamp>,
    /// Whether administrators have said anything about single users of its directory.
    pub has_overrides: bool,
    /// Whose word counts in its directory, if several connectors may speak of one account there.
    pub precedence: Option<Precedence>,
}

impl LoadedConnector {
    fn new(
        tx: &ReadTx<'_>,
        stored: StoredConnector,
        schemas: &[StoredSchema],
    ) -> Result<Self, ProvisionError> {
        let rules = CompiledRules::stored(&stored.connector.rules);
        let rules = bound(tx, stored.connector.id, rules)?;
        Ok(Self {
            types: Arc::new(types_of(schemas)),
            dialect: stored.connector.settings.dialect(stored.connector.preset),
            addresses: AddressRange::all(&stored.connector.settings.credentials.addresses),
            reads_recorded: tx.connector_times(stored.connector.id)?.reads_recorded,
            has_overrides: tx.has_overrides(stored.connector.directory)?,
            precedence: tx.precedence(stored.connector.directory)?,
            limits: CompiledLimits::new(&stored.connector.settings.limits)
                .map_err(ProvisionError::Limits)?,
            rules,
            version: stored.version,
            connector: stored.connector,
        })
    }
}

/// Rules of a connector compiled, stored ones or others, with the source groups that they name by id.
pub(crate) fn compiled(
    tx: &ReadTx<'_>,
    connector: ConnectorId,
    rules: &Rules,
) -> Result<CompiledRules, ProvisionError> {
    bound(tx, connector, CompiledRules::new(rules))
}

fn bound(
    tx: &ReadTx<'_>,
    connector: ConnectorId,
    compiled: Result<CompiledRules, Vec<RuleError>>,
) -> Result<CompiledRules, ProvisionError> {
    let mut compiled = compiled.map_err(ProvisionError::Rules)?;
    let named = compiled.named_groups();
    if !named.is_empty() {
        let known = tx.source_groups_by_ids(connector, &named)?;
        compiled.bind(&known);
    }
    Ok(compiled)
}

impl LoadedConnector {
    /// The same connector where another precedence holds, to try it.
    pub(crate) fn with_precedence(
        &self,
        tx: &ReadTx<'_>,
        precedence: Precedence,
    ) -> Result<Self, ProvisionError> {
        Ok(Self {
            precedence: Some(precedence),
            ..self.with_rules(tx, self.connector.rules.clone())?
        })
    }

    /// The same connector with other rules, to try them.
    pub(crate) fn with_rules(&self, tx: &ReadTx<'_>, rules: Rules) -> Result<Self, ProvisionError> {
        let compiled = match rules == self.connector.rules {
            true => self.rules.clone(),
            false => compiled(tx, self.connector.id, &rules)?,
        };
        let mut connector = self.connector.clone();
        connector.rules = rules;
        Ok(self.with(connector, compiled))
    }

    /// The same connector where nobody keeps an account for a while who is out of scope.
    pub(crate) fn without_grace(&self) -> Self {
        self.with(self.connector.clone(), self.rules.clone().without_grace())
    }

    fn with(&self, connector: Connector, rules: CompiledRules) -> Self {
        Self {
            rules,
            connector,
            types: Arc::clone(&self.types),
            addresses: self.addresses.clone(),
            limits: self.limits.clone(),
            precedence: self.precedence.clone(),
            ..*self
        }
    }
}

/// What resources can have. A schema that was stored by a program with wider limits is left out; its
/// data are then kept like those of any schema that is not registered.
fn types_of(schemas: &[StoredSchema]) -> ResourceTypes {
    let schemas: Vec<CustomSchema> = schemas
        .iter()
        .filter_map(|stored| match schemas::parsed(stored) {
            Ok(schema) => Some(schema),
            Err(errors) => {
                tracing::error!(?errors, "a registered schema cannot be used any more");
                None
            }
        })
        .collect();
    ResourceTypes::with(&schemas).unwrap_or_else(|errors| {
        tracing::error!(?errors, "the registered schemas cannot be used any more");
        ResourceTypes::core()
    })
}

#[derive(Default)]
pub(crate) struct Cache {
    by_id: Mutex<HashMap<ConnectorId, Arc<LoadedConnector>>>,
}

impl Cache {
    /// The connector as this transaction sees it; compiled anew only when it changed.
    pub(crate) fn load(
        &self,
        tx: &ReadTx<'_>,
        id: ConnectorId,
    ) -> Result<Option<Arc<LoadedConnector>>, ProvisionError> {
        let Some(version) = tx.connector_version(id)? else {
            return Ok(None);
        };
        let known = self.lock().get(&id).cloned();
        if let Some(known) = known.filter(|known| known.version == version) {
            return Ok(Some(known));
        }
        let Some(stored) = tx.connector(id)? else {
            return Ok(None);
        };
        let schemas = tx.connector_schemas(id)?;
        let loaded = Arc::new(LoadedConnector::new(tx, stored, &schemas)?);
        self.lock().insert(id, Arc::clone(&loaded));
        Ok(Some(loaded))
    }

    /// Forgets all: what a transaction loaded that came to nothing must not be taken for what another one stores.
    pub(crate) fn forget_all(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ConnectorId, Arc<LoadedConnector>>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Provision {
    /// The connector as this transaction sees it. One index look-up unless it changed.
    pub fn load_connector(
        &self,
        tx: &ReadTx<'_>,
        id: ConnectorId,
    ) -> Result<Option<Arc<LoadedConnector>>, ProvisionError> {
        self.inner.connectors.load(tx, id)
    }

    /// The same for a write, which needs it to exist.
    pub(crate) fn require_connector(
        &self,
        tx: &ReadTx<'_>,
        id: ConnectorId,
    ) -> Result<Arc<LoadedConnector>, ProvisionError> {
        self.load_connector(tx, id)?
            .ok_or_else(|| ProvisionError::not_found("connector", &id.to_string()))
    }
}
