//! Tells when the interfaces of this machine change.
//!
//! On Linux the kernel says so (rtnetlink(7)); what it says in detail is not read, because the list of addresses is taken anew anyway.
//! Elsewhere, and where that socket cannot be had, the list is looked at every two seconds.

use std::time::{Duration, Instant};

use mio::{Registry, Token};

/// How often the addresses are listed where nobody tells of changes.
const POLL: Duration = Duration::from_secs(2);
/// Changes come in groups (link, address, routes): they are looked at once, so long after the first.
const SETTLE: Duration = Duration::from_millis(20);
/// An address can be bound only some time after it was told of (IPv6 duplicate detection), and nothing may be told then: the list is
/// looked at again so long after a change.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Watches for changes.
#[derive(Debug)]
pub(super) struct NetworkWatch {
    source: Option<source::Source>,
    due: Option<Instant>,
    again: Option<Instant>,
}

impl NetworkWatch {
    /// Begins to watch; the poll tells of changes under this token.
    pub(super) fn new(registry: &Registry, token: Token, now: Instant) -> Self {
        let source = source::Source::new(registry, token)
            .inspect_err(|error| tracing::debug!(%error, "the system does not tell of network changes"))
            .ok();
        Self {
            due: source.is_none().then(|| now + POLL),
            source,
            again: None,
        }
    }

    /// The system has said something.
    pub(super) fn on_readable(&mut self, now: Instant) {
        if let Some(source) = &self.source {
            source.drain();
            self.due.get_or_insert(now + SETTLE);
        }
    }

    /// When the addresses are to be listed.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        [self.due, self.again].into_iter().flatten().min()
    }

    /// Whether the addresses are to be listed now.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let due = self.due.is_some_and(|due| due <= now);
        let again = self.again.is_some_and(|again| again <= now);
        if due {
            self.due = self.source.is_none().then(|| now + POLL);
            self.again = self.source.is_some().then(|| now + LOOK_AGAIN);
        } else if again {
            self.again = None;
        }
        due || again
    }
}

#[cfg(target_os = "linux")]
mod source {
    use std::io;
    use std::os::fd::{AsRawFd as _, OwnedFd};

    use mio::unix::SourceFd;
    use mio::{Interest, Registry, Token};
    use rustix::net::netlink::SocketAddrNetlink;
    use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};

    /// RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR of linux/rtnetlink.h.
    const GROUPS: u32 = 0x1 | 0x10 | 0x100;

    #[derive(Debug)]
    pub(super) struct Source {
        socket: OwnedFd,
    }

    impl Source {
        pub(super) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            // NETLINK_ROUTE is protocol 0.
            let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
            bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
            registry.register(&mut SourceFd(&socket.as_raw_fd()), token, Interest::READABLE)?;
            Ok(Self { socket })
        }

        /// Reads everything. A buffer that overflowed (ENOBUFS) means changes like any other.
        pub(super) fn drain(&self) {
            let mut buffer = [0; 4096];
            for _ in 0..1024 {
                match recv(&self.socket, &mut buffer[..], RecvFlags::DONTWAIT) {
                    Ok(_) | Err(rustix::io::Errno::NOBUFS | rustix::io::Errno::INTR) => {}
                    Err(_) => break,
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod source {
    use std::io;

    use mio::{Registry, Token};

    /// There is none.
    #[derive(Debug)]
    pub(super) enum Source {}

    impl Source {
        pub(super) fn new(_: &Registry, _: Token) -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(super) fn drain(&self) {}
    }
}
