//! Forms of the console that make something: each that is shown is carried out once, however often it is sent.

use store::{ReadTx, Scope, SentForm, token_hash};

use crate::{Provision, ProvisionError};

/// Forms that a session remembers; the oldest is forgotten first.
const SENT_FORMS_MAX: usize = 100;

/// Whether a form is to be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sending {
    /// Nobody sent it before.
    First,
    /// It was sent before; what it made is looked at there, once that is known.
    Again(Option<String>),
}

impl Provision {
    /// Notes that a session sends this form, wherever it arrives: nobody sends it a second time.
    pub async fn send_form(&self, session: &str, form: &str) -> Result<Sending, ProvisionError> {
        let (hash, form) = (token_hash(session), form.to_owned());
        self.store()
            .write(Scope::Settings, move |tx| {
                let mut sent = sent(tx, &hash)?;
                if let Some(before) = sent.iter().find(|one| one.form == form) {
                    return Ok(Sending::Again(before.place.clone()));
                }
                let beyond = (sent.len() + 1).saturating_sub(SENT_FORMS_MAX);
                sent.drain(..beyond);
                sent.push(SentForm {
                    form: form.clone(),
                    place: None,
                });
                tx.set_sent_forms(&hash, &sent)?;
                Ok::<_, ProvisionError>(Sending::First)
            })
            .await
    }

    /// Notes where what a form made is looked at. With no place it made nothing, and may be sent again.
    pub async fn form_made(
        &self,
        session: &str,
        form: &str,
        place: Option<String>,
    ) -> Result<(), ProvisionError> {
        let (hash, form) = (token_hash(session), form.to_owned());
        self.store()
            .write(Scope::Settings, move |tx| {
                let mut sent = sent(tx, &hash)?;
                match &place {
                    None => sent.retain(|one| one.form != form),
                    Some(_) => {
                        let one = sent.iter_mut().find(|one| one.form == form);
                        one.into_iter().for_each(|one| one.place.clone_from(&place));
                    }
                }
                Ok::<_, ProvisionError>(tx.set_sent_forms(&hash, &sent)?)
            })
            .await
    }
}

/// The forms that a session sent; none if it has ended.
fn sent(tx: &ReadTx<'_>, hash: &str) -> Result<Vec<SentForm>, ProvisionError> {
    Ok(tx.sent_forms(hash)?.unwrap_or_default())
}
