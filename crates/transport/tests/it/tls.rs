//! Handshakes of both sides in memory, and certificates that change under them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rcgen::{CertificateParams, date_time_ymd};
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, Error, HandshakeKind, ServerConnection,
    SupportedProtocolVersion,
};
use tempfile::TempDir;
use transport::tls::{Reload, Tls, TlsFiles, Watcher};

use crate::certificates::{Authority, Pair, client};

/// Versions of TLS that a client speaks.
pub(crate) type Versions = &'static [&'static SupportedProtocolVersion];

pub(crate) const EACH_VERSION: [Versions; 2] = [&[&TLS13], &[&TLS12]];

pub(crate) const NEW: Versions = &[&TLS13];

/// Both sides of a connection, after the handshake.
pub(crate) struct Session {
    client: ClientConnection,
    server: ServerConnection,
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum Refused {
    ByServer(Error),
    ByClient,
}

/// A handshake with what is current.
pub(crate) fn meet(tls: &Tls, client: &Arc<ClientConfig>, name: &str) -> Result<Session, Refused> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let client = ClientConnection::new(Arc::clone(client), name).unwrap();
    let server = ServerConnection::new(tls.current()).unwrap();
    let mut session = Session { client, server };
    session.exchange()?;
    assert!(!session.client.is_handshaking() && !session.server.is_handshaking());
    Ok(session)
}

impl Session {
    /// Carries bytes to and fro until neither side has more to say.
    fn exchange(&mut self) -> Result<(), Refused> {
        while self.client.wants_write() || self.server.wants_write() {
            let mut bytes = Vec::new();
            while self.client.wants_write() {
                self.client.write_tls(&mut bytes).unwrap();
            }
            let mut unread = &*bytes;
            while !unread.is_empty() {
                self.server.read_tls(&mut unread).unwrap();
                self.server.process_new_packets().map_err(Refused::ByServer)?;
            }
            let mut bytes = Vec::new();
            while self.server.wants_write() {
                self.server.write_tls(&mut bytes).unwrap();
            }
            let mut unread = &*bytes;
            while !unread.is_empty() {
                self.client.read_tls(&mut unread).unwrap();
                self.client.process_new_packets().map_err(|_| Refused::ByClient)?;
            }
        }
        Ok(())
    }

    /// Sends a word to the server and reads it there.
    fn say(&mut self, word: &str) {
        self.client.writer().write_all(word.as_bytes()).unwrap();
        self.exchange().unwrap();
        let mut read = vec![0; word.len()];
        self.server.reader().read_exact(&mut read).unwrap();
        assert_eq!(read, word.as_bytes());
    }

    fn is_resumed(&self) -> bool {
        self.client.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// The server's certificate, as the client saw it.
    fn certificate(&self) -> Vec<u8> {
        self.client.peer_certificates().unwrap()[0].to_vec()
    }
}

/// A folder with the files of a server.
struct Shop {
    folder: TempDir,
}

impl Shop {
    fn new(pair: &Pair) -> Self {
        let shop = Self { folder: TempDir::new().unwrap() };
        shop.put(pair);
        shop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, pair: &Pair) {
        fs::write(self.path("server.pem"), &pair.certificate).unwrap();
        fs::write(self.path("server.key"), &pair.key).unwrap();
    }

    fn put_authority(&self, pem: &str) {
        fs::write(self.path("ca.pem"), pem).unwrap();
    }

    fn files(&self) -> TlsFiles {
        let (certificate, key) = (self.path("server.pem"), self.path("server.key"));
        TlsFiles { certificate, key, client_ca: None }
    }

    fn mutual(&self) -> TlsFiles {
        TlsFiles { client_ca: Some(self.path("ca.pem")), ..self.files() }
    }

    /// What is wrong at the start, without the name of the folder.
    fn error(&self, files: TlsFiles) -> String {
        let error = Tls::load(files).unwrap_err().to_string();
        error.replace(&format!("{}/", self.folder.path().display()), "")
    }
}

fn trusting(authority: &Authority) -> Arc<ClientConfig> {
    Arc::new(client(&authority.pem(), None, NEW))
}

#[test]
fn both_versions_agree_on_http2_and_ask_for_no_certificate() {
    let authority = Authority::new("one");
    let tls = Tls::load(Shop::new(&authority.server()).files()).unwrap();
    assert!(!tls.requires_client_certificate());
    for versions in EACH_VERSION {
        let mut config = client(&authority.pem(), None, versions);
        let mut session = meet(&tls, &Arc::new(config.clone()), "localhost").unwrap();
        assert_eq!(session.client.alpn_protocol(), Some(&b"h2"[..]));
        assert_eq!(session.client.protocol_version(), Some(versions[0].version));
        session.say("hello");
        config.alpn_protocols = vec![b"http/1.1".to_vec(), b"h2".to_vec()];
        let session = meet(&tls, &Arc::new(config.clone()), "localhost").unwrap();
        assert_eq!(session.client.alpn_protocol(), Some(&b"h2"[..]));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let session = meet(&tls, &Arc::new(config), "localhost").unwrap();
        assert_eq!(session.client.alpn_protocol(), Some(&b"http/1.1"[..]));
    }
}

#[test]
fn mutual_tls_takes_only_valid_certificates_of_its_authority() {
    let (servers, clients, strangers) =
        (Authority::new("servers"), Authority::new("clients"), Authority::new("strangers"));
    let shop = Shop::new(&servers.server());
    shop.put_authority(&clients.pem());
    let tls = Tls::load(shop.mutual()).unwrap();
    assert!(tls.requires_client_certificate());
    let expired = clients.client_with(|params| params.not_after = date_time_ymd(2020, 1, 1));
    // The same name, but another key.
    let impostor = Authority::new("clients").client();
    for versions in EACH_VERSION {
        let meet = |pair: Option<&Pair>| {
            meet(&tls, &Arc::new(client(&servers.pem(), pair, versions)), "localhost")
        };
        meet(Some(&clients.client())).unwrap().say("hello");
        let refused = meet(None).err().unwrap();
        assert!(matches!(refused, Refused::ByServer(Error::NoCertificatesPresented)));
        for pair in [&strangers.client(), &servers.client(), &impostor, &expired, &clients.server()]
        {
            let refused = meet(Some(pair)).err().unwrap();
            let Refused::ByServer(Error::InvalidCertificate(reason)) = refused else {
                panic!("refused for another reason: {refused:?}");
            };
            let is_expired = matches!(reason, CertificateError::ExpiredContext { .. });
            assert_eq!(is_expired, std::ptr::eq(pair, &raw const expired), "{reason:?}");
        }
    }
}

#[test]
fn sessions_are_resumed_but_not_past_a_reload() {
    let authority = Authority::new("one");
    let shop = Shop::new(&authority.server());
    let tls = Tls::load(shop.files()).unwrap();
    for versions in EACH_VERSION {
        let config = Arc::new(client(&authority.pem(), None, versions));
        assert!(!meet(&tls, &config, "localhost").unwrap().is_resumed());
        assert!(meet(&tls, &config, "localhost").unwrap().is_resumed());
        shop.put(&authority.server());
        assert_eq!(tls.reload().unwrap(), Reload::Replaced);
        assert!(!meet(&tls, &config, "localhost").unwrap().is_resumed());
        assert!(meet(&tls, &config, "localhost").unwrap().is_resumed());
    }
}

#[test]
fn a_client_of_an_authority_that_was_replaced_is_refused() {
    let (servers, old, new) =
        (Authority::new("servers"), Authority::new("old"), Authority::new("new"));
    for versions in EACH_VERSION {
        let shop = Shop::new(&servers.server());
        shop.put_authority(&old.pem());
        let tls = Tls::load(shop.mutual()).unwrap();
        let old_client = Arc::new(client(&servers.pem(), Some(&old.client()), versions));
        let new_client = Arc::new(client(&servers.pem(), Some(&new.client()), versions));
        let mut open = meet(&tls, &old_client, "localhost").unwrap();
        // A certificate is shown each time, so there is nothing to resume.
        assert!(!meet(&tls, &old_client, "localhost").unwrap().is_resumed());
        assert!(meet(&tls, &new_client, "localhost").is_err());

        shop.put_authority(&format!("{}{}", old.pem(), new.pem()));
        assert_eq!(tls.reload().unwrap(), Reload::Replaced);
        meet(&tls, &old_client, "localhost").unwrap();
        meet(&tls, &new_client, "localhost").unwrap();

        shop.put_authority(&new.pem());
        assert_eq!(tls.reload().unwrap(), Reload::Replaced);
        let refused = meet(&tls, &old_client, "localhost").err().unwrap();
        assert!(matches!(refused, Refused::ByServer(Error::InvalidCertificate(_))), "{refused:?}");
        meet(&tls, &new_client, "localhost").unwrap();
        open.say("still here");
    }
}

/// Changes the files in some way and sees that new connections get the new certificate, while
/// an old one goes on.
fn check_reload(files: TlsFiles, authority: &Authority, change: impl FnOnce()) {
    let tls = Tls::load(files).unwrap();
    let config = trusting(authority);
    let mut open = meet(&tls, &config, "localhost").unwrap();
    assert_eq!(tls.reload().unwrap(), Reload::Unchanged);
    change();
    let before = meet(&tls, &config, "localhost").unwrap();
    assert_eq!(before.certificate(), open.certificate());
    assert_eq!(tls.reload().unwrap(), Reload::Replaced);
    assert_eq!(tls.reload().unwrap(), Reload::Unchanged);
    let after = meet(&tls, &config, "localhost").unwrap();
    assert_ne!(after.certificate(), open.certificate());
    open.say("still here");
}

#[test]
fn files_written_in_place_are_seen() {
    let authority = Authority::new("one");
    let shop = Shop::new(&authority.server());
    check_reload(shop.files(), &authority, || shop.put(&authority.server()));
}

#[test]
fn files_renamed_into_place_are_seen() {
    let authority = Authority::new("one");
    let shop = Shop::new(&authority.server());
    check_reload(shop.files(), &authority, || {
        let new = Shop::new(&authority.server());
        fs::rename(new.path("server.pem"), shop.path("server.pem")).unwrap();
        fs::rename(new.path("server.key"), shop.path("server.key")).unwrap();
    });
}

#[cfg(unix)]
#[test]
fn kubernetes_swap_of_its_data_link_is_seen() {
    use std::os::unix::fs::symlink;

    fn publish(volume: &Path, version: &str, pair: &Pair) {
        fs::create_dir(volume.join(version)).unwrap();
        fs::write(volume.join(version).join("server.pem"), &pair.certificate).unwrap();
        fs::write(volume.join(version).join("server.key"), &pair.key).unwrap();
        symlink(version, volume.join("..data_tmp")).unwrap();
        fs::rename(volume.join("..data_tmp"), volume.join("..data")).unwrap();
    }

    let authority = Authority::new("one");
    let folder = TempDir::new().unwrap();
    publish(folder.path(), "..2026_11_22_10_00_00.1", &authority.server());
    for name in ["server.pem", "server.key"] {
        symlink(Path::new("..data").join(name), folder.path().join(name)).unwrap();
    }
    let shop = Shop { folder };
    check_reload(shop.files(), &authority, || {
        publish(shop.folder.path(), "..2026_11_22_11_00_00.2", &authority.server());
        fs::remove_dir_all(shop.path("..2026_11_22_10_00_00.1")).unwrap();
    });
}

#[test]
fn what_cannot_be_used_leaves_the_certificate_in_place() {
    let authority = Authority::new("one");
    let first = authority.server();
    let shop = Shop::new(&first);
    shop.put_authority(&authority.pem());
    let tls = Tls::load(shop.mutual()).unwrap();
    let config = Arc::new(client(&authority.pem(), Some(&authority.client()), NEW));
    let served = meet(&tls, &config, "localhost").unwrap().certificate();
    let check = |expected: &str| {
        let error = tls.reload().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(meet(&tls, &config, "localhost").unwrap().certificate(), served);
    };
    // Half of a change: the certificate is new and the key is not.
    let second = authority.server();
    fs::write(shop.path("server.pem"), &second.certificate).unwrap();
    check("server.key: is not the key of the first certificate in ");
    fs::write(shop.path("server.pem"), &second.certificate[..200]).unwrap();
    check("server.pem: has a damaged PEM block: its END line is missing");
    fs::remove_file(shop.path("server.pem")).unwrap();
    check("server.pem: cannot be read: ");
    shop.put(&authority.server_with(|params| params.not_after = date_time_ymd(2020, 1, 2)));
    check("server.pem: expired at 2020-01-02T00:00:00Z");
    shop.put(&second);
    shop.put_authority("");
    check("ca.pem: has no PEM block with a certificate, found no PEM at all");
    shop.put_authority(&authority.pem());
    assert_eq!(tls.reload().unwrap(), Reload::Replaced);
    assert_ne!(meet(&tls, &config, "localhost").unwrap().certificate(), served);
}

/// Of the tutorial's commands: `openssl x509 -req` without extensions.
const VERSION_1: &str = "-----BEGIN CERTIFICATE-----
MIIBHDCBxAIBATAKBggqhkjOPQQDAjAaMRgwFgYDVQQDDA9yZWNvbW1lbmRhdGlv
bnMwIBcNMjYxMTIyMTcwNDE2WhgPMjEyNjEwMjkxNzA0MTZaMBoxGDAWBgNVBAMM
D3JlY29tbWVuZGF0aW9uczBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABOaCN55i
cJ59Q0LXO1wEy7r+XJcF3XKGANKW69SBaguPgs2HNkvjtlrR8P3L3b++FBOaLXYT
fAoNNSnuLMCzWv8wCgYIKoZIzj0EAwIDRwAwRAIgKqie0OTG2NniNpX/iPkqjJWq
sFPkw8mKWVbXEhOGIJUCIHUQnMUmQeoKp9CXB4iRw0kHBpCRv9C1gSexO7ucmvVp
-----END CERTIFICATE-----
";

#[test]
fn the_start_fails_with_the_file_and_what_is_wrong_with_it() {
    let authority = Authority::new("one");
    let good = authority.server();
    let check = |certificate: &str, key: &str, expected: &str| {
        let pair = Pair { certificate: certificate.to_owned(), key: key.to_owned() };
        let shop = Shop::new(&pair);
        let error = shop.error(shop.files()).replace(&*shop.folder.path().to_string_lossy(), "");
        assert_eq!(error.replace("in /", "in "), expected);
    };
    check("", &good.key, "server.pem: has no PEM block with a certificate, found no PEM at all");
    check(
        &good.key,
        &good.key,
        "server.pem: has no PEM block with a certificate, found PRIVATE KEY",
    );
    check(
        &good.certificate,
        &good.certificate,
        "server.key: has no PEM block with an unencrypted private key, found CERTIFICATE",
    );
    check(
        &good.certificate,
        &authority.server().key,
        "server.key: is not the key of the first certificate in server.pem",
    );
    check(
        VERSION_1,
        &good.key,
        "server.pem: is a certificate of X.509 version 1, expected version 3; `openssl x509 -req` writes version 1 unless -extfile names a file with extensions, such as subjectAltName",
    );
    let dated = |change: fn(&mut CertificateParams)| authority.server_with(change);
    let expired = dated(|params| params.not_after = date_time_ymd(2020, 1, 2));
    check(&expired.certificate, &expired.key, "server.pem: expired at 2020-01-02T00:00:00Z");
    let early = dated(|params| params.not_before = date_time_ymd(4000, 1, 2));
    check(&early.certificate, &early.key, "server.pem: is not valid before 4000-01-02T00:00:00Z");
    let client = authority.client();
    check(
        &client.certificate,
        &client.key,
        "server.pem: is not a certificate for servers: its extended key usage has no server authentication",
    );
    let block = |kind: &str| format!("-----BEGIN {kind}-----\nMAA=\n-----END {kind}-----\n");
    let chain = format!("{}{}", good.certificate, block("CERTIFICATE"));
    let shop = Shop::new(&Pair { certificate: chain, key: good.key.clone() });
    assert!(shop.error(shop.files()).starts_with("server.pem: certificate 2 cannot be used: "));
    let shop = Shop::new(&Pair { key: block("PRIVATE KEY"), ..authority.server() });
    assert!(shop.error(shop.files()).starts_with("server.key: has a key that cannot be used: "));
}

#[test]
fn the_start_fails_if_files_are_missing_no_files_or_huge() {
    let authority = Authority::new("one");
    let shop = Shop::new(&authority.server());
    let missing = TlsFiles { certificate: shop.path("none.pem"), ..shop.files() };
    assert!(shop.error(missing).starts_with("none.pem: cannot be read: No such file"));
    fs::create_dir(shop.path("folder")).unwrap();
    let folder = TlsFiles { key: shop.path("folder"), ..shop.files() };
    assert_eq!(shop.error(folder), "folder: is not a regular file, expected PEM");
    fs::write(shop.path("huge"), vec![b'\n'; (1 << 20) + 1]).unwrap();
    let huge = TlsFiles { client_ca: Some(shop.path("huge")), ..shop.files() };
    let expected = "huge: has more than 1048576 bytes, expected PEM of at most that";
    assert_eq!(shop.error(huge), expected);
}

#[test]
fn the_start_fails_without_an_authority_that_is_valid() {
    let authority = Authority::new("one");
    let shop = Shop::new(&authority.server());
    let dated = |change: fn(&mut CertificateParams)| {
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        change(&mut params);
        Authority::of(params).pem()
    };
    let expired = dated(|params| params.not_after = date_time_ymd(2020, 1, 2));
    let check = |pem: &str, expected: &str| {
        shop.put_authority(pem);
        assert_eq!(shop.error(shop.mutual()), expected);
    };
    check("", "ca.pem: has no PEM block with a certificate, found no PEM at all");
    check(&expired, "ca.pem: expired at 2020-01-02T00:00:00Z");
    let bundle = format!("{}{}", authority.pem(), authority.client().certificate);
    check(
        &bundle,
        "ca.pem: certificate 2 is not an authority, expected basic constraints with CA:TRUE",
    );
    // One of several may be over: this is how authorities are replaced.
    shop.put_authority(&format!("{expired}{}", authority.pem()));
    let tls = Tls::load(shop.mutual()).unwrap();
    let config = client(&authority.pem(), Some(&authority.client()), NEW);
    meet(&tls, &Arc::new(config), "localhost").unwrap();
}

#[test]
fn the_expiry_is_that_of_the_servers_certificate() {
    let authority = Authority::new("one");
    let pair = authority.server_with(|params| params.not_after = date_time_ymd(3000, 1, 2));
    let tls = Tls::load(Shop::new(&pair).files()).unwrap();
    assert_eq!(tls.expires(), SystemTime::from(date_time_ymd(3000, 1, 2)));
    let printed = format!("{tls:?}");
    assert!(printed.contains("server.key") && !printed.contains("BEGIN"), "{printed}");
}

#[test]
fn a_watcher_puts_new_certificates_into_use_and_stops_when_dropped() {
    let authority = Authority::new("one");
    let shop = Shop::new(&authority.server());
    let tls = Tls::load(shop.files()).unwrap();
    let watcher = Watcher::start(tls.clone(), Duration::ZERO).unwrap();
    let config = trusting(&authority);
    let first = meet(&tls, &config, "localhost").unwrap().certificate();
    shop.put(&authority.server());
    let deadline = Instant::now() + Duration::from_secs(60);
    while meet(&tls, &config, "localhost").unwrap().certificate() == first {
        assert!(Instant::now() < deadline, "the change was not seen in a minute");
        std::thread::yield_now();
    }
    drop(watcher);
    let last = meet(&tls, &config, "localhost").unwrap().certificate();
    shop.put(&authority.server());
    assert_eq!(meet(&tls, &config, "localhost").unwrap().certificate(), last);
    assert_eq!(tls.reload().unwrap(), Reload::Replaced, "nobody else has read it");
}
