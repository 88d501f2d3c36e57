//! `duologue server`, `service`, `token` and `records`: the call server and its data folder.
