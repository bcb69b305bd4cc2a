//! Groups that products put into groups themselves.

use std::collections::BTreeSet;

use directory::rules::Authority;
use directory::{Change, Group, Origin};
use store::{Subject, WriteTx};

use super::{LocalWriteError, Writer, make_group, require_group};
use crate::Provision;

impl Provision {
    /// Puts a group into another, local or not, with origin `local`. A group cannot come to lie in itself. A parent
    /// that the directory does not have is made if `make` has the description that it has elsewhere.
    pub async fn add_local_child_group(
        &self,
        writer: &Writer,
        group: String,
        child: String,
        make: Option<String>,
    ) -> Result<(), LocalWriteError> {
        let this = self.clone();
        self.write_locally(writer, move |tx, writer| {
            if let Some(description) = &make
                && tx.directory_group(writer.directory, &group)?.is_none()
            {
                make_group(tx, writer, &group, description)?;
            }
            let parent = require_group(tx, writer.directory, &group)?;
            let child = require_group(tx, writer.directory, &child)?;
            if tx.nesting_origins(parent.pk, child.pk)?.is_some() {
                return Err(LocalWriteError::ChildGroupExists {
                    child: child.name,
                    group: parent.name,
                });
            }
            if parent.pk == child.pk || tx.group_lies_below(parent.pk, child.pk)? {
                return Err(LocalWriteError::Circle {
                    child: child.name,
                    group: parent.name,
                });
            }
            this.refuse_nesting_that_would_not_last(tx, &parent, &child)?;
            let origins = BTreeSet::from([Origin::Local]);
            tx.put_nesting(parent.pk, child.pk, &origins)?;
            let change = Change::AddChildGroup {
                group: parent.name,
                child: child.name,
                origins,
            };
            let subject = Subject::Nesting(parent.pk, child.pk);
            writer.note(tx, subject, None, &change)?;
            Ok(())
        })
        .await
    }

    /// Takes a group out of another that a product or an administrator had put it into.
    pub async fn remove_local_child_group(
        &self,
        writer: &Writer,
        group: String,
        child: String,
    ) -> Result<(), LocalWriteError> {
        self.write_locally(writer, move |tx, writer| {
            let parent = require_group(tx, writer.directory, &group)?;
            let child = require_group(tx, writer.directory, &child)?;
            let Some(origins) = tx.nesting_origins(parent.pk, child.pk)? else {
                return Err(LocalWriteError::ChildGroupNotFound {
                    child: child.name,
                    group: parent.name,
                });
            };
            if let Some(owner) = origins.iter().find(|origin| origin.is_ours()) {
                return Err(LocalWriteError::Refused(format!(
                    "Group <{}> is in group <{}> by origin {}; take the group out there, not here",
                    child.name,
                    parent.name,
                    owner.kind()
                )));
            }
            tx.delete_nesting(parent.pk, child.pk)?;
            let change = Change::RemoveChildGroup {
                group: parent.name,
                child: child.name,
                origins,
            };
            let subject = Subject::Nesting(parent.pk, child.pk);
            writer.note(tx, subject, None, &change)?;
            Ok(())
        })
        .await
    }

    /// Under the authority `strict` the next comparison would take the group out again.
    fn refuse_nesting_that_would_not_last(
        &self,
        tx: &WriteTx<'_>,
        parent: &Group,
        child: &Group,
    ) -> Result<(), LocalWriteError> {
        for connector in tx.connectors_feeding(parent.pk)? {
            let connector = self.require_connector(tx, connector)?;
            let groups = &connector.connector.rules.groups;
            if groups.authority != Authority::Strict || connector.rules.never_removes(&parent.name)
            {
                continue;
            }
            return Err(LocalWriteError::Refused(format!(
                "The identity provider of group <{}> is the only authority over its members (rule groups.authority is \
                 strict), so group <{}> would be taken out of it again; name the group in groups.never_remove to allow it",
                parent.name, child.name
            )));
        }
        Ok(())
    }
}
