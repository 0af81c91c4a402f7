import { constants } from "node:os";

const NUMBERS = constants.signals as Readonly<Record<string, number>>;

/** The number of a signal such as `SIGTERM`; 0 for none. */
export function signalNumber(signal: string | null | undefined): number {
  return signal ? (NUMBERS[signal] ?? 0) : 0;
}

/** `term`, `SIGTERM` and `15` name the same signal. Throws `SyntaxError` for what is none. */
export function parseSignal(text: string): NodeJS.Signals {
  const upper = text.toUpperCase();
  const name = /^\d+$/.test(upper)
    ? Object.keys(NUMBERS).find((key) => NUMBERS[key] === Number(upper))
    : upper.startsWith("SIG")
      ? upper
      : `SIG${upper}`;
  if (name === undefined || NUMBERS[name] === undefined)
    throw new SyntaxError(`${text} is no signal; for example KILL, TERM, STOP`);
  return name as NodeJS.Signals;
}

/** Whether the signal is sent in order to end a program. Others pause it, continue it or tell it something. */
export function endsPrograms(signal: NodeJS.Signals): boolean {
  return !["SIGSTOP", "SIGTSTP", "SIGCONT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH"].includes(signal);
}
