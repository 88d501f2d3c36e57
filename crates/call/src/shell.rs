//! Everything with a clock, a socket, a thread or a task. The protocol is in `engine`.

mod audio_io;
mod command;
mod dispatcher;
mod interfaces;
mod media_thread;
mod session;
mod shared;
mod sockets;
mod websocket;

pub(crate) use command::CommandSender;
pub(crate) use session::{Session, Start};
pub(crate) use shared::Shared;
