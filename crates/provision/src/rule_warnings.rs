//! Warnings: what rules say in vain, by themselves and beside the groups of the identity provider.

use std::collections::BTreeSet;

use directory::rules::{RuleError, Target, path_warnings, warnings};
use directory::{CompiledRules, ConnectorId, Rules, SourceGroupPk};
use store::{ReadTx, StandingFilter};

use crate::loaded::compiled;
use crate::{Provision, ProvisionError};

/// Groups read at once.
const CHUNK: i64 = 500;
/// Groups that are looked at to find a required one; nothing is said where there are more.
const GROUPS_LOOKED_AT: usize = 5_000;

impl Provision {
    /// What rules would say in vain at a connector: contradictions, entries that hardly mean what was meant, paths
    /// without a value, rows whose source group is not there, and required groups that nobody can be in.
    pub fn rule_warnings(
        &self,
        tx: &ReadTx<'_>,
        connector: ConnectorId,
        rules: &Rules,
    ) -> Result<Vec<RuleError>, ProvisionError> {
        let compiled = compiled(tx, connector, rules)?;
        let types = &self.require_connector(tx, connector)?.types;
        let mut found = warnings(rules);
        found.extend(path_warnings(rules, &types.user));
        lost_rows(tx, connector, (rules, &compiled), &mut found)?;
        unmet_groups(tx, connector, (rules, &compiled), &mut found)?;
        Ok(found)
    }
}

fn lost_rows(
    tx: &ReadTx<'_>,
    connector: ConnectorId,
    (rules, compiled): (&Rules, &CompiledRules),
    found: &mut Vec<RuleError>,
) -> Result<(), ProvisionError> {
    let known = tx.source_groups_by_ids(connector, &compiled.named_groups())?;
    let rows = rules.groups.mapping.iter().flat_map(|it| &it.rows);
    for (index, row) in rows.enumerate() {
        if !known.contains_key(&row.source.id) {
            found.push(RuleError::new(
                format!("groups.mapping.rows[{index}].source.id"),
                format!(
                    "the connector has no group of the id `{}` ({:?})",
                    row.source.id, row.source.name
                ),
                "name another group, or remove the row; the list of the connector's groups has the ids",
            ));
        }
    }
    Ok(())
}

/// Entries of `scope.required_groups` that no group of the identity provider has.
fn unmet_groups(
    tx: &ReadTx<'_>,
    connector: ConnectorId,
    (rules, compiled): (&Rules, &CompiledRules),
    found: &mut Vec<RuleError>,
) -> Result<(), ProvisionError> {
    // Rows for groups name some that nobody can list.
    if rules.mapping.iter().any(|row| row.target == Target::Groups) {
        return Ok(());
    }
    let mut unmet: BTreeSet<&str> = compiled.required_entries().into_iter().collect();
    let (mut behind, mut looked_at) = (SourceGroupPk(0), 0);
    while !unmet.is_empty() {
        let chunk = tx.connector_groups(connector, StandingFilter::Any, behind, CHUNK)?;
        let Some(last) = chunk.last() else { break };
        behind = last.group.pk;
        looked_at += chunk.len();
        if looked_at > GROUPS_LOOKED_AT {
            return Ok(());
        }
        for listed in chunk {
            let group = listed
                .standing
                .seen(listed.group.pk, listed.group.display_name);
            for entry in compiled.required_by(&group) {
                unmet.remove(entry);
            }
        }
    }
    for (index, entry) in rules.scope.required_groups.iter().enumerate() {
        if unmet.contains(entry.as_str()) {
            found.push(RuleError::new(
                format!("scope.required_groups[{index}]"),
                format!("no group of the identity provider is `{entry}` so far, so nobody is in scope by it"),
                "correct the name, or wait until the identity provider has sent the group",
            ));
        }
    }
    Ok(())
}
