/** Descriptions of audio as Chromium 156 and Firefox 153 ESR make them, with "\n" for the line's end. */

/** Chromium offers. */
export const chromiumOffer = `v=0
o=- 1811534997050491180 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=extmap-allow-mixed
a=msid-semantic: WMS
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:Uvdv
a=ice-pwd:x6XohLCAI1LOnExdF7jdBxpL
a=ice-options:trickle
a=fingerprint:sha-256 29:D3:C0:FC:D2:6F:23:CF:05:59:C9:47:C5:C2:D9:D3:AE:F8:58:08:E6:12:50:A6:CA:75:2A:2F:ED:1F:09:C0
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendrecv
a=msid:- dec761ac-eb76-4ba7-a973-0f04c1dcf058
a=rtcp-mux
a=rtcp-rsize
a=rtcp-xr:rcvr-rtt=all
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
a=ssrc:3094797165 cname:JCEa8OYYpTCq7M8W
a=ssrc:3094797165 msid:- dec761ac-eb76-4ba7-a973-0f04c1dcf058
`;

/** Firefox offers. */
export const firefoxOffer = `v=0
o=mozilla...THIS_IS_SDPARTA-99.0 8477575216247331757 0 IN IP4 0.0.0.0
s=-
t=0 0
a=fingerprint:sha-256 27:70:B8:E2:AA:D5:6A:8E:F5:1C:AE:04:EC:66:50:E5:AE:16:15:17:B2:0D:CF:50:A2:D9:35:39:BD:40:90:39
a=group:BUNDLE 0
a=ice-options:trickle
a=msid-semantic:WMS *
m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101
c=IN IP4 0.0.0.0
a=sendrecv
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level
a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap-allow-mixed
a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1
a=fmtp:101 0-15
a=ice-pwd:15efcd3e3be6105aa13ad5366e62b850
a=ice-ufrag:de3eeb1d
a=mid:0
a=msid:- {059f1cfc-1570-4cee-ad90-689565d24e74}
a=rtcp-fb:109 transport-cc
a=rtcp-fb:9 transport-cc
a=rtcp-fb:0 transport-cc
a=rtcp-fb:8 transport-cc
a=rtcp-mux
a=rtpmap:109 opus/48000/2
a=rtpmap:9 G722/8000/1
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000/1
a=setup:actpass
a=ssrc:3851774013 cname:{36dae5d4-1957-41f5-ab0c-d7c406e5a9fe}
`;

/** Firefox answers Chromium. */
export const firefoxAnswer = `v=0
o=mozilla...THIS_IS_SDPARTA-99.0 6549413125724097338 0 IN IP4 0.0.0.0
s=-
t=0 0
a=extmap-allow-mixed
a=fingerprint:sha-256 8D:B5:51:ED:43:06:2C:06:D4:A2:2F:0E:A1:67:FC:EC:29:5F:7B:D1:2A:C5:F3:D2:A6:E1:3D:C3:D4:4A:9A:29
a=group:BUNDLE 0
a=ice-options:trickle
a=msid-semantic:WMS *
m=audio 9 UDP/TLS/RTP/SAVPF 111 9 0 8 126
c=IN IP4 0.0.0.0
a=sendrecv
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap-allow-mixed
a=fmtp:111 maxplaybackrate=48000;stereo=1;useinbandfec=1
a=fmtp:126 0-15
a=ice-pwd:e015ec805be27e0561b9277ae4d0c8b2
a=ice-ufrag:67cc27c7
a=mid:0
a=msid:- {a9d35a6c-8672-4695-8c92-4a60ae6685ac}
a=rtcp-fb:111 transport-cc
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtpmap:9 G722/8000/1
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:126 telephone-event/8000/1
a=setup:active
a=ssrc:229186261 cname:{6a5b7086-253c-4367-9fc7-b3e05ee2140f}
`;

/** Chromium answers Firefox. */
export const chromiumAnswer = `v=0
o=- 4033669699746059159 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=msid-semantic: WMS
m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:FiSN
a=ice-pwd:JhVAgdj7Ty7qJYVg2tYpvruF
a=ice-options:trickle
a=fingerprint:sha-256 EB:F4:2C:9B:D7:1D:BB:D5:29:9F:5C:48:75:D5:0F:FB:AD:39:FF:CF:C1:39:9C:21:3C:D7:12:3E:5A:DD:D2:E6
a=setup:active
a=mid:0
a=extmap-allow-mixed
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendrecv
a=msid:- 49d7d379-16fa-44b8-8507-88e17f8756cf
a=rtcp-mux
a=rtpmap:109 opus/48000/2
a=rtcp-fb:109 transport-cc
a=fmtp:109 minptime=10;useinbandfec=1
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=ssrc:3707604453 cname:YOZgrVKxVIIhBHBV
`;
