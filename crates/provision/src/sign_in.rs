//! How people sign in with an application.

use directory::ApplicationId;
use store::{Scope, SignInSettings};

use crate::{Provision, ProvisionError};

/// Longest life of a session: a month.
const LIFE_MINUTES_MAX: u32 = 31 * 24 * 60;

impl Provision {
    /// How people sign in with an application.
    pub async fn sign_in_settings(
        &self,
        application: ApplicationId,
    ) -> Result<SignInSettings, ProvisionError> {
        self.store()
            .look_up(move |tx| Ok(tx.sign_in_settings(application)?))
            .await
    }

    /// Changes how people sign in with an application. Sessions that have begun keep their times.
    pub async fn change_sign_in(
        &self,
        application: ApplicationId,
        change: impl Fn(&mut SignInSettings) + Send + Sync + 'static,
    ) -> Result<SignInSettings, ProvisionError> {
        self.store()
            .write(Scope::Settings, move |tx| {
                let mut settings = tx.sign_in_settings(application)?;
                change(&mut settings);
                check(&settings)?;
                tx.set_sign_in_settings(application, &settings)?;
                Ok(settings)
            })
            .await
    }
}

pub(crate) fn check(settings: &SignInSettings) -> Result<(), ProvisionError> {
    let domain = settings.cookie_domain.as_bytes();
    if domain.len() > 255
        || !domain
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(byte))
    {
        return Err(ProvisionError::invalid(
            "cookie_domain",
            "is no domain; write for example .example.org, or nothing for the host alone",
        ));
    }
    let name = settings.cookie_name.as_bytes();
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if name.is_empty() || name.len() > 100 || !name.iter().all(is_token) {
        return Err(ProvisionError::invalid(
            "cookie_name",
            "is no name of a cookie; write 1 to 100 letters, digits and characters such as . _ -",
        ));
    }
    let (idle, life) = (settings.session_idle_minutes, settings.session_life_minutes);
    if idle == 0 || idle > life || life > LIFE_MINUTES_MAX {
        return Err(ProvisionError::invalid(
            "session_idle_minutes",
            format!(
                "has to be between 1 and session_life_minutes, which has to be at most {LIFE_MINUTES_MAX}"
            ),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_would_break_a_cookie_are_refused() {
        let good = SignInSettings {
            cookie_domain: ".example.org".into(),
            cookie_secure: Some(true),
            cookie_name: "crowd.token_key".into(),
            session_idle_minutes: 5,
            session_life_minutes: 5,
        };
        assert!(check(&good).is_ok() && check(&SignInSettings::default()).is_ok());
        let bad = |change: fn(&mut SignInSettings)| {
            let mut settings = good.clone();
            change(&mut settings);
            assert!(check(&settings).is_err(), "{settings:?}");
        };
        bad(|settings| settings.cookie_domain = "a; Path=/".into());
        bad(|settings| settings.cookie_domain = "ex ample".into());
        bad(|settings| settings.cookie_name = String::new());
        bad(|settings| settings.cookie_name = "a=b".into());
        bad(|settings| settings.session_idle_minutes = 0);
        bad(|settings| settings.session_idle_minutes = 6);
        bad(|settings| settings.session_life_minutes = 10_000_000);
    }
}
