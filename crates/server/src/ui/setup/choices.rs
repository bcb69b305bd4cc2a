//! The identity providers and products that a connection can be set up for.

/// A side of a connection to choose.
pub(in crate::ui) struct Choice {
    /// The preset of an identity provider, or what a product's application is called.
    pub(in crate::ui) key: &'static str,
    pub(in crate::ui) label: &'static str,
    pub(in crate::ui) hint: &'static str,
}

const fn choice(key: &'static str, label: &'static str, hint: &'static str) -> Choice {
    Choice { key, label, hint }
}

pub(in crate::ui) const PROVIDERS: &[Choice] = &[
    choice("okta", "Okta", "an app of the catalogue"),
    choice(
        "okta_wizard",
        "Okta",
        "an app of your own, with single sign-on",
    ),
    choice(
        "entra_optscim",
        "Microsoft Entra ID",
        "an enterprise application",
    ),
    choice("google", "Google Workspace", "a SAML app; people only"),
    choice("onelogin", "OneLogin", "SCIM Provisioner"),
    choice("jumpcloud", "JumpCloud", "identity management"),
    choice("pingone", "PingOne", "outbound provisioning"),
    choice("pingfederate", "PingFederate", "outbound provisioning"),
    choice("keycloak", "Keycloak", "with a SCIM extension"),
    choice("authentik", "authentik", "a SCIM provider"),
    choice("rauthy", "rauthy", "a client with SCIM"),
    choice("pocketid", "Pocket ID", "a client with SCIM"),
    choice("sailpoint", "SailPoint", "a SCIM 2.0 source"),
    choice("polis", "Ory Polis", "hands on what Okta and Entra push"),
    choice("generic", "Another one", "anything that speaks SCIM 2.0"),
];

/// A product to choose; the label is its name in the guide.
pub(in crate::ui) const PRODUCTS: &[Choice] = &[
    choice("jira", "Jira", "Data Center, with Jira Service Management"),
    choice("confluence", "Confluence", "Data Center"),
    choice("bitbucket", "Bitbucket", "Data Center"),
    choice("bamboo", "Bamboo", "Data Center"),
    choice("crowd", "Crowd", "as a remote directory"),
    choice(
        CLOUD,
        "Atlassian Cloud",
        "is not provisioned by this version",
    ),
];

/// What reads from no Crowd server: whoever has it is told so, and is led on with the connector.
pub(in crate::ui) const CLOUD: &str = "cloud";

/// The products that a directory can be attached to.
pub(in crate::ui) fn attachable() -> impl Iterator<Item = &'static Choice> {
    PRODUCTS.iter().filter(|one| one.key != CLOUD)
}

/// The product that is wished, else the one that an application is called after, else the first.
pub(in crate::ui) fn product_of(wished: &str, application: &str) -> &'static Choice {
    let named = application.to_lowercase();
    let find = |is: &dyn Fn(&Choice) -> bool| attachable().find(|one| is(one));
    find(&|one| one.key == wished)
        .or_else(|| find(&|one| named.contains(one.key)))
        .unwrap_or(&PRODUCTS[0])
}

/// What people call the identity provider of a preset.
pub(in crate::ui) fn provider_name(preset: &str) -> &'static str {
    let found = PROVIDERS
        .iter()
        .find(|one| one.key != "generic" && one.key.starts_with(preset));
    found.map_or("The identity provider", |one| one.label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_is_a_preset_with_a_name() {
        for one in PROVIDERS {
            assert!(directory::Preset::parse(one.key).is_some(), "{}", one.key);
        }
        assert_eq!(provider_name("entra"), "Microsoft Entra ID");
        assert_eq!(provider_name("okta_wizard"), "Okta");
        assert_eq!(provider_name("generic"), "The identity provider");
        assert_eq!(product_of("bamboo", "jira").key, "bamboo");
        assert_eq!(product_of("", "Our Confluence").key, "confluence");
        assert_eq!(product_of("x", "wiki").key, "jira");
        assert_eq!(product_of(CLOUD, "jira-cloud").key, "jira");
        assert_eq!(product_of("", "cloud").key, "jira");
    }
}
