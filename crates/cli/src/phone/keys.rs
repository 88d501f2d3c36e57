//! Single keys of the terminal, without Enter.

use std::io::{IsTerminal as _, Read as _, stdin};
use std::sync::{Mutex, PoisonError};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// The terminal as it was, until [`restore`].
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// Hands each key to `on_key`, on a thread of its own, until that says false. Does nothing where there is no terminal.
/// Ctrl-C goes on to be a signal.
pub(super) fn watch(mut on_key: impl FnMut(u8) -> bool + Send + 'static) {
    if !stdin().is_terminal() {
        return;
    }
    let Ok(before) = tcgetattr(stdin()) else { return };
    let mut single = before.clone();
    single.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
    if tcsetattr(stdin(), OptionalActions::Now, &single).is_err() {
        return;
    }
    *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
    std::thread::spawn(move || {
        let mut key = [0];
        while matches!(stdin().lock().read(&mut key), Ok(1)) && on_key(key[0]) {}
    });
}

/// Gives the terminal back as it was. To be called before the program ends, however it ends.
pub(super) fn restore() {
    if let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // A terminal that is gone needs nothing.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &before);
    }
}
