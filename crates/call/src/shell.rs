//! Everything with a clock, a socket, a thread or a task. The protocol is in `engine`.

mod audio_io;
mod command;
mod dispatcher;
mod interfaces;
mod mdns;
mod media_thread;
mod network_watch;
mod session;
mod shared;
mod sockets;
mod streams;
mod websocket;

pub(crate) use command::CommandSender;
pub(crate) use session::{Session, Start};
pub(crate) use shared::Shared;
