/** The demo page: signs in, calls, answers. Everything it does about calls goes through the SDK's public interface. */
import './css/index.css';
import { Alerts } from './alerts.ts';
import { byId, h } from './dom.ts';
import { Inbox } from './inbox.ts';
import { Notifications } from './notifications.ts';
import { Phone } from './phone.ts';
import * as store from './store.ts';
import { currentLanguage, setLanguage, translate } from './strings.ts';
import { connectionView } from './views/connection.ts';
import { devicesView } from './views/devices.ts';
import { dialView } from './views/dial.ts';
import { headerView } from './views/header.ts';
import { historyView } from './views/history.ts';
import { inCallView } from './views/in-call.ts';
import { notificationsView } from './views/notifications.ts';
import { problemView } from './views/problem.ts';
import { incomingView, outgoingView } from './views/ringing.ts';
import { insecureView, signInView } from './views/sign-in.ts';
import type { View } from './views/view.ts';

type Screen = 'insecure' | 'signIn' | 'dial' | 'outgoing' | 'incoming' | 'inCall';

/** What a screen consists of. */
interface Columns {
  stage: View[];
  side: View[];
}

class App {
  #user = store.rememberedName();
  #theme = store.rememberedTheme();
  #screen: Screen | undefined;
  #draft = '';
  #header: View | undefined;
  #problem: View | undefined;
  #views: Columns = { stage: [], side: [] };
  readonly #main = byId('main', HTMLElement);
  readonly #live = { polite: byId('status', HTMLElement), urgent: byId('alert', HTMLElement) };
  readonly #alerts = new Alerts((text, urgent) => {
    this.#live[urgent ? 'urgent' : 'polite'].textContent = text;
  });
  readonly #phone = new Phone(byId('peer-audio', HTMLAudioElement), this.#alerts);
  readonly #inbox = new Inbox((push) => this.#phone.handlePush(push));  readonly #notifications = new Notifications(({ push, action }) => {
    this.#inbox.handle(push);
    this.#phone.act(push.sid, action);
  });

  start(): void {
    setLanguage(store.rememberedLanguage());
    for (const part of [this.#phone, this.#alerts, this.#inbox, this.#notifications]) {
      part.subscribe(() => this.#update());
    }
    // The first click or key press is what browsers wait for before they let a page sound.
    for (const gesture of ['pointerdown', 'keydown']) {
      document.addEventListener(gesture, () => void this.#alerts.unlockSound(), { once: true });
    }
    if (this.#user !== undefined && isSecureContext) {
      this.#enter(this.#user);
    }
    this.#rebuild();
  }

  #enter(user: string): void {
    this.#user = user;
    this.#phone.signIn(user);
    this.#inbox.open(user);
    void this.#notifications.start(user);
  }

  #signIn(user: string): void {
    store.rememberName(user);
    void this.#alerts.unlockSound();
    this.#enter(user);
    this.#rebuild();
  }

  async #signOut(): Promise<void> {
    store.rememberName(undefined);
    this.#phone.signIn(undefined);
    this.#inbox.close();
    this.#user = undefined;
    // Else the page would sign in again under the name in its address after a reload.
    history.replaceState(null, '', location.pathname);
    this.#rebuild();
    await this.#notifications.turnOff();
  }

  #switchLanguage(): void {
    const next = currentLanguage() === 'en' ? 'ja' : 'en';
    store.rememberLanguage(next);
    setLanguage(next);
    this.#rebuild();
    document.getElementById('language')?.focus();
  }

  #switchTheme(): void {
    this.#theme = this.#theme === 'dark' ? 'light' : 'dark';
    store.rememberTheme(this.#theme);
    this.#rebuild();
    document.getElementById('theme')?.focus();
  }

  /** Makes everything anew: after a change of person, language or theme. */
  #rebuild(): void {
    document.documentElement.lang = currentLanguage();
    document.documentElement.dataset['theme'] = this.#theme;
    byId('skip', HTMLElement).textContent = translate('skip');
    this.#header = headerView({
      user: this.#user,
      theme: this.#theme,
      presence: () => this.#inbox.presence,
      onLanguage: () => this.#switchLanguage(),
      onTheme: () => this.#switchTheme(),
      onSignOut: () => void this.#signOut(),
    });
    byId('header', HTMLElement).replaceChildren(this.#header.element);
    this.#problem = problemView(this.#alerts);
    byId('problem', HTMLElement).replaceChildren(this.#problem.element);
    this.#screen = undefined;
    this.#update();
  }

  #update(): void {
    const screen = this.#wanted();
    if (screen !== this.#screen) {
      this.#show(screen);
    }
    for (const view of [this.#header, this.#problem, ...this.#all()]) {
      view?.update?.();
    }
    const peer = this.#phone.call?.peer;
    document.title = peer === undefined ? translate('appName') : `${this.#title(screen, peer)} – ${translate('appName')}`;
  }

  #title(screen: Screen, name: string): string {
    const key = { incoming: 'incomingFrom', outgoing: 'calling', inCall: 'inCallWith' } as const;
    return screen in key ? translate(key[screen as keyof typeof key], { name }) : name;
  }

  #wanted(): Screen {
    if (!isSecureContext) {
      return 'insecure';
    }
    if (this.#user === undefined) {
      return 'signIn';
    }
    const call = this.#phone.call;
    if (call === undefined) {
      return 'dial';
    }
    if (call.phase === 'connected') {
      return 'inCall';
    }
    return call.direction === 'in' ? 'incoming' : 'outgoing';
  }

  #show(screen: Screen): void {
    const first = this.#screen === undefined;
    // Whoever works with the keyboard goes on where the new screen begins, not at the top of the page.
    const inside = this.#main.contains(document.activeElement) || document.activeElement === document.body;
    for (const view of this.#all()) {
      view.stop?.();
    }
    this.#screen = screen;
    this.#views = this.#build(screen);
    const { stage, side } = this.#views;
    this.#main.dataset['screen'] = screen;
    this.#main.replaceChildren(column('column', stage), ...(side.length > 0 ? [column('column side', side)] : []));
    if (!first && inside) {
      // On a touch screen a focused field would bring up the keyboard.
      const field = screen === 'dial' && matchMedia('(hover: hover)').matches;
      document.getElementById(field ? 'peer' : 'stage-title')?.focus();
    }
  }

  #all(): View[] {
    return [...this.#views.stage, ...this.#views.side];
  }

  #build(screen: Screen): Columns {
    const phone = this.#phone;
    const alerts = this.#alerts;
    const user = this.#user ?? '';
    const peer = phone.call?.peer ?? '';
    switch (screen) {
      case 'insecure':
        return { stage: [insecureView()], side: [] };
      case 'signIn':
        return { stage: [signInView((name) => this.#signIn(name))], side: [] };
      case 'dial':
        return {
          stage: [dialView(phone, alerts, user, this.#draft, (text) => (this.#draft = text)), devicesView(phone)],
          side: [historyView(phone, alerts, user), notificationsView(this.#notifications, user)],
        };
      case 'outgoing':
        return { stage: [outgoingView(phone, peer)], side: [] };
      case 'incoming':
        return { stage: [incomingView(phone, alerts, peer)], side: [] };
      case 'inCall':
        return { stage: [inCallView(phone, peer)], side: [connectionView(phone), devicesView(phone)] };
    }
  }
}

function column(name: string, views: View[]): HTMLElement {
  return h('div', { class: name }, ...views.map(({ element }) => element));
}

new App().start();
