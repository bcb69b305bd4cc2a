//! Secrets that a file gives: whether they can be what they are given for, and whether they are there already.

use directory::configuration::{KeptSecret, Kind, Merged, SecretSource, member};
use directory::notification::Way;
use store::token_hash;

use super::channels::way;
use super::check::Checks;
use super::kept::kept;
use super::secrets::check_secret;
use crate::ProvisionError;
use crate::notifications::secrets::check_secret as check_channel_secret;

impl Checks<'_> {
    /// Checks a secret that is given; one that is there already is no change.
    pub(super) fn secret(&mut self, one: &mut Merged) -> Result<(), ProvisionError> {
        let (Some(source), Some(name)) = (&one.secret, one.name.kind.secret()) else {
            return Ok(());
        };
        let path = member(&one.path, name);
        let given = match source {
            SecretSource::Value(text) => {
                let checked = match way(one.name.kind, &one.after) {
                    Some(way) => check_channel_secret(&way, text),
                    None => check_secret(one.name.kind, text),
                };
                if self.told(&path, checked)?.is_none() {
                    return Ok(());
                }
                match one.name.kind {
                    Kind::Token => KeptSecret::Hash(token_hash(text)),
                    _ => KeptSecret::Text(text.clone()),
                }
            }
            SecretSource::Kept(kept) => kept.clone(),
            SecretSource::Env(_) | SecretSource::File(_) | SecretSource::Sealed(_) => {
                self.fault(
                    path,
                    "a reference to a secret means nothing to the server",
                    "let `vestibule plan` and `vestibule apply` read it, or send {\"value\": SECRET}",
                );
                return Ok(());
            }
        };
        let there = kept(self.provision, self.tx, &one.name)?;
        if there.as_ref() == Some(&given) && !goes_elsewhere(one) {
            one.secret = None;
            return Ok(());
        }
        if let (Some(Way::Chat(_)), KeptSecret::Text(url)) =
            (way(one.name.kind, &one.after), &given)
        {
            let reach = self.provision.require_reach("secret", url, None);
            self.told(&path, reach)?;
        }
        self.other_holder(path, &given, there.as_ref())
    }

    /// Tells of somebody else who has what is given: it would prove two to be the same.
    fn other_holder(
        &mut self,
        path: String,
        given: &KeptSecret,
        there: Option<&KeptSecret>,
    ) -> Result<(), ProvisionError> {
        let (what, holder) = match given {
            KeptSecret::Hash(hash) => ("token", self.tx.token(hash)?.map(|token| token.label)),
            KeptSecret::Client { id, secrets } => {
                let mut others = vec![self.tx.client_by_id(id)?];
                for secret in secrets {
                    let found = self.tx.client_secret(&secret.hash)?;
                    others.push(found.map(|(client, _)| client));
                }
                let own = match there {
                    Some(KeptSecret::Client { id, .. }) => Some(id),
                    _ => None,
                };
                let mut others = others.into_iter().flatten();
                let other = others.find(|client| Some(&client.id) != own);
                ("client", other.map(|client| client.label))
            }
            KeptSecret::Text(_) => return Ok(()),
        };
        if let Some(label) = holder {
            self.fault(
                path,
                format!("the {what} is there already, as '{label}'"),
                format!("give it the label and the connector that it has, or take another {what}"),
            );
        }
        Ok(())
    }
}

/// Whether a channel or a subscription is to tell elsewhere: its secret is kept for the place where it goes.
fn goes_elsewhere(one: &Merged) -> bool {
    let place = |said| way(one.name.kind, said).map(|way| way.place());
    let before = one.before.as_ref().and_then(place);
    before != place(&one.after)
}
