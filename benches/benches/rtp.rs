//! Benchmarks of `duologue-rtp`: what one packet of a call costs on its way out and in.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]
#![allow(clippy::expect_used, reason = "a benchmark may stop at once")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use duologue_rtp::wire::{Compound, CompoundWriter, Extension, ReportBlock, RtpHeader, RtpPacket, SenderInfo};
use duologue_rtp::{Config, Session};

/// 20 ms of Opus at 32 kb/s.
const PAYLOAD: [u8; 80] = [0x55; 80];

fn packet(sequence_number: u16, extensions: &[Extension<'_>]) -> Bytes {
    let timestamp = 960 * u32::from(sequence_number);
    let header = RtpHeader {
        payload_type: 111,
        sequence_number,
        timestamp,
        ssrc: 9,
        extensions,
        ..RtpHeader::default()
    };
    let mut out = BytesMut::new();
    header.emit(&mut out).expect("a header that fits");
    out.extend_from_slice(&PAYLOAD);
    out.freeze()
}

fn wire(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rtp/parse");
    let plain = packet(1, &[]);
    let extended = packet(
        1,
        &[
            Extension { id: 1, data: &[0x80] },
            Extension {
                id: 3,
                data: &[1, 2, 3],
            },
        ],
    );
    for (name, datagram) in [("plain", &plain), ("two_extensions", &extended)] {
        group.throughput(Throughput::Elements(1));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let packet = RtpPacket::parse(black_box(datagram)).expect("valid");
                black_box((packet.payload.len(), packet.extensions().count()))
            });
        });
    }
    group.finish();

    let compound = CompoundWriter::new()
        .sender_report(9, &SenderInfo::default(), &[ReportBlock::default()])
        .cname(9, "0123456789abcdef")
        .finish();
    let mut group = criterion.benchmark_group("rtp/parse_rtcp");
    group.throughput(Throughput::Elements(1));
    group.bench_function("sender_report_and_cname", |bencher| {
        bencher.iter(|| {
            Compound::parse(black_box(&compound))
                .expect("valid")
                .packets()
                .filter(Result::is_ok)
                .count()
        });
    });
    group.finish();
}

fn session(criterion: &mut Criterion) {
    let now = Instant::now();
    let mut group = criterion.benchmark_group("rtp/session");
    group.throughput(Throughput::Elements(1000));
    group.bench_function("send_1000", |bencher| {
        bencher.iter_batched_ref(
            || Session::new(Config::new(1, "bench"), [1; 32], now),
            |session| {
                for frame in 0..1000u64 {
                    session.send(&PAYLOAD, 960, false, now + Duration::from_millis(20 * frame));
                    black_box(session.poll_output());
                }
            },
            BatchSize::SmallInput,
        );
    });
    let packets: Vec<Bytes> = (0..1000).map(|sequence| packet(sequence, &[])).collect();
    group.bench_function("receive_1000", |bencher| {
        bencher.iter_batched_ref(
            || Session::new(Config::new(1, "bench"), [1; 32], now),
            |session| {
                for (packet, frame) in packets.iter().zip(0u64..) {
                    session.handle_rtp(packet.clone(), now + Duration::from_millis(20 * frame));
                    while let Some(output) = session.poll_output() {
                        black_box(output);
                    }
                }
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, wire, session);
criterion_main!(benches);
