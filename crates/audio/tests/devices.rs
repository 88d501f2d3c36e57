//! Whatever this machine has or has not: asking for devices answers, and never panics.

use duologue_audio::{AudioError, Capture, Direction, Playout, devices};

#[test]
fn an_unknown_device_is_refused_by_name() {
    let wanted = "duologue: there is no such device";
    match Capture::open(Some(wanted)) {
        Err(AudioError::UnknownDevice {
            direction: Direction::Input,
            wanted: told,
        }) => assert_eq!(told, wanted),
        Err(AudioError::Device { device, .. }) => assert_eq!(device, "audio system", "no audio system to ask"),
        other => panic!("{other:?}"),
    }
    match Playout::open(Some(wanted)) {
        Err(AudioError::UnknownDevice {
            direction: Direction::Output,
            wanted: told,
        }) => assert_eq!(told, wanted),
        Err(AudioError::Device { device, .. }) => assert_eq!(device, "audio system", "no audio system to ask"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_list_of_devices_names_each_and_at_most_one_default_of_a_kind() {
    if let Ok(found) = devices() {
        assert!(found.iter().all(|device| !device.id.is_empty()));
        assert!(
            found
                .iter()
                .filter(|device| device.default_input && device.input)
                .count()
                <= 1,
            "{found:?}"
        );
        assert!(
            found
                .iter()
                .filter(|device| device.default_output && device.output)
                .count()
                <= 1,
            "{found:?}"
        );
    }
}
