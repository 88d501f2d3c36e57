// Plays the packets of a file through libwebrtc's NetEq on a virtual clock, as `jitter-replay --packets` does with ours.
//
//   neteq_replay PACKETS.bin OUT.wav LOG.csv [FIELD_TRIALS]
//
// The last line on stdout is one JSON object of NetEq's own lifetime statistics.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "api/audio/audio_frame.h"
#include "api/audio_codecs/opus_audio_decoder_factory.h"
#include "api/neteq/neteq.h"
#include "api/rtp_headers.h"
#include "modules/audio_coding/neteq/default_neteq_factory.h"
#include "system_wrappers/include/clock.h"
#include "system_wrappers/include/field_trial.h"

namespace {

constexpr int kPayloadType = 111;
constexpr int kRate = 48000;

struct Packet {
  uint64_t arrival_us;
  uint16_t sequence;
  uint32_t timestamp;
  std::vector<uint8_t> payload;
};

template <typename T>
T Take(const std::vector<uint8_t>& bytes, size_t* at) {
  T value;
  std::memcpy(&value, bytes.data() + *at, sizeof(T));
  *at += sizeof(T);
  return value;
}

bool ReadPackets(const char* path, std::vector<Packet>* packets) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<uint8_t> bytes((std::istreambuf_iterator<char>(file)), {});
  size_t at = 0;
  while (at + 16 <= bytes.size()) {
    Packet packet;
    packet.arrival_us = Take<uint64_t>(bytes, &at);
    packet.sequence = Take<uint16_t>(bytes, &at);
    packet.timestamp = Take<uint32_t>(bytes, &at);
    const size_t length = Take<uint16_t>(bytes, &at);
    if (at + length > bytes.size()) return false;
    packet.payload.assign(bytes.begin() + at, bytes.begin() + at + length);
    at += length;
    packets->push_back(std::move(packet));
  }
  return at == bytes.size() && !packets->empty();
}

void WriteWav(const char* path, const std::vector<int16_t>& audio) {
  std::ofstream file(path, std::ios::binary);
  const auto put32 = [&file](uint32_t value) { file.write(reinterpret_cast<const char*>(&value), 4); };
  const auto put16 = [&file](uint16_t value) { file.write(reinterpret_cast<const char*>(&value), 2); };
  const uint32_t bytes = static_cast<uint32_t>(audio.size() * 2);
  file.write("RIFF", 4);
  put32(36 + bytes);
  file.write("WAVEfmt ", 8);
  put32(16);
  put16(1);
  put16(1);
  put32(kRate);
  put32(kRate * 2);
  put16(2);
  put16(16);
  file.write("data", 4);
  put32(bytes);
  file.write(reinterpret_cast<const char*>(audio.data()), bytes);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "neteq_replay PACKETS.bin OUT.wav LOG.csv [FIELD_TRIALS]\n");
    return 2;
  }
  // The library keeps the pointer.
  static std::string trials = argc > 4 ? argv[4] : "";
  webrtc::field_trial::InitFieldTrialsFromString(trials.c_str());

  std::vector<Packet> packets;
  if (!ReadPackets(argv[1], &packets)) {
    std::fprintf(stderr, "%s: no whole records in there\n", argv[1]);
    return 1;
  }

  webrtc::SimulatedClock clock(0);
  webrtc::NetEq::Config config;
  config.sample_rate_hz = kRate;
  const std::unique_ptr<webrtc::NetEq> neteq =
      webrtc::DefaultNetEqFactory().CreateNetEq(config, webrtc::CreateOpusAudioDecoderFactory(), &clock);
  neteq->RegisterPayloadType(kPayloadType, webrtc::SdpAudioFormat("opus", kRate, 2, {{"useinbandfec", "1"}}));

  std::ofstream log(argv[3]);
  log << "t_ms,playout_ts,target_ms,op\n";
  std::vector<int16_t> audio;
  webrtc::AudioFrame frame;
  size_t next = 0;
  // What it plays before it has anything to play is not concealment: ours counts none there either.
  uint64_t before_first = 0;
  uint64_t concealed = 0, inserted = 0, removed = 0, insert_ns = 0;
  for (uint64_t now_ms = 0;; now_ms += 10) {
    for (; next < packets.size() && packets[next].arrival_us <= now_ms * 1000; ++next) {
      if (next == 0) before_first = neteq->GetLifetimeStatistics().concealed_samples;
      webrtc::RTPHeader header;
      header.payloadType = kPayloadType;
      header.sequenceNumber = packets[next].sequence;
      header.timestamp = packets[next].timestamp;
      header.ssrc = 1;
      const auto start = std::chrono::steady_clock::now();
      neteq->InsertPacket(header, packets[next].payload);
      insert_ns += std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start).count();
    }
    if (next == packets.size()) break;
    bool muted = false;
    neteq->GetAudio(&frame, &muted);
    const size_t samples = frame.samples_per_channel_;
    for (size_t n = 0; n < static_cast<size_t>(kRate / 100); ++n) {
      audio.push_back(n < samples && !frame.muted() ? frame.data()[n * frame.num_channels_] : 0);
    }
    const webrtc::NetEqLifetimeStatistics stats = neteq->GetLifetimeStatistics();
    const char* op = "normal";
    if (stats.concealed_samples > concealed) op = "conceal";
    else if (stats.removed_samples_for_acceleration > removed) op = "accelerate";
    else if (stats.inserted_samples_for_deceleration > inserted) op = "expand";
    concealed = stats.concealed_samples;
    removed = stats.removed_samples_for_acceleration;
    inserted = stats.inserted_samples_for_deceleration;
    // NetEq's timestamp is that after the last sample handed out.
    log << now_ms << ',' << neteq->GetPlayoutTimestamp().value_or(0) << ',' << neteq->TargetDelayMs() << ',' << op << '\n';
    clock.AdvanceTimeMilliseconds(10);
  }
  WriteWav(argv[2], audio);
  const webrtc::NetEqLifetimeStatistics stats = neteq->GetLifetimeStatistics();
  const double total = static_cast<double>(audio.size());
  std::printf(
      "{\"concealed_percent\":%.3f,\"stretched_percent\":%.3f,\"interruptions\":%d,\"fec_used\":%llu,\"insert_ns\":%.0f}\n",
      100.0 * (stats.concealed_samples - before_first) / total,
      100.0 * (stats.inserted_samples_for_deceleration + stats.removed_samples_for_acceleration) / total,
      stats.interruption_count, static_cast<unsigned long long>(stats.fec_packets_received - stats.fec_packets_discarded),
      static_cast<double>(insert_ns) / packets.size());
  return 0;
}
