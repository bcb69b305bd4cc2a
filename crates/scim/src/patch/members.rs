//! Takes the operations on members out of the PATCH of a group.

use serde_json::{Map, Value};

use super::{Operation, PatchRequest, Verb};
use crate::catalogue;
use crate::filter::{Literal, Node, Op};
use crate::member::{Member, MemberOp, check_count, is_members_key};
use crate::path::{Place, Spot};
use crate::{ResourceType, ScimError, ValuePath, Warning};

impl PatchRequest {
    /// Divides the PATCH of a group: what concerns its document stays, what concerns its members is
    /// handed out, so that members never enter a [`crate::Resource`].
    ///
    /// A `remove` with a list in `value` removes those and nobody else.
    pub fn split_members(self) -> Result<(PatchRequest, Vec<MemberOp>), ScimError> {
        let mut split = Split {
            kept: Vec::new(),
            member_ops: Vec::new(),
            warnings: self.warnings,
        };
        for operation in self.operations {
            split.take(operation)?;
        }
        check_count(split.member_ops.iter().map(MemberOp::len).sum())?;
        Ok((
            PatchRequest {
                operations: split.kept,
                warnings: split.warnings,
            },
            split.member_ops,
        ))
    }
}

impl MemberOp {
    /// How many members it names.
    fn len(&self) -> usize {
        match self {
            MemberOp::Add(members) | MemberOp::Replace(members) => members.len(),
            MemberOp::Remove(ids) => ids.len(),
            MemberOp::RemoveWhere(_) => 1,
        }
    }
}

struct Split {
    kept: Vec<Operation>,
    member_ops: Vec<MemberOp>,
    warnings: Vec<Warning>,
}

impl Split {
    fn take(&mut self, operation: Operation) -> Result<(), ScimError> {
        let Operation { verb, path, value } = operation;
        match path {
            None => self.without_path(verb, value),
            Some(path) => match members_at(&path) {
                None => {
                    self.kept.push(Operation {
                        verb,
                        path: Some(path),
                        value,
                    });
                    Ok(())
                }
                Some(list) => self.with_path(list, verb, &path, value),
            },
        }
    }

    fn without_path(&mut self, verb: Verb, value: Option<Value>) -> Result<(), ScimError> {
        let value = match value {
            Some(Value::Object(object)) if verb != Verb::Remove => {
                let (members, rest): (Map<_, _>, Map<_, _>) =
                    object.into_iter().partition(|(key, _)| is_members_key(key));
                for (_, members) in members {
                    self.write(verb, members)?;
                }
                Some(Value::Object(rest))
            }
            other => other,
        };
        self.kept.push(Operation {
            verb,
            path: None,
            value,
        });
        Ok(())
    }

    fn write(&mut self, verb: Verb, value: Value) -> Result<(), ScimError> {
        let members = Member::read_all(value)?;
        match verb {
            Verb::Add => self.add(members),
            _ => self.member_ops.push(MemberOp::Replace(members)),
        }
        Ok(())
    }

    fn add(&mut self, members: Vec<Member>) {
        if !members.is_empty() {
            self.member_ops.push(MemberOp::Add(members));
        }
    }

    fn with_path(
        &mut self,
        list: Spot<'static>,
        verb: Verb,
        path: &ValuePath,
        value: Option<Value>,
    ) -> Result<(), ScimError> {
        if list.sub.is_some() {
            return Err(catalogue::PATH_FILTER_WRONG.error(format!(
                "'{path}' means a part of all members, which can't be changed. Name the member: members[value eq \"<id>\"]."
            )));
        }
        let Some(filter) = &path.filter else {
            return self.whole_list(verb, value);
        };
        let node = filter
            .resolve_in(ResourceType::group(), list)
            .map_err(|error| catalogue::PATH_FILTER_WRONG.error(error.detail))?;
        match &path.sub {
            None => self.selected(verb, node, value),
            Some(sub) => self.part_of_selected(list, verb, sub, node, value),
        }
    }

    /// `members` itself.
    fn whole_list(&mut self, verb: Verb, value: Option<Value>) -> Result<(), ScimError> {
        match (verb, value) {
            (Verb::Remove, None | Some(Value::Null)) => {
                self.member_ops.push(MemberOp::Replace(Vec::new()))
            }
            (Verb::Remove, Some(value)) => return self.remove_listed(value),
            (_, Some(value)) => return self.write(verb, value),
            (_, None) => {
                return Err(catalogue::PATCH_WITHOUT_VALUE.error(
                    "An operation on 'members' lacks 'value'. To empty the group, replace with [].",
                ));
            }
        }
        Ok(())
    }

    fn remove_listed(&mut self, value: Value) -> Result<(), ScimError> {
        let nobody_is_listed = value.as_array().is_some_and(Vec::is_empty);
        let ids: Vec<String> = Member::read_all(value)?
            .into_iter()
            .map(|member| member.value)
            .collect();
        if ids.is_empty() && !nobody_is_listed {
            return Err(catalogue::VALUES_NOT_RECOGNISED.error(
                "None of the listed members to remove can be recognised; list them as {\"value\": \"<id>\"}.",
            ));
        }
        self.remove(ids);
        Ok(())
    }

    fn remove(&mut self, ids: Vec<String>) {
        if !ids.is_empty() {
            self.member_ops.push(MemberOp::Remove(ids));
        }
    }

    /// `members[...]`.
    fn selected(&mut self, verb: Verb, node: Node, value: Option<Value>) -> Result<(), ScimError> {
        let named = ids_of(&node);
        let given = Member::read_all(value.unwrap_or_default());
        match (verb, named) {
            (Verb::Remove, Some(ids)) => self.remove(ids),
            (Verb::Remove, None) => self.member_ops.push(MemberOp::RemoveWhere(node)),
            (Verb::Add, Some(ids)) => self.add(ids.into_iter().map(Member::new).collect()),
            (Verb::Replace, Some(ids)) => {
                let given = given?;
                if given.is_empty() {
                    self.add(ids.into_iter().map(Member::new).collect());
                } else {
                    self.remove(ids);
                    self.add(given);
                }
            }
            (Verb::Add | Verb::Replace, None) => {
                return Err(catalogue::TARGET_MISSING.error(
                    "Members are added by their identifier: path 'members' with a list, or members[value eq \"<id>\"].",
                ));
            }
        }
        Ok(())
    }

    /// `members[...].value` and the like. Nothing but the identifier of a member is the client's to write.
    fn part_of_selected(
        &mut self,
        list: Spot<'static>,
        verb: Verb,
        sub: &str,
        node: Node,
        value: Option<Value>,
    ) -> Result<(), ScimError> {
        let Some(part) = list.attribute.sub(sub) else {
            return Err(catalogue::PATH_UNKNOWN.error(format!(
                "Members have no part '{}'. They have value, display and type.",
                crate::name::echo(sub)
            )));
        };
        if part.name == "value" {
            return self.selected(verb, node, value);
        }
        let what = format!("members.{}", part.name);
        self.warnings.push(Warning::new(
            &what,
            "computed from the member itself, ignored",
        ));
        Ok(())
    }
}

/// The list of members, if that is where the path leads.
fn members_at(path: &ValuePath) -> Option<Spot<'static>> {
    match ResourceType::group().place(&path.attr)? {
        Place::Spot(spot) if spot.attribute.name == "members" => Some(spot),
        _ => None,
    }
}

/// The identifiers that a filter names, if it says nothing else.
fn ids_of(node: &Node) -> Option<Vec<String>> {
    match node {
        Node::Test {
            attr,
            op: Op::Eq,
            value: Literal::Text(id),
        } if attr.sub() == Some("value") => Some(vec![id.clone()]),
        Node::Or(terms) => {
            let ids: Option<Vec<Vec<String>>> = terms.iter().map(ids_of).collect();
            ids.map(|ids| ids.concat())
        }
        _ => None,
    }
}
