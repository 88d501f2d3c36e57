// What programs and pages said, kept to be shown when something fails.

/** Lines kept of one source; older ones make room. */
const KEPT = 400;

/** The log of one program, page or phone. */
export class Log {
  /** @type {string[]} */
  #lines = [];
  #partial = '';
  #dropped = 0;

  /** @param {string} name what is shown above the lines */
  constructor(name) {
    this.name = name;
  }

  /** @param {string} line */
  line(line) {
    const at = new Date().toISOString().slice(11, 23);
    this.#lines.push(`${at} ${line.slice(0, 2000)}`);
    if (this.#lines.length > KEPT) {
      this.#lines.shift();
      this.#dropped += 1;
    }
  }

  /**
   * Keeps what a stream says, line by line.
   * @param {import('node:stream').Readable} stream
   */
  follow(stream) {
    stream.setEncoding('utf8');
    stream.on('data', (/** @type {string} */ text) => {
      const lines = (this.#partial + text).split('\n');
      this.#partial = lines.pop() ?? '';
      for (const line of lines) this.line(line);
    });
    stream.on('end', () => {
      if (this.#partial) this.line(this.#partial);
      this.#partial = '';
    });
  }

  /** @returns {string} everything, for a person */
  text() {
    const dropped = this.#dropped ? `(${this.#dropped} older lines)\n` : '';
    return `--- ${this.name}\n${dropped}${this.#lines.join('\n')}`;
  }
}
