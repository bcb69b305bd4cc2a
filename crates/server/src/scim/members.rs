//! Groups with their members, written to an answer.

use directory::ConnectorId;
use scim::{Projection, ResourceType, ScimError, render};
use store::{MemberKind, ReadTx, SourceGroup, SourceMember};

use super::request::Call;
use super::stream::{Halt, Out, each};

/// The list that is kept beside a group's document.
pub(super) const BESIDE: &str = "members";

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
        if !self.with_members() {
            return self.write_without_members(group, out);
        }
        if !self.projection.shows_document(&[]) {
            let members = self.members(tx, group)?;
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
        each(
            |write| tx.source_members(group.pk, write),
            |member| {
                out.push(|text| {
                    text.push_str(separator);
                    self.push_member(text, &member);
                    separator = ",";
                })
            },
        )?;
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

    fn members(&self, tx: &ReadTx<'_>, group: &SourceGroup) -> Result<String, Halt> {
        let mut members = "[".to_owned();
        tx.source_members(group.pk, &mut |member| {
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
