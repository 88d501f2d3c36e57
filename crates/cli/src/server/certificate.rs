//! A certificate of the development server's own, so that browsers of other machines let the page use the microphone.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use duologue_server::TlsConfig;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};

/// Browsers refuse certificates that are valid for longer than 398 days.
const VALIDITY: Duration = Duration::from_secs(397 * 86_400);
/// One that would end sooner is made anew.
const RENEWAL: Duration = Duration::from_secs(30 * 86_400);
/// Clocks of phones may be behind.
const BACKDATED: Duration = Duration::from_secs(86_400);

/// Names and addresses by which this machine is reached: the certificate's subject alternative names.
pub(super) fn own_names() -> Vec<String> {
    let mut names = BTreeSet::from(["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()]);
    names.extend(local_addresses().iter().map(IpAddr::to_string));
    names.into_iter().collect()
}

/// Addresses of this machine that others on its network may reach.
pub(super) fn local_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let link_local = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    let mut addresses: Vec<IpAddr> = interfaces
        .iter()
        .map(if_addrs::Interface::ip)
        .filter(|ip| !ip.is_loopback() && !link_local(ip))
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// The certificate in `data` for these names; made when there is none, when the names have changed or when it ends soon. It is
/// kept otherwise, so that a browser's exception for it stays good.
pub(super) fn self_signed(data: &Path, names: &[String], now: SystemTime) -> anyhow::Result<TlsConfig> {
    let tls = TlsConfig {
        certificate: data.join("tls-certificate.pem"),
        key: data.join("tls-key.pem"),
    };
    let note = data.join("tls-names.txt");
    let wanted = names.join("\n");
    let kept = fs::read_to_string(&note).is_ok_and(|known| known == wanted)
        && tls.key.exists()
        && fs::metadata(&tls.certificate)
            .and_then(|file| file.modified())
            .is_ok_and(|made| made + VALIDITY > now + RENEWAL);
    if kept {
        return Ok(tls);
    }
    fs::create_dir_all(data).with_context(|| format!("cannot make the folder {}", data.display()))?;
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "Duologue development server");
    params.not_before = (now - BACKDATED).into();
    params.not_after = (now + VALIDITY - BACKDATED).into();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    write(&tls.key, &key.serialize_pem(), 0o600)?;
    write(&tls.certificate, &certificate.pem(), 0o644)?;
    write(&note, &wanted, 0o644)?;
    Ok(tls)
}

fn write(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    // Made anew, since the mode only holds for a file that this makes.
    let _ = fs::remove_file(path);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_certificate_is_kept_until_names_or_time_change() {
        let data = std::env::temp_dir().join(format!("duologue-certificate-{}", std::process::id()));
        let names = ["localhost".to_owned(), "192.0.2.1".to_owned(), "::1".to_owned()];
        let now = SystemTime::now();
        let first = self_signed(&data, &names, now).unwrap();
        let read = |tls: &TlsConfig| fs::read_to_string(&tls.certificate).unwrap();
        let text = read(&first);
        assert!(text.starts_with("-----BEGIN CERTIFICATE-----"));
        assert_eq!(fs::metadata(&first.key).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read(&self_signed(&data, &names, now).unwrap()), text);
        let other = read(&self_signed(&data, &names[..2], now).unwrap());
        assert_ne!(other, text);
        let later = now + VALIDITY - RENEWAL + Duration::from_secs(1);
        assert_ne!(read(&self_signed(&data, &names[..2], later).unwrap()), other);
        fs::remove_dir_all(&data).unwrap();
    }
}
