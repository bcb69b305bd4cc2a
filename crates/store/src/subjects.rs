//! Subjects: all that decisions about many users of a source are made from, read together.

use std::collections::{BTreeSet, HashMap};

use directory::{ConnectorId, Membership, SourceGroupPk, SourceUserPk};

use crate::accounts::{ACCOUNT_COLUMNS, read_bare_account};
use crate::directory_groups::read_origins;
use crate::directory_users::read_values;
use crate::group_standing::GroupStanding;
use crate::source::{SourceUser, USER_COLUMNS, read_user};
use crate::{Arg, ReadTx, Row, StoreError, StoredAccount, args, sql};

/// A user of the source with what is stored about it.
#[derive(Debug, Clone)]
pub struct StoredSubject {
    /// The user as the IdP wrote it.
    pub user: SourceUser,
    /// The source groups that contain it, directly or through groups in groups.
    pub groups: Vec<directory::SourceGroup>,
    /// The account that it feeds.
    pub account: Option<StoredAccount>,
}

/// Reads the subjects of one connector within a transaction: some statements for each hundred, whatever they are in.
/// Groups are remembered, so one reader has to be dropped when the transaction changes them.
pub struct SubjectReader<'t, 'c> {
    tx: &'t ReadTx<'c>,
    connector: ConnectorId,
    source_groups: HashMap<i64, SourceGroupNode>,
    groups: HashMap<i64, GroupName>,
}

/// A source group and the groups that it is in.
#[derive(Default)]
struct SourceGroupNode {
    name: String,
    standing: GroupStanding,
    parents: Vec<i64>,
}

struct GroupName {
    name: String,
    fold: String,
}

impl<'t, 'c> SubjectReader<'t, 'c> {
    /// A reader that knows nothing yet.
    pub fn new(tx: &'t ReadTx<'c>, connector: ConnectorId) -> Self {
        Self {
            tx,
            connector,
            source_groups: HashMap::new(),
            groups: HashMap::new(),
        }
    }

    /// The next subjects in the order of their numbers, `limit` of them at most.
    pub fn after(
        &mut self,
        after: SourceUserPk,
        limit: i64,
    ) -> Result<Vec<StoredSubject>, StoreError> {
        let sql = format!(
            "SELECT {USER_COLUMNS} FROM source_user u WHERE u.connector_pk = $1 AND u.pk > $2 ORDER BY u.pk LIMIT $3"
        );
        let users = self
            .tx
            .query(&sql, args![self.connector.0, after.0, limit], read_user)?;
        self.complete(users)
    }

    /// Those of these users that the connector has, in the order they are named.
    pub fn these(&mut self, users: &[SourceUserPk]) -> Result<Vec<StoredSubject>, StoreError> {
        let mut found = self.tx.source_users_by_pk(self.connector, users)?;
        let users = users.iter().filter_map(|pk| found.remove(pk)).collect();
        self.complete(users)
    }

    fn complete(&mut self, users: Vec<SourceUser>) -> Result<Vec<StoredSubject>, StoreError> {
        let pks: Vec<i64> = users.iter().map(|user| user.pk.0).collect();
        let mut direct: HashMap<i64, Vec<i64>> = HashMap::with_capacity(pks.len());
        let memberships =
            "SELECT m.user_pk, m.group_pk FROM source_member m WHERE m.user_pk IN ({})";
        self.each_in(memberships, &pks, |row| {
            direct.entry(row.int(0)?).or_default().push(row.int(1)?);
            Ok(())
        })?;
        self.learn_source_groups(direct.values().flatten().copied().collect())?;
        let mut accounts = self.accounts(&pks)?;
        let subject = |user: SourceUser| StoredSubject {
            groups: self.groups_of(direct.remove(&user.pk.0).unwrap_or_default()),
            account: accounts.remove(&user.pk),
            user,
        };
        Ok(users.into_iter().map(subject).collect())
    }

    fn each_in(
        &self,
        sql: &str,
        pks: &[i64],
        mut each: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for chunk in sql::padded(pks) {
            let statement = sql.replace("{}", &sql::placeholders(1, chunk.len()));
            let arguments: Vec<Arg<'_>> = chunk.into_iter().map(Arg::from).collect();
            self.tx.for_each(&statement, arguments, &mut each)?;
        }
        Ok(())
    }

    /// Makes groups known, and all that they are in.
    fn learn_source_groups(&mut self, mut unknown: BTreeSet<i64>) -> Result<(), StoreError> {
        loop {
            unknown.retain(|group| !self.source_groups.contains_key(group));
            if unknown.is_empty() {
                return Ok(());
            }
            let pks: Vec<i64> = std::mem::take(&mut unknown).into_iter().collect();
            let mut learned: HashMap<i64, SourceGroupNode> = pks
                .iter()
                .map(|pk| (*pk, SourceGroupNode::default()))
                .collect();
            let names = "SELECT g.pk, g.display_name, s.former_name, s.former_until, s.own_name, s.review \
                 FROM source_group g LEFT JOIN group_standing s ON s.source_group_pk = g.pk WHERE g.pk IN ({})";
            self.each_in(names, &pks, |row| {
                let node = learned.entry(row.int(0)?).or_default();
                node.name = row.text(1)?;
                node.standing = GroupStanding::read(row, 2)?;
                Ok(())
            })?;
            let parents =
                "SELECT child_pk, group_pk FROM source_group_member WHERE child_pk IN ({})";
            self.each_in(parents, &pks, |row| {
                let parent = row.int(1)?;
                learned.entry(row.int(0)?).or_default().parents.push(parent);
                unknown.insert(parent);
                Ok(())
            })?;
            self.source_groups.extend(learned);
        }
    }

    /// The groups that contain somebody who was put into these, each with the shortest way.
    fn groups_of(&self, mut direct: Vec<i64>) -> Vec<directory::SourceGroup> {
        let node = |group: i64| self.source_groups.get(&group);
        let by_rules = |group: i64| {
            let (name, standing) = node(group)
                .map(|it| (it.name.clone(), it.standing.clone()))
                .unwrap_or_default();
            standing.seen(SourceGroupPk(group), name)
        };
        let above = |group: i64| node(group).map_or(&[][..], |it| it.parents.as_slice());
        if direct.iter().all(|group| above(*group).is_empty()) {
            direct.sort_unstable();
            let groups = direct.into_iter();
            return groups.map(by_rules).collect();
        }
        let mut steps: Vec<(i64, Option<i64>)> =
            direct.iter().map(|group| (*group, None)).collect();
        let mut seen: BTreeSet<i64> = direct.iter().copied().collect();
        while let Some(group) = direct.pop() {
            for parent in above(group) {
                steps.push((*parent, Some(group)));
                if seen.insert(*parent) {
                    direct.push(*parent);
                }
            }
        }
        let ways = directory::nesting::ways(&steps).into_iter();
        ways.map(|(group, way)| directory::SourceGroup {
            path: way.into_iter().map(|by| by_rules(by).name).collect(),
            ..by_rules(group)
        })
        .collect()
    }

    /// The account that each of these users of the source feeds.
    fn accounts(
        &mut self,
        sources: &[i64],
    ) -> Result<HashMap<SourceUserPk, StoredAccount>, StoreError> {
        // Of several accounts of one user the newest counts, and comes last.
        let sql = format!(
            "SELECT {ACCOUNT_COLUMNS} FROM directory_user d WHERE d.source_user_pk IN ({{}}) ORDER BY d.pk"
        );
        let mut accounts: HashMap<SourceUserPk, StoredAccount> =
            HashMap::with_capacity(sources.len());
        self.each_in(&sql, sources, |row| {
            let account = read_bare_account(row)?;
            if let Some(source) = account.source {
                accounts.insert(source, account);
            }
            Ok(())
        })?;
        let mut by_pk: HashMap<i64, &mut StoredAccount> = accounts
            .values_mut()
            .map(|account| (account.user.pk.0, account))
            .collect();
        let pks: Vec<i64> = by_pk.keys().copied().collect();
        self.add_memberships(&pks, &mut by_pk)?;
        let attributes = "SELECT user_pk, name, vals FROM user_attribute WHERE user_pk IN ({}) AND origin = 'rule'";
        self.each_in(attributes, &pks, |row| {
            if let Some(account) = by_pk.get_mut(&row.int(0)?) {
                let extra = &mut account.account.attributes.extra;
                extra.insert(row.text(1)?, read_values(row.str(2)?)?);
            }
            Ok(())
        })?;
        Ok(accounts)
    }

    fn add_memberships(
        &mut self,
        pks: &[i64],
        accounts: &mut HashMap<i64, &mut StoredAccount>,
    ) -> Result<(), StoreError> {
        let mut held: HashMap<i64, Vec<(i64, String)>> = HashMap::with_capacity(pks.len());
        let memberships =
            "SELECT m.user_pk, m.group_pk, m.origins FROM membership m WHERE m.user_pk IN ({})";
        self.each_in(memberships, pks, |row| {
            let membership = (row.int(1)?, row.text(2)?);
            held.entry(row.int(0)?).or_default().push(membership);
            Ok(())
        })?;
        self.learn_groups(held.values().flatten().map(|(group, _)| *group).collect())?;
        for (user, memberships) in held {
            let Some(account) = accounts.get_mut(&user) else {
                continue;
            };
            let mut named = Vec::with_capacity(memberships.len());
            for (group, origins) in memberships {
                if let Some(group) = self.groups.get(&group) {
                    named.push((group, read_origins(&origins)?));
                }
            }
            named.sort_unstable_by(|(a, _), (b, _)| a.fold.cmp(&b.fold));
            let memberships = named.into_iter().map(|(group, origins)| Membership {
                group: group.name.clone(),
                origins,
            });
            account.account.memberships = memberships.collect();
        }
        Ok(())
    }

    fn learn_groups(&mut self, mut unknown: BTreeSet<i64>) -> Result<(), StoreError> {
        unknown.retain(|group| !self.groups.contains_key(group));
        let pks: Vec<i64> = unknown.into_iter().collect();
        let mut learned = Vec::with_capacity(pks.len());
        let names = "SELECT pk, name, name_fold FROM directory_group WHERE pk IN ({})";
        self.each_in(names, &pks, |row| {
            let name = GroupName {
                name: row.text(1)?,
                fold: row.text(2)?,
            };
            learned.push((row.int(0)?, name));
            Ok(())
        })?;
        self.groups.extend(learned);
        Ok(())
    }
}
