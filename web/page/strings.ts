/** Every word the page shows. `en` decides which keys exist; a key that Japanese lacks or has too many is a compile error. */

/** English; `{name}` marks a value that {@link translate} fills in. */
const en = {
  languageName: 'English',
  appName: 'Duologue',
  tagline: 'Clear one-to-one calls, on your own server.',
  skip: 'Skip to the call area',
  otherLanguage: '日本語',
  themeToDark: 'Dark theme',
  themeToLight: 'Light theme',
  account: 'Account',
  signedInAs: 'Signed in as {name}',
  signOut: 'Sign out',

  signInTitle: 'Who are you today?',
  signInIntro: 'This is a development server: any name will do, and no password is asked for.',
  nameLabel: 'Your name',
  nameHint: 'Letters, digits, - and _. Others call you by exactly this name.',
  nameEmpty: 'Enter a name first.',
  nameWrong: 'A name has at most 64 letters (a–z), digits, - and _, without spaces.',
  anotherName: 'Suggest another name',
  signIn: 'Sign in',

  presenceOnline: 'Ready for calls',
  presenceConnecting: 'Connecting…',
  presenceReconnecting: 'Reconnecting: the server does not answer',

  callTitle: 'Call somebody',
  peerLabel: 'Name to call',
  peerEmpty: 'Enter the name of the person to call.',
  peerSelf: 'This is your own name. Call somebody else.',
  call: 'Call',
  tipTitle: 'Nobody to talk to yet?',
  tipText: 'Open a second tab as somebody else, then call the name shown there.',
  tipLink: 'Open a second tab as {name}',
  tipCli: 'Or let the command line answer:',

  calling: 'Calling {name}',
  callStarting: 'Preparing the microphone…',
  callTrying: 'Calling…',
  callRinging: 'Ringing…',
  cancel: 'Cancel',
  incomingFrom: '{name} is calling',
  incomingHint: 'Audio call',
  escapeHint: 'Escape declines.',
  answer: 'Answer',
  decline: 'Decline',
  answering: 'Connecting…',

  inCallWith: 'In a call with {name}',
  duration: 'Duration',
  mute: 'Mute',
  unmute: 'Unmute',
  hold: 'Hold',
  resume: 'Resume',
  hangUp: 'Hang up',
  holdTitle: 'Put {name} on hold',
  holdReason: 'Reason (optional)',
  holdReasonHint: '{name} sees it while waiting.',
  holdConfirm: 'Put on hold',
  holdBack: 'Back',
  youMuted: 'Your microphone is muted',
  youUnmuted: 'Your microphone is on',
  peerMuted: '{name} is muted',
  peerUnmuted: '{name} is no longer muted',
  youHold: 'You have put the call on hold',
  peerHolds: '{name} has put you on hold',
  peerHoldsReason: '{name} has put you on hold: {reason}',
  holdOver: 'The call goes on',
  networkLost: 'Connection lost. Trying to restore it…',
  networkBack: 'The connection is back',
  yourLevel: 'Your level',
  peerLevel: 'Level of {name}',
  you: 'You',
  code: 'Verification code',
  codeHint: 'Read the pictures out to each other: if {name} sees the same five, nobody sits between you and listens.',

  quality: 'Network quality',
  quality0: 'unknown',
  quality1: 'bad',
  quality2: 'poor',
  quality3: 'fair',
  quality4: 'good',
  quality5: 'excellent',

  plotsTitle: 'Connection, last 60 seconds',
  plotRtt: 'Round trip',
  plotLoss: 'Packet loss',
  plotJitter: 'Jitter buffer',
  plotRate: 'Bitrate',
  plotSummary: '{name}: {now} {unit} now; {min} to {max} {unit} in the last minute',
  plotEmpty: '{name}: no measurement yet',
  plotReceived: 'received',
  plotSent: 'sent',
  statsPackets: 'Packets: {sent} sent, {received} received',

  devices: 'Microphone and speaker',
  microphone: 'Microphone',
  speaker: 'Speaker',
  deviceDefault: 'System default',
  deviceUnnamed: 'Device {number}',
  speakerFixed: 'This browser plays through the speaker that the system has chosen.',
  devicesLater: 'Names appear once the microphone has been allowed.',

  history: 'Recent calls',
  historyEmpty: 'Your calls will be listed here.',
  historyClear: 'Clear list',
  callBack: 'Call {name}',
  incoming: 'Incoming',
  outgoing: 'Outgoing',
  resultAnswered: 'Answered',
  resultMissed: 'Missed',
  resultDeclined: 'Declined',
  resultCancelled: 'Cancelled',
  resultBusy: 'Busy',
  resultNoAnswer: 'No answer',
  resultUnreachable: 'Not reachable',
  resultElsewhere: 'Answered elsewhere',
  resultFailed: 'Failed',

  endedNormal: 'The call with {name} has ended ({duration}).',
  endedDeclined: '{name} has declined the call.',
  endedDeclinedMe: 'You declined the call from {name}.',
  endedCancelled: 'You cancelled the call to {name}.',
  endedMissed: 'You missed a call from {name}.',
  endedBusy: '{name} is in another call.',
  endedNoAnswer: '{name} did not answer.',
  endedUnreachable: '{name} is not signed in anywhere.',
  endedElsewhere: 'The call was answered or declined on another device.',
  endedNetwork: 'The connection to {name} broke and could not be restored.',
  endedGlare: '{name} is calling you at this very moment.',
  endedOther: 'The call with {name} ended: {code}.',

  notifyTitle: 'Ring when this page is closed',
  notifyText: 'A notification tells you of calls while no tab is open.',
  notifyOn: 'Turn on notifications',
  notifyOff: 'Turn off notifications',
  notifyActive: 'Notifications are on for {name} in this browser.',
  notifyDenied: 'Notifications are blocked for this page. Allow them in the site settings of the browser.',
  notifyFailed: 'Notifications could not be turned on: {detail}',
  notifyBody: 'Audio call for {name}',
  notifyUnsupported: 'This browser has no Web Push. Calls ring while this page is open.',

  problem: 'Problem',
  dismiss: 'Dismiss',
  tryAgain: 'Try again',
  playSound: 'Play sound',
  problemMicDenied: 'The microphone is not allowed',
  adviceMicDenied: 'Allow the microphone for this page (the icon beside the address), then try again.',
  problemNoMic: 'No microphone was found',
  adviceNoMic: 'Connect a microphone or a headset, then try again.',
  problemMicBusy: 'The microphone cannot be used',
  adviceMicBusy: 'Close other programs that use it, or choose another microphone, then try again.',
  problemMicLost: 'The microphone has been disconnected',
  adviceMicLost: 'Connect it again or choose another one under “Microphone and speaker”.',
  problemAutoplay: 'The browser blocks the sound',
  adviceAutoplay: 'It plays sound only after you have clicked something on the page.',
  problemServer: 'The server cannot be reached',
  adviceServer: 'Check that `duologue server --dev` is running. The page reconnects by itself.',
  problemCallFailed: 'The call could not be started',
  problemDetail: 'Reason: {detail}',
  problemSpeaker: 'The speaker cannot be used',
  adviceSpeaker: 'Choose another one under “Microphone and speaker”.',
  problemAsk: 'Asked by {name}: the call is still ringing.',

  insecureTitle: 'One more step for this device',
  insecureText:
    'This page was opened over plain HTTP from another machine. Browsers hand out the microphone only over HTTPS or on the machine itself.',
  insecureStart: 'Start the server like this:',
  insecureOpen: 'Then open {address} here and accept the certificate once.',
} as const;

/** Name of a text. */
export type Key = keyof typeof en;

const ja: Record<Key, string> = {
  languageName: '日本語',
  appName: 'Duologue',
  tagline: '自分のサーバーで、クリアな1対1通話を。',
  skip: '通話エリアへ移動',
  otherLanguage: 'English',
  themeToDark: 'ダークテーマ',
  themeToLight: 'ライトテーマ',
  account: 'アカウント',
  signedInAs: '{name} としてサインイン中',
  signOut: 'サインアウト',

  signInTitle: 'お名前を教えてください',
  signInIntro: '開発用サーバーのため、好きな名前を使えます。パスワードは不要です。',
  nameLabel: 'あなたの名前',
  nameHint: '半角英数字と「-」「_」が使えます。相手はこの名前で電話をかけます。',
  nameEmpty: '名前を入力してください。',
  nameWrong: '名前に使えるのは半角英数字と「-」「_」で、64文字までです。',
  anotherName: '別の名前を提案',
  signIn: 'サインイン',

  presenceOnline: '着信できます',
  presenceConnecting: '接続しています…',
  presenceReconnecting: 'サーバーが応答しません。再接続しています',

  callTitle: '電話をかける',
  peerLabel: '相手の名前',
  peerEmpty: '相手の名前を入力してください。',
  peerSelf: '自分の名前です。ほかの人の名前を入力してください。',
  call: '発信',
  tipTitle: '相手がまだいませんか？',
  tipText: '別の名前で新しいタブを開き、その名前に電話をかけてみてください。',
  tipLink: '{name} として新しいタブを開く',
  tipCli: 'コマンドラインで応答することもできます。',

  calling: '{name} に発信中',
  callStarting: 'マイクを準備しています…',
  callTrying: '発信しています…',
  callRinging: '呼び出し中…',
  cancel: 'キャンセル',
  incomingFrom: '{name} から着信',
  incomingHint: '音声通話',
  escapeHint: 'Escキーで拒否できます。',
  answer: '応答',
  decline: '拒否',
  answering: '接続しています…',

  inCallWith: '{name} と通話中',
  duration: '通話時間',
  mute: 'ミュート',
  unmute: 'ミュート解除',
  hold: '保留',
  resume: '保留解除',
  hangUp: '終了',
  holdTitle: '{name} との通話を保留',
  holdReason: '理由（任意）',
  holdReasonHint: '保留中、{name} に表示されます。',
  holdConfirm: '保留にする',
  holdBack: '戻る',
  youMuted: 'マイクはミュート中です',
  youUnmuted: 'マイクをオンにしました',
  peerMuted: '{name} はミュート中です',
  peerUnmuted: '{name} がミュートを解除しました',
  youHold: '通話を保留にしています',
  peerHolds: '{name} が通話を保留にしました',
  peerHoldsReason: '{name} が通話を保留にしました：{reason}',
  holdOver: '通話を再開しました',
  networkLost: '接続が切れました。復旧しています…',
  networkBack: '接続が復旧しました',
  yourLevel: '自分の音量',
  peerLevel: '{name} の音量',
  you: '自分',
  code: '確認コード',
  codeHint: '絵を読み上げて比べてください。{name} の画面にも同じ5つが出ていれば、途中で盗み聞きされていません。',

  quality: 'ネットワーク品質',
  quality0: '不明',
  quality1: '非常に悪い',
  quality2: '悪い',
  quality3: '普通',
  quality4: '良い',
  quality5: '非常に良い',

  plotsTitle: '接続状況（直近60秒）',
  plotRtt: '往復遅延',
  plotLoss: 'パケット損失',
  plotJitter: 'ジッターバッファ',
  plotRate: 'ビットレート',
  plotSummary: '{name}：現在 {now} {unit}、直近1分間 {min}〜{max} {unit}',
  plotEmpty: '{name}：まだ測定値がありません',
  plotReceived: '受信',
  plotSent: '送信',
  statsPackets: 'パケット：送信 {sent}、受信 {received}',

  devices: 'マイクとスピーカー',
  microphone: 'マイク',
  speaker: 'スピーカー',
  deviceDefault: 'システムの既定',
  deviceUnnamed: 'デバイス {number}',
  speakerFixed: 'このブラウザーでは、システムで選択されたスピーカーから再生されます。',
  devicesLater: 'マイクを許可すると、デバイス名が表示されます。',

  history: '通話履歴',
  historyEmpty: 'まだ通話履歴はありません。',
  historyClear: '履歴を消去',
  callBack: '{name} に電話をかける',
  incoming: '着信',
  outgoing: '発信',
  resultAnswered: '応答あり',
  resultMissed: '不在着信',
  resultDeclined: '拒否',
  resultCancelled: 'キャンセル',
  resultBusy: '話し中',
  resultNoAnswer: '応答なし',
  resultUnreachable: '接続不可',
  resultElsewhere: '別の端末で応答',
  resultFailed: '失敗',

  endedNormal: '{name} との通話が終了しました（{duration}）。',
  endedDeclined: '{name} が通話を拒否しました。',
  endedDeclinedMe: '{name} からの着信を拒否しました。',
  endedCancelled: '{name} への発信をキャンセルしました。',
  endedMissed: '{name} から不在着信がありました。',
  endedBusy: '{name} はほかの相手と通話中です。',
  endedNoAnswer: '{name} は応答しませんでした。',
  endedUnreachable: '{name} はサインインしていません。',
  endedElsewhere: '別の端末で応答または拒否されました。',
  endedNetwork: '{name} との接続が切れ、復旧できませんでした。',
  endedGlare: '{name} がちょうどあなたに電話をかけています。',
  endedOther: '{name} との通話が終了しました（{code}）。',

  notifyTitle: 'ページを閉じていても着信を受ける',
  notifyText: 'タブを開いていなくても、通知で着信をお知らせします。',
  notifyOn: '通知をオンにする',
  notifyOff: '通知をオフにする',
  notifyActive: 'このブラウザーで {name} への着信を通知します。',
  notifyDenied: 'このページの通知はブロックされています。ブラウザーのサイト設定で許可してください。',
  notifyFailed: '通知をオンにできませんでした：{detail}',
  notifyBody: '{name} への音声通話',
  notifyUnsupported: 'このブラウザーはWeb Pushに対応していません。ページを開いている間だけ着信できます。',

  problem: '問題',
  dismiss: '閉じる',
  tryAgain: 'もう一度試す',
  playSound: '音声を再生',
  problemMicDenied: 'マイクの使用が許可されていません',
  adviceMicDenied: 'アドレスバーのアイコンからこのページのマイクを許可し、もう一度お試しください。',
  problemNoMic: 'マイクが見つかりません',
  adviceNoMic: 'マイクまたはヘッドセットを接続し、もう一度お試しください。',
  problemMicBusy: 'マイクを使用できません',
  adviceMicBusy: 'マイクを使用しているほかのアプリを終了するか、別のマイクを選んで、もう一度お試しください。',
  problemMicLost: 'マイクの接続が外れました',
  adviceMicLost: '接続し直すか、「マイクとスピーカー」で別のマイクを選んでください。',
  problemAutoplay: 'ブラウザーが音声の再生をブロックしています',
  adviceAutoplay: 'ページ内を一度クリックすると再生できるようになります。',
  problemServer: 'サーバーに接続できません',
  adviceServer: '`duologue server --dev` が起動しているか確認してください。ページは自動的に再接続します。',
  problemCallFailed: '通話を開始できませんでした',
  problemDetail: '理由：{detail}',
  problemSpeaker: 'スピーカーを使用できません',
  adviceSpeaker: '「マイクとスピーカー」で別のスピーカーを選んでください。',
  problemAsk: '{name} からの着信が続いています。',

  insecureTitle: 'この端末では、もう一つ設定が必要です',
  insecureText:
    'このページは別のマシンから暗号化されていないHTTPで開かれています。ブラウザーがマイクの使用を許可するのは、HTTPSの場合か、サーバーと同じマシンで開いた場合だけです。',
  insecureStart: 'サーバーを次のように起動してください。',
  insecureOpen: '次に、この端末で {address} を開き、証明書を一度だけ許可してください。',
};

/** The two languages of the page. */
export type Language = 'en' | 'ja';

const texts: Record<Language, Record<Key, string>> = { en, ja };

let language: Language = 'en';

/** The language in use. */
export function currentLanguage(): Language {
  return language;
}

/** Changes the language of everything that is translated from here on. */
export function setLanguage(next: Language): void {
  language = next;
}

/** The language that `wanted` (a BCP 47 tag, from the address or the browser) asks for; English unless it is Japanese. */
export function languageOf(wanted: string | null | undefined): Language {
  return wanted !== null && wanted !== undefined && /^ja\b/i.test(wanted) ? 'ja' : 'en';
}

/** The text of `key` in the language in use, with `{name}` replaced by `values.name`. */
export function translate(key: Key, values: Record<string, string | number> = {}): string {
  return texts[language][key].replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : String(value);
  });
}

/** A duration of `seconds` as `m:ss` or `h:mm:ss`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}
