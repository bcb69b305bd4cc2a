//! Groups with their members, written to an answer.

use std::collections::HashMap;

use directory::{ConnectorId, SourceGroupPk};
use scim::{Projection, ResourceType, ScimError, render};
use store::{MemberKind, ReadTx, SourceGroup, SourceMember, StoreError};

use super::request::Call;
use super::stream::{Halt, Out, each};
use crate::walk::first;

/// The list that is kept beside a group's document.
pub(super) const BESIDE: &str = "members";

/// Members that are read ahead at once.
const AHEAD_MEMBERS_MAX: i64 = 1_000;
/// Groups whose members are read ahead at once: as many as one statement takes.
const AHEAD_GROUPS_MAX: usize = 128;

/// What is done with each member.
type EachMember<'f> = &'f mut dyn FnMut(SourceMember) -> Result<(), StoreError>;

/// The members of the groups of a page. Those of small groups that follow each other are read together, so that a
/// page of them costs few statements; those of a large one are streamed as it is written.
#[derive(Default)]
pub(super) struct Ahead {
    /// By group; none for what is too much to be kept.
    read: HashMap<SourceGroupPk, Option<Vec<SourceMember>>>,
}

impl Ahead {
    /// The members of the first of `rest`, the groups of the page that are still to be written; none if they are to be
    /// streamed.
    pub(super) fn members<'i>(
        &mut self,
        tx: &ReadTx<'_>,
        rest: impl Iterator<Item = &'i SourceGroup> + Clone,
    ) -> Result<Option<Vec<SourceMember>>, StoreError> {
        let Some(first) = rest.clone().next().map(|group| group.pk) else {
            return Ok(None);
        };
        if !self.read.contains_key(&first) {
            self.read(tx, rest)?;
        }
        Ok(self.read.remove(&first).flatten())
    }

    fn read<'i>(
        &mut self,
        tx: &ReadTx<'_>,
        rest: impl Iterator<Item = &'i SourceGroup>,
    ) -> Result<(), StoreError> {
        let mut room = AHEAD_MEMBERS_MAX;
        let together: Vec<SourceGroupPk> = rest
            .take(AHEAD_GROUPS_MAX)
            .take_while(|group| {
                room = room.saturating_sub(group.member_count);
                room >= 0
            })
            .map(|group| group.pk)
            .collect();
        if together.len() < 2 {
            return Ok(());
        }
        // References to what is not there yet are not in the count: there may be too many after all.
        let most = usize::try_from(2 * AHEAD_MEMBERS_MAX).unwrap_or_default();
        let found = tx.source_members_of_many(&together, most)?;
        let all_read = found.is_some();
        self.read = together
            .into_iter()
            .map(|group| (group, all_read.then(Vec::new)))
            .collect();
        for (group, member) in found.into_iter().flatten() {
            if let Some(Some(members)) = self.read.get_mut(&group) {
                members.push(member);
            }
        }
        Ok(())
    }
}

/// What is shown of groups, and where they and their members are found.
#[derive(Clone)]
pub(super) struct Showing {
    pub(super) connector: ConnectorId,
    base_url: String,
    users: String,
    groups: String,
    projection: Projection,
}

impl Showing {
    pub(super) fn new(call: &Call, projection: Projection) -> Showing {
        Showing {
            connector: call.connector(),
            base_url: call.caller.base_url.clone(),
            users: call.collection(ResourceType::user()),
            groups: call.collection(ResourceType::group()),
            projection,
        }
    }

    /// Whether members have to be read.
    pub(super) fn with_members(&self) -> bool {
        self.projection.wants(BESIDE)
    }

    /// Writes a group, with its members if they are wanted.
    pub(super) fn write(
        &self,
        tx: &ReadTx<'_>,
        group: &SourceGroup,
        out: &mut Out,
    ) -> Result<(), Halt> {
        self.write_with(group, out, |each| tx.source_members(group.pk, each))
    }

    /// Writes a group, with its members if they are wanted and not more than `most`.
    pub(super) fn write_up_to(
        &self,
        tx: &ReadTx<'_>,
        group: &SourceGroup,
        most: usize,
        out: &mut Out,
    ) -> Result<(), Halt> {
        let members = match self.with_members() {
            false => Vec::new(),
            // One more tells whether there are too many.
            true => first(most + 1, |each| tx.source_members(group.pk, each), |_| true)?,
        };
        if members.len() > most {
            return self.write_without_members(group, out);
        }
        self.write_with(group, out, |each| members.into_iter().try_for_each(each))
    }

    /// Writes a group with the members that `read` gives, if they are wanted.
    pub(super) fn write_with(
        &self,
        group: &SourceGroup,
        out: &mut Out,
        read: impl FnOnce(EachMember<'_>) -> Result<(), StoreError>,
    ) -> Result<(), Halt> {
        if !self.with_members() {
            return self.write_without_members(group, out);
        }
        if !self.projection.shows_document(&[]) {
            let members = self.members(read)?;
            let rendered = self.rendered(group, &[(BESIDE, &members)]);
            let shown = render::project(&rendered, &self.projection)
                .map_err(provision::ProvisionError::from)?;
            return out.push(|text| text.push_str(&shown));
        }
        let (ty, location) = (ResourceType::group(), self.location(group));
        let (before, after) = render::around_list(
            ty,
            &group.id,
            &group.document,
            BESIDE,
            &group.meta,
            &location,
        );
        out.push(|text| text.push_str(&before))?;
        let mut separator = "";
        each(read, |member| {
            out.push(|text| {
                text.push_str(separator);
                self.push_member(text, &member);
                separator = ",";
            })
        })?;
        out.push(|text| text.push_str(&after))
    }

    /// Writes a group as if it had no attribute `members`.
    pub(super) fn write_without_members(
        &self,
        group: &SourceGroup,
        out: &mut Out,
    ) -> Result<(), Halt> {
        let shown = self
            .shown_without_members(group)
            .map_err(provision::ProvisionError::from)?;
        out.push(|text| text.push_str(&shown))
    }

    /// A group as if it had no attribute `members`.
    pub(super) fn shown_without_members(&self, group: &SourceGroup) -> Result<String, ScimError> {
        let shown = self.rendered(group, &[]);
        match self.projection.shows_document(&[BESIDE]) {
            true => Ok(shown),
            false => render::project(&shown, &self.projection),
        }
    }

    fn members(
        &self,
        read: impl FnOnce(EachMember<'_>) -> Result<(), StoreError>,
    ) -> Result<String, Halt> {
        let mut members = "[".to_owned();
        read(&mut |member| {
            if members.len() > 1 {
                members.push(',');
            }
            self.push_member(&mut members, &member);
            Ok(())
        })?;
        members.push(']');
        Ok(members)
    }

    fn push_member(&self, text: &mut String, member: &SourceMember) {
        let of = match member.kind {
            MemberKind::User(_) => Some((self.users.as_str(), "User")),
            MemberKind::Group(_) => Some((self.groups.as_str(), "Group")),
            MemberKind::Pending => None,
        };
        render::push_reference(text, &member.value, of, member.display.as_deref());
    }

    pub(super) fn location(&self, group: &SourceGroup) -> String {
        render::location(&self.base_url, ResourceType::group(), &group.id)
    }

    fn rendered(&self, group: &SourceGroup, extra: &[(&str, &str)]) -> String {
        let location = self.location(group);
        render::resource(
            ResourceType::group(),
            &group.id,
            &group.document,
            extra,
            &group.meta,
            &location,
        )
    }
}
