//! Mail to administrators, by SMTP.

use std::error::Error as _;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use directory::notification::{MailSecurity, MailSettings, Message};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use tokio::net::TcpStream;

use crate::Client;
use crate::client::causes as all_causes;

/// A connection must stand, and each command must be answered by then.
const STEP_TIMEOUT: Duration = Duration::from_secs(15);
/// The whole exchange ends by then; well before the claim of a channel does.
const WHOLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Of several addresses of a server one that answers within this time is taken.
const CHOICE_TIMEOUT: Duration = Duration::from_secs(3);

/// Sends a message as mail: what the server said, or why it was not sent, for the administrator.
pub(crate) async fn send(
    client: &Client,
    settings: &MailSettings,
    password: Option<&str>,
    message: &Message,
    base: Option<&str>,
) -> Result<String, String> {
    let sending = exchange(client, settings, password, message, base);
    let sent = tokio::time::timeout(WHOLE_TIMEOUT, sending).await;
    sent.unwrap_or_else(|_elapsed| Err(format!("{} did not answer in time", settings.host)))
}

async fn exchange(
    client: &Client,
    settings: &MailSettings,
    password: Option<&str>,
    message: &Message,
    base: Option<&str>,
) -> Result<String, String> {
    let mail = written(settings, message, base)?;
    let addresses = client.addresses(&settings.host, settings.port()).await;
    let addresses = addresses.map_err(|error| error.to_string())?;
    let address = chosen(&addresses)
        .await
        .ok_or_else(|| format!("{} has no address", settings.host))?;
    let transport = transport(settings, password, address)?;
    match transport.send(mail).await {
        Ok(answer) => {
            let said: Vec<&str> = answer.message().collect();
            Ok(format!("{} {}", answer.code(), said.join(" ")))
        }
        Err(error) => Err(told(settings, &error)),
    }
}

/// The connection goes to the address that was checked; the certificate has to be for the name.
fn transport(
    settings: &MailSettings,
    password: Option<&str>,
    address: SocketAddr,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
    let parameters = || {
        TlsParameters::new(settings.host.clone())
            .map_err(|error| format!("the connection cannot be encrypted: {}", causes(&error)))
    };
    let tls = match settings.security {
        MailSecurity::Starttls => Tls::Required(parameters()?),
        MailSecurity::Tls => Tls::Wrapper(parameters()?),
        MailSecurity::None => Tls::None,
    };
    let mut builder =
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.ip().to_string())
            .port(address.port())
            .timeout(Some(STEP_TIMEOUT))
            .tls(tls);
    if let Some((_, domain)) = settings.from.rsplit_once('@') {
        builder = builder.hello_name(ClientId::Domain(domain.to_owned()));
    }
    if !settings.username.is_empty() {
        let password = password.ok_or("the password of the user name is missing; set it anew")?;
        let credentials = Credentials::new(settings.username.clone(), password.to_owned());
        builder = builder.credentials(credentials);
    }
    Ok(builder.build())
}

/// The first of several addresses that can be connected to; one alone is taken as it is.
async fn chosen(addresses: &[SocketAddr]) -> Option<SocketAddr> {
    if addresses.len() > 1 {
        for address in addresses {
            let connecting = TcpStream::connect(address);
            if let Ok(Ok(_connected)) = tokio::time::timeout(CHOICE_TIMEOUT, connecting).await {
                return Some(*address);
            }
        }
    }
    addresses.first().copied()
}

fn written(
    settings: &MailSettings,
    message: &Message,
    base: Option<&str>,
) -> Result<lettre::Message, String> {
    let mailbox = |name: Option<&str>, text: &str| {
        let address: Result<Address, _> = text.parse();
        let address = address.map_err(|error| format!("'{text}' is no mail address: {error}"))?;
        Ok::<_, String>(Mailbox::new(name.map(str::to_owned), address))
    };
    let from = mailbox(Some("Vestibule"), &settings.from)?;
    let domain = from.email.domain().to_owned();
    let mut builder: MessageBuilder = lettre::Message::builder()
        .from(from)
        .subject(message.subject())
        .date(SystemTime::from(message.at))
        .message_id(Some(format!("<{}@{domain}>", message.id)))
        .header(ContentType::TEXT_PLAIN)
        // No out-of-office reply answers it (RFC 3834).
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ));
    for to in &settings.to {
        builder = builder.to(mailbox(None, to)?);
    }
    builder
        .body(message.text(base))
        .map_err(|error| format!("the mail cannot be written: {error}"))
}

/// What went wrong, and what to do about it.
fn told(settings: &MailSettings, error: &Error) -> String {
    let (host, port) = (&settings.host, settings.port());
    let why = causes(error);
    if error.is_timeout() {
        return format!("{host} did not answer in time on port {port}");
    }
    if let Some(code) = error.status() {
        let code = code.to_string();
        let hint = match code.as_str() {
            "535" | "534" | "530" => "; look at user name and password",
            _ => "",
        };
        return format!("{host} refused with {code}: {why}{hint}");
    }
    if error.is_tls() {
        return format!("{host} has no certificate that can be believed: {why}");
    }
    if error.is_client() {
        return format!(
            "{host} cannot do what is asked: {why}; choose another protection if it does not know STARTTLS on port {port}"
        );
    }
    format!("{host} cannot be reached on port {port}: {why}")
}

fn causes(error: &Error) -> String {
    match error.source() {
        Some(source) => all_causes(source),
        None => error.to_string(),
    }
}
