//! The STUN port.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::UdpSocket;

/// Binds the port. `[::]` means every address of both families, or of IPv4 alone where there is no IPv6. With
/// `any_port` a busy port is replaced by a free one.
pub(crate) async fn bind(address: SocketAddr, any_port: bool) -> io::Result<UdpSocket> {
    let mut result = UdpSocket::bind(address).await;
    if address.is_ipv6() && address.ip().is_unspecified() && result.as_ref().is_err_and(|error| !is_busy(error)) {
        result = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, address.port())).await;
    }
    match result {
        Err(error) if any_port && is_busy(&error) => {
            let socket = UdpSocket::bind(SocketAddr::new(address.ip(), 0)).await?;
            tracing::warn!(wanted = address.port(), "the STUN port is busy; another one is used");
            Ok(socket)
        }
        result => result,
    }
}

fn is_busy(error: &io::Error) -> bool {
    // Ports below 1024 may also be reserved for the administrator.
    matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied)
}
