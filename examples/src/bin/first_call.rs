//! Makes a call, or answers one, and talks for a minute.

use duologue_call::{
    AcceptParams, Call, CallConnectedParam, CallDelegate, CallEventKind, CallVerifiedParam, Client, Config,
    DisconnectedParam, MakeCallParams, VerifyCallParams,
};

/// The handlers of either side; those not written here do nothing.
struct Phone;

impl CallDelegate for Phone {
    fn evt_wait_connected(&mut self, _call: &Call) {
        eprintln!("ringing there");
    }

    fn evt_verified(&mut self, call: &Call, param: &CallVerifiedParam) {
        eprintln!("{} calls", param.caller_id);
        if let Err(error) = call.accept_call(AcceptParams::default()) {
            eprintln!("cannot accept: {error}");
        }
    }

    fn evt_connected(&mut self, _call: &Call, _param: &CallConnectedParam) {
        eprintln!("speak now");
    }

    fn evt_disconnected(&mut self, _call: &Call, param: &DisconnectedParam) {
        eprintln!("over: {} {}", param.reason.code, param.reason.str_code);
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::new(Config::new("wss://calls.example.com"));
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let call = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        // The caller: its own id, the callee's, and a token from the app server.
        [my_id, peer_id, access_token] => {
            client
                .make_call(MakeCallParams {
                    my_id: my_id.into(),
                    my_service_id: "my-service".into(),
                    peer_id: peer_id.into(),
                    peer_service_id: "my-service".into(),
                    access_token: access_token.into(),
                    delegate: Some(Box::new(Phone)),
                    ..MakeCallParams::default()
                })
                .await?
        }
        // The callee: its own id and the push's cc_param.
        [my_id, cc_param] => {
            client
                .verify_call(VerifyCallParams {
                    my_id: my_id.into(),
                    my_service_id: "my-service".into(),
                    cc_param: cc_param.into(),
                    delegate: Some(Box::new(Phone)),
                    ..VerifyCallParams::default()
                })
                .await?
        }
        _ => return Err("arguments: MY_ID PEER_ID ACCESS_TOKEN, or MY_ID CC_PARAM".into()),
    };

    // The same events as a stream. Talk for a minute, or until the other side ends it.
    let mut events = call.events();
    let minute = tokio::time::sleep(std::time::Duration::from_secs(60));
    tokio::pin!(minute);
    loop {
        tokio::select! {
            event = events.next() => match event.map(|event| event.kind) {
                Some(CallEventKind::Disconnected(_)) | None => break,
                Some(_) => {}
            },
            () = &mut minute, if !minute.is_elapsed() => call.end_call(Some("that was a minute"))?,
        }
    }
    client.close().await;
    Ok(())
}
